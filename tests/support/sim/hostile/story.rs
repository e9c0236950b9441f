//! What a hostile story is made of: the terms of its plan, what happens one thing after another,
//! and how it ends. All of it is data, and all of it can be told in words.

use crate::sim::{Fate, Health, Manner};
use std::fmt;
use switchback::plan::{CommandName, DeadlineThen, Migration, Plan, Unproven};
use switchback::runbook::Command;
use switchback::units::{Millis, Percent};

/// A whole story.
#[derive(Debug, Clone)]
pub struct Story {
    pub terms: Terms,
    /// Whether somebody is at the keyboard.
    pub attended: bool,
    /// For so many milliseconds nothing goes wrong, and the keys take the run forward.
    pub calm: u64,
    pub gusts: Vec<Gust>,
    pub ending: Ending,
}

/// What differs between the plans that are flown.
#[derive(Debug, Clone)]
pub struct Terms {
    pub migration: Migration,
    pub unproven: Unproven,
    pub ramp: Vec<u8>,
    pub commands: Vec<CommandName>,
    /// Whether a trip asks first.
    pub asks_on_trip: bool,
    /// Whether a deadline asks first.
    pub asks_on_deadline: bool,
    /// Whether errors, latency and health are judged by the plain reading.
    pub literal: [bool; 3],
    /// Users a second.
    pub users: Option<u64>,
    /// What the second slot has when the run begins: where it has everybody, it is Blue.
    pub starts: u8,
}

impl Terms {
    /// The plan with these terms.
    pub fn of(&self, mut plan: Plan) -> Plan {
        plan.release.migration = self.migration;
        plan.unproven = self.unproven;
        plan.ramp = self.ramp.iter().copied().filter_map(Percent::new).collect();
        let argv = |name: &CommandName| (*name, vec!["true".to_owned()]);
        plan.commands.argv = self.commands.iter().map(argv).collect();
        plan.on_trip.ask = self.asks_on_trip;
        if self.asks_on_deadline {
            plan.health.deadline_then = DeadlineThen::Ask;
        }
        for (limit, literal) in plan.limits.iter_mut().zip(self.literal) {
            limit.literal = literal;
        }
        plan
    }
}

/// A plan that is through in less than a minute.
pub fn compressed(mut plan: Plan) -> Plan {
    plan.health.hold = Millis::secs(3);
    plan.health.deadline = Millis::secs(12);
    plan.soak = Millis::secs(6);
    plan.ramp_hold = Millis::secs(5);
    plan.watch = Millis::secs(15);
    plan.warm = Millis::secs(6);
    plan.drain = Millis::secs(2);
    plan.on_trip.countdown = Millis::secs(4);
    plan.on_trip.shared_hold = Millis::secs(10);
    plan.commands.timeout = Millis::secs(6);
    for limit in &mut plan.limits {
        limit.hold = Millis::secs(10);
    }
    plan
}

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Gust {
    /// Time passes, in milliseconds.
    Time(u64),
    /// The pilot presses what takes the run forward, for so many milliseconds.
    Fly(u64),
    /// A key, whatever stands on the screen.
    Key(Command),
    /// The question that is open is answered.
    Answer(bool),
    /// The word that is asked for is typed.
    Type,
    /// The router behaves like this, for so many writes or for ever.
    Router(Manner, Option<u32>),
    /// Somebody else gives Green so much.
    Others(u8),
    /// The router restarts, with so much for Green.
    Restart(u8),
    /// The router says that nobody gets anything, or does so no longer.
    Nobody(bool),
    /// Nobody reads the router by routine, or somebody does again.
    Unread(bool),
    /// A slot is like this from now on.
    Slot(usize, Health),
    /// Both slots are.
    Both(Health),
    /// So many users a second.
    Users(Option<u64>),
    /// A command will end like this.
    Command(CommandName, Fate),
    /// The journal works, or does not.
    Journal(bool),
    /// A write that is cancelled takes effect all the same.
    StubbornRouter(bool),
    /// The router takes so many milliseconds.
    Slow(u64),
    /// The process dies and the run is picked up.
    Die(u64),
    /// An answer to an act that was never asked for, or is long over.
    Stray(u32, u32, bool),
    /// Something was seen at the front door, whether or not anybody looked.
    Saw(bool, u64),
    /// Between the question and its yes, something happens, and time passes.
    Between(Box<Gust>, u64),
    /// A yes, and so many milliseconds later another key; the router behaves like this meanwhile.
    SecondThoughts(Manner, u64, Command),
    /// The run is held, and so many milliseconds later space and yes are pressed all the same.
    HeldOnly(u64),
    /// The candidate fails so many of a hundred, the other slot is like this, and time passes.
    Ill(u64, Health, u64),
    /// Somebody else moves the split, so many milliseconds from now: at any instant.
    OthersIn(u64, u8),
    /// The router would, or would not, send anybody to a slot, or does not say.
    Up(usize, Option<bool>),
    /// The machine sleeps.
    Sleep(u64),
    /// A second with numbers that nobody believes.
    Nonsense(u64, u64),
}

