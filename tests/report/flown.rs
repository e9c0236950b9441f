//! Runs for the stories about reports: flown on simulated time, journalled as the engine does, and
//! recorded by a scribe who writes one frame for each mark.

use base64::Engine as _;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use switchback::clean::Clean;
use switchback::evidence::Account;
use switchback::evidence::report::{ControlRow, Page};
use switchback::journal::{
    self, Closed, Declared, Entry, Mark, Noted, Opened, RecordingClosed, RecordingStarted, Signer,
    Writer,
};
use switchback::lab::scenario;
use switchback::plan::Plan;
use switchback::runbook::{Core, Effect, Event, RunFacts};
use switchback::sim::pilot::{fly, go_on};
use switchback::sim::{Flight, Model, Watcher, World};
use switchback::units::Millis;

pub const BEGAN: i64 = 1_794_744_000_000;

pub fn facts() -> RunFacts {
    RunFacts {
        run: "20261115T120000Z-7f3a".to_owned(),
        attended: false,
        last_rollback: Some((412, BEGAN - 86_400_000)),
        ..crate::fixture::facts()
    }
}

struct Journal {
    writer: Writer,
    n: u64,
    /// Its process dies when the run has come so far.
    dies_at: Millis,
}

impl Watcher for Journal {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], _: &mut Core) {
        self.n += 1;
        if now >= self.dies_at {
            return;
        }
        let n = self.n;
        self.writer.append(Entry::Input { n, event: event.clone() }, now);
        for effect in effects {
            self.writer.append(Entry::Effect { n, effect: effect.clone() }, now);
        }
    }
}

pub fn signer() -> Signer {
    Signer {
        identity: Clean::new("op@example.org"),
        fingerprint: "SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE".to_owned(),
        key: "ecdsa-sha2-nistp256".to_owned(),
    }
}

/// What a story flies with.
pub struct Story {
    pub facts: RunFacts,
    pub declared: Option<Declared>,
    pub recorded: bool,
    /// When the process dies, if it does.
    pub dies_at: Option<Millis>,
    /// When it is killed, and how many milliseconds it is away until the run is picked up.
    pub killed: Option<(Millis, u64)>,
}

impl Default for Story {
    fn default() -> Self {
        let declared =
            Declared { sha256: "ab".repeat(32), signed: Some(signer()), ..Declared::default() };
        Self {
            facts: facts(),
            declared: Some(declared),
            recorded: true,
            dies_at: None,
            killed: None,
        }
    }
}

/// A run's directory.
pub struct Flown {
    pub dir: tempfile::TempDir,
}

impl Story {
    /// Flies one of the lab's scenarios, every limit read literally.
    pub fn scenario(self, name: &str, seed: u64, change: impl FnOnce(&mut Plan)) -> Flown {
        let scenario = scenario::load(name).unwrap();
        let mut plan =
            switchback::sim::lab::plan(&scenario).unwrap_or_else(|faults| panic!("{faults}"));
        plan.limits.iter_mut().for_each(|limit| limit.literal = true);
        change(&mut plan);
        let world = switchback::sim::lab::world(&scenario, seed, &plan);
        self.fly(plan, world)
    }

