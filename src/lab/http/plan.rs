//! The plan for a lab, written as its operator would write it: nothing in it says more than any
//! plan says, and the cockpit reads it like any other.

use super::Addresses;
use crate::lab::scenario::{SLOT_NAMES, Scenario};
use crate::lab::world::World;
use crate::units::Slot;
use std::fmt::Write;

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

pub(super) fn toml(scenario: &Scenario, addresses: &Addresses) -> String {
    let (blue, green) = (scenario.blue(), scenario.blue().other());
    let [left, right] = addresses.slots;
    let exe = std::env::current_exe()
        .map_or_else(|_| "switchback".to_owned(), |path| path.to_string_lossy().into_owned());
    let (exe, control) = (quoted(&exe), quoted(&addresses.control.to_string()));
    let act = |words: &str| format!("[{exe}, \"lab-act\", {control}, {words}]");
    let plan = &scenario.plan;
    let route = probed(scenario);
    let mut text = format!(
        r#"# The plan of a drill, on a lab of real HTTP services on loopback.
schema = 1
service = "notes"

[slots]
{left_name} = "http://{left}"
{right_name} = "http://{right}"

[release]
current = {current}
next = {next}
migration = {migration}
{reason}
[router]
kind = "lab"
address = {control}
front = "http://{front}"

[identity]
slot = {{ header = "X-Slot" }}
release = {{ header = "X-Version" }}

[health]
liveness = "/healthz"
readiness = "{ready_path}"
every = "1s"
timeout = "2s"
hold = "{ready_hold}"
flaps = {flaps}
deadline = {{ after = "1m", then = "abandon" }}
require = ["database", "config"]
optional = {optional:?}

[probes]
every = "500ms"

[[probe]]
path = {route}
expect = 200
contains = "total"

[traffic]
ramp = {ramp:?}
hold = "{hold}"

[soak]
for = "{soak}"

[watch]
for = "{watch}"

[warm]
for = "{warm}"
drain = "10s"

[on_trip]
do = {on_trip}
countdown = "{countdown}"

[signals]
db_errors = {{ readiness = "/db/errors" }}
queue_depth = {{ readiness = "/queue/depth" }}

[commands]
redeploy_check = {redeploy_check}
deploy = {deploy}
logs = {logs}
stop = {stop}
timeout = "1m"
"#,
        left_name = SLOT_NAMES[Slot::First.index()],
        right_name = SLOT_NAMES[Slot::Second.index()],
        current = quoted(&scenario.release(blue).version),
        next = quoted(&scenario.release(green).version),
        migration = quoted(&plan.migration),
        ready_path = if plan.deep_check { "/readyz?deep" } else { "/readyz" },
        optional = World::OPTIONAL,
        on_trip = quoted(&plan.on_trip),
        countdown = plan.countdown,
        reason = reason(&scenario.story.change_note),
        front = addresses.front,
        ready_hold = plan.ready_hold,
        flaps = plan.flaps,
        route = quoted(&route),
        ramp = plan.ramp,
        hold = plan.hold,
        soak = plan.soak,
        watch = plan.watch,
        warm = plan.warm,
        redeploy_check = act("\"redeploy-check\", \"{current}\""),
        deploy = act("\"deploy\", \"{slot}\", \"{release}\""),
        logs = act("\"logs\", \"{slot}\""),
        stop = act("\"stop\", \"{slot}\""),
    );
    for limit in &plan.limits {
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "\n[[limit]]\nsignal = {}\nabove = {}\nfor = \"{}\"\n",
            quoted(&limit.signal),
            if limit.above.parse::<u64>().is_ok() {
                limit.above.clone()
            } else {
                quoted(&limit.above)
            },
            limit.hold,
        );
    }
    text
}

/// The line that says why, where the scenario says it.
fn reason(change: &str) -> String {
    if change.is_empty() {
        return String::new();
    }
    format!("change = {{ reason = {} }}\n", quoted(change))
}

/// The page that a probe asks for: the one most asked for besides the home page.
fn probed(scenario: &Scenario) -> String {
    let routes = &scenario.traffic.routes;
    routes
        .iter()
        .filter(|route| route.path != "/")
        .max_by(|a, b| a.share.total_cmp(&b.share))
        .or(routes.first())
        .map_or_else(|| "/".to_owned(), |route| route.path.clone())
}
