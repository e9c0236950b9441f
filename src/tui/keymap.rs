//! The keys: one table, from which dispatch, footer, help and README are made.
//!
//! A key means what the table says in the mode that the screen is in, and nothing else. Where a
//! text field is open, keys that are characters are text; that is why rollback has a second key.
//! Nothing that is pressed often lies beside `r` on a keyboard: `e`, `t`, `d`, `f`, `4` and `5`
//! mean nothing.
//!
//! A replay has a table of its own in the same form ([`replay`]); the mode says which one holds.

mod key;
pub mod replay;

pub use key::Key;

use super::state::UiState;
use crate::plan::Migration;
use crate::replay::Order;
use crate::runbook::event::View;
use crate::runbook::gate::GateState;
use crate::runbook::snapshot::Snapshot;
use crate::runbook::step::Step;
use crate::text;
use crate::units::{Millis, Percent, Role};

/// What the screen waits for: decides what a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The cockpit or one of its views.
    Screen,
    /// A question that is answered by yes or no.
    Question,
    /// A text field: a note, or a question that wants a word.
    Field,
    /// The keys lie over the screen.
    Help,
    /// A replay: nothing can be moved.
    Replay,
    /// A replay, with its keys over the screen.
    ReplayHelp,
}

impl Mode {
    /// All those of a run that flies.
    pub const ALL: [Self; 4] = [Self::Screen, Self::Question, Self::Field, Self::Help];
    /// Those of a replay.
    pub const REPLAY: [Self; 2] = [Self::Replay, Self::ReplayHelp];
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// All traffic to Blue.
    Rollback,
    /// The next step.
    Next,
    /// Yes.
    Yes,
    /// No.
    No,
    /// Hold, or go on.
    Hold,
    /// More time.
    Extend,
    /// Opens the field for a note.
    Note,
    /// Sends what stands in the field.
    Submit,
    /// Closes what lies on top, or goes back to the cockpit.
    Close,
    /// Leaves.
    Leave,
    /// Opens or closes the keys.
    Help,
    /// Shows a view, or goes back to the cockpit.
    Show(View),
    /// The next view.
    NextView,
    /// The view before.
    PreviousView,
    /// Lines or pages up (negative) or down.
    Lines(i16),
    /// Pages up (negative) or down.
    Pages(i16),
    /// To the oldest line.
    Oldest,
    /// To the newest line.
    Newest,
    /// Gives the terminal back to the shell.
    Suspend,
    /// Draws all of the screen anew.
    Repaint,
    /// Asks the replay for something.
    Play(Order),
    /// To as many tenths of the replay as the key says.
    Tenth,
    /// Nothing: in a replay nothing moves.
    Nothing,
}

/// Where a key stands in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The replay.
    Replay,
    /// The way back.
    Back,
    /// The way forward.
    Forward,
    /// Answers.
    Answer,
    /// What is shown.
    Look,
    /// The terminal.
    Terminal,
}

impl Group {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Replay, Self::Back, Self::Forward, Self::Answer, Self::Look, Self::Terminal];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Replay => "The replay",
            Self::Back => "The way back",
            Self::Forward => "The way forward",
            Self::Answer => "Answers",
            Self::Look => "What is shown",
            Self::Terminal => "The terminal",
        }
    }
}

/// Whether a key does something now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// It does.
    Yes,
    /// It does not, and why.
    No(&'static str),
}

