//! The few things that every view is made of: ink, panels, a braille plot, bars, big letters.
//!
//! They write straight into the buffer and allocate next to nothing; what is drawn with them, and
//! in which words, is the views' affair.

pub mod bar;
pub mod big;
pub mod ink;
pub mod panel;
pub mod plot;
pub mod spark;
pub mod wrap;
