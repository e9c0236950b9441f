//! Waits for a steady lab: a drill counts only where the world without its fault was in band on
//! this machine, right before it.
//!
//! While the brief is read, the scenario's world without anything that goes wrong runs on sockets
//! of its own, with its users; what they saw in the last seconds is held against the bands of
//! `[steady_state]`. It ends before the drill's own lab begins, which starts at nought like the
//! simulated one. Where the bands do not hold in the time that the scenario gives, the drill can
//! still be flown, and does not count.

use crate::drill::fly::Course;
use crate::lab::scenario::SteadySpec;
use crate::lab::{Lab, Seen};
use crate::runbook::readback::Fault;
use crate::tui::hangar::Page;
use crate::tui::hangar::frame::Frame;
use crate::tui::hangar::reader::Reader;
use crate::tui::hangar::rows::{self, Look, Row};
use crate::tui::keymap::Key;
use crate::tui::theme::Theme;
use crate::tui::widget::ink::Ink;
use crate::units::Millis;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(500);
/// How long a service may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long is waited at most where the scenario does not say.
const WITHIN: Millis = Millis::secs(60);
/// So many more failures than the band allows are bad luck: in a few seconds the least of it is
/// many percent.
const LUCK: f64 = 3.0;

/// What was seen of a stretch of time.
#[derive(Debug, Clone, PartialEq)]
struct Stretch {
    sent: u64,
    failed: u64,
    p95_ms: Option<f64>,
    db_used: Option<u64>,
}

impl Stretch {
    fn between(from: &Tick, to: &Tick) -> Self {
        let mut took = to.seen.took_ms.clone();
        took.remove(&from.seen.took_ms);
        Self {
            sent: to.seen.sent.saturating_sub(from.seen.sent),
            failed: to.seen.failed.saturating_sub(from.seen.failed),
            p95_ms: took.quantile(0.95),
            db_used: to.db_used,
        }
    }

    fn error_pct(&self) -> f64 {
        self.failed as f64 * 100.0 / self.sent.max(1) as f64
    }

