//! A run, played again from its journal, for the same screen that showed it live.
//!
//! A [`Tape`] is a run that was read and lived again once: its inputs, what is told at each, and
//! copies of the core on the way. A [`Player`] is a place on it; it steps a fresh
//! [`Core`](crate::runbook::Core) through the inputs and goes anywhere at once. [`play`](play())
//! puts a player on a thread with a clock, and publishes to a [`Feed`](crate::feed::Feed) as the
//! engine does; a [`Deck`] is what keys reach of it.
//!
//! Nothing here can reach a router: there is no engine and no adapter, effects are looked at and
//! never done, and what a screen sends as a command goes nowhere. The tape and the player read no
//! clock and no file.

mod deck;
mod order;
mod play;
mod player;
mod tape;

pub use deck::Deck;
pub use order::{Order, Playing, SPEEDS, Speed};
pub use play::{Playback, play};
pub use player::Player;
pub use tape::{Flag, Kept, Tape};
