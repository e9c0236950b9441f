//! What the operator does with the screen: the view, the overlay, the text field.
//!
//! This is all that keys change by themselves; everything else they do is a command to the engine.
//! [`UiState::press`] turns a key into both. It is called by the thread that reads keys, so that
//! neither drawing nor a blocked terminal stands between `r` and the engine.

use super::keymap::{self, Action, Availability, Key, Mode};
use crate::clean::{Clean, can_be_shown};
use crate::replay::{Order, Playing};
use crate::runbook::Step;
use crate::runbook::event::{Answer, Command, View};
use crate::runbook::gate::{CheckState, GateState};
use crate::runbook::snapshot::Snapshot;
use std::time::{Duration, Instant};

/// A question must have stood on the screen for so long before it can be answered, also one that
/// was called for: a key that comes sooner was meant for something else, or for nothing that was
/// read. The way back never waits.
const READ: Duration = Duration::from_millis(300);
/// A command within this time may not have been acted on as far as the screen knows.
const ANSWERED: Duration = Duration::from_secs(1);
/// Longest text in a field, in characters.
const FIELD_LIMIT: usize = 200;

/// The views that Tab goes through.
const VIEWS: [View; 4] = [View::Cockpit, View::Log, View::Output, View::Limits];

/// What the operator does with the screen.
#[derive(Debug, Clone)]
pub struct UiState {
    /// What is shown below the headline.
    pub view: View,
    /// Whether the keys lie over it.
    pub help: bool,
    /// The note that is being written.
    pub note: Option<String>,
    /// The word that a question asks for, as far as it is typed.
    pub typed: String,
    /// Lines scrolled away from the end (of the log) or from the beginning (of the help).
    pub scroll: usize,
    /// Why the last key did nothing, if it did not; it stands until the next key.
    pub remark: Option<String>,
    /// The step and its gate as they were seen last.
    gate: Option<(Step, GateState)>,
    /// How the replay stands, if this is one: then no key is a command.
    pub replay: Option<Playing>,
    /// Goes up with each change that is seen.
    pub revision: u64,
    /// Lines on a page, as last drawn.
    pub page: usize,
    /// Lines in all, as last drawn: what came since does not move what is being read.
    lines: usize,
    /// When the last key was pressed, as far as a key's own meaning depends on it.
    pressed: Option<Instant>,
    question: Option<u32>,
    /// The question that stands on the screen, and since when.
    shown: Option<(u32, Instant)>,
    last_command: Option<Instant>,
    rolling: bool,
}

impl Default for UiState {
    fn default() -> Self {
        Self {
            view: View::Cockpit,
            help: false,
            note: None,
            typed: String::new(),
            scroll: 0,
            remark: None,
            gate: None,
            replay: None,
            revision: 0,
            page: 10,
            lines: 0,
            pressed: None,
            question: None,
            shown: None,
            last_command: None,
            rolling: false,
        }
    }
}

/// What a key does beyond the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pressed {
    /// What the engine is asked for.
    pub commands: Vec<Command>,
    /// Whether the terminal goes back to the shell.
    pub suspend: bool,
    /// Whether all of the screen is drawn anew.
    pub repaint: bool,
    /// What the replay is asked for.
    pub order: Option<Order>,
}

impl UiState {
    /// What the screen waits for.
    pub fn mode(&self, snapshot: Option<&Snapshot>) -> Mode {
        if self.replay.is_some() {
            return if self.help { Mode::ReplayHelp } else { Mode::Replay };
        }
        // A run that is over takes no answers.
        let running = snapshot.filter(|s| s.finish.is_none());
        let question = running.and_then(|s| s.question.as_ref());
        match question {
            _ if self.note.is_some() => Mode::Field,
            _ if self.help => Mode::Help,
            Some(question) if question.type_word.is_some() => Mode::Field,
            Some(_) => Mode::Question,
            None => Mode::Screen,
        }
    }

    /// Notes how things stand, before they are drawn: a new question takes the help away, and the
    /// way back brings the cockpit to the front.
    pub fn see(&mut self, snapshot: &Snapshot) {
        // What was asked or went back then takes nothing from whoever looks at it now.
        if self.replay.is_some() {
            return;
        }
        let number = snapshot.question.as_ref().map(|question| question.number);
        if number != self.question {
            self.question = number;
            self.typed.clear();
            self.remark = None;
            self.help &= number.is_none();
            self.revision += 1;
        }
        // A word on a gate is old when the gate stands otherwise.
        let gate = Some((snapshot.step, snapshot.gate));
        if gate != self.gate {
            self.gate = gate;
            self.remark = None;
            self.revision += 1;
        }
        if snapshot.rollback.is_some() && !self.rolling {
            self.rolling = true;
            self.help = false;
            self.view = View::Cockpit;
            self.revision += 1;
        }
    }