/// What the footer says for a key, if it stands there.
#[derive(Clone, Copy)]
pub enum Label {
    /// It does not stand in the footer.
    Nowhere,
    /// Always the same words.
    Fixed(&'static str),
    /// Words that depend on how things stand now.
    By(fn(&Snapshot, &UiState, Millis) -> String),
}

/// A row of the table.
pub struct Binding {
    /// The keys; any of them.
    pub keys: &'static [Key],
    /// In which modes.
    pub modes: &'static [Mode],
    /// What it does.
    pub action: Action,
    /// What the footer says.
    pub label: Label,
    /// Where it stands in the help.
    pub group: Group,
    /// What the help and the README say.
    pub what: &'static str,
    /// Whether it does something now.
    pub available: fn(&Snapshot, &UiState) -> Availability,
}

const SCREEN: &[Mode] = &[Mode::Screen];
const QUESTION: &[Mode] = &[Mode::Question];
const FIELD: &[Mode] = &[Mode::Field];
const OVER: &[Mode] = &[Mode::Screen, Mode::Help];
const ALL: &[Mode] = &Mode::ALL;

/// The table.
pub const BINDINGS: &[Binding] = &[
    Binding {
        keys: &[Key::Char('r'), Key::Ctrl('r')],
        modes: ALL,
        action: Action::Rollback,
        label: Label::By(rollback_label),
        group: Group::Back,
        what: "all traffic to Blue, at once, in every state; in a text field Ctrl-R",
        available: always,
    },
    Binding {
        keys: &[Key::Char(' ')],
        modes: SCREEN,
        action: Action::Next,
        label: Label::By(next_label),
        group: Group::Forward,
        what: "the next step, if its gate is open; asks before users are moved",
        available: gate_open,
    },
    Binding {
        keys: &[Key::Char('h')],
        modes: SCREEN,
        action: Action::Hold,
        label: Label::By(hold_label),
        group: Group::Forward,
        what: "hold: stay where we are; again: go on",
        available: holdable,
    },
    Binding {
        keys: &[Key::Char('+'), Key::Char('=')],
        modes: SCREEN,
        action: Action::Extend,
        label: Label::Fixed("extend"),
        group: Group::Forward,
        what: "more time for the step that is being timed",
        available: extendable,
    },
    Binding {
        keys: &[Key::Char('y')],
        modes: QUESTION,
        action: Action::Yes,
        label: Label::By(yes_label),
        group: Group::Answer,
        what: "yes",
        available: always,
    },
    Binding {
        keys: &[Key::Char('n'), Key::Esc],
        modes: QUESTION,
        action: Action::No,
        label: Label::By(no_label),
        group: Group::Answer,
        what: "no: what happens anyway if nothing is answered stands in the question",
        available: always,
    },
    Binding {
        keys: &[Key::Enter],
        modes: FIELD,
        action: Action::Submit,
        label: Label::By(submit_label),
        group: Group::Answer,
        what: "in a text field: keep the note, or send the word that was asked for",
        available: always,
    },
    Binding {
        keys: &[Key::Esc],
        modes: FIELD,
        action: Action::Close,
        label: Label::Fixed("never mind"),
        group: Group::Answer,
        what: "in a text field: leave it; a question that wanted a word is answered by no",
        available: always,
    },
    Binding {
        keys: &[Key::Char('n')],
        modes: SCREEN,
        action: Action::Note,
        label: Label::Fixed("note"),
        group: Group::Forward,
        what: "a note for the record",
        available: running,
    },
    Binding {
        keys: &[Key::Char('l')],
        modes: SCREEN,
        action: Action::Show(View::Log),
        label: Label::By(log_label),
        group: Group::Look,
        what: "the whole log",
        available: always,
    },
    Binding {
        keys: &[Key::Char('o')],
        modes: SCREEN,
        action: Action::Show(View::Output),
        label: Label::By(output_label),
        group: Group::Look,
        what: "what the commands printed",
        available: always,
    },
    Binding {
        keys: &[Key::Char('g')],
        modes: SCREEN,
        action: Action::Show(View::Limits),
        label: Label::By(limits_label),
        group: Group::Look,
        what: "gate and limits in full",
        available: always,
    },
    Binding {
        keys: &[Key::BackTab],
        modes: SCREEN,
        action: Action::PreviousView,
        label: Label::Nowhere,
        group: Group::Look,
        what: "the view before",
        available: always,
    },
    Binding {
        keys: &[Key::Up],
        modes: OVER,
        action: Action::Lines(-1),
        label: Label::Nowhere,
        group: Group::Look,
        what: "a line up",
        available: always,
    },
    Binding {
        keys: &[Key::Down],
        modes: OVER,
        action: Action::Lines(1),
        label: Label::Nowhere,
        group: Group::Look,
        what: "a line down",
        available: always,
    },
    Binding {
        keys: &[Key::PageUp],
        modes: OVER,
        action: Action::Pages(-1),
        label: Label::Nowhere,
        group: Group::Look,
        what: "a page up",
        available: always,
    },
    Binding {
        keys: &[Key::PageDown],
        modes: OVER,
        action: Action::Pages(1),
        label: Label::Nowhere,
        group: Group::Look,
        what: "a page down",
        available: always,
    },
    Binding {
        keys: &[Key::Home],
        modes: OVER,
        action: Action::Oldest,
        label: Label::Nowhere,
        group: Group::Look,
        what: "to the beginning",
        available: always,
    },
    Binding {
        keys: &[Key::End],
        modes: OVER,
        action: Action::Newest,
        label: Label::Nowhere,
        group: Group::Look,
        what: "to the end",
        available: always,
    },
    Binding {
        keys: &[Key::Esc],
        modes: OVER,
        action: Action::Close,
        label: Label::By(close_label),
        group: Group::Look,
        what: "closes the keys; back to the cockpit",
        available: always,
    },
    Binding {
        keys: &[Key::Char('?')],
        modes: OVER,
        action: Action::Help,
        label: Label::Fixed("help"),
        group: Group::Look,
        what: "the keys",
        available: always,
    },
    Binding {
        keys: &[Key::Char('q'), Key::Ctrl('c')],
        modes: ALL,
        action: Action::Leave,
        label: Label::By(leave_label),
        group: Group::Terminal,
        what: "leave; asks while Green has users, for nobody guards them then",
        available: always,
    },
    Binding {
        keys: &[Key::Tab],
        modes: SCREEN,
        action: Action::NextView,
        label: Label::Fixed("views"),
        group: Group::Look,
        what: "the next view: cockpit, log, output, gate and limits",
        available: always,
    },
    Binding {
        keys: &[Key::Ctrl('l')],
        modes: ALL,
        action: Action::Repaint,
        label: Label::Nowhere,
        group: Group::Terminal,
        what: "draw all of the screen anew",
        available: always,
    },
    Binding {
        keys: &[Key::Ctrl('z')],
        modes: ALL,
        action: Action::Suspend,
        label: Label::Nowhere,
        group: Group::Terminal,
        what: "give the terminal to the shell for a while; refused while Green has users",
        available: suspendable,
    },
];

/// The table that holds in a mode.
pub const fn table(mode: Mode) -> &'static [Binding] {
    match mode {
        Mode::Replay | Mode::ReplayHelp => replay::BINDINGS,
        Mode::Screen | Mode::Question | Mode::Field | Mode::Help => BINDINGS,
    }
}

