//! The thread that plays: the run's time goes on, orders are obeyed, and each step is published.
//!
//! An order changes the clock first and publishes last, and the clock knows to which change of the
//! feed it belongs: nobody draws one place's time over another place's state.

use super::deck::{Deck, Head};
use super::order::{Order, Speed};
use super::player::Player;
use super::tape::{Flag, Tape};
use crate::feed::{Feed, Link, News};
use crate::units::Millis;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Inputs that come closer than this, in our time, are published together.
const TOGETHER: Duration = Duration::from_millis(15);
/// A mark that was passed this short a time ago is the one to leave, not to go to.
const JUST_PASSED: Duration = Duration::from_secs(1);
/// Half an hour and a little of both slots, from users and probes, and the gauges.
const SAMPLES_KEPT: usize = 33 * 60 * 6;

/// A replay that runs.
#[derive(Debug)]
pub struct Playback {
    /// Where to watch it. What is commanded through it goes nowhere.
    pub link: Link,
    /// Where to ask for something.
    pub deck: Deck,
    thread: JoinHandle<()>,
}

impl Playback {
    /// Asks it to end, and waits until it has.
    pub fn end(self) {
        self.deck.order(Order::Leave);
        let _ = self.thread.join();
    }
}

/// Plays a tape on a thread of its own, from an instant, until it is asked to leave.
pub fn play(tape: Tape, from: Millis, speed: Speed) -> io::Result<Playback> {
    let feed = Arc::new(Feed::keeping(SAMPLES_KEPT));
    // Nobody is at the other end: there is no engine here that could obey.
    let (commands, nobody) = tokio::sync::mpsc::unbounded_channel();
    drop(nobody);
    let end = tape.end_at();
    let base = from.min(end);
    let head = Head { base, since: Instant::now(), end, speed, paused: false, looked: None, of: 1 };
    let deck = Deck::new(head.clone());
    let link = Link { feed: Arc::clone(&feed), commands };
    let handle = deck.clone();
    let thread = std::thread::Builder::new().name("replay".to_owned()).spawn(move || {
        let over = Over(feed);
        Playhead { player: Player::new(tape), head, deck: handle, feed: &over.0 }.run();
    })?;
    Ok(Playback { link, deck, thread })
}

/// Closes the feed when the thread ends, in whatever way: whoever watches must not wait for more.
struct Over(Arc<Feed>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Playhead<'a> {
    player: Player,
    head: Head,
    deck: Deck,
    feed: &'a Feed,
}

impl Playhead<'_> {
    fn run(mut self) {
        self.seek(self.player.tape().index_at(self.head.base), self.head.base);
        loop {
            for order in self.deck.orders(self.wait()) {
                if order == Order::Leave {
                    return;
                }
                self.obey(order);
            }
            let index = self.player.tape().index_at(self.head.at(Instant::now()));
            // Whoever steps by events may stand between two of one instant.
            if !self.head.paused && index > self.player.index() {
                self.publish(index);
            }
        }
    }

    /// How long until the next input; for ever where time stands.
    fn wait(&self) -> Option<Duration> {
        let (tape, next) = (self.player.tape(), self.player.index() + 1);
        if self.head.paused || next > tape.len() {
            return None;
        }
        let left = tape.at(next).since(self.head.at(Instant::now()));
        Some(Duration::from_micros(self.head.speed.ours_us(left)).max(TOGETHER))
    }

    fn obey(&mut self, order: Order) {
        let now = Instant::now();
        let at = self.head.at(now);
        (self.head.base, self.head.since) = (at, now);
        self.head.looked = None;
        let tape = self.player.tape();
        let to = |at: Millis| (tape.index_at(at), at);
        let (index, at) = match order {
            Order::Pause if at >= self.head.end => {
                self.head.paused = false;
                to(tape.at(1))
            }
            Order::Pause => {
                self.head.paused = !self.head.paused;
                (self.player.index(), at)
            }
            Order::Turn(up) => {
                self.head.speed = self.head.speed.turned(up);
                (self.player.index(), at)
            }
            Order::Step(by) => {
                self.head.paused = true;
                let here = self.player.index();
                let index = here.saturating_add_signed(isize::from(by)).clamp(1, tape.len().max(1));
                self.head.looked = tape.input(index);
                (index, tape.at(index))
            }
            Order::Mark(by) => {
                let passed = Millis(at.0.saturating_sub(self.just_passed().0));
                let before = if self.head.paused { at + Millis(1) } else { passed };
                match self.player.mark(by, before) {
                    Some(Flag { index, mark }) => {
                        self.head.looked = Some(mark.label.clone());
                        (*index, tape.at(*index))
                    }
                    None if by > 0 => (tape.len(), tape.end_at()),
                    None => to(tape.at(1)),
                }
            }
            Order::Skip(by) => {
                let by_ms = u64::from(by.unsigned_abs()) * 1_000;
                let there = if by < 0 { at.0.saturating_sub(by_ms) } else { at.0 + by_ms };
                to(Millis(there).clamp(tape.at(1), tape.end_at()))
            }
            Order::Begin => to(tape.at(1)),
            Order::End => to(tape.end_at()),
            Order::Tenth(tenths) => {
                let span = tape.end_at().since(tape.at(1)).0;
                to(tape.at(1) + Millis(span / 10 * u64::from(tenths.min(10))))
            }
            Order::Leave => return,
        };
        self.seek(index, at);
    }

    fn just_passed(&self) -> Millis {
        self.head.speed.run_ms(u64::try_from(JUST_PASSED.as_micros()).unwrap_or(u64::MAX))
    }

    fn seek(&mut self, index: usize, at: Millis) {
        self.head.base = at;
        self.head.since = Instant::now();
        self.publish(index);
    }

    fn publish(&mut self, index: usize) {
        self.head.of = self.feed.seq() + 1;
        self.deck.set(self.head.clone());
        if index == self.player.index() {
            self.feed.publish(self.player.snapshot(), News::default());
            return;
        }
        let moved = self.player.go(index);
        if moved.reset {
            self.feed.restart();
        }
        self.feed.publish(moved.snapshot, moved.news);
    }
}
