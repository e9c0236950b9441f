//! The keys of a flight, written down so that somebody else can press them in another: the same
//! drill on simulated time and on sockets.
//!
//! Two flights of one seed are the same world and not the same milliseconds: a router on sockets
//! takes its time, and a gate opens when its second is full. A person waits for what they see, and
//! so does a [`Key`]: it hangs on the last [`Cue`] before it (a step, a question, users that were
//! moved, the way back) and is pressed so long after that cue; if it can only be pressed when
//! something is open, then not before that is. Its own run's clock says nothing but when the
//! flight began. A key whose cue never comes is given up after [`PATIENCE`], and counted.
//!
//! Nothing here judges a flight, and nothing here knows what is true.

use super::fly::{Pilot, Sight};
use crate::runbook::{Answer, Command, Snapshot, snapshot::StampState};
use crate::units::{Millis, Percent};
use serde::{Deserialize, Serialize};

/// So much later than it was pressed a key is given up.
pub const PATIENCE: Millis = Millis::secs(45);
/// Users who are not in band so long after going back may never be.
pub const IN_BAND: Millis = Millis::secs(30);

/// What can be seen that a key waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// The flight has begun.
    Begins,
    /// The runbook stands at this step, 1 to 8.
    Step(u8),
    /// A question is shown.
    Question,
    /// So many percent were asked for on Green.
    Green(u8),
    /// The run goes back.
    Back,
    /// The way back has nothing more to do.
    Settled,
    /// Users were seen well again after it, or that will not be seen any more.
    InBand,
}

/// What is seen at one moment of whatever a key may wait for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glance {
    /// The run's time.
    pub now: Millis,
    /// The step of the runbook, 1 to 8.
    pub step: u8,
    /// The number of the question that is shown.
    pub question: Option<u32>,
    /// What is routine now, if anything.
    pub routine: Option<Command>,
    /// Green's percent that was last asked for.
    pub green: u8,
    /// Whether the run goes, or went, back.
    pub back: bool,
    /// Whether the way back has nothing more to do.
    pub settled: bool,
    /// Whether users were seen well again after it, or that will not be seen any more.
    pub in_band: bool,
}

impl From<&Sight<'_>> for Glance {
    fn from(sight: &Sight<'_>) -> Self {
        Self {
            now: sight.now,
            step: sight.step,
            question: sight.question.map(|asked| asked.number),
            routine: sight.routine.clone(),
            green: sight.green,
            back: sight.back,
            settled: sight.settled,
            in_band: sight.back && sight.in_band,
        }
    }
}

impl Glance {
    /// What an engine's watcher sees `now`; `routine` is what `--yes` would press.
    pub fn of(snapshot: &Snapshot, now: Millis, routine: Option<Command>) -> Self {
        let back = snapshot.rollback.as_ref();
        Self {
            now,
            step: snapshot.step.number(),
            question: snapshot.question.as_ref().map(|question| question.number),
            routine,
            green: snapshot.traffic.asked.map_or(0, Percent::get),
            back: back.is_some(),
            settled: back.is_some_and(|back| back.verified),
            in_band: back.is_some_and(|back| {
                matches!(back.stamps[3], StampState::After(_)) || now.since(back.began) >= IN_BAND
            }),
        }
    }
}

/// Watches for cues.
#[derive(Debug, Clone)]
struct Eye {
    last: Glance,
    seen: Vec<(Cue, Millis)>,
}

impl Default for Eye {
    fn default() -> Self {
        Self { last: Glance::default(), seen: vec![(Cue::Begins, Millis::ZERO)] }
    }
}

impl Eye {
    fn look(&mut self, now: &Glance) {
        let last = &self.last;
        let new = [
            (now.step != last.step).then_some(Cue::Step(now.step)),
            (now.green != last.green).then_some(Cue::Green(now.green)),
            (now.back && !last.back).then_some(Cue::Back),
            (now.settled && !last.settled).then_some(Cue::Settled),
            (now.in_band && !last.in_band).then_some(Cue::InBand),
            (now.question.is_some() && now.question != last.question).then_some(Cue::Question),
        ];
        self.seen.extend(new.into_iter().flatten().map(|cue| (cue, now.now)));
        self.last = now.clone();
    }

