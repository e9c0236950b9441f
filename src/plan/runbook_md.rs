//! The eight steps as Markdown with a plan's values: `check --runbook`.
//!
//! For the wiki, the change ticket, and the night on which there is no cockpit: what is done,
//! what opens each gate, the exact commands, and the way back. It promises nothing that the plan
//! does not say: what is not declared stands there as such.

use super::types::*;
use crate::runbook::step::Step;
use crate::units::Percent;
use std::fmt::Write;

/// The runbook of this plan.
pub fn runbook_md(plan: &Plan) -> String {
    let mut page = Page { plan, out: String::new() };
    page.head();
    for step in Step::ALL {
        page.step(step);
    }
    page.limits();
    page.way_back();
    page.out
}

struct Page<'p> {
    plan: &'p Plan,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn item(&mut self, text: &str) {
        self.line(&format!("- {text}"));
    }

    fn gate(&mut self, checks: &[String]) {
        self.out.truncate(self.out.trim_end().len());
        self.line("\n\nThe gate opens when:\n");
        for check in checks {
            self.item(check);
        }
    }

    fn head(&mut self) {
        let plan = self.plan;
        let or_open =
            |text: &Option<String>| text.as_deref().map_or("not declared".to_owned(), code);
        self.line(&format!("# Runbook: {}\n", plain(&plan.service)));
        self.line(&format!(
            "Made by `switchback check --runbook` from plan `{}`.\n",
            plan.digest.get(..8).unwrap_or_default()
        ));
        self.line("| | |\n|---|---|");
        self.line(&format!(
            "| release | {} → {} |",
            or_open(&plan.release.current),
            or_open(&plan.release.next)
        ));
        self.line(&format!("| migration | {} |", migration(plan.release.migration)));
        for slot in &plan.slots {
            self.line(&format!("| slot {} | {} |", code(&slot.name), code(&slot.url)));
        }
        self.line(&format!("| router | {} |", router(&plan.router)));
        self.line(&format!("| users come in at | {} |", or_open(&plan.router.front)));
        for (name, value) in &plan.release.change {
            self.line(&format!("| {name} | {} |", plain(value)));
        }
        self.line(&format!(
            "\n**Blue** is the slot that serves users when the run begins, **Green** the other one. Which of \
             {} and {} that is, the router says at step 1. In the commands below:\n",
            code(&plan.slots[0].name), code(&plan.slots[1].name)
        ));
        self.item(
            "`{slot}` is the name of the slot that is meant (Green's, unless the line says Blue's)",
        );
        self.item(&format!("`{{release}}` is the next release: {}", or_open(&plan.release.next)));
        self.item(&format!(
            "`{{current}}` is the release that Blue runs: {}",
            or_open(&plan.release.current)
        ));
    }

    fn step(&mut self, step: Step) {
        self.line(&format!(
            "\n## {} {}\n\nProves: {}.\n",
            step.number(),
            step.title(),
            step.proves()
        ));
        match step {
            Step::Confirm => self.confirm(),
            Step::Deploy => self.deploy(),
            Step::Readiness => self.readiness(),
            Step::Soak => self.soak(),
            Step::Switch => self.switch(),
            Step::Watch => self.watch(),
            Step::Decide => self.decide(),
            Step::Warm => self.warm(),
        }
    }

    fn command(&mut self, name: CommandName, says: &str) {
        match self.plan.commands.argv.get(&name) {
            Some(argv) => {
                let release = &self.plan.release;
                let known = |name: &str| match name {
                    "release" => release.next.as_deref(),
                    "current" => release.current.as_deref(),
                    _ => None,
                };
                let argv: Vec<String> = argv.iter().map(|word| super::fill(word, known)).collect();
                let block = block(&argv);
                self.line(&format!("{says} (within {}):\n\n{block}", self.plan.commands.timeout));
            }
            None => self.line(&format!(
                "{says}: no `{}` command is declared, so the operator does it by hand.",
                name.key()
            )),
        }
    }

    fn confirm(&mut self) {
        let plan = self.plan;
        match plan.commands.has(CommandName::RedeployCheck) {
            true => {
                self.command(CommandName::RedeployCheck, "Prove that Blue could be deployed again")
            }
            false => {
                self.line("Whether Blue could be deployed again: not declared. Make sure by hand.")
            }
        }
        self.line(&format!("\n{}", read_split(plan)));
        let own =
            plan.checks.iter().map(|check| format!("yours to look at: {}", plain(&check.text)));
        let gate = [
            format!("Blue is live and ready ({})", code(&plan.health.readiness)),
            "the router was read, all traffic is on one slot, and writing the split that stands was accepted".to_owned(),
            "no limit is tripped on Blue".to_owned(),
            match plan.commands.has(CommandName::RedeployCheck) {
                true => "`redeploy_check` passed".to_owned(),
                false => "`redeploy_check`: not declared".to_owned(),
            },
            format!("the migration is declared ({})", migration(plan.release.migration)),
        ];
        self.gate(&gate.into_iter().chain(own).collect::<Vec<_>>());
    }

    fn deploy(&mut self) {
        let plan = self.plan;
        if plan.commands.has(CommandName::Migrate) {
            self.command(CommandName::Migrate, "First expand the schema, and watch Blue meanwhile");
            self.line("");
        }
        self.command(CommandName::Deploy, "Deploy the release to Green");
        let named = match &plan.identity.release {
            Some(ReleaseSource::Header(header)) => {
                format!("Green answers, and names the release in the header {}", code(header))
            }
            Some(ReleaseSource::Json(pointer)) => format!(
                "Green answers, and its readiness body names the release at {}",
                code(pointer)
            ),
            None => "Green answers (how it names its release is not declared)".to_owned(),
        };
        self.gate(&["every command ended with 0".to_owned(), named]);
    }

    fn readiness(&mut self) {
        let health = &self.plan.health;
        for slot in &self.plan.slots {
            let url = format!("{}{}", slot.url, health.readiness);
            self.line(&format!(
                "If Green is {}:\n\n```sh\ncurl -fsS -m {} {}\n```\n",
                code(&slot.name),
                seconds(health.timeout),
                shell(&url)
            ));
        }
        let mut checks = vec![format!(
            "{} is good every {} for {} without a break; {} breaks are forgiven",
            code(&health.readiness),
            health.every,
            health.hold,
            health.flaps
        )];
        if let Some(path) = &health.liveness {
            checks.push(format!("{} is good as well", code(path)));
        }
        checks.push(match health.require.is_empty() {
            true => "required components: not declared".to_owned(),
            false => format!("these components are good: {}", codes(&health.require)),
        });
        if !health.optional.is_empty() {
            checks.push(format!("these may be degraded: {}", codes(&health.optional)));
        }
        let then = match health.deadline_then {
            DeadlineThen::Abandon => "Green is given up; no user ever reached it",
            DeadlineThen::Ask => "the cockpit holds and asks",
        };
        self.gate(&checks);
        self.line(&format!("\nAfter {} without that: {then}.", self.plan.health.deadline));
    }

    fn soak(&mut self) {
        let plan = self.plan;
        self.line(&format!("Send these straight to Green every {}:\n", plan.probe_every));
        for probe in &plan.probes {
            let contains = probe
                .contains
                .as_deref()
                .map_or(String::new(), |text| format!(", containing {}", code(text)));
            self.item(&format!("{}, expecting {}{contains}", code(&probe.path), probe.expect));
        }
        if plan.probes.is_empty() {
            self.item(&format!("{} (no [[probe]] is declared)", code(&plan.health.readiness)));
        }
        self.gate(&[format!("{} have passed with no limit tripped", plan.soak)]);
    }

    fn switch(&mut self) {
        let plan = self.plan;
        self.line("| Green gets | Blue keeps | held for |\n|---|---|---|");
        for &step in &plan.ramp {
            let held = if step == Percent::ALL {
                "the watch".to_owned()
            } else {
                plan.ramp_hold.to_string()
            };
            self.line(&format!("| {step} % | {} % | {held} |", step.rest()));
        }
        self.line(&format!("\n{}", write_split(plan)));
        self.gate(&[
            format!("the router reads what was asked, within {}", plan.router.timeout),
            match (&plan.router.front, &plan.identity.slot_header, &plan.identity.release) {
                (Some(front), Some(header), _) => {
                    format!("answers from {} name Green's slot in {}", code(front), code(header))
                }
                (Some(front), None, Some(ReleaseSource::Header(header))) => {
                    format!("answers from {} name Green's release in {}", code(front), code(header))
                }
                _ => "what users saw: verified by the router only".to_owned(),
            },
            "the hold has passed, and no limit is tripping".to_owned(),
        ]);
    }

    fn watch(&mut self) {
        let watch = self.plan.watch;
        self.line("All users are on Green. Look at what they get.");
        self.gate(&[format!(
            "{watch} have passed with no limit tripped, and enough was seen to say so"
        )]);
    }

    fn decide(&mut self) {
        let plan = self.plan;
        self.item("Nothing tripped: keep Green.");
        self.item(&match plan.on_trip.ask {
            true => format!(
                "A limit tripped: back to Blue after {}, unless the operator stops the countdown.",
                plan.on_trip.countdown
            ),
            false => "A limit tripped: back to Blue, at once.".to_owned(),
        });
        self.item(&format!(
            "Both slots suffer: hold for {}, then ask. Going back would not help.",
            plan.on_trip.shared_hold
        ));
        self.item(match plan.unproven {
            Unproven::Ask => {
                "Too little was seen: the operator decides; unattended it is back to Blue."
            }
            Unproven::Extend => "Too little was seen: watch once more as long.",
            Unproven::Rollback => "Too little was seen: back to Blue.",
        });
    }

    fn warm(&mut self) {
        let plan = self.plan;
        self.line(&format!(
            "Keep Blue running for {}. The way back stays one write to the router.\n",
            plan.warm
        ));
        self.gate(&[
            format!("{} have passed", plan.warm),
            format!(
                "Blue's requests in flight are 0, or {} have passed where nobody counts them",
                plan.drain
            ),
            format!("the operator has typed the service's name: {}", code(&plan.service)),
        ]);
        self.line("");
        self.command(
            CommandName::Logs,
            "Keep the last logs of the slot that is going to be stopped",
        );
        self.line("");
        self.command(CommandName::Stop, "Then stop Blue (`{slot}` is Blue's)");
        if plan.commands.has(CommandName::Contract) {
            self.line("");
            self.command(
                CommandName::Contract,
                "Only after that, contract the schema; until then it is owed",
            );
        }
    }

    fn limits(&mut self) {
        self.line("\n## Limits\n\nDeclared before the release, and sealed with it.\n");
        self.line("| signal | above | for | judged | |\n|---|---|---|---|---|");
        for limit in &self.plan.limits {
            let judged = if limit.literal { "literally" } else { "by evidence" };
            let origin = if limit.declared { "declared" } else { "default" };
            let source = match (limit.signal, self.plan.signals.get(&limit.signal)) {
                (Signal::DbErrors | Signal::QueueDepth, None | Some(SignalSource::None)) => {
                    ", no source: not declared"
                }
                _ => "",
            };
            let above = limit.above;
            self.line(&format!(
                "| `{}` | {above} | {} | {judged} | {origin}{source} |",
                limit.signal.key(),
                limit.hold
            ));
        }
    }

    fn way_back(&mut self) {
        let plan = self.plan;
        self.line("\n## The way back\n\nFrom step 1 to step 8, in the cockpit: `r`. From another terminal:\n");
        self.line("```sh\nswitchback rollback\n```\n\nWithout switchback:\n");
        self.line(&back(plan));
        self.line("\nIt is done when the router reads it *and* Blue answers. A rollback never runs a migration.");
        if plan.release.migration == Migration::Irreversible {
            self.line("\n**This release is irreversible:** the old version may not work on the new data. The cockpit asks once more before it goes back, and so should you.");
        }
    }
}

