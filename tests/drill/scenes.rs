//! The scenarios of these stories: a bad release, a good one that frightens, an ordinary one, and
//! a day on which both slots suffer.

use switchback::drill::fly::Course;
use switchback::lab::scenario::{parse, parse_answer};

/// A course from a scenario's text.
pub fn course(text: &str) -> Course {
    let scenario = parse("story", text).unwrap_or_else(|fault| panic!("{fault}"));
    let answer = parse_answer("story", text).unwrap_or_else(|fault| panic!("{fault}"));
    Course::new(scenario, answer).unwrap_or_else(|faults| panic!("{faults}"))
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
onset = "switch+6s"
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
during = "switch+6s"
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
for = "18s"
shape = "decay"
share = 0.02
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
