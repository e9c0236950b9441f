//! Reading a journal: every link of the chain, every digest of samples, every input in its place.
//!
//! A crash leaves a mark that is no fault: a last line without its line feed is passed over and
//! told. Whatever else does not fit is a fault with its line. Samples are not fsynced each; where
//! a power cut took some of them, the inputs have a gap, which is told as well: up to the first one
//! a replay is exact.

use super::chain::{self, Follow};
use super::entry::{Closed, Entry, Opened};
use super::fault::JournalFault;
use super::line::{self, Decoded};
use super::noted::Noted;
use super::samples::{self, Found};
use crate::runbook::{Act, Effect, Event, Readback, Record, RunOutcome};
use crate::units::Millis;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// The journal's file in a run's directory.
pub const JOURNAL: &str = "journal.jsonl";
/// The samples' file in a run's directory.
pub const SAMPLES: &str = "samples.jsonl";

/// A run, read from its directory.
#[derive(Debug)]
pub struct Run {
    /// How it began.
    pub opened: Opened,
    /// Its inputs in their order, each with what followed.
    pub turns: Vec<Turn>,
    /// What followed from inputs that are missing: their number, and when they were stepped.
    pub loose: Vec<Turnless>,
    /// What it says about the evidence itself: the line's number, when, and what.
    pub noted: Vec<(u64, Millis, Noted)>,
    /// How it ended, if it has.
    pub closed: Option<Closed>,
    /// Digest of the last line.
    pub head: String,
    /// Whole lines of the journal.
    pub lines: u64,
    /// Whole lines of samples.
    pub sample_lines: u64,
    /// Bytes of half-written last lines, of the journal and of the samples.
    pub torn: [u64; 2],
    /// Lines of samples at the end that follow on inputs which were never journalled: a crash came
    /// between the two files. They are passed over.
    pub unanchored: u64,
    /// Bytes of the journal that are good.
    pub journal_bytes: u64,
    /// Bytes of the samples that are good.
    pub sample_bytes: u64,
    /// Numbers of inputs that are missing: first and last of each gap.
    pub gaps: Vec<(u64, u64)>,
    /// Numbers of inputs at which the run was cut off and resumed: what followed from these, and
    /// from routine inputs right before, may not have been written any more.
    pub cuts: Vec<u64>,
    /// The greatest number of an input, of either file.
    pub last_n: u64,
    /// The instant of the last record or input.
    pub last_at: Millis,
}

/// One input and what followed from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The input's number.
    pub n: u64,
    /// When it was stepped.
    pub at: Millis,
    /// What happened.
    pub event: Event,
    /// What followed.
    pub effects: Vec<Written>,
}

/// What followed from an input that is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Turnless {
    /// The input's number.
    pub n: u64,
    /// When it was stepped.
    pub at: Millis,
    /// What followed.
    pub effects: Vec<Written>,
}

/// An effect, as it was journalled.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// What followed.
    pub effect: Effect,
    /// Its very bytes.
    pub json: String,
    /// The number of its line in the journal.
    pub seq: u64,
}

impl Run {
    /// Whether the run can be picked up.
    pub fn is_open(&self) -> bool {
        self.closed.as_ref().is_none_or(|closed| closed.outcome == RunOutcome::Interrupted)
    }

    /// The last read-back among the routine inputs.
    pub fn last_read(&self) -> Option<&Readback> {
        self.turns.iter().rev().find_map(|turn| match &turn.event {
            Event::Read(read) => Some(read),
            _ => None,
        })
    }

    /// Whether users may have been moved by this run, or seen on more than one slot, by what the
    /// journal itself says. Unlike a replay, this holds where a power cut has taken inputs: an
    /// intent to write is on disk before the write.
    pub fn may_have_moved_users(&self) -> bool {
        let mut blue = None;
        self.effects().any(|(_, effect)| match effect {
            Effect::Record(Record::Blue { slot, .. }) => {
                blue = Some(*slot);
                false
            }
            Effect::Record(Record::Split { read, .. }) => read.is_some_and(|green| green > 0),
            Effect::Act { act: Act::SetRouter { split, .. }, .. } => split.sole() != blue,
            _ => false,
        })
    }

    /// Every effect in its order, with its input's time; also those whose input is missing.
    pub fn effects(&self) -> impl DoubleEndedIterator<Item = (Millis, &Effect)> {
        let of_turns = self.turns.iter().map(|turn| (turn.n, turn.at, &turn.effects));
        let loose = self.loose.iter().map(|loose| (loose.n, loose.at, &loose.effects));
        let mut all: Vec<_> = of_turns.chain(loose).collect();
        all.sort_by_key(|(n, ..)| *n);
        all.into_iter().flat_map(|(_, at, written)| written.iter().map(move |w| (at, &w.effect)))
    }
}

