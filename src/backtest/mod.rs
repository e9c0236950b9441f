//! When would these limits have tripped on these samples?
//!
//! Lines go through the same [`Judge`](crate::signal::Judge) that decides in a run, and every
//! change of a verdict comes out. Nothing is read or written here. There are two ways in:
//!
//! - [`Lines`] takes a file of samples, whoever wrote it, in the order of its lines. Until a mark
//!   moves users to Green it is the soak, judged on probes; from then on users are judged, until a
//!   mark takes them all back. In a file that has no such mark, the first user of Green is one.
//!   What is absent was not read, and is never taken for 0. A source that is silent is not unknown
//!   before the longest hold has passed.
//! - [`flown`] takes a run, from its journal, and steps it exactly as its core did: under the
//!   run's own plan the verdicts are those of its journal, bit for bit.
//!
//! What the plan would have done about it is a sentence: [`Told::sum_up`].

mod flown;
mod line;
mod lines;
mod odd;
mod said;
mod told;

pub use flown::flown;
pub use line::{Line, Place, Unread, read, read_whole};
pub use lines::Lines;
pub use odd::{Odd, Squeezed};
pub use said::Said;
pub use told::{Held, Told};
