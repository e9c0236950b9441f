//! What holds and will hurt all the same.
//!
//! [`warnings`] asks only the plan, so it says the same everywhere; [`surroundings`] asks this
//! machine, [`signing`] its key; [`limits`] asks what is known of Blue and its traffic. Nothing here reaches the network. Each warning names the key, what will go wrong, and
//! what to write instead.

pub mod limits;
mod sealed;

use super::fault::PlanFault;
use super::loaded::Places;
use super::placeholder::placeholders;
use super::{CommandName, Migration, Plan, RouterKind, secrets};
use crate::units::{Millis, Percent};

/// What the plan itself gives reason to warn about.
pub fn warnings(plan: &Plan, places: &Places) -> Vec<PlanFault> {
    let mut found = Warnings { plan, places, list: Vec::new() };
    found.slots();
    found.release();
    found.seeing();
    found.health();
    found.probes();
    found.phases();
    found.list.extend(limits::alone(plan, places));
    found.commands();
    found.list.extend(sealed::warnings(plan, places));
    found.list
}

/// What this machine lacks for the plan: secrets, and the key that signs.
pub fn surroundings(plan: &Plan, places: &Places) -> Vec<PlanFault> {
    let mut list = Vec::new();
    for (name, source) in &plan.secrets {
        if let Some((cause, hint)) = secrets::lacking(source) {
            let cause = format!("secret `{name}`: {cause}");
            list.push(places.warning(&format!("secrets.{name}"), &cause, hint));
        }
    }
    if let Some(key) = &plan.evidence.key
        && !secrets::at_home(key).is_file()
        && public_half(key).is_none()
    {
        let cause =
            format!("the evidence's key {key} is not there: the run would be sealed unsigned");
        list.push(places.warning(
            "evidence.key",
            &cause,
            &format!("make one with ssh-keygen -t ecdsa -b 256 -f {key}, or take the line out"),
        ));
    }
    list
}

/// What will be said against signatures by the plan's key, though they are good.
pub fn signing(plan: &Plan, places: &Places) -> Vec<PlanFault> {
    let mut list = Vec::new();
    let Some(key) = &plan.evidence.key else { return list };
    if plan.evidence.identity.is_none() {
        list.push(places.warning(
            "evidence.key",
            "no `identity`: who signs is taken from the key's comment, or else from your user name",
            "add identity = \"you@example.org\", as an evaluator's signers file shall have it",
        ));
    }
    match public_half(key) {
        Some(kind) if kind == "ssh-ed25519" || kind.starts_with("sk-ssh-ed25519") => {
            list.push(places.warning(
                "evidence.key",
                "the key is of the kind Ed25519, which machines in FIPS mode refuse to check",
                "make another one: ssh-keygen -t ecdsa -b 256, or -t ecdsa-sk on a token",
            ));
        }
        None if secrets::at_home(key).is_file() => list.push(places.warning(
            "evidence.key",
            &format!("{key}.pub is not there: whose key it is must be asked of the key itself"),
            &format!("write it once: ssh-keygen -y -f {key} > {key}.pub"),
        )),
        _ => {}
    }
    list
}

/// The kind of a key, from its public half: beside it, or where the plan names that itself.
fn public_half(key: &str) -> Option<String> {
    let kind = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path).ok()?;
        let kind = text.split_whitespace().next()?.to_owned();
        let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|begin| kind.starts_with(begin));
        known.then_some(kind)
    };
    kind(secrets::at_home(&format!("{key}.pub"))).or_else(|| kind(secrets::at_home(key)))
}

struct Warnings<'p> {
    plan: &'p Plan,
    places: &'p Places,
    list: Vec<PlanFault>,
}