fn load(path: &Path) -> Result<Vec<u8>, JournalFault> {
    std::fs::read(path).map_err(|source| JournalFault::Unreadable { path: path.to_owned(), source })
}

/// Reads and verifies a run.
pub fn read(dir: &Path) -> Result<Run, JournalFault> {
    let path = dir.join(JOURNAL);
    let bytes = load(&path)?;
    let journal = journal(&bytes, &path)?;
    let sample_bytes = match load(&dir.join(SAMPLES)) {
        Err(JournalFault::Unreadable { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            Vec::new()
        }
        other => other?,
    };
    let (routine, torn_samples) = samples(&sample_bytes, &journal.digests)?;
    let journal_bytes = bytes.len() as u64 - journal.torn;
    let mut run = merge(journal, routine)?;
    run.journal_bytes = journal_bytes;
    run.torn[1] = torn_samples;
    Ok(run)
}

/// The journal alone, before its inputs are merged with the routine ones.
struct Alone {
    opened: Opened,
    closed: Option<Closed>,
    inputs: Vec<(u64, Millis, Event)>,
    effects: BTreeMap<u64, (Millis, Vec<Written>)>,
    noted: Vec<(u64, Millis, Noted)>,
    /// The journal's line, how many lines of samples, and their digest.
    digests: Vec<(u64, u64, String)>,
    cuts: Vec<u64>,
    chain: Follow,
    torn: u64,
    last_at: Millis,
}

fn journal(bytes: &[u8], path: &Path) -> Result<Alone, JournalFault> {
    let (lines, torn) = chain::whole_lines(bytes);
    let mut lines = (1..).zip(lines);
    let mut chain = Follow::default();
    let mut next = || -> Result<Option<(u64, Decoded)>, JournalFault> {
        let Some((number, line)) = lines.next() else { return Ok(None) };
        let text = std::str::from_utf8(line)
            .map_err(|e| JournalFault::Garbage { line: number, why: e.to_string() })?;
        if !chain.takes(text) {
            return Err(JournalFault::Broken { line: number });
        }
        let decoded = line::decode(text, number)?;
        if decoded.stamped.seq != number {
            let why = format!("it counts itself as {}", decoded.stamped.seq);
            return Err(JournalFault::Garbage { line: number, why });
        }
        Ok(Some((number, decoded)))
    };
    let Some((_, first)) = next()? else {
        return Err(JournalFault::Empty { path: path.to_owned() });
    };
    let Entry::Opened(opened) = first.entry else {
        let why = format!("a journal begins with run.opened, not with {}", first.entry.name());
        return Err(JournalFault::Garbage { line: 1, why });
    };
    let mut closed: Option<Closed> = None;
    let (mut inputs, mut effects) = (Vec::new(), BTreeMap::<u64, (Millis, Vec<Written>)>::new());
    let mut noted = Vec::new();
    let (mut digests, mut cuts, mut last_at) = (Vec::new(), Vec::new(), first.stamped.at);
    while let Some((number, Decoded { stamped, entry, raw })) = next()? {
        let out_of_place = |why: &str| JournalFault::Garbage { line: number, why: why.to_owned() };
        match (&closed, &entry) {
            (None, _) => {}
            (Some(end), Entry::Resumed(_)) if end.outcome == RunOutcome::Interrupted => {
                closed = None;
            }
            _ => return Err(out_of_place("it comes after the end of the run")),
        }
        last_at = last_at.max(stamped.at);
        match entry {
            Entry::Opened(_) => return Err(out_of_place("the run was opened before")),
            Entry::Resumed(resumed) => cuts.push(resumed.n),
            Entry::Input { n, event } => inputs.push((n, stamped.at, event)),
            Entry::Effect { n, effect } => {
                let json = raw.unwrap_or_default();
                let turn = effects.entry(n).or_insert_with(|| (stamped.at, Vec::new()));
                turn.1.push(Written { effect, json, seq: number });
            }
            Entry::Samples(digest) => digests.push((number, digest.lines, digest.sha256)),
            Entry::Noted(note) => noted.push((number, stamped.at, note)),
            Entry::Lost(_) => {}
            Entry::Closed(end) => closed = Some(end),
        }
    }
    let torn = torn.len() as u64;
    let opened = *opened;
    Ok(Alone { opened, closed, inputs, effects, noted, digests, cuts, chain, torn, last_at })
}

/// Lines of samples, each with its length in bytes.
type Routine = Vec<(Found, u64)>;

fn samples(bytes: &[u8], digests: &[(u64, u64, String)]) -> Result<(Routine, u64), JournalFault> {
    let (lines, torn) = chain::whole_lines(bytes);
    let mut digests = digests.iter().peekable();
    let mut running = Sha256::new();
    let mut found = Vec::with_capacity(lines.len());
    let mut agrees = |lines: u64, running: &Sha256| {
        while let Some((line, of, sha256)) = digests.next_if(|(_, of, _)| *of <= lines) {
            if *of < lines || chain::hex(&running.clone().finalize()) != *sha256 {
                return Err(JournalFault::SamplesChanged { line: *line, lines: *of });
            }
        }
        Ok(())
    };
    agrees(0, &running)?;
    for (number, line) in (1..).zip(lines) {
        running.update(line);
        // The digest goes first: a line that was changed is to be called so, not misspelt.
        let decoded =
            std::str::from_utf8(line).map_err(|e| e.to_string()).and_then(samples::decode);
        agrees(number, &running)?;
        let length = line.len() as u64;
        let decoded = decoded.map(|found| (found, length));
        found.push(decoded.map_err(|why| JournalFault::Samples { line: number, why }));
    }
    if let Some((line, of, _)) = digests.next() {
        return Err(JournalFault::SamplesChanged { line: *line, lines: *of });
    }
    let found = found.into_iter().collect::<Result<_, _>>()?;
    Ok((found, torn.len() as u64))
}

/// Takes away samples at the end that follow on inputs which the journal should have and has not;
/// says how many lines these were.
fn unanchored(journal: &Alone, routine: &mut Routine) -> u64 {
    let inputs = journal.inputs.iter().map(|(n, ..)| *n);
    let anchor = inputs.chain(journal.effects.keys().copied()).max().unwrap_or(0);
    let mut expected = anchor + 1;
    let loose = routine.iter().position(|(found, _)| match found {
        Found::Input(n, ..) | Found::SameRead(n, ..) if *n > anchor => {
            expected += 1;
            *n != expected - 1
        }
        _ => false,
    });
    let before = routine.len();
    // What a digest speaks for stays.
    let sealed = journal.digests.last().map_or(0, |(_, lines, _)| *lines as usize);
    routine.truncate(loose.unwrap_or(before).max(sealed));
    (before - routine.len()) as u64
}

enum Kept {
    Whole(Event),
    Same(u64),
}

fn merge(journal: Alone, mut routine: Routine) -> Result<Run, JournalFault> {
    let unanchored = unanchored(&journal, &mut routine);
    let sample_lines = routine.len() as u64;
    let sample_bytes = routine.iter().map(|(_, length)| length).sum();
    let mut kept: Vec<(u64, Millis, Kept)> = journal
        .inputs
        .into_iter()
        .map(|(n, at, event)| (n, at, Kept::Whole(event)))
        .chain(routine.into_iter().filter_map(|(found, _)| match found {
            Found::Input(n, at, event) => Some((n, at, Kept::Whole(event))),
            Found::SameRead(n, at, took_us) => Some((n, at, Kept::Same(took_us))),
            Found::Other => None,
        }))
        .collect();
    kept.sort_by_key(|(n, ..)| *n);
    if let Some(twice) = kept.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let why = format!("input {} is there twice", twice[0].0);
        return Err(JournalFault::Garbage { line: journal.chain.lines(), why });
    }
    let mut effects = journal.effects;
    let mut last_n = effects.keys().next_back().copied().unwrap_or(0);
    let mut turns = Vec::with_capacity(kept.len());
    let mut last_at = journal.last_at;
    let mut last_read: Option<Readback> = None;
    let (mut gaps, mut expected) = (Vec::new(), 1);
    for (n, at, input) in kept {
        let event = match input {
            Kept::Whole(event) => event,
            Kept::Same(took_us) => match &last_read {
                Some(read) => Event::Read(Readback { nodes: read.nodes.clone(), took_us }),
                None => {
                    let why = format!("input {n} repeats a read-back that is not there");
                    return Err(JournalFault::Samples { line: sample_lines, why });
                }
            },
        };
        if let Event::Read(read) = &event {
            last_read = Some(read.clone());
        }
        if n > expected {
            gaps.push((expected, n - 1));
        }
        expected = n + 1;
        last_at = last_at.max(at);
        let effects = effects.remove(&n).map(|(_, effects)| effects).unwrap_or_default();
        turns.push(Turn { n, at, event, effects });
    }
    last_n = last_n.max(expected - 1);
    if last_n >= expected {
        gaps.push((expected, last_n));
    }
    Ok(Run {
        opened: journal.opened,
        turns,
        loose: effects.into_iter().map(|(n, (at, effects))| Turnless { n, at, effects }).collect(),
        noted: journal.noted,
        closed: journal.closed,
        head: journal.chain.head().to_owned(),
        lines: journal.chain.lines(),
        sample_lines,
        torn: [journal.torn, 0],
        unanchored,
        journal_bytes: 0,
        sample_bytes,
        gaps,
        cuts: journal.cuts,
        last_n,
        last_at,
    })
}
