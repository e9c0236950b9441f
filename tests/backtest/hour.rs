//! A file of samples, written second by second, and the built program that judges it.

use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// What every plan of these stories begins with: 5xx over 2 % for 2m, and the defaults.
pub const PLAN: &str = r#"
schema = 1
service = "notes"
[slots]
left = "http://127.0.0.1:8001"
right = "http://127.0.0.1:8002"
[router]
kind = "lab"
address = "127.0.0.1:1"
front = "http://127.0.0.1:8080"
[health]
readiness = "/readyz"
[commands]
deploy = ["true"]
"#;

/// What a second of one slot's is like.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Requests of users a second.
    pub users: u64,
    /// Of a hundred requests so many fail, evenly.
    pub fails: u64,
    /// Whether its probes are answered, and fail as its users do.
    pub probed: bool,
}

/// All is well, and users come.
pub const WELL: Slot = Slot { users: 10, fails: 0, probed: true };
/// All is well, and nobody comes.
pub const IDLE: Slot = Slot { users: 0, ..WELL };

/// The lines of a file.
#[derive(Debug, Clone, Default)]
pub struct Hour {
    lines: Vec<String>,
    carry: [[u64; 2]; 2],
}

impl Hour {
    /// Adds a line as it is.
    pub fn line(&mut self, line: impl Into<String>) -> &mut Self {
        self.lines.push(line.into());
        self
    }

    /// The mark of a switch.
    pub fn split(&mut self, at: u64, green: u64) -> &mut Self {
        self.line(json!({ "at": at * 1000, "mark": "split", "green": green }).to_string())
    }

    /// The seconds that end after `from` and up to `to`, of Blue and of Green.
    pub fn seconds(&mut self, from: u64, to: u64, blue: Slot, green: Slot) -> &mut Self {
        for at in from + 1..=to {
            for (i, role, slot) in [(0, "blue", blue), (1, "green", green)] {
                let users = self.second(at, role, "users", [i, 0], slot.users, slot.fails);
                self.line(users.to_string());
                if slot.probed {
                    let mut probes = self.second(at, role, "probes", [i, 1], 4, slot.fails);
                    probes["checks"] = json!(4);
                    probes["unready"] = json!(0);
                    probes["ready"] = json!(true);
                    self.line(probes.to_string());
                }
            }
        }
        self
    }

    fn second(
        &mut self,
        at: u64,
        role: &str,
        from: &str,
        [i, j]: [usize; 2],
        requests: u64,
        percent: u64,
    ) -> Value {
        let carry = &mut self.carry[i][j];
        *carry += requests * percent;
        let failed = *carry / 100;
        *carry %= 100;
        let mut second = json!({ "at": at * 1000, "role": role, "from": from,
            "requests": requests, "failed": failed, "client_errors": 0 });
        if requests > 0 {
            second["latency_ms"] = json!({ "31.2": requests });
        }
        second
    }

    /// The whole file.
    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// The lines, to be changed.
    pub fn lines(&mut self) -> &mut Vec<String> {
        &mut self.lines
    }
}

/// Twenty minutes: ten of soak, and then all users on Green.
pub fn after_ten_minutes(green: Slot) -> Hour {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 100).seconds(600, 1200, IDLE, green);
    hour
}

/// What the program said.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Judged {
    fn of(output: Output) -> Self {
        Self {
            exit: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The changes, as they were printed.
    pub fn changes(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The changes of one limit: seconds and verdict.
    pub fn of_limit(&self, limit: &str) -> Vec<(u64, String)> {
        let changes = self.changes().into_iter().filter(|change| change["limit"] == limit);
        changes
            .map(|change| {
                let at = change["at"].as_u64().unwrap();
                assert_eq!(at % 5000, 0, "evaluations are at multiples of 5 s");
                (at / 1000, change["verdict"].as_str().unwrap().to_owned())
            })
            .collect()
    }

    /// When a limit first said this, in seconds.
    pub fn when(&self, limit: &str, verdict: &str) -> Option<u64> {
        self.of_limit(limit).into_iter().find(|(_, said)| said == verdict).map(|(at, _)| at)
    }
}

/// A place for files.
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        place.write("plan.toml", PLAN);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchback"));
        let state = self.path("state").display().to_string();
        command.args(args).env_clear().env("XDG_STATE_HOME", state);
        command.current_dir(self.directory.path());
        command
    }

    /// Runs the program.
    pub fn run(&self, args: &[&str]) -> Judged {
        Judged::of(self.program(args).stdin(Stdio::null()).output().unwrap())
    }

    /// Judges a file by the plan.
    pub fn judge(&self, text: impl AsRef<[u8]>) -> Judged {
        self.write("hour.jsonl", text);
        self.run(&["backtest", "plan.toml", "hour.jsonl"])
    }

    /// Judges what comes through standard input.
    pub fn judge_piped(&self, text: &str) -> Judged {
        let mut command = self.program(&["backtest", "plan.toml", "-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Judged::of(child.wait_with_output().unwrap())
    }
}

/// Judges a file by the plan with more in it.
pub fn judged(more: &str, text: impl AsRef<[u8]>) -> Judged {
    let place = Place::new();
    place.write("plan.toml", format!("{PLAN}{more}"));
    place.judge(text)
}

/// Each change begins where the one before it of the same limit ended.
pub fn told_without_gaps(judged: &Judged) {
    let mut last = std::collections::BTreeMap::new();
    for change in judged.changes() {
        let (limit, now) = (change["limit"].to_string(), change["verdict"].clone());
        if let Some(before) = last.insert(limit, now) {
            assert_eq!(change["was"], before, "{change}");
        }
    }
}
