//! Green's last words: what the logs command prints and what its health checks say, kept in the
//! run before anything of Green may be stopped. Its series are in the run's samples already.

use crate::adapter::command::{CommandSpec, run};
use crate::adapter::source::http::Prober;
use crate::clean::Clean;
use crate::plan::{CommandName, Plan};
use crate::runbook::{Fault, FaultKind, Outcome};
use crate::units::Slot;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Green's logs are waited for at most this long: the run cannot end before.
const LONGEST: Duration = Duration::from_secs(30);

/// Creates a file that only we can read.
pub fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn not_kept(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(
        FaultKind::Local,
        format!("{} cannot be written: {error}", path.display()),
        "free some space; Green is still there, its logs can be read by hand",
    )
}

/// Keeps Green's last logs and health bodies; says where.
pub async fn capture(plan: &Plan, prober: &Prober, slot: Slot, logs: &Path) -> Outcome {
    let health = logs.join("green-health.txt");
    let check = prober.check().await;
    let kept = private_file(&health)
        .and_then(|mut file| file.write_all(format!("{check:#?}\n").as_bytes()));
    if let Err(error) = kept {
        return Outcome::Failed(not_kept(&health, &error));
    }
    let Some(argv) = plan.commands.argv.get(&CommandName::Logs) else {
        return Outcome::Kept(Clean::new(
            "Green's last health check is kept; the plan has no logs command",
        ));
    };
    let path = logs.join("green-last.log");
    let file = match private_file(&path) {
        Ok(file) => file,
        Err(error) => return Outcome::Failed(not_kept(&path, &error)),
    };
    let timeout = Duration::from(plan.commands.timeout).min(LONGEST);
    let release = plan.release.next.as_deref();
    let current = plan.release.current.as_deref();
    let spec = CommandSpec::for_slot(argv, plan.slot_name(slot), release, current, timeout);
    let mut file = BufWriter::new(file);
    let mut lines = 0_u64;
    let ran = match spec {
        Ok(spec) => {
            run(&spec, |line| {
                lines += 1;
                // A full disk is found out at the flush below.
                let _ = writeln!(file, "{line}");
            })
            .await
        }
        Err(fault) => Err(fault),
    };
    match (ran, file.flush()) {
        (Err(fault), _) => Outcome::Failed(fault),
        (_, Err(error)) => Outcome::Failed(not_kept(&path, &error)),
        (Ok(ran), Ok(())) if ran.end.is_good() => Outcome::Kept(Clean::new(&format!(
            "Green's last {lines} log lines are kept in the run"
        ))),
        (Ok(ran), Ok(())) => Outcome::Failed(Fault::new(
            FaultKind::Local,
            format!("the logs command {}", ran.end),
            "Green is still there: its logs can be read by hand",
        )),
    }
}
