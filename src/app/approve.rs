//! A second person approves a plan: read, shown, asked about, signed, and put beside it.

use super::{Failure, load, print};
use crate::clean::Clean;
use crate::cli::Global;
use crate::engine::clock::unix_ms;
use crate::evidence::approve::Approval;
use crate::evidence::{approve, sign};
use crate::plain::complain;
use crate::plan::secrets::at_home;
use crate::plan::{Overrides, Plan};
use crate::units::Millis;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::Path;

/// Signs a plan and its release with the approver's key.
pub fn approve(
    global: &Global,
    path: &Path,
    overrides: Overrides,
    key: &Path,
    identity: Option<&str>,
    valid: Millis,
) -> Result<u8, Failure> {
    let options: String =
        overrides.sealed().iter().map(|(name, value)| format!(" --{name} {value}")).collect();
    let loaded = load(path, overrides)?;
    let approver = sign::signer(key, identity.unwrap_or_default())?;
    if approver.identity.is_empty() {
        return Err(Failure::usage(
            "nobody knows who approves: the key has no comment that says it",
            "say --identity NAME, as the evaluator's signers file has it",
        ));
    }
    let evidence = &loaded.plan.evidence;
    let own = evidence.key.as_deref().and_then(|key| sign::signer(&at_home(key), "").ok());
    if own.is_some_and(|own| own.fingerprint == approver.fingerprint)
        || evidence.identity.as_deref() == Some(approver.identity.as_str())
    {
        return Err(Failure::usage(
            "the plan's own key or name would approve itself: approver = deployer",
            "let somebody else approve it, with a key of their own",
        ));
    }
    let approval = approve::of(&loaded.plan, approver, unix_ms(), valid);
    let shown = show(path, &loaded.plan, &approval);
    if global.json {
        complain(shown.trim_end());
    } else {
        print(shown.as_bytes())?;
    }
    if !global.yes && io::stdin().is_terminal() && !agreed()? {
        return Err(Failure::usage("nothing is approved", "answer y to sign it"));
    }
    let file = approve::approve(path, &approval, key)?;
    if global.json {
        let line = serde_json::to_string(&approval)
            .map_err(|error| Failure::world(error, "this is a bug: please report it"))?;
        return print(format!("{line}\n").as_bytes());
    }
    let out = format!(
        "approved: {}, {}\ngood until: {}\nkept: {} and .sig\nnext: switchback deploy {}{options}\n",
        approval.service,
        release(&approval),
        approval.valid_until.as_deref().unwrap_or("for ever"),
        file.display(),
        path.display(),
    );
    print(out.as_bytes())
}

fn release(approval: &Approval) -> String {
    let release = &approval.release;
    let current = release.current.as_ref().map_or("what Blue runs", |name| name.as_str());
    let next = release.next.as_ref().map_or("a release without a name", |name| name.as_str());
    format!("{current} to {next}, migration {}", release.migration.key())
}

/// What is to be signed, before it is.
fn show(path: &Path, plan: &Plan, approval: &Approval) -> String {
    let mut out = String::new();
    let mut line = |name: &str, says: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name}: {}", Clean::new(&says));
    };
    line("to approve", format!("{}, {}", approval.service, release(approval)));
    line("plan", format!("{} sha256 {}", path.display(), approval.plan_sha256));
    let ramp: Vec<String> = plan.ramp.iter().map(ToString::to_string).collect();
    line(
        "ramp",
        format!("{}, each held {}; watch {}", ramp.join(", "), plan.ramp_hold, plan.watch),
    );
    for limit in &plan.limits {
        line("limit", format!("{} above {} for {}", limit.signal.key(), limit.above, limit.hold));
    }
    for (name, argv) in &plan.commands.argv {
        line(name.key(), argv.join(" "));
    }
    let who = &approval.approver;
    line("by", format!("{} with {} {}", who.identity, who.key, who.fingerprint));
    out
}

/// Whether whoever is at the keyboard agrees. The question goes where no output is read from.
fn agreed() -> Result<bool, Failure> {
    let mut errors = io::stderr().lock();
    let _ = write!(errors, "sign this? [y/N] ");
    let _ = errors.flush();
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
