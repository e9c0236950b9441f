//! The same run as lines: for pipes, for CI, and for whoever does not want a screen.
//!
//! What is printed is the timeline, line by line as it happens. With somebody at the keyboard,
//! lines that are typed are the keys: `next`, `yes`, `no`, `back`, `hold`, `more`, `note TEXT`,
//! `leave`, or the word that a question wants.

use crate::clean::Clean;
use crate::evidence::recorder::Recorder;
use crate::feed::{Bell, Link};
use crate::runbook::record::Tone;
use crate::runbook::snapshot::{Question, Snapshot, Update};
use crate::runbook::{Answer, Command, RunFacts};
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// What lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Lines,
    /// One JSON object a line.
    Json,
}

/// Says something on standard error. A terminal that is gone hears nothing, and that must not end
/// whoever speaks.
pub fn complain(says: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{says}");
}

/// Columns and rows of a recording of lines: a page that most screens hold.
const PAGE: (u16, u16) = (100, 30);

/// Prints a run until it is over. What is printed is recorded, if there is a recorder; what is
/// typed is not.
pub fn run(
    link: &Link,
    form: Form,
    attended: bool,
    recorder: Option<&Recorder>,
) -> color_eyre::Result<()> {
    if let Some(recorder) = recorder {
        recorder.resize(PAGE.0, PAGE.1);
    }
    let bell = Arc::new(Bell::default());
    link.feed.ring(Arc::clone(&bell));
    let listener = attended.then(|| listen(link.clone()));
    let mut printer = Printer::new(form, attended, false);
    let mut gone = false;
    loop {
        let over = link.feed.is_over();
        if let Some(update) = link.feed.since(printer.seq) {
            let printed = printer.says(&update)?;
            match write(&printed) {
                // Nobody was there to read it. The run goes on to its end, which its exit code
                // tells, as it does without a terminal; the journal has every line.
                Err(error) if !attended => {
                    if !std::mem::replace(&mut gone, true) {
                        complain(format_args!(
                            "standard output is gone ({error}): the run goes on, and its journal has it all"
                        ));
                    }
                }
                written => written?,
            }
            if let Some(recorder) = recorder {
                recorder.frame(printed.replace('\n', "\r\n").as_bytes());
                recorder.drawn(update.snapshot.at);
            }
        }
        if over {
            // What is typed from here on is for whoever asks next.
            if let Some(Err(panic)) = listener.map(JoinHandle::join) {
                std::panic::resume_unwind(panic);
            }
            return Ok(());
        }
        bell.wait(Duration::from_secs(1));
    }
}

/// Prints updates.
#[derive(Debug)]
pub struct Printer {
    form: Form,
    replay: bool,
    attended: bool,
    seq: u64,
    asked: u32,
    opened: Option<String>,
    headed: bool,
}

impl Printer {
    /// Prints a run to `form`; a replay is called so in the heading and in every line of JSON.
    pub const fn new(form: Form, attended: bool, replay: bool) -> Self {
        Self { form, replay, attended, seq: 0, asked: 0, opened: None, headed: false }
    }

    /// Prints what an update brings, and gives what was printed.
    pub fn print(&mut self, update: &Update) -> std::io::Result<String> {
        let says = self.says(update).map_err(std::io::Error::other)?;
        write(&says)?;
        Ok(says)
    }

    fn says(&mut self, update: &Update) -> Result<String, std::fmt::Error> {
        self.seq = update.seq;
        let mut out = String::new();
        let snapshot = &update.snapshot;
        if self.form == Form::Json {
            for (at, record) in &update.records {
                let facts = &snapshot.facts;
                // Nobody can take a drill's line for a deploy's, wherever it ends up.
                let mut line = serde_json::json!({
                    "kind": facts.kind,
                    "host": facts.host,
                    "run": facts.run,
                    "at": at,
                    "record": record,
                });
                if self.replay {
                    line["replay"] = true.into();
                }
                writeln!(out, "{line}")?;
            }
            return Ok(out);
        }
        if !self.headed {
            self.headed = true;
            let replay = if self.replay { "REPLAY " } else { "" };
            writeln!(out, "{replay}{}", heading(snapshot))?;
        }
        for line in &update.log {
            let loud = match line.tone {
                Tone::Bad => "!! ",
                Tone::Warn => "!  ",
                Tone::Good | Tone::Plain => "   ",
            };
            let time = crate::journal::line::utc(snapshot.facts.began_unix_ms + line.at.0 as i64);
            let clock = time.get(11..19).unwrap_or(&time);
            writeln!(out, "{clock} {loud}{:<8} {}", line.topic, line.text)?;
        }
        for line in &update.output {
            writeln!(out, "         |          {line}")?;
        }
        if self.attended {
            self.prompt(&mut out, snapshot)?;
        }
        Ok(out)
    }

