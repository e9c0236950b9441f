//! The scenarios of these stories: a bad release, a good one that frightens, an ordinary one, and
//! a day on which both slots suffer.

use switchback::clean::Clean;
use switchback::drill::account::Account;
use switchback::drill::bots::Never;
use switchback::drill::fly::{self, Course, Flown, Pilot, Sight};
use switchback::drill::harm::Compared;
use switchback::drill::regress::{self, Yardstick};
use switchback::drill::score::{Score, Sureness};
use switchback::lab::scenario::{parse, parse_answer};
use switchback::runbook::Command;

/// A course from a scenario's text.
pub fn course(text: &str) -> Course {
    let scenario = parse("story", text).unwrap_or_else(|fault| panic!("{fault}"));
    let answer = parse_answer("story", text).unwrap_or_else(|fault| panic!("{fault}"));
    Course::new(scenario, answer).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Presses what is routine and, at its seconds, what a story says.
pub struct Script {
    keys: Vec<(u64, Command)>,
    next: usize,
    /// Whether what is routine is pressed as well.
    pub routine: bool,
}

/// A script of keys, each at its second.
pub fn script(keys: &[(u64, Command)]) -> Script {
    Script { keys: keys.to_vec(), next: 0, routine: true }
}

impl Pilot for Script {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if let Some((at, command)) = self.keys.get(self.next)
            && sight.now.as_secs() >= *at
        {
            self.next += 1;
            return Some(command.clone());
        }
        if sight.back {
            return (sight.settled && sight.in_band && !sight.leaving).then_some(Command::Leave);
        }
        sight.routine.clone().filter(|_| self.routine)
    }
}

/// A note.
pub fn note(text: &str) -> Command {
    Command::Note(Clean::new(text))
}

/// A flight by script, judged.
pub struct Story {
    pub course: Course,
    pub flown: Flown,
    pub yardstick: Yardstick,
    pub account: Account,
    pub harm: Compared,
    pub score: Score,
}

/// Like [`RED`], with limits that never trip: the gates stay open.
pub fn blind_limits() -> String {
    let limit =
        "[[plan.limit]]\nsignal = \"error_rate\"\nabove = \"50%\"\nfor = \"60s\"\n[[fault]]";
    RED.replacen("[[fault]]", limit, 1).replace("share = 0.6", "share = 0.3")
}

/// Nothing is done, and nothing is left to a limit.
pub fn nothing(text: &str, sure: &Sureness) -> Story {
    let course = course(text);
    let seed = course.scenario.clock.seeds[0];
    let flown = fly::with(&course, seed, &mut Never);
    judged(course, flown, sure)
}

/// Flies a script, says how sure it was, and judges it.
pub fn story(text: &str, keys: &[(u64, Command)], sure: &Sureness) -> Story {
    let course = course(text);
    let seed = course.scenario.clock.seeds[0];
    let flown = fly::with(&course, seed, &mut script(keys));
    judged(course, flown, sure)
}

/// Judges a flight on the first seed of its course.
pub fn judged(course: Course, flown: Flown, sure: &Sureness) -> Story {
    let yardstick = Yardstick::of(&course, course.scenario.clock.seeds[0]);
    let (account, harm, score) = regress::judge(&course, &flown, &yardstick, sure);
    Story { course, flown, yardstick, account, harm, score }
}

/// So sure, of that signal.
pub fn sure(confidence: f64, telling: &str) -> Sureness {
    Sureness { confidence: Some(confidence), telling: Some(telling.to_owned()) }
}

/// One rule burns everything six seconds after the switch.
pub const RED: &str = r#"
schema = 1
[drill]
id = "red"
codename = "HERON"
title = "Wall of red"
level = 1
family = ["LOUD"]
verdict = "BAD"
runbook_steps = [5, 6]
minutes = 2
twins = ["shiver"]
[story]
brief = "Thursday 11:40. Release 1.9.0 checks input more strictly."
change_note = "1.9.0: a new rule."
[[story.source]]
title = "A public report"
url = "https://example.org/report"
relation = "modelled on"
[clock]
seeds = [401, 402, 403, 404]
jitter = 0.05
[plan]
on_trip = "ask"
[[fault]]
id = "backtracking"
kind = "http.latency"
target = "green"
at = "switch+6s"
value = 20
[[fault]]
id = "out-of-time"
kind = "http.error"
target = "green"
at = "switch+6s"
share = 0.6
status = 503
[[evidence]]
step = 1
item = "redeploy_time"
shows = "42 s"
detail = "as of nine days ago"
[answer]
cause = "One rule with catastrophic backtracking."
onset = "fault:backtracking"
telling_signal = ["green.error_rate", "green.latency_p95"]
[[decision]]
id = "back"
call = "rollback"
steps = [5, 6]
opens = "evidence"
par = "10s"
deadline = "45s"
[[critical]]
when = "weight:50"
during = "fault:backtracking"
says = "Half of the users were sent to a slot that was failing them."
[bots]
oracle = [88, 100]
never = [0, 35]
twitch = [60, 95]
threshold_only = [40, 90]
always_abort = [30, 69]
rusher = [0, 30]
[debrief]
ask = ["What was the first sign?"]
lesson = "Loud and early is the cheap kind: go back first, ask afterwards."
carry_over = "The first red sample at 10 % goes back without a question."
went_well = "The way back was there all the time."
redrill_siblings = ["shiver"]
"#;

/// A good release with an empty cache.
pub const SHIVER: &str = r#"
schema = 1
[drill]
id = "shiver"
codename = "WREN"
title = "Cold shiver"
level = 1
family = ["RESTRAINT"]
verdict = "GOOD"
minutes = 3
[story]
change_note = "1.9.0: a clearer title."
[clock]
seeds = [501, 502, 503, 504]
jitter = 0.1
[world.green]
pool_idle = 2
[plan]
on_trip = "ask"
[[plan.limit]]
signal = "error_rate"
above = "5%"
for = "30s"
[[fault]]
id = "empty-cache"
kind = "cache.cold"
target = "green"
at = "switch"
for = "18s"
shape = "decay"
value = 0.10
[[fault]]
id = "impatient-callers"
kind = "http.error"
target = "green"
at = "switch"
for = "8s"
shape = "decay"
share = 0.7
[answer]
cause = "The cache was empty, and filled."
[[decision]]
id = "ship"
call = "advance"
opens = "switch+10s"
[bots]
oracle = [88, 100]
twitch = [0, 69]
always_abort = [0, 60]
[debrief]
lesson = "A slope that falls is an answer."
markers = [{ at = "fault:empty-cache", text = "the cache is empty" }]
carry_over = "Hold one length of the ramp before judging a cold cache."
"#;

/// An ordinary release.
pub const PLAIN: &str = r#"
schema = 1
[drill]
id = "plain"
codename = "ROBIN"
title = "Plain sailing"
level = 1
family = ["RESTRAINT"]
verdict = "GOOD"
minutes = 3
[story]
change_note = "1.9.0: a clearer title."
[clock]
seeds = [101, 102, 103, 104]
[plan]
on_trip = "ask"
[answer]
cause = "Nothing was wrong."
[[decision]]
id = "ship"
call = "advance"
[bots]
oracle = [88, 100]
always_abort = [0, 60]
[debrief]
lesson = "Most deploys are this one."
"#;
