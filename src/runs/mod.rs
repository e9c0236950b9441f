//! Runs on disk: where they live, which there are, and who has the router.
//!
//! Every run has a private directory ([`RunDir`]) under one root, with its plan, journal, samples
//! and logs. An [`index`] beside them has one line for each run that has ended, chained, so that
//! none can go missing unseen. A [`Lock`] keeps two cockpits off one router, and a [`control`]
//! socket beside it lets a second terminal ask the first one's engine to go back.
//!
//! Nothing here reads or writes a router.

pub mod control;
mod dir;
pub mod figures;
mod home;
pub mod index;
mod list;
mod lock;
mod record;

pub use dir::{RunDir, is_id, short};
pub use figures::Figures;
pub use home::{Home, NoHome};
pub use index::{IndexLine, last_end, last_rollback};
pub use list::{FindFault, RunSummary, find, list};
pub use lock::{Holder, Lock, LockFault};
pub use record::{Earlier, PATIENCE, Wanted, earlier};
