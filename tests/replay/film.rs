//! A simulated flight of which every frame is known, and its journal.

use crate::sim::{Health, World, facts, plan};
use std::path::Path;
use std::time::Duration;
use switchback::feed::News;
use switchback::journal::{self, Closed, Entry, Opened, Run, Writer};
use switchback::plan::Plan;
use switchback::runbook::snapshot::{Snapshot, Stamp, Update};
use switchback::runbook::{Command, Core, Effect, Event, Record, line};
use switchback::sim::{Flight, Slots, Watcher};
use switchback::units::Millis;

/// One step of the flight, and how the screen stood then.
#[derive(Debug)]
pub struct Frame {
    pub at: Millis,
    pub event: Event,
    pub effects: Vec<Effect>,
    pub snapshot: Snapshot,
}

/// Keeps every frame, as the engine would have published it.
#[derive(Debug, Default)]
pub struct Film {
    pub frames: Vec<Frame>,
}

impl Watcher for Film {
    fn comes(&mut self, _: Millis, _: &Event, _: &mut Core) {}

    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core) {
        let (event, effects) = (event.clone(), effects.to_vec());
        self.frames.push(Frame { at: now, event, effects, snapshot: core.snapshot() });
    }

    fn answers_late(&mut self, _: Millis, _: &Event, _: &mut Core) {}

    fn process_died(&mut self) {}
}

impl Frame {
    /// What the engine tells of it.
    pub fn update(&self) -> Update {
        let mut news = News::default();
        if let Event::Sample(sample) = &self.event {
            news.samples.push((**sample).clone());
        }
        for effect in &self.effects {
            let Effect::Record(record) = effect else { continue };
            match record {
                Record::Split { read: Some(green), .. } => news.switches.push((self.at, *green)),
                Record::Stamped { stamp: Stamp::RouterAtBlue, .. } => {
                    news.switches.push((self.at, 0));
                }
                _ => {}
            }
            news.log.extend(line::line(record, self.at));
            news.records.push((self.at, record.clone()));
        }
        update(self.snapshot.clone(), news, false)
    }
}

/// News as a watcher gets them.
pub fn update(snapshot: Snapshot, news: News, reset: bool) -> Update {
    let News { samples, switches, log, records, output } = news;
    Update { seq: 0, reset, snapshot, samples, switches, log, records, output }
}

pub type Filmed = Flight<Film, Slots>;

/// Presses what is routine and lets time pass.
pub fn fly(flight: &mut Filmed, secs: u64) {
    let end = flight.now + secs * 1000;
    while flight.finish().is_none() {
        if let Some(command) = flight.core.routine() {
            flight.command(command);
        } else if !flight.advance_to_next(end) {
            return;
        }
    }
}

/// A flight that has just begun.
pub fn begun() -> Filmed {
    let mut flight = Flight::watched(plan(), facts(), World::default(), Film::default());
    flight.feed(Event::Begin);
    flight
}

/// A flight that goes back by itself: Green fails for a third of its users.
pub fn that_goes_back() -> Filmed {
    let mut flight = begun();
    fly(&mut flight, 80);
    flight.world.slots[1].health = Health::Failing(30);
    fly(&mut flight, 300);
    flight.command(Command::Leave);
    fly(&mut flight, 10);
    assert!(flight.finish().is_some());
    flight
}

/// A flight that is held for an hour and more.
pub fn of_an_hour() -> Filmed {
    let plan = Plan { watch: Millis::secs(3_600), ..plan() };
    let mut flight = Flight::watched(plan, facts(), World::default(), Film::default());
    flight.feed(Event::Begin);
    fly(&mut flight, 3_700);
    flight
}

/// Writes the flight's journal as the engine does, and reads it.
pub fn written(directory: &Path, flight: &Filmed) -> Run {
    let opened = Opened::new(flight.facts().clone(), flight.plan().clone(), "router");
    let (writer, _troubles) = Writer::create(directory, opened, Millis::ZERO).unwrap();
    for (n, frame) in (1..).zip(&flight.watcher.frames) {
        writer.append(Entry::Input { n, event: frame.event.clone() }, frame.at);
        for effect in &frame.effects {
            writer.append(Entry::Effect { n, effect: effect.clone() }, frame.at);
        }
    }
    if let Some(finish) = flight.finish() {
        writer.append(Entry::Closed(Closed::now(finish)), Millis(flight.now));
    }
    writer.close(Duration::from_secs(30)).unwrap();
    journal::read(directory).unwrap()
}