/// The row that a key means in a mode.
pub fn lookup(key: Key, mode: Mode) -> Option<&'static Binding> {
    if mode == Mode::Field && matches!(key, Key::Char(_)) {
        return None;
    }
    table(mode).iter().find(|row| row.modes.contains(&mode) && row.keys.contains(&key))
}

/// The key that a row shows in a mode: the first that means it there.
pub fn shown(row: &Binding, mode: Mode) -> Option<Key> {
    let usable = |key: &&Key| mode != Mode::Field || !matches!(key, Key::Char(_));
    row.keys.iter().find(usable).copied().filter(|_| row.modes.contains(&mode))
}

/// The table of a flight as Markdown, for the README.
pub fn markdown() -> String {
    markdown_of(BINDINGS)
}

/// A table as Markdown.
pub fn markdown_of(bindings: &[Binding]) -> String {
    let mut table = String::from("| key | what it does |\n|---|---|\n");
    for group in Group::ALL {
        for row in bindings.iter().filter(|row| row.group == group) {
            let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
            table.push_str(&format!("| {} | {} |\n", keys.join(" "), row.what));
        }
    }
    table
}

const fn always(_: &Snapshot, _: &UiState) -> Availability {
    Availability::Yes
}

fn gate_open(snapshot: &Snapshot, _: &UiState) -> Availability {
    match snapshot.gate {
        _ if snapshot.finish.is_some() => Availability::No("the run is over"),
        _ if snapshot.rollback.is_some() && !snapshot.next_open => {
            Availability::No("the run goes back to Blue")
        }
        _ if snapshot.next_open => Availability::Yes,
        GateState::Open => Availability::No("the next move is not yours"),
        GateState::Waiting => Availability::No("the gate still waits"),
        GateState::Shut => Availability::No("the gate is shut"),
        GateState::Unknown => Availability::No("the gate cannot be judged"),
    }
}