fn router(router: &RouterPlan) -> String {
    match &router.kind {
        RouterKind::Haproxy { address, backend, servers, .. } => {
            let backend = backend
                .as_deref()
                .map_or(", backend found by the slots' addresses".to_owned(), |b| {
                    format!(", backend {}", code(b))
                });
            let servers = servers
                .as_ref()
                .map_or(String::new(), |[a, b]| format!(", servers {} and {}", code(a), code(b)));
            format!("haproxy at {}{backend}{servers}", code(address))
        }
        RouterKind::Lab { address } => format!("the lab's at {}", code(address)),
        RouterKind::Command { set, .. } => {
            format!("by command {}", code(set.first().map_or("", String::as_str)))
        }
    }
}

/// How the split is read by hand.
fn read_split(plan: &Plan) -> String {
    match &plan.router.kind {
        RouterKind::Haproxy { address, .. } => format!(
            "Which slot serves users (the weights of the two servers):\n\n```sh\necho 'show servers state' | socat - {}\n```",
            shell(&socat(address))
        ),
        RouterKind::Command { get, .. } => format!("Which slot serves users:\n\n{}", block(get)),
        RouterKind::Lab { .. } => {
            "Which slot serves users: the lab says it on its screen.".to_owned()
        }
    }
}

/// How one step of the ramp is written by hand.
fn write_split(plan: &Plan) -> String {
    let [first, second] = &plan.slots;
    match &plan.router.kind {
        RouterKind::Haproxy { .. } => "Weights are absolute, Green's first, so that the two are never both 0: see *The way back* \
             for the line, with Green's and Blue's percents of the table as weights."
            .to_owned(),
        RouterKind::Command { set, .. } => format!(
            "`{{{}}}` and `{{{}}}` are the percents of the two slots:\n\n{}",
            first.name, second.name, block(set)
        ),
        RouterKind::Lab { .. } => "The lab's router is moved by the cockpit.".to_owned(),
    }
}