    pub fn fly<M: Model>(self, plan: Plan, world: World<M>) -> Flown {
        let dir = tempfile::tempdir().unwrap();
        let opened = Opened {
            operator: Some(Clean::new("ada")),
            ..Opened::new(self.facts.clone(), plan.clone(), "haproxy:/run/haproxy/admin.sock")
        };
        let (mut writer, _troubles) = Writer::create(dir.path(), opened, Millis::ZERO).unwrap();
        let marks = writer.marks().unwrap();
        if let Some(declared) = self.declared {
            writer.append(Entry::Noted(Noted::Declared(Box::new(declared))), Millis::ZERO);
        }
        let file = "session.cast".to_owned();
        if self.recorded {
            let started = RecordingStarted { file: file.clone(), width: 100, height: 24 };
            writer.append(Entry::Noted(Noted::RecordingStarted(started)), Millis::ZERO);
        }
        let journal = Journal { writer, n: 0, dies_at: self.dies_at.unwrap_or(Millis(u64::MAX)) };
        let mut flight = Flight::watched(plan, self.facts, world, journal);
        if let Some((at, away)) = self.killed {
            fly(&mut flight, at);
            flight.dies_for(away);
            go_on(&mut flight, Millis::secs(7_200));
        } else {
            fly(&mut flight, Millis::secs(7_200));
        }
        let now = Millis(flight.now);
        let finish = flight.finish().cloned();
        let writer = flight.watcher.writer;
        if self.recorded && self.dies_at.is_none() {
            let closed = RecordingClosed {
                file: file.clone(),
                bytes: 4_096,
                sha256: "cd".repeat(32),
                frames: 321,
                seconds: now.0 as f64 / 1e3,
                hits: Vec::new(),
            };
            writer.append(Entry::Noted(Noted::RecordingClosed(closed)), now);
        }
        if let (Some(finish), None) = (finish, self.dies_at) {
            let ended_unix_ms = BEGAN + now.0 as i64;
            writer.append(Entry::Closed(Closed { ended_unix_ms, ..Closed::now(&finish) }), now);
        }
        writer.close(Duration::from_secs(30)).unwrap();
        if self.recorded {
            let marks: Vec<Mark> = marks.try_iter().collect();
            std::fs::write(dir.path().join(&file), cast(&marks)).unwrap();
        }
        Flown { dir }
    }
}

/// A recording with a frame and a mark for each line that has one.
fn cast(marks: &[Mark]) -> String {
    let header = r#"{"version": 2, "width": 100, "height": 24, "timestamp": 1794744000}"#;
    let mut out = format!("{header}\n");
    for mark in marks {
        let at = mark.at.0 as f64 / 1e3;
        let screen = format!(
            "\u{1b}[2J\u{1b}[H\u{1b}[1mDEPLOY\u{1b}[0m notes on vps-1\r\n\r\n  {}\r\n\r\n  Blue \
             \u{1b}[34m██████████\u{1b}[0m  Green \u{1b}[32m████\u{1b}[0m",
            mark.label
        );
        let _ = writeln!(out, "{}", serde_json::json!([at, "o", screen]));
        let _ = writeln!(out, "{}", serde_json::json!([at, "m", mark.label]));
    }
    out
}

impl Flown {
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn account(&self) -> Account {
        let run = journal::read(self.path()).unwrap_or_else(|fault| panic!("{fault}"));
        Account::of(self.path(), &run)
    }

    pub fn page(&self) -> Page {
        let account = self.account();
        let read = |name: &str| std::fs::read(self.path().join(name)).unwrap();
        let files = account.recordings.iter().filter(|recording| recording.present);
        let casts = files.map(|r| (r.file.clone(), read(&r.file))).collect();
        let row = |framework: &str, id: &str, name: &str, relevant: &str, not_shown: &str| {
            let [framework, id, name, relevant, not_shown] =
                [framework, id, name, relevant, not_shown].map(str::to_owned);
            ControlRow { framework, id, name, relevant, not_shown }
        };
        Page {
            account,
            digests: ["declaration.json", "journal.jsonl", "plan.toml", "session.cast"]
                .map(|name| (name.to_owned(), "0123456789abcdef".repeat(4)))
                .to_vec(),
            casts,
            journal: read("journal.jsonl"),
            controls: vec![
                row(
                    "NIST SP 800-53 rev 5",
                    "CM-3",
                    "Configuration Change Control",
                    "The change as it was declared, who approved it, and what was done",
                    "That every change goes this way, and that somebody reviews it",
                ),
                row(
                    "CMMC L2",
                    "AU.L2-3.3.1",
                    "System Auditing",
                    "A journal of the change, each line with time, actor and outcome",
                    "Audit records of the systems that were changed",
                ),
            ],
            signed: Some(signer()),
            left_out: Vec::new(),
        }
    }
}

/// The digest by which a content security policy names a script or style.
pub fn policy_hash(text: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(text);
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
}