const fn running(snapshot: &Snapshot, _: &UiState) -> Availability {
    if snapshot.finish.is_some() { Availability::No("the run is over") } else { Availability::Yes }
}

const fn holdable(snapshot: &Snapshot, ui: &UiState) -> Availability {
    match &snapshot.rollback {
        Some(_) if snapshot.finish.is_none() => Availability::No("the run goes back to Blue"),
        _ => running(snapshot, ui),
    }
}

const fn extendable(snapshot: &Snapshot, _: &UiState) -> Availability {
    if snapshot.can_extend { Availability::Yes } else { Availability::No("nothing is being timed") }
}

/// Whether Green has, or may have, users that somebody must watch.
pub fn must_be_watched(snapshot: &Snapshot) -> bool {
    let kept = snapshot.step == Step::Warm || snapshot.finish.is_some();
    let moved = snapshot.traffic.read.map(|green| green.get() > 0);
    let asked = snapshot.traffic.asked.is_some_and(|green| green.get() > 0);
    !kept && snapshot.blue.is_some() && moved.unwrap_or(asked || snapshot.step >= Step::Switch)
}

/// Whether the program may be stopped: while it is, it guards nobody, and it does not answer a
/// second window's rollback either. A weight that was asked for may arrive at any moment, and one
/// that was on its way when the router was last read is not refuted by that reading.
fn suspendable(snapshot: &Snapshot, ui: &UiState) -> Availability {
    let (asked, read) = (snapshot.traffic.asked, snapshot.traffic.read);
    let some = |percent: Option<Percent>| percent.is_some_and(|green| green > Percent::ZERO);
    let moved = snapshot
        .rollback
        .as_ref()
        .map_or(snapshot.step >= Step::Switch, |rollback| !rollback.abandoned);
    if snapshot.finish.is_some() {
        Availability::Yes
    } else if snapshot.rollback.is_some() && !snapshot.next_open {
        Availability::No("the way back is not settled yet: the terminal stays here")
    } else if snapshot.step == Step::Warm && snapshot.rollback.is_none() {
        Availability::No("Green has users and Blue is kept warm: q leaves, nothing is stopped")
    } else if some(read) {
        Availability::No("Green has users and somebody must watch: the terminal stays here")
    } else if some(asked) {
        Availability::No(
            "users were sent to Green and somebody must watch: the terminal stays here",
        )
    } else if read.is_none() && moved {
        Availability::No("Green may have users, the split is not known: the terminal stays here")
    } else if ui.is_awaited() {
        Availability::No("your last key is still being acted on: press again")
    } else {
        Availability::Yes
    }
}

/// What the rollback key says now.
pub fn rollback_label(snapshot: &Snapshot, _: &UiState, now: Millis) -> String {
    let blue = &snapshot.health[Role::Blue.index()];
    let unready = match blue.ready {
        Some(false) => format!("BLUE NOT READY {}", text::clock(now.since(blue.since))),
        _ => String::new(),
    };
    if snapshot.finish.is_some() {
        return "(the run is over)".to_owned();
    }
    if let Some(rollback) = &snapshot.rollback {
        let what = match (rollback.verified, rollback.abandoned) {
            (false, false) => "ROLLING BACK",
            (false, true) => "ABANDONING GREEN",
            (true, false) => "BACK ON BLUE",
            (true, true) => "GREEN ABANDONED",
        };
        return if unready.is_empty() { what.to_owned() } else { format!("{what} ({unready})") };
    }
    let untouched = |percent: Option<Percent>| percent.is_none_or(|p| p.get() == 0);
    if snapshot.step <= Step::Switch
        && untouched(snapshot.traffic.asked)
        && untouched(snapshot.traffic.read)
    {
        return "ABANDON GREEN".to_owned();
    }
    match blue.ready {
        Some(false) => format!("ROLLBACK ({unready})"),
        None => "ROLLBACK (BLUE UNKNOWN)".to_owned(),
        Some(true) if snapshot.migration == Migration::Irreversible => {
            "ROLLBACK TO BLUE (asks first)".to_owned()
        }
        Some(true) => "ROLLBACK TO BLUE".to_owned(),
    }
}

