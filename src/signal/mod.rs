//! PURE. Samples become windows, windows become verdicts.
//!
//! Nothing here knows a clock, a socket or a screen: time arrives with each sample. The seam to
//! the runbook is [`Judge`]: whatever rule stands behind it, it takes samples and gives
//! [`Judgement`]s.

pub mod blue;
pub mod cadence;
pub mod counter;
pub mod evidence;
pub mod histogram;
pub mod judge;
mod line;
mod literal;
mod queue;
pub mod rate;
pub mod record;
pub mod sample;
pub mod series;
pub mod share;
mod shown;
pub mod verdict;
mod watched;
pub mod window;

pub use cadence::Cadence;
pub use histogram::Histogram;
pub use judge::{Change, Judge};
pub use record::Record;
pub use sample::{Origin, Sample, Whose};
pub use series::Tally;
pub use verdict::{Judgement, Verdict};
pub use watched::SLOW_SHARE;
