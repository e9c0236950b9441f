//! PURE. Samples become windows, windows become verdicts.
pub mod counter;
pub mod histogram;
pub mod sample;
pub mod verdict;

pub use histogram::Histogram;
pub use sample::{Origin, Sample, Whose};
pub use verdict::{Judgement, Verdict};