fn next_label(snapshot: &Snapshot, _: &UiState, now: Millis) -> String {
    match snapshot.headline.due {
        _ if snapshot.turns_back && !snapshot.next_open => String::new(),
        Some(due) if snapshot.gate == GateState::Waiting && due > now => {
            format!("next step ({})", text::countdown(now, due))
        }
        _ => "next step".to_owned(),
    }
}

fn hold_label(snapshot: &Snapshot, _: &UiState, _: Millis) -> String {
    if snapshot.held { "go on" } else { "hold" }.to_owned()
}

fn leave_label(snapshot: &Snapshot, _: &UiState, _: Millis) -> String {
    match &snapshot.rollback {
        Some(rollback) if !rollback.verified && snapshot.finish.is_none() => "leave (asks)",
        Some(_) if snapshot.finish.is_none() && !snapshot.next_open => "leave when settled",
        Some(_) => "leave",
        None if must_be_watched(snapshot) => "leave (nobody guards)",
        None => "leave",
    }
    .to_owned()
}

/// Views have a key of their own in the footer once there is nothing left to do but to look.
fn look_label(snapshot: &Snapshot, word: &str) -> String {
    if only_looking(snapshot) { word } else { "" }.to_owned()
}

fn log_label(snapshot: &Snapshot, _: &UiState, _: Millis) -> String {
    look_label(snapshot, "log")
}

fn output_label(snapshot: &Snapshot, _: &UiState, _: Millis) -> String {
    look_label(snapshot, "output")
}

fn limits_label(snapshot: &Snapshot, _: &UiState, _: Millis) -> String {
    look_label(snapshot, "gate")
}

/// Whether the run has no way forward any more: it goes back, or it is over.
pub const fn only_looking(snapshot: &Snapshot) -> bool {
    snapshot.rollback.is_some() || snapshot.finish.is_some()
}

fn close_label(_: &Snapshot, ui: &UiState, _: Millis) -> String {
    if ui.help { "close" } else { "" }.to_owned()
}

fn yes_label(snapshot: &Snapshot, _: &UiState, _: Millis) -> String {
    snapshot.question.as_ref().map_or_else(String::new, |q| format!("yes: {}", q.yes))
}

fn no_label(snapshot: &Snapshot, _: &UiState, _: Millis) -> String {
    snapshot.question.as_ref().map_or_else(String::new, |q| format!("no: {}", q.no))
}

fn submit_label(_: &Snapshot, ui: &UiState, _: Millis) -> String {
    if ui.note.is_some() { "keep the note" } else { "send the word" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_one_thing_in_a_mode() {
        for mode in Mode::ALL {
            let mut seen: Vec<Key> = Vec::new();
            for row in BINDINGS.iter().filter(|row| row.modes.contains(&mode)) {
                for key in row.keys {
                    assert!(!seen.contains(key), "{key} means two things in {mode:?}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn rollback_has_a_key_in_every_mode_and_its_neighbours_mean_nothing() {
        for mode in Mode::ALL {
            let row = lookup(Key::Ctrl('r'), mode).unwrap();
            assert_eq!(row.action, Action::Rollback);
            let plain = lookup(Key::Char('r'), mode).map(|row| row.action);
            let expected = (mode != Mode::Field).then_some(Action::Rollback);
            assert_eq!(plain, expected, "{mode:?}");
            let key = shown(row, mode).unwrap();
            assert_eq!(key == Key::Ctrl('r'), mode == Mode::Field);
            for neighbour in ['e', 't', 'd', 'f', '4', '5'] {
                assert!(lookup(Key::Char(neighbour), mode).is_none());
            }
        }
    }

    #[test]
    fn the_readme_table_has_every_row() {
        let table = markdown();
        assert_eq!(table.lines().count(), BINDINGS.len() + 2);
        assert!(table.contains("| `r` `Ctrl-R` | all traffic to Blue"));
        assert!(table.contains("| `space` |"));
    }
}