/// How a story ends: what is asked of the run at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    Open,
    /// Where nobody is there it ends by itself; where somebody is, `r` goes back in a world that
    /// obeys again.
    Settled,
    /// `r` is pressed, and the router does not obey.
    Defied(Manner),
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ramp: Vec<String> = self.ramp.iter().map(u8::to_string).collect();
        let commands: Vec<&str> = self.commands.iter().map(|name| name.key()).collect();
        let literal: Vec<&str> = ["errors", "p95", "health"]
            .into_iter()
            .zip(self.literal)
            .filter_map(|(name, literal)| literal.then_some(name))
            .collect();
        write!(f, "ramp {}", ramp.join("/"))?;
        write!(f, "; migration {:?}; unproven: {:?}", self.migration, self.unproven)?;
        write!(
            f,
            "; commands: {}",
            if commands.is_empty() { "none".to_owned() } else { commands.join(", ") }
        )?;
        if !literal.is_empty() {
            write!(f, "; literal: {}", literal.join(", "))?;
        }
        if self.asks_on_trip {
            f.write_str("; a trip asks")?;
        }
        if self.asks_on_deadline {
            f.write_str("; a deadline asks")?;
        }
        match self.users {
            Some(users) => write!(f, "; {users} users a second")?,
            None => f.write_str("; nobody counts users")?,
        }
        match self.starts {
            0 => Ok(()),
            starts => write!(f, "; right has {starts} % at the beginning"),
        }
    }
}

const fn slot(slot: usize) -> &'static str {
    if slot == 0 { "left" } else { "right" }
}

impl fmt::Display for Gust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |ms: u64| Millis(ms);
        match self {
            Self::Time(ms) => write!(f, "{} pass", length(*ms)),
            Self::Fly(ms) => write!(f, "the keys take it forward for {}", length(*ms)),
            Self::Key(command) => write!(f, "{command:?} is pressed"),
            Self::Answer(yes) => {
                write!(f, "the open question gets {}", if *yes { "yes" } else { "no" })
            }
            Self::Type => f.write_str("the word that is asked for is typed"),
            Self::Router(manner, None) => write!(f, "the router: {manner:?}"),
            Self::Router(manner, Some(n)) => write!(f, "the router for {n} writes: {manner:?}"),
            Self::Others(green) => write!(f, "somebody else gives right {green} %"),
            Self::OthersIn(ms, green) => {
                write!(f, "in {} somebody else will give right {green} %", length(*ms))
            }
            Self::Restart(green) => write!(f, "the router restarts with {green} % for right"),
            Self::Nobody(true) => f.write_str("the router reports no weight at all"),
            Self::Nobody(false) => f.write_str("the router reports its weights again"),
            Self::Unread(true) => f.write_str("nobody reads the router by routine"),
            Self::Unread(false) => f.write_str("the router is read by routine again"),
            Self::Slot(which, health) => write!(f, "{} is {health:?}", slot(*which)),
            Self::Both(health) => write!(f, "both slots are {health:?}"),
            Self::Users(Some(users)) => write!(f, "{users} users a second"),
            Self::Users(None) => f.write_str("nobody counts users any more"),
            Self::Command(name, fate) => write!(f, "`{}` will be {fate:?}", name.key()),
            Self::Journal(true) => f.write_str("the journal is written again"),
            Self::Journal(false) => f.write_str("the journal cannot be written"),
            Self::StubbornRouter(true) => f.write_str("the router ignores what is cancelled"),
            Self::StubbornRouter(false) => f.write_str("the router heeds what is cancelled"),
            Self::Slow(ms) => write!(f, "the router takes {}", length(*ms)),
            Self::Die(ms) => write!(f, "the process dies and is back after {}", length(*ms)),
            Self::Stray(n, attempt, good) => {
                let how = if *good { "a split" } else { "nonsense" };
                write!(f, "{how} comes as the answer to act {n}, attempt {attempt}")
            }
            Self::Saw(blue, us) => {
                let what = if *blue { "Blue's first" } else { "Green's last" };
                write!(f, "{what} answer is seen, after {us} us")
            }
            Self::Between(gust, ms) => {
                write!(f, "space; {gust}; {} later yes", length(*ms))
            }
            Self::SecondThoughts(manner, ms, key) => {
                let after = length(*ms);
                write!(f, "the router: {manner:?}; space, yes, and {after} later {key:?}")
            }
            Self::HeldOnly(ms) => write!(f, "h, and {} later space and yes", length(*ms)),
            Self::Ill(percent, other, ms) => {
                let after = length(*ms);
                write!(f, "the candidate fails {percent} %, the other is {other:?}; {after} pass")
            }
            Self::Up(which, up) => {
                let says = match up {
                    Some(true) => "up",
                    Some(false) => "DOWN",
                    None => "neither up nor down",
                };
                write!(f, "the router holds {} {says}", slot(*which))
            }
            Self::Sleep(ms) => write!(f, "the machine sleeps for {}", length(*ms)),
            Self::Nonsense(a, b) => write!(f, "a second with {a} requests, {b} of them failed"),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("nothing more"),
            Self::Settled => f.write_str("the world obeys; r, or where nobody is there nothing"),
            Self::Defied(manner) => write!(f, "r, and the router: {manner:?}"),
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.attended { "attended" } else { "nobody at the keyboard" };
        writeln!(f, "  {who}; {}", self.terms)?;
        writeln!(f, "  {} of calm", Millis(self.calm))?;
        for gust in &self.gusts {
            writeln!(f, "  {gust}")?;
        }
        write!(f, "  {}", self.ending)
    }
}
