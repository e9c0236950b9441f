//! What the operator of the catalogue has declared: 5xx 2 % for 2m, p95 325 ms for 2m, health 10 %
//! for 1m.

use switchback::plan::{Plan, parse};

const PLAN: &str = r#"
schema = 1
service = "notes"
[slots]
left = "http://127.0.0.1:8001"
right = "http://127.0.0.1:8002"
[router]
kind = "command"
set = ["true", "{left}", "{right}"]
get = ["true"]
[health]
readiness = "/readyz"
[watch]
for = "15m"
[[limit]]
signal = "error_rate"
above = "2%"
for = "2m"
[[limit]]
signal = "latency_p95"
above = "325ms"
for = "2m"
[[limit]]
signal = "health"
above = "10%"
for = "1m"
"#;

/// The plan.
///
/// # Panics
/// Where it does not hold: then nothing can be measured.
pub fn plan() -> Plan {
    match parse(PLAN, "the catalogue's plan") {
        Ok(loaded) => loaded.plan,
        Err(faults) => panic!("{faults}"),
    }
}