    /// Whether a command was sent just now, so that the last snapshot may not know of it.
    pub fn is_awaited(&self) -> bool {
        let since = self.pressed.zip(self.last_command).map(|(now, sent)| now - sent);
        since.is_some_and(|since| since < ANSWERED)
    }

    /// A key.
    pub fn press(&mut self, key: Key, snapshot: Option<&Snapshot>, now: Instant) -> Pressed {
        let mode = self.mode(snapshot);
        self.revision += 1;
        self.remark = None;
        self.pressed = Some(now);
        let Some(row) = keymap::lookup(key, mode) else {
            if mode == Mode::Field {
                self.edit(key);
            }
            return Pressed::default();
        };
        let why_not = snapshot.and_then(|s| match (row.available)(s, self) {
            Availability::No(why) => Some(why),
            Availability::Yes => None,
        });
        if let Some(why) = why_not {
            let key = keymap::shown(row, mode).unwrap_or(key);
            // A gate that is not open says what it waits for.
            let check = snapshot.filter(|_| row.action == Action::Next).and_then(|s| {
                let stands = |state| s.checks.iter().find(move |check| check.state == state);
                [CheckState::Bad, CheckState::Unknown, CheckState::Waiting]
                    .into_iter()
                    .find_map(stands)
            });
            let check = check.map_or_else(String::new, |check| format!(": {}", check.says));
            self.remark = Some(format!("{key}: {why}{check}"));
            // The engine judges the gate, and what it says goes into the record.
            if row.action != Action::Next {
                return Pressed::default();
            }
        }
        let action = match (row.action, key) {
            (Action::Tenth, Key::Char(ch)) => {
                let tenths = ch.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
                tenths.map_or(Action::Nothing, |tenths| Action::Play(Order::Tenth(tenths)))
            }
            (action, _) => action,
        };
        let mut pressed = self.act(action, snapshot, now);
        if self.replay.is_some() {
            pressed.commands.clear();
        }
        if !pressed.commands.is_empty() {
            self.last_command = Some(now);
        }
        pressed
    }

    /// A paste: text for a field, and nothing elsewhere.
    pub fn paste(&mut self, text: &str, snapshot: Option<&Snapshot>) {
        if self.mode(snapshot) != Mode::Field {
            self.remark = Some("a paste means nothing here".to_owned());
        } else {
            text.chars().filter(|ch| !ch.is_control()).for_each(|ch| self.edit(Key::Char(ch)));
        }
        self.revision += 1;
    }

    fn edit(&mut self, key: Key) {
        let field = self.note.as_mut().unwrap_or(&mut self.typed);
        match key {
            Key::Char(ch) if field.chars().count() < FIELD_LIMIT => match can_be_shown(ch) {
                true => field.push(ch),
                // What is typed is drawn at once, long before anybody keeps it.
                false => field.push_str(Clean::new(ch.encode_utf8(&mut [0; 4])).as_str()),
            },
            Key::Backspace => {
                field.pop();
            }
            Key::Ctrl('u') => field.clear(),
            Key::Ctrl('w') => {
                let kept = field.trim_end().rfind(' ').map_or(0, |space| space + 1);
                field.truncate(kept);
            }
            _ => {}
        }
    }

