//! Blue's record, before a flight: which release Blue is, and what earlier runs know of it.

use super::flight::block_on;
use crate::adapter::router::Router;
use crate::adapter::source::http::Prober;
use crate::plain::complain;
use crate::plan::{Bound, Plan, Signal};
use crate::runbook::Kind;
use crate::runs::{Earlier, Home, PATIENCE, Wanted, earlier};
use crate::signal::{Record, share};
use crate::units::Split;
use std::collections::BTreeMap;
use std::time::Duration;

/// Blue is asked for its release no longer than this: the flight waits for it.
const ASK_WITHIN: Duration = Duration::from_secs(1);

/// What earlier runs know of the release that is Blue now. A drill knows nothing, and so does a
/// run whose Blue nobody names.
pub fn of_blue(
    home: &Home,
    kind: Kind,
    plan: &Plan,
    identity: &str,
    secrets: &BTreeMap<String, String>,
) -> Record {
    if !kind.outlives_process() {
        return Record::default();
    }
    let declared = plan.release.current.clone();
    let Some(release) = declared.or_else(|| read_release(plan, secrets)) else {
        return Record::default();
    };
    let patience = PATIENCE;
    let wanted = Wanted { kind, router: identity, release: &release, plan, patience };
    let found = earlier(&home.runs, &wanted);
    for warning in &found.warnings {
        complain(format_args!("warning: {warning}"));
    }
    found.record
}

/// What Blue says that it runs, where the plan says how it says so.
fn read_release(plan: &Plan, secrets: &BTreeMap<String, String>) -> Option<String> {
    plan.identity.release.as_ref()?;
    let asked = async {
        let blue = Router::of_plan(plan).ok()?.read().await.split().and_then(Split::sole)?;
        let prober = Prober::new(plan, &plan.slots[blue.index()].url, secrets).ok()?;
        Some(prober.check().await.release?.as_str().to_owned())
    };
    block_on(async { tokio::time::timeout(ASK_WITHIN, asked).await.ok().flatten() }).ok().flatten()
}

/// How much of a record there is, in a sentence.
pub fn says(plan: &Plan, release: Option<&str>, found: Option<&Earlier>) -> String {
    let x = match plan.limit(Signal::ErrorRate).map(|limit| limit.above) {
        Some(Bound::Percent(percent)) => percent / 100.0,
        _ => return "Blue's record is of no use: error_rate has no limit".to_owned(),
    };
    // The requests after which a release that fails 5 % of them would have shown.
    let shows = |b: f64| share::requests_needed(0.01, b);
    let none = |why: &str| match shows(x) {
        u64::MAX => format!("no record of Blue{why}: what it normally does is not known"),
        n => format!(
            "no record of Blue{why}: 5 % errors are found later, after ~{n} requests and not ~{}",
            shows(x / 10.0)
        ),
    };
    let Some(release) = release else {
        return none(", whose release is neither declared ([release] current) nor read");
    };
    let release = crate::clean::Clean::new(release);
    let Some(found) = found else { return none("") };
    let key = Signal::ErrorRate;
    let past = [("users", found.record.users.get(&key)), ("probes", found.record.probes.get(&key))]
        .into_iter()
        .find_map(|(of, past)| past.filter(|past| past.sum().of > 0).map(|past| (of, past)));
    let Some((of, past)) = past else {
        return none(&format!(" {release} in earlier runs"));
    };
    let sum = past.sum();
    let minutes = past.length().as_secs().div_ceil(60);
    let shows = match shows(past.normal(x)) {
        u64::MAX => "5 % errors are no news".to_owned(),
        n => format!("5 % errors are found after ~{n} requests"),
    };
    format!(
        "Blue's record: {minutes} min of {of} on {release}, {} of {} failed; {shows}",
        sum.bad, sum.of
    )
}
