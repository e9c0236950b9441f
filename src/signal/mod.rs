//! PURE. Samples become windows, windows become verdicts.
//!
//! Nothing here knows a clock, a socket or a screen: time arrives with each sample. The seam to
//! the runbook is [`Judge`]: whatever rule stands behind it, it takes samples and gives
//! [`Judgement`]s.

pub mod counter;
pub mod histogram;
pub mod judge;
pub mod sample;
pub mod verdict;
pub mod window;

pub use histogram::Histogram;
pub use judge::{Change, Judge};
pub use sample::{Origin, Sample, Whose};
pub use verdict::{Judgement, Verdict};