    /// Every series that is out of its band, with its numbers.
    fn out_of_band(&self, spec: &SteadySpec) -> Vec<String> {
        let told = |name: &str, is: String, [low, high]: [f64; 2]| {
            format!("{name} was {is}, in band is {low} to {high}")
        };
        let outside = |is: f64, [low, high]: [f64; 2]| !(low..=high).contains(&is);
        let luck = LUCK * 100.0 / self.sent.max(1) as f64;
        let errors = spec.error_pct.filter(|[low, high]| {
            self.sent == 0 || outside(self.error_pct(), [low - luck, high + luck])
        });
        let p95 = spec.p95_ms.filter(|band| self.p95_ms.is_none_or(|is| outside(is, *band)));
        let db =
            spec.db_used.filter(|band| self.db_used.is_none_or(|is| outside(is as f64, *band)));
        let unknown = || "not known".to_owned();
        [
            errors.map(|band| {
                let is =
                    format!("{:.1} ({} of {} users)", self.error_pct(), self.failed, self.sent);
                told("error_pct", is, band)
            }),
            p95.map(|band| {
                told("p95_ms", self.p95_ms.map_or_else(unknown, |is| format!("{is:.0}")), band)
            }),
            db.map(|band| {
                told("db_used", self.db_used.map_or_else(unknown, |is| is.to_string()), band)
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// What was seen by a moment.
#[derive(Debug, Clone)]
struct Tick {
    at: Instant,
    seen: Seen,
    db_used: Option<u64>,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Steady {
    /// It was not looked for long enough, or something is out of band: why.
    Waits(String),
    /// Every series was in band for as long as it must be.
    Yes,
    /// The time for it is up: which series was out of band, with its numbers.
    No(String),
}

/// A lab that is looked at until it is steady. It ends when this is dropped.
#[derive(Debug)]
pub struct Gate {
    state: Arc<Mutex<Steady>>,
    /// Dropped to end the thread.
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gate {
    /// Begins to look; at once steady where the scenario names no series.
    pub fn begin(course: &Course, seed: u64) -> Result<Self, Fault> {
        let spec = course.scenario.steady_state.clone();
        if spec.error_pct.is_none() && spec.p95_ms.is_none() && spec.db_used.is_none() {
            let state = Arc::new(Mutex::new(Steady::Yes));
            return Ok(Self { state, ends: None, thread: None });
        }
        let calm = course.without_faults().scenario;
        let mut lab = Lab::start(&calm, seed)?;
        let state = Arc::new(Mutex::new(Steady::Waits("nothing is known yet".to_owned())));
        let (ends, ended) = mpsc::channel();
        let told = Arc::clone(&state);
        let blue = calm.blue().index();
        let thread = std::thread::Builder::new().name("steady".to_owned()).spawn(move || {
            let mut watch = Watch::new(spec);
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let Some(seen) = lab.seen() else { break };
                let db_used = watch.asks_db().then(|| connections(lab.addresses().slots[blue]));
                let now = watch.take(Tick { at: Instant::now(), seen, db_used: db_used.flatten() });
                *told.lock().unwrap_or_else(PoisonError::into_inner) = now;
            }
            lab.stop();
        });
        let thread = thread.map_err(|error| {
            let kind = crate::runbook::FaultKind::Local;
            Fault::new(kind, format!("no thread: {error}"), "see `ulimit -a`")
        })?;
        Ok(Self { state, ends: Some(ends), thread: Some(thread) })
    }

    /// How it stands now.
    pub fn stands(&self) -> Steady {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it is known whether the lab is steady; why it is not, where it is not.
    pub fn wait(&self) -> Option<String> {
        loop {
            match self.stands() {
                Steady::Yes => return None,
                Steady::No(why) => return Some(why),
                Steady::Waits(_) => std::thread::sleep(LOOK / 2),
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.ends = None;
        if let Some(thread) = self.thread.take() {
            // A panic there must not become one here.
            let _ = thread.join();
        }
    }
}

/// Why a drill does not count that began on a lab which was not steady.
pub fn void(why: &str) -> String {
    format!("the lab was not steady before the flight: {why}")
}

/// Holds what is seen against the bands.
#[derive(Debug)]
struct Watch {
    spec: SteadySpec,
    ticks: VecDeque<Tick>,
    began: Option<Instant>,
}

impl Watch {
    fn new(spec: SteadySpec) -> Self {
        Self { spec, ticks: VecDeque::new(), began: None }
    }

    fn asks_db(&self) -> bool {
        self.spec.db_used.is_some()
    }

    fn take(&mut self, tick: Tick) -> Steady {
        let began = *self.began.get_or_insert(tick.at);
        let (hold, now) = (Duration::from(self.spec.hold), tick.at);
        self.ticks.push_back(tick);
        // The oldest one that is old enough stays.
        while self.ticks.get(1).is_some_and(|next| now.duration_since(next.at) >= hold) {
            self.ticks.pop_front();
        }
        let (Some(from), Some(to)) = (self.ticks.front(), self.ticks.back()) else {
            return Steady::Waits("nothing is known yet".to_owned());
        };
        let out = Stretch::between(from, to).out_of_band(&self.spec);
        let looked = now.duration_since(from.at);
        if looked < hold {
            let left = (hold - looked).as_secs_f64().ceil();
            return Steady::Waits(format!("{left:.0} s more of it are looked at"));
        }
        if out.is_empty() {
            return Steady::Yes;
        }
        let why = format!("over {} {}", self.spec.hold, out.join("; "));
        let within = Duration::from(self.spec.within.unwrap_or(WITHIN)).max(hold);
        if now.duration_since(began) >= within { Steady::No(why) } else { Steady::Waits(why) }
    }
}

/// The database's open connections, as the live service tells them.
fn connections(service: SocketAddr) -> Option<u64> {
    let mut stream = TcpStream::connect_timeout(&service, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.pointer("/db/connections")?.as_u64()
}

/// What the page gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goes {
    /// The flight begins; why it does not count, where it does not.
    On(Option<String>),
    /// The operator leaves.
    Leaves,
}

/// The page that is shown while a lab is waited for.
pub struct Waiting<'a> {
    gate: &'a Gate,
    name: String,
}

impl<'a> Waiting<'a> {
    /// A page for the drill of this name.
    pub fn new(gate: &'a Gate, name: &str) -> Self {
        Self { gate, name: name.to_owned() }
    }
}

impl Page for Waiting<'_> {
    type Out = Goes;

    fn draw(&mut self, ink: &mut Ink<'_>, theme: &Theme) {
        let (head, says, keys): (_, _, &[_]) = match self.gate.stands() {
            Steady::No(why) => (
                "void: lab not steady",
                why,
                &[("space", "flies it all the same; it does not count"), ("q", "leaves")],
            ),
            Steady::Waits(says) => ("waiting for a steady lab", says, &[("q", "leaves")]),
            Steady::Yes => ("the lab is steady", String::new(), &[("q", "leaves")]),
        };
        let frame = Frame::new("DRILL", &self.name, "", keys);
        let head_rows = [Row::of(head, Look::Title), Row::empty()];
        let says = move |columns| {
            let says = rows::paragraph(Row::empty(), &says, Look::Text, columns);
            head_rows.iter().cloned().chain(says).collect()
        };
        Reader::new(frame, &[], says).draw(ink, theme);
    }

    fn key(&mut self, key: Key) -> Option<Goes> {
        match (key, self.gate.stands()) {
            (Key::Char('q') | Key::Esc, _) => Some(Goes::Leaves),
            (Key::Char(' ') | Key::Enter, Steady::No(why)) => Some(Goes::On(Some(why))),
            _ => None,
        }
    }

    fn is_live(&self) -> bool {
        true
    }

    fn passes(&mut self) -> Option<Goes> {
        (self.gate.stands() == Steady::Yes).then_some(Goes::On(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> SteadySpec {
        SteadySpec {
            hold: Millis::secs(10),
            error_pct: Some([0.0, 0.8]),
            p95_ms: Some([60.0, 200.0]),
            db_used: Some([15.0, 36.0]),
            within: Some(Millis::secs(20)),
        }
    }

    /// What is said second by second, of 40 users a second of whom so many fail, who wait so many
    /// milliseconds, with so many connections.
    fn watched(seconds: u64, of_second: impl Fn(u64) -> (u64, f64, Option<u64>)) -> Steady {
        let mut watch = Watch::new(spec());
        let (began, mut seen) = (Instant::now(), Seen::default());
        let mut says = Steady::Waits(String::new());
        for second in 0..=seconds {
            let (failed, ms, db_used) = of_second(second);
            if second > 0 {
                seen.sent += 40;
                seen.failed += failed;
                (0..40).for_each(|_| seen.took_ms.record(ms));
            }
            let at = began + Duration::from_secs(second);
            says = watch.take(Tick { at, seen: seen.clone(), db_used });
        }
        says
    }

    #[test]
    fn every_series_is_in_band_for_ten_seconds_and_not_before() {
        let well = |_| (0, 90.0, Some(24));
        assert_eq!(watched(9, well), Steady::Waits("1 s more of it are looked at".to_owned()));
        assert_eq!(watched(10, well), Steady::Yes);
        // What was bad before the last ten seconds is over.
        assert_eq!(watched(19, |s| if s < 9 { (9, 900.0, None) } else { well(s) }), Steady::Yes);
    }

    #[test]
    fn what_is_out_of_band_is_named_with_its_numbers_and_after_its_time_it_is_void() {
        for (of_second, series) in [
            ((2, 90.0, Some(24)), "error_pct was 5.0 (20 of 400 users), in band is 0 to 0.8"),
            ((0, 900.0, Some(24)), "p95_ms was "),
            ((0, 90.0, Some(60)), "db_used was 60, in band is 15 to 36"),
            ((0, 90.0, None), "db_used was not known, in band is 15 to 36"),
        ] {
            let Steady::Waits(why) = watched(12, |_| of_second) else { panic!("{series}") };
            assert!(why.starts_with("over 10s ") && why.contains(series), "{why}");
            let Steady::No(why) = watched(20, |_| of_second) else { panic!("{series}") };
            assert!(why.contains(series) && !why.contains(';'), "{why}");
        }
    }

    #[test]
    fn a_handful_of_bad_luck_in_ten_seconds_is_no_reason() {
        let one_in_three_seconds = |s: u64| (u64::from(s.is_multiple_of(3)), 90.0, Some(24));
        assert_eq!(watched(10, one_in_three_seconds), Steady::Yes);
    }
}
