//! Sources: what the cockpit itself asks the slots and the front door, second by second.
pub mod body;
pub mod http;
pub mod second;

pub use http::{HealthCheck, ProbeAnswer, Prober, Question};
pub use second::Second;