/// All traffic to Blue, by hand, for whichever slot that is.
fn back(plan: &Plan) -> String {
    let mut out = String::new();
    for blue in crate::units::Slot::BOTH {
        let _ = writeln!(out, "\nIf Blue is {}:\n", code(plan.slot_name(blue)));
        match &plan.router.kind {
            RouterKind::Haproxy { address, backend, servers, .. } => {
                let backend = backend.as_deref().unwrap_or("BACKEND");
                let server = |slot: crate::units::Slot| match servers {
                    Some(servers) => servers[slot.index()].clone(),
                    None if slot == blue => "${BLUE:?}".to_owned(),
                    None => "${GREEN:?}".to_owned(),
                };
                let line = format!(
                    "set weight {backend}/{} 100; set weight {backend}/{} 0",
                    server(blue),
                    server(blue.other())
                );
                let socket = shell(&socat(address));
                out.push_str("```sh\n");
                let line = if servers.is_some() {
                    shell(&line)
                } else {
                    let at = |slot: crate::units::Slot| address_of(&plan.slots[slot.index()].url);
                    let _ = writeln!(
                        out,
                        "# Set BLUE to the name of the server at {}, GREEN to that of the one at {}; found by:\n\
                         # echo 'show servers state {backend}' | socat - {socket}",
                        at(blue),
                        at(blue.other())
                    );
                    format!("\"{line}\"")
                };
                let _ = writeln!(out, "echo {line} | socat - {socket}\n```");
            }
            RouterKind::Command { set, .. } => {
                let percent = |name: &str| {
                    plan.slot_named(name).map(|slot| if slot == blue { "100" } else { "0" })
                };
                let words: Vec<String> =
                    set.iter().map(|word| super::fill(word, percent)).collect();
                let _ = writeln!(out, "{}", block(&words));
            }
            RouterKind::Lab { .. } => {
                let _ = writeln!(out, "The lab ends with its drill: nothing is left to move.");
            }
        }
    }
    out.trim().to_owned()
}