impl Warnings<'_> {
    fn add(&mut self, path: &str, cause: &str, hint: &str) {
        self.list.push(self.places.warning(path, cause, hint));
    }

    fn slots(&mut self) {
        for slot in &self.plan.slots {
            if matches!(slot.name.to_ascii_lowercase().as_str(), "blue" | "green") {
                let cause = format!(
                    "slot `{}` has the name of a role: which slot is Blue changes with every deploy",
                    slot.name
                );
                self.add(
                    &format!("slots.{}", slot.name),
                    &cause,
                    "it will confuse you in a month; name it left, a or 8001",
                );
            }
        }
    }

    fn release(&mut self) {
        let release = &self.plan.release;
        match release.migration {
            Migration::Undeclared => self.add(
                "release.migration",
                "what the release does to the data is not declared: step 1 will ask for it",
                "add [release] migration = \"none\", \"expand\" or \"irreversible\", or say --migration",
            ),
            Migration::None if self.plan.commands.has(CommandName::Migrate) => self.add(
                "release.migration",
                "the migration is declared as none, and `commands.migrate` would run one",
                "declare \"expand\", or take the command out",
            ),
            _ => {}
        }
        if release.next.is_some() && release.next == release.current {
            self.add(
                "release.next",
                "the next release is called as the current one: answers cannot tell them apart",
                "give each build a name of its own",
            );
        }
        for (name, argv) in &self.plan.commands.argv {
            let names = |wanted: &str| {
                argv.iter().flat_map(|word| placeholders(word)).any(|found| found.name == wanted)
            };
            let key = format!("commands.{}", name.key());
            if names("release") && release.next.is_none() {
                self.add(
                    &key,
                    &format!("`{key}` names {{release}}, and no release is declared"),
                    "add [release] next = \"1.9.0\", or say --release",
                );
            }
            if names("current") && release.current.is_none() && self.plan.identity.release.is_none()
            {
                self.add(&key, &format!("`{key}` names {{current}}, which is neither declared nor can be read from Blue"), "add [release] current = \"1.8.2\", say --current, or say in [identity] how an answer names its release");
            }
        }
    }

    /// What can be known of users.
    fn seeing(&mut self) {
        let identity = &self.plan.identity;
        let silent = identity.slot_header.is_none() && identity.release.is_none();
        if self.plan.router.front.is_none() {
            self.add(
                "router.front",
                "no `front`: nobody asks where users come in, so the split is known from the router alone",
                "add front = \"http://...\" with the address that users come in at",
            );
        } else if silent {
            self.add(
                "identity",
                "no [identity]: an answer cannot say which slot gave it, so nothing is sent through the front door and the split is verified by the router only",
                "add [identity] slot = { header = \"X-Slot\" }, and let the router set that header",
            );
        }
        let (counts, why) = match self.plan.router.kind {
            RouterKind::Lab { .. } => return,
            RouterKind::Haproxy { .. } => {
                ("latency_p95", "haproxy keeps no latencies that a p95 could be had from")
            }
            RouterKind::Command { .. } => {
                ("error_rate, client_error_rate and latency_p95", "a command does not count users")
            }
        };
        if self.plan.probes.is_empty() {
            self.add(
                "limit",
                &format!("{counts} will be judged on readiness requests alone: {why}, and there is no [[probe]]"),
                "add a [[probe]] with a path that users touch",
            );
        }
    }

    fn health(&mut self) {
        if self.plan.health.require.is_empty() {
            self.add(
                "health.readiness",
                "readiness names no components: a body that says `ready` with its database gone would pass",
                "add require = [\"database\"] with the components of the readiness body",
            );
        }
    }

    fn probes(&mut self) {
        let health = &self.plan.health;
        let own = |path: &str| path == health.readiness || Some(path) == health.liveness.as_deref();
        if self.plan.probes.is_empty() {
            self.add(
                "probe",
                "no [[probe]] touches what users touch: the soak would prove that health checks answer",
                "add [[probe]] path = \"/orders\" or another page that users open",
            );
        } else if self.plan.probes.iter().all(|probe| own(&probe.path)) {
            self.add(
                "probe[0].path",
                "no [[probe]] touches what users touch: all ask for health",
                "add one with a page that users open",
            );
        }
        if self.plan.probe_every > Millis(250) {
            let cause = format!(
                "a probe every {} finds less than one every 250ms: Blue's word is weaker",
                self.plan.probe_every
            );
            self.add("probes.every", &cause, "leave it at 250ms unless the service cannot bear it");
        }
    }

    /// Phases that end before a limit could trip in them.
    fn phases(&mut self) {
        let plan = self.plan;
        let ramps = plan.ramp.as_slice() != [Percent::ALL];
        let phases = [
            ("traffic.hold", "a step of the ramp is held", plan.ramp_hold, ramps),
            ("watch.for", "the watch lasts", plan.watch, true),
            ("soak.for", "the soak lasts", plan.soak, plan.soak > Millis::ZERO),
        ];
        for (path, says, length, counts) in phases {
            let late: Vec<String> = plan
                .limits
                .iter()
                .filter(|limit| counts && limit.hold > length)
                .map(|limit| format!("{} ({})", limit.signal.key(), limit.hold))
                .collect();
            if !late.is_empty() {
                let cause = format!(
                    "{says} {length}, shorter than it may take to judge {}",
                    late.join(", ")
                );
                self.add(path, &cause, "make it at least as long as the limits' `for`");
            }
        }
        if plan.soak == Millis::ZERO {
            self.add(
                "soak.for",
                "no soak: Green's first minute is its users' first minute",
                "write for = \"5m\"",
            );
        }
        if plan.warm == Millis::ZERO {
            self.add(
                "warm.for",
                "Blue is not kept warm: there is no way back after the decision",
                "write for = \"1h\"",
            );
        }
    }

    fn commands(&mut self) {
        let commands = &self.plan.commands;
        if !commands.has(CommandName::RedeployCheck) {
            self.add(
                "commands.redeploy_check",
                "no `redeploy_check`: nothing proves that Blue could be deployed again",
                "add a command that succeeds only if Blue's artefact is still there",
            );
        }
        if !commands.has(CommandName::Deploy) {
            self.add(
                "commands.deploy",
                "no `deploy` command: the operator deploys by hand at step 2, and presses when done",
                "add deploy = [...] with {slot} where Green's slot goes",
            );
        }
    }
}
