//! The journal: what happened to a run, in order, chained, and enough to live it again.
//!
//! A run's directory holds two files. `journal.jsonl` has every input that a person would want to
//! read and everything that followed from any input; each line ends with the digest of the line
//! before ([`chain`]), so that a shell can check it. `samples.jsonl` has the routine inputs, a line
//! each ([`samples`]); its digest is chained into the journal once a minute.
//!
//! [`Writer`] writes both on a thread of its own and never makes the engine wait. [`read`](read())
//! verifies and merges them, [`replay`](replay()) lives the run again.
//!
//! The journal decides nothing: which barrier an act has to wait for is the core's to say, and
//! what a failing disk means for the run as well.

pub mod append;
pub mod ascii;
pub mod chain;
pub mod entry;
pub mod fault;
pub mod line;
pub mod list;
pub mod mark;
mod names;
pub mod noted;
mod queue;
pub mod read;
pub mod replay;
pub mod samples;
mod worker;
pub mod writer;

pub use entry::{Actor, Closed, Entry, Lost, Opened, Resumed, SamplesDigest, VERSION};
pub use fault::JournalFault;
pub use mark::Mark;
pub use noted::{
    ClockState, Declared, Hit, Noted, RecordingClosed, RecordingLost, RecordingStarted, Signer,
    Token,
};
pub use read::{JOURNAL, Run, SAMPLES, Turn, Turnless, Written, read};
pub use replay::{Difference, Replayed, replay};
pub use writer::{Durable, Ended, Notes, ResumeFault, Trouble, Troubles, Writer};
