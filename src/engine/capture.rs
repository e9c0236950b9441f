//! Green's last words: what the logs command prints and what its health checks say, kept in the
//! run before anything of Green may be stopped. Its series are in the run's samples already.

use super::logfile::Logs;
use crate::adapter::command::{CommandSpec, run};
use crate::adapter::source::http::Prober;
use crate::clean::Clean;
use crate::plan::{CommandName, Plan};
use crate::runbook::{Fault, FaultKind, Outcome};
use crate::units::Slot;
use std::path::Path;
use std::time::Duration;

/// Green's logs are waited for at most this long: the run cannot end before.
const LONGEST: Duration = Duration::from_secs(30);

fn not_kept(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(
        FaultKind::Local,
        format!("{} cannot be written: {error}", path.display()),
        "free some space; Green is still there, its logs can be read by hand",
    )
}

/// Keeps Green's last logs and health bodies; says where.
pub async fn capture(plan: &Plan, prober: &Prober, slot: Slot, logs: &Logs) -> Outcome {
    match keep(plan, prober, slot, logs).await {
        Ok(kept) => Outcome::Kept(kept),
        Err(fault) => Outcome::Failed(fault),
    }
}

async fn keep(plan: &Plan, prober: &Prober, slot: Slot, logs: &Logs) -> Result<Clean, Fault> {
    let path = logs.path("green-health.txt");
    let mut file = logs.open("green-health.txt");
    prober.words_of_health().await.into_iter().for_each(|line| file.line(line));
    file.finish().await.map_err(|error| not_kept(&path, &error))?;
    let Some(argv) = plan.commands.argv.get(&CommandName::Logs) else {
        return Ok(Clean::new("Green's last health check is kept; the plan has no logs command"));
    };
    let path = logs.path("green-last.log");
    let timeout = Duration::from(plan.commands.timeout).min(LONGEST);
    let release = plan.release.next.as_deref();
    let current = plan.release.current.as_deref();
    let spec = CommandSpec::for_slot(argv, plan.slot_name(slot), release, current, timeout)?;
    let mut file = logs.open("green-last.log");
    let mut lines = 0_u64;
    let ran = run(&spec, |line| {
        lines += 1;
        file.line(line);
    })
    .await?;
    file.finish().await.map_err(|error| not_kept(&path, &error))?;
    if !ran.end.is_good() {
        return Err(Fault::new(
            FaultKind::Local,
            format!("the logs command {}", ran.end),
            "Green is still there: its logs can be read by hand",
        ));
    }
    Ok(Clean::new(&format!("Green's last {lines} log lines are kept in the run")))
}