    /// When a cue came for the `nth` time, counted from 1.
    fn came(&self, cue: Cue, nth: u32) -> Option<Millis> {
        let mut times = self.seen.iter().filter(|(seen, _)| *seen == cue);
        times.nth(nth.saturating_sub(1) as usize).map(|(_, at)| *at)
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What it waits for.
    pub cue: Cue,
    /// For which time of that, counted from 1.
    pub nth: u32,
    /// So long after it.
    pub after: Millis,
    /// Whether it was what is routine: then it waits until that is open.
    pub routine: bool,
    /// What is pressed. The number in an answer is that of the question which is shown.
    pub command: Command,
    /// When it was pressed, in the flight that it was written down in.
    pub at: Millis,
}

/// The keys of a flight, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Keys {
    /// Each key.
    pub keys: Vec<Key>,
    /// When that flight was over, or nobody looked at it any longer.
    pub ended: Millis,
    /// Whether it was over by itself.
    pub over: bool,
}

/// Writes down what is pressed in a flight.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    eye: Eye,
    keys: Keys,
}

impl Recorder {
    /// Somebody saw this, and pressed that, if anything. Gives back what was pressed.
    pub fn heard(&mut self, sight: &Sight<'_>, command: Option<Command>) -> Option<Command> {
        self.eye.look(&sight.into());
        self.keys.ended = sight.now;
        if let Some(command) = &command
            && let Some((cue, came)) = self.eye.seen.last().copied()
        {
            let nth = self.eye.seen.iter().filter(|(seen, _)| *seen == cue).count();
            self.keys.keys.push(Key {
                cue,
                nth: nth.try_into().unwrap_or(u32::MAX),
                after: sight.now.since(came),
                routine: sight.routine.as_ref() == Some(command),
                command: command.clone(),
                at: sight.now,
            });
        }
        command
    }

    /// The keys of the flight, which is over.
    pub fn done(self) -> Keys {
        self.keys
    }
}

/// Presses the keys of another flight.
#[derive(Debug, Clone)]
pub struct Player<'a> {
    keys: &'a Keys,
    eye: Eye,
    next: usize,
    /// When the key before the next one was pressed, here and there.
    before: (Millis, Millis),
    /// Keys that were given up.
    pub missed: Vec<Key>,
}

impl<'a> Player<'a> {
    /// Nothing was pressed yet.
    pub fn new(keys: &'a Keys) -> Self {
        let before = (Millis::ZERO, Millis::ZERO);
        Self { keys, eye: Eye::default(), next: 0, before, missed: Vec::new() }
    }

    /// What is pressed now, if anything. It is asked again until nothing is pressed.
    pub fn press(&mut self, glance: &Glance) -> Option<Command> {
        self.eye.look(glance);
        loop {
            let key = self.keys.keys.get(self.next)?;
            if let Some(command) = self.due(key, glance) {
                self.go_on(key, glance);
                return Some(command);
            }
            let (here, there) = self.before;
            if glance.now < here + key.at.since(there) + PATIENCE {
                return None;
            }
            self.missed.push(key.clone());
            self.go_on(key, glance);
        }
    }

    /// When the flight may be ended, where it has not ended by itself: all keys are pressed, and
    /// it has gone on for as long as the other one did after its last key. Where that one was over
    /// by itself this one is given its time to be.
    pub fn ends(&self) -> Option<Millis> {
        let (here, there) = self.before;
        let patience = if self.keys.over { PATIENCE } else { Millis::ZERO };
        (self.next >= self.keys.keys.len()).then(|| here + self.keys.ended.since(there) + patience)
    }

    fn go_on(&mut self, key: &Key, glance: &Glance) {
        self.before = (glance.now, key.at);
        self.next += 1;
    }

    /// What a key presses, if its moment has come.
    fn due(&self, key: &Key, glance: &Glance) -> Option<Command> {
        let came = self.eye.came(key.cue, key.nth)?;
        if glance.now < came + key.after {
            return None;
        }
        match &key.command {
            routine if key.routine => {
                let open = glance.routine.clone()?;
                let same = std::mem::discriminant(&open) == std::mem::discriminant(routine);
                same.then_some(open)
            }
            Command::Answer { answer, .. } => answers(glance, answer),
            other => Some(other.clone()),
        }
    }
}

fn answers(glance: &Glance, answer: &Answer) -> Option<Command> {
    let question = glance.question?;
    Some(Command::Answer { question, answer: answer.clone() })
}

impl Pilot for Player<'_> {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        Player::press(self, &sight.into())
    }
}