    fn act(&mut self, action: Action, snapshot: Option<&Snapshot>, now: Instant) -> Pressed {
        let send = |command| Pressed { commands: vec![command], ..Pressed::default() };
        match action {
            Action::Rollback => send(Command::Rollback),
            Action::Next => send(Command::Next),
            Action::Hold => send(Command::Hold),
            Action::Extend => send(Command::Extend),
            Action::Leave => send(Command::Leave),
            Action::Yes => self.answer(Answer::Yes, snapshot, now),
            Action::No => self.answer(Answer::No, snapshot, now),
            Action::Note => {
                self.note = Some(String::new());
                Pressed::default()
            }
            Action::Submit => match self.note.take() {
                Some(note) if note.trim().is_empty() => Pressed::default(),
                Some(note) => send(Command::Note(Clean::foreign(note.trim()))),
                None => {
                    let word = Clean::foreign(self.typed.trim());
                    self.answer(Answer::Typed(word), snapshot, now)
                }
            },
            Action::Close => {
                if self.note.take().is_some() {
                    Pressed::default()
                } else if self.help {
                    self.help = false;
                    send(Command::Look(self.view))
                } else if self.mode(snapshot) == Mode::Field {
                    self.answer(Answer::No, snapshot, now)
                } else {
                    self.show(View::Cockpit)
                }
            }
            Action::Help => {
                self.help = !self.help;
                self.scroll = 0;
                send(Command::Look(if self.help { View::Help } else { self.view }))
            }
            Action::Show(view) if view == self.view => self.show(View::Cockpit),
            Action::Show(view) => self.show(view),
            Action::NextView => self.turn(1),
            Action::PreviousView => self.turn(VIEWS.len() - 1),
            Action::Lines(by) => self.scroll_by(i32::from(by)),
            Action::Pages(by) => self.scroll_by(i32::from(by) * self.page.max(1) as i32),
            Action::Oldest => self.scroll_to(if self.begins_at_top() { 0 } else { usize::MAX }),
            Action::Newest => self.scroll_to(if self.begins_at_top() { usize::MAX } else { 0 }),
            Action::Play(order) => Pressed { order: Some(order), ..Pressed::default() },
            Action::Nothing | Action::Tenth => Pressed::default(),
            Action::Repaint => Pressed { repaint: true, ..Pressed::default() },
            Action::Suspend => {
                Pressed { commands: vec![Command::Suspend], suspend: true, ..Pressed::default() }
            }
        }
    }

    fn answer(&mut self, answer: Answer, snapshot: Option<&Snapshot>, now: Instant) -> Pressed {
        let Some(question) = snapshot.and_then(|s| s.question.as_ref()) else {
            return Pressed::default();
        };
        let number = Some(question.number);
        let since = self.shown.filter(|(shown, _)| Some(*shown) == number).map(|(_, at)| at);
        if since.is_none_or(|since| now.saturating_duration_since(since) < READ) {
            self.remark = Some("this question has only just come: press again".to_owned());
            return Pressed::default();
        }
        let question = question.number;
        Pressed { commands: vec![Command::Answer { question, answer }], ..Pressed::default() }
    }

    fn show(&mut self, view: View) -> Pressed {
        self.scroll = 0;
        if view == self.view {
            return Pressed::default();
        }
        self.view = view;
        Pressed { commands: vec![Command::Look(view)], ..Pressed::default() }
    }

    fn turn(&mut self, by: usize) -> Pressed {
        let here = VIEWS.iter().position(|view| *view == self.view).unwrap_or(0);
        self.show(VIEWS[(here + by) % VIEWS.len()])
    }

    /// Help and limits are read from their beginning, log and output from their end.
    fn begins_at_top(&self) -> bool {
        self.help || self.view == View::Limits
    }

    fn scroll_by(&mut self, lines: i32) -> Pressed {
        let down = if self.begins_at_top() { lines } else { -lines };
        self.scroll_to(self.scroll.saturating_add_signed(down as isize))
    }

    fn scroll_to(&mut self, scroll: usize) -> Pressed {
        self.scroll = scroll;
        Pressed::default()
    }

    /// A frame was drawn with this question on it, or with none.
    pub fn drawn(&mut self, question: Option<u32>, at: Instant) {
        if self.shown.map(|(number, _)| number) != question {
            self.shown = question.map(|number| (number, at));
        }
    }

    /// How many lines stand below what is shown of `lines`, of which `page` fit: what came since
    /// the last frame stays below, so that nothing moves under the eyes that read it.
    pub fn below(&self, lines: usize, page: usize) -> usize {
        let came = if self.scroll > 0 { lines.saturating_sub(self.lines) } else { 0 };
        self.scroll.saturating_add(came).min(lines.saturating_sub(page))
    }

    /// Keeps the scroll within what there is to see, once a view knows how much that is: `lines`
    /// in all, `page` of them visible.
    pub fn settle(&mut self, lines: usize, page: usize) {
        self.page = page.max(1);
        self.scroll = if self.begins_at_top() {
            self.scroll.min(lines.saturating_sub(page))
        } else {
            self.below(lines, page)
        };
        self.lines = lines;
    }
}