fn socat(address: &str) -> String {
    if address.contains('/') { format!("UNIX-CONNECT:{address}") } else { format!("TCP:{address}") }
}

fn address_of(url: &str) -> String {
    super::address::host_and_port(url)
        .map_or(url.to_owned(), |(host, port)| format!("{host}:{port}"))
}

const fn migration(migration: Migration) -> &'static str {
    match migration {
        Migration::Undeclared => "not declared: step 1 asks for it",
        Migration::None => "none",
        Migration::Expand => "expand: the old version goes on working",
        Migration::Irreversible => {
            "irreversible: step 1 has it typed, and the way back asks once more"
        }
    }
}

fn seconds(ms: crate::units::Millis) -> String {
    format!("{}", ms.0 as f64 / 1000.0)
}

/// An argv as a shell line that can be pasted.
fn block(argv: &[String]) -> String {
    let line = argv.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ");
    // A fence longer than any in the line, so that no command can end it.
    let fence = "`".repeat(longest_run(&line).max(2) + 1);
    format!("{fence}sh\n{line}\n{fence}")
}

/// One word as a shell takes it literally.
fn shell(word: &str) -> String {
    let plain = !word.is_empty()
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,@%+{}".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Text in code marks, in a table's cell too.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|").replace('\n', " ");
    let ticks = "`".repeat(longest_run(&text) + 1);
    if ticks.len() == 1 { format!("`{text}`") } else { format!("{ticks} {text} {ticks}") }
}

fn codes(names: &[String]) -> String {
    names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text of the operator's as plain text: what Markdown would take for markup is escaped.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\`*_{}[]<>#|!".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