    /// Says once what is wanted, where something is.
    fn prompt(&mut self, out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
        if let Some(question) = &snapshot.question {
            if question.number != self.asked {
                self.asked = question.number;
                write_question(out, &snapshot.facts, question)?;
            }
        } else if snapshot.next_open && self.opened.as_deref() != Some(&snapshot.headline.state) {
            self.opened = Some(snapshot.headline.state.clone());
            let whose = whose(&snapshot.facts);
            writeln!(
                out,
                "         ?  {whose}: type `next` to go on, `back` for Blue, `leave` to leave"
            )?;
        }
        Ok(())
    }
}

fn write(says: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(says.as_bytes())?;
    out.flush()
}

fn heading(snapshot: &Snapshot) -> String {
    let facts = &snapshot.facts;
    let next = snapshot.next.as_ref().map_or("a new release", |next| next.as_str());
    format!(
        "{} {} → {next} on {} · run {} · plan {}",
        facts.kind.word(),
        snapshot.service,
        facts.host,
        facts.run,
        snapshot.plan,
    )
}

/// What kind of run this is, and where: it stands with everything that wants an answer.
fn whose(facts: &RunFacts) -> String {
    format!("{} on {}", facts.kind.word(), facts.host)
}

fn write_question(out: &mut String, facts: &RunFacts, question: &Question) -> std::fmt::Result {
    writeln!(out, "         ?  {}: {}", whose(facts), question.title)?;
    for line in &question.lines {
        writeln!(out, "            {line}")?;
    }
    match &question.type_word {
        Some(word) => writeln!(out, "            type `{word}` to {}, or `no`", question.yes),
        None => writeln!(out, "            `yes`: {} · `no`: {}", question.yes, question.no),
    }
}

/// Lines as they are typed: one thread of the process reads them, and whoever asks gets the next.
static TYPED: OnceLock<Mutex<mpsc::Receiver<String>>> = OnceLock::new();

/// What came of waiting for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// This was typed.
    Line(String),
    /// Nothing, so far.
    Nothing,
    /// Nobody types any more.
    Ended,
}

/// Waits for a line that is typed. What was typed while nobody asked is kept.
pub fn typed(timeout: Duration) -> Typed {
    let lines = TYPED.get_or_init(|| {
        let (says, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if says.send(line).is_err() {
                    return;
                }
            }
        });
        Mutex::new(lines)
    });
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    match lines.recv_timeout(timeout) {
        Ok(line) => Typed::Line(line),
        Err(mpsc::RecvTimeoutError::Timeout) => Typed::Nothing,
        Err(mpsc::RecvTimeoutError::Disconnected) => Typed::Ended,
    }
}

/// How soon it is seen that a run is over, while nothing is typed.
const LOOK: Duration = Duration::from_millis(100);

/// Takes what is typed as the keys, on a thread of its own, until the run is over.
fn listen(link: Link) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !link.feed.is_over() {
            let line = match typed(LOOK) {
                Typed::Line(line) => line,
                Typed::Nothing => continue,
                Typed::Ended => return,
            };
            let question = link.feed.since(0).and_then(|update| update.snapshot.question);
            match understand(line.trim(), question.as_ref()) {
                Some(command) => link.send(command),
                None => complain(
                    "next, yes, no, back (or r), hold, more, note TEXT, leave: nothing else is known",
                ),
            }
        }
    })
}

/// What a typed line means.
fn understand(line: &str, question: Option<&Question>) -> Option<Command> {
    let answer = |answer| question.map(|q| Command::Answer { question: q.number, answer });
    match line {
        "r" | "back" | "rollback" => Some(Command::Rollback),
        "next" | "" if question.is_none() => Some(Command::Next),
        "yes" | "y" => answer(Answer::Yes),
        "no" | "n" => answer(Answer::No),
        "hold" | "h" => Some(Command::Hold),
        "more" | "+" => Some(Command::Extend),
        "leave" | "q" => Some(Command::Leave),
        _ => match (line.strip_prefix("note "), question) {
            (Some(text), _) => Some(Command::Note(Clean::foreign(text.trim()))),
            (None, Some(Question { type_word: Some(_), .. })) => {
                answer(Answer::Typed(Clean::foreign(line)))
            }
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_keys_and_back_is_understood_under_any_question() {
        let question = Question {
            number: 7,
            title: String::new(),
            lines: vec![],
            yes: String::new(),
            no: String::new(),
            type_word: Some("notes".into()),
            due: None,
            routine: false,
        };
        assert_eq!(understand("back", Some(&question)), Some(Command::Rollback));
        assert_eq!(understand("next", None), Some(Command::Next));
        assert_eq!(
            understand("next", Some(&question)).map(|c| matches!(c, Command::Next)),
            Some(false)
        );
        assert_eq!(
            understand("notes", Some(&question)),
            Some(Command::Answer { question: 7, answer: Answer::Typed("notes".into()) })
        );
        assert_eq!(understand("yes", None), None, "there is nothing to say yes to");
        assert_eq!(understand("gibberish", None), None);
        assert_eq!(
            understand("note anna@example.org asked", None),
            Some(Command::Note("[redacted:email] asked".into())),
        );
    }
}
