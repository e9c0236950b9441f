//! The gates of the eight steps: which checks each has, and how they stand.

use super::core::Core;
use super::gate::{Check, CheckState, GateState, judge};
use super::line::micros;
use super::phase::{Job, Phase, Rung, Warmth};
use super::rollback::DOWN;
use crate::plan::{CommandName, Migration};
use crate::signal::Verdict;
use crate::units::{Millis, Percent, Role, Split};

use CheckState::{Bad, Good, NotDeclared, Unknown, Waiting};

fn seconds(ms: Millis) -> Millis {
    Millis::secs(ms.as_secs())
}

impl Core {
    /// What the gate of this step says, and why.
    pub(super) fn gate(&self) -> (GateState, Vec<Check>) {
        let mut checks = match &self.phase {
            Phase::Reading => vec![self.check_start()],
            Phase::Confirm { redeploy, write } => self.gate_confirm(redeploy, write.as_ref()),
            Phase::Deploy { migrate, deploy, .. } => self.gate_deploy(migrate, deploy),
            Phase::Readiness { since, breaks, .. } => self.gate_readiness(*since, *breaks),
            Phase::Soak { until } => self.gate_soak(*until),
            Phase::Switch { rung, state } => self.gate_switch(*rung, *state),
            Phase::Watch { since, until } => self.gate_watch(*since, *until),
            Phase::Decide => vec![Check::new(Waiting, "the operator decides")],
            Phase::Warm { state, .. } => self.gate_warm(*state),
        };
        if let Some(trouble) = &self.journal_trouble {
            checks.push(Check::new(Bad, format!("journal: {trouble}")));
        }
        if let Some(says) = &self.moved_by_others {
            checks.push(Check::new(Bad, says.as_str()));
        }
        let state = judge(&checks);
        (state, checks)
    }

    /// Whether a write that was answered with yes may be repeated: whatever opened the gate, but
    /// the router's own answer, still stands.
    pub(super) fn may_write(&self) -> bool {
        let mut checks = vec![Check::new(Good, "the journal is written")];
        if !matches!(self.phase, Phase::Confirm { .. }) {
            checks.push(self.check_limits(Role::Green));
            checks.push(self.check_ready(Role::Green));
            checks.push(self.check_ready(Role::Blue));
            checks.extend(self.check_blue_up());
        }
        self.journal_trouble.is_none()
            && self.moved_by_others.is_none()
            && judge(&checks) == GateState::Open
    }

    /// Before Blue is fixed: the router must report one slot that serves everybody.
    fn check_start(&self) -> Check {
        if let Some(trouble) = self.world.router_trouble(self.at) {
            let state = if self.world.readback.is_none() { Waiting } else { Unknown };
            return Check::new(state, format!("router: {trouble}"));
        }
        match self.world.split(self.at) {
            Some(split) if split.sole().is_none() => Check::new(Bad, self.start_split(split)),
            _ => Check::new(Waiting, "the router is being read"),
        }
    }

    /// A split that nobody asked for, explained with the way to settle it.
    pub(super) fn start_split(&self, split: Split) -> String {
        let [first, second] = crate::units::Slot::BOTH;
        let (one, two) = (self.plan.slot_name(first), self.plan.slot_name(second));
        let (a, b) = (split.share(first), split.share(second));
        let equal = a == b;
        let guess = if equal { "; default weights read like that" } else { "" };
        // What to do comes early: the screen cuts what is long.
        format!(
            "nobody is Blue at {one} {a} / {two} {b}. Settle it: switchback rollback --to {one} \
             (or --to {two}){guess}"
        )
    }

    pub(super) fn check_router(&self) -> Check {
        let Some(asked) = self.asked.and_then(|split| self.green_of(split)) else {
            return Check::new(Waiting, "the router is being read");
        };
        match self.green_read() {
            Some(read) if read == asked => {
                let took = self.world.readback.as_ref().map_or(0, |(r, _)| r.took_us);
                Check::new(Good, format!("router reads {}/{read} ({})", read.rest(), micros(took)))
            }
            // Until the write has been read back, what stands is what was.
            Some(read) if self.is_writing() => {
                Check::new(Waiting, format!("router reads {}/{read}, asked {asked}", read.rest()))
            }
            Some(read) => {
                Check::new(Bad, format!("router reads {}/{read}, asked {asked}", read.rest()))
            }
            None => {
                let why = self.world.router_trouble(self.at);
                let why = why.map_or_else(|| "unknown".to_owned(), |why| why.to_string());
                Check::new(Unknown, format!("router: {why}"))
            }
        }
    }

    const fn is_writing(&self) -> bool {
        matches!(self.phase, Phase::Switch { state: Rung::Writing { .. }, .. })
    }

    pub(super) fn check_ready(&self, role: Role) -> Check {
        let health = &self.world.health[role.index()];
        match self.world.ready(role, self.at) {
            Some(true) => {
                let counts = format!("{} of {}", health.good, health.checks);
                Check::new(Good, format!("{role} ready ({counts})"))
            }
            Some(false) => {
                let why = health.why.as_ref().map_or("no answer", |why| why.as_str());
                Check::new(Bad, format!("{role} not ready: {why}"))
            }
            None if health.last.is_none() && !self.silent_too_long() => {
                Check::new(Waiting, format!("{role} not heard yet"))
            }
            None if health.last.is_none() => Check::new(Unknown, format!("{role} was never heard")),
            None => Check::new(Unknown, format!("{role} not heard any more")),
        }
    }

    /// A Blue that the router would not send anybody to is no way back, however ready it is.
    pub(super) fn check_blue_up(&self) -> Option<Check> {
        self.world
            .blue_is_down(self.at)
            .then(|| Check::new(Bad, format!("{DOWN}: users who go back get errors")))
    }

    /// Whether a slot that has said nothing since this step began should have been heard.
    fn silent_too_long(&self) -> bool {
        let entered = self.times[self.step_now() as usize].entered;
        let health = &self.plan.health;
        entered.is_some_and(|at| self.at.since(at) > health.every + health.every + health.timeout)
    }

    fn check_limits(&self, role: Role) -> Check {
        let judge = &self.world.judges[role.index()];
        if let Some(judgement) = judge.tripped() {
            let label = judgement.signal().label();
            return Check::new(Bad, format!("{label} tripped on {role}: {}", judgement.counts()));
        }
        if let Some(judgement) = judge.tripping() {
            let label = judgement.signal().label();
            return Check::new(Bad, format!("{label} tripping on {role}: {}", judgement.counts()));
        }
        if let Some(judgement) = judge.shared() {
            let label = judgement.signal().label();
            return Check::new(Bad, format!("{label}: both slots suffer, {}", judgement.counts()));
        }
        let unread =
            judge.judgements().find(|j| matches!(j.verdict, Verdict::Stale | Verdict::Unknown));
        match unread {
            Some(judgement) => Check::new(
                Unknown,
                format!("{} on {role} is {}", judgement.signal().label(), judgement.verdict.word()),
            ),
            // That nothing trips is worth something once something was judged.
            None if judge.judgements().all(|j| j.verdict != Verdict::Ok) => {
                Check::new(NotDeclared, format!("limits on {role}: too few to judge"))
            }
            None => Check::new(Good, format!("no limit tripping on {role}")),
        }
    }

    fn check_time(&self, what: &str, since: Millis, until: Millis) -> Check {
        let (done, of) = (seconds(self.at.since(since)), seconds(until.since(since)));
        if self.at >= until {
            Check::new(Good, format!("{what} {of}"))
        } else {
            Check::new(Waiting, format!("{what} {done} of {of}"))
        }
    }

    /// What Blue names against what the plan says: a wrong `current` makes `redeploy_check` prove
    /// the wrong artefact.
    fn check_current(&self) -> Option<Check> {
        let named = self.world.health[Role::Blue.index()].release.as_ref()?.as_str();
        let release = &self.plan.release;
        let says = match (release.current.as_deref(), release.next.as_deref()) {
            (Some(current), _) if named != current => {
                format!("Blue names {named}, the plan says {current}: see --current")
            }
            (_, Some(next)) if named == next => {
                format!("Blue already runs {next}, which is to be deployed")
            }
            _ => return None,
        };
        Some(Check::new(NotDeclared, says))
    }

    fn check_job(&self, command: CommandName, job: &Job, by_hand: &str) -> Check {
        let key = command.key();
        match job {
            Job::NotDeclared => Check::new(NotDeclared, by_hand),
            Job::Waiting => Check::new(Waiting, format!("{key} is still to run")),
            Job::Running => Check::new(Waiting, format!("{key} runs")),
            Job::Good => Check::new(Good, format!("{key} ended well")),
            Job::Bad(why) => Check::new(Bad, format!("{key} {why}: space runs it again")),
        }
    }

    fn gate_confirm(
        &self,
        redeploy: &Job,
        write: Option<&Result<u64, crate::clean::Clean>>,
    ) -> Vec<Check> {
        let write = match write {
            None => Check::new(Waiting, "write access is being proven"),
            Some(Ok(us)) => Check::new(Good, format!("the split can be written ({})", micros(*us))),
            Some(Err(why)) => Check::new(Bad, format!("the split cannot be written: {why}")),
        };
        let migration = match self.plan.release.migration {
            Migration::Undeclared if !self.facts.attended => Check::new(
                Bad,
                "migration: not declared, and nobody is there to say that the data stay as they \
                 are: add `migration` to [release]",
            ),
            Migration::Irreversible if !self.facts.attended => Check::new(
                Bad,
                "migration: IRREVERSIBLE, and nobody is there to type the word: deploy it attended",
            ),
            Migration::Undeclared => Check::new(NotDeclared, "migration: not declared"),
            Migration::None => Check::new(Good, "migration: none"),
            Migration::Expand => Check::new(Good, "migration: expand"),
            Migration::Irreversible => Check::new(Good, "migration: IRREVERSIBLE"),
        };
        let mut checks = vec![
            self.check_router(),
            write,
            self.check_ready(Role::Blue),
            self.check_job(
                CommandName::RedeployCheck,
                redeploy,
                "redeploy_check: not declared, yours to know",
            ),
            self.check_limits(Role::Blue),
            migration,
            Check::new(NotDeclared, "DB, memory, disk: not declared"),
        ];
        checks.extend(self.check_current());
        checks.extend(self.check_blue_up());
        checks
    }

    fn gate_deploy(&self, migrate: &Job, deploy: &Job) -> Vec<Check> {
        let mut checks = Vec::new();
        if *migrate != Job::NotDeclared {
            checks.push(self.check_job(CommandName::Migrate, migrate, ""));
        }
        checks.push(match deploy {
            Job::NotDeclared => Check::new(Waiting, "deploy Green by hand, then press space"),
            job => self.check_job(CommandName::Deploy, job, ""),
        });
        if *deploy == Job::Good {
            checks.push(if self.green_answered() {
                Check::new(Good, "Green answers")
            } else {
                Check::new(Waiting, "Green has not answered yet")
            });
            checks.push(self.check_release());
        }
        checks.push(self.check_ready(Role::Blue));
        checks
    }

    fn check_release(&self) -> Check {
        let named = self.world.health[Role::Green.index()].release.as_ref();
        let next = self.plan.release.next.as_deref();
        match (self.green_is_next(), named, next) {
            (Some(true), Some(named), _) => Check::new(Good, format!("Green names {named}")),
            (Some(_), Some(named), Some(next)) => {
                Check::new(Waiting, format!("Green names {named}, not {next}"))
            }
            (Some(_), ..) => Check::new(Waiting, "Green names no release yet"),
            (None, ..) => Check::new(NotDeclared, "release: not verified (no [identity])"),
        }
    }

    fn gate_readiness(&self, since: Option<Millis>, breaks: u32) -> Vec<Check> {
        let hold = self.plan.health.hold;
        let held = match since {
            Some(since) => self.check_time("ready for", since, since + hold),
            None => Check::new(Waiting, format!("ready for 0s of {hold}")),
        };
        let flaps = self.plan.health.flaps;
        let budget = if breaks > flaps { Bad } else { Good };
        let green = match self.check_ready(Role::Green) {
            // Not ready is what this step waits for to pass; its deadline is the judge.
            Check { state: Bad | Unknown, says } => Check::new(Waiting, says),
            check => check,
        };
        vec![
            green,
            held,
            Check::new(budget, format!("{breaks} of {flaps} breaks forgiven")),
            self.check_ready(Role::Blue),
        ]
    }

    fn gate_soak(&self, until: Millis) -> Vec<Check> {
        let since = self.times[self.step_now() as usize].entered.unwrap_or(self.at);
        vec![
            self.check_time("soaked", since, until),
            self.check_limits(Role::Green),
            self.check_ready(Role::Green),
            self.check_ready(Role::Blue),
            self.check_router(),
        ]
    }

    pub(super) fn check_users(&self) -> Check {
        let seen = self.world.green().requests();
        let needed = self.users_needed();
        if seen >= needed {
            Check::new(Good, format!("{seen} Green users ({needed} needed)"))
        } else {
            // Too few opens nothing by itself: it is said, and the yes is the operator's. Without
            // one, more are waited for, where anybody counts them.
            let waits = !self.facts.attended && self.world.counts_users;
            let state = if waits { Waiting } else { NotDeclared };
            Check::new(state, format!("too few: {seen} of {needed} Green users"))
        }
    }

    fn gate_switch(&self, rung: usize, state: Rung) -> Vec<Check> {
        let mut checks = vec![self.check_router(), self.check_limits(Role::Green)];
        match state {
            Rung::Writing { tries } => {
                checks.push(Check::new(Waiting, format!("the router is told (attempt {tries})")));
            }
            Rung::Holding { since, until } => {
                checks.push(self.check_users());
                checks.push(self.check_time("hold", since, until));
            }
            Rung::Asking if rung == 0 => {
                let soaked = self.plan.soak;
                checks.push(Check::new(Good, format!("soaked {soaked} without a trip")));
            }
            Rung::Asking => checks.push(self.check_users()),
        }
        checks.push(self.check_ready(Role::Green));
        checks.push(self.check_ready(Role::Blue));
        checks.extend(self.check_blue_up());
        checks
    }

    fn gate_watch(&self, since: Millis, until: Millis) -> Vec<Check> {
        vec![
            self.check_time("watched", since, until),
            self.check_limits(Role::Green),
            self.check_users(),
            self.check_router(),
            self.check_ready(Role::Green),
            self.check_ready(Role::Blue),
        ]
    }

    fn gate_warm(&self, state: Warmth) -> Vec<Check> {
        let since = self.times[self.step_now() as usize].entered.unwrap_or(self.at);
        let left = self.world.health[Role::Blue.index()].in_flight;
        let drained = match (left, state) {
            (Some(0), _) => Check::new(Good, "nothing in flight on Blue"),
            (Some(n), Warmth::Drained | Warmth::Stopping | Warmth::Gone) => {
                Check::new(Good, format!("the drain time has passed, {n} in flight on Blue"))
            }
            (Some(n), _) => Check::new(Waiting, format!("{n} requests in flight on Blue")),
            (None, Warmth::Draining { until }) => {
                self.check_time("drained", until - self.plan.drain, until)
            }
            (None, Warmth::Keeping { .. }) => {
                Check::new(Waiting, "Blue's last requests: not counted")
            }
            (None, _) => Check::new(Good, "the drain time has passed"),
        };
        let warm = match state {
            Warmth::Keeping { until } => self.check_time("warm", since, until),
            Warmth::Gone => Check::new(Good, "Blue is decommissioned"),
            Warmth::Stopping => Check::new(Waiting, "stop runs"),
            _ => Check::new(Good, format!("warm {}", self.plan.warm)),
        };
        let stop = if self.has_stop() {
            Check::new(NotDeclared, "decommission asks for the service's name")
        } else {
            Check::new(NotDeclared, "stop: not declared, by hand")
        };
        vec![warm, drained, stop, self.check_all_on_green()]
    }

    fn check_all_on_green(&self) -> Check {
        match self.green_read() {
            Some(Percent::ALL) => Check::new(Good, "router reads 0/100"),
            Some(read) => Check::new(Bad, format!("router reads {}/{read}", read.rest())),
            None => Check::new(Unknown, "the router is not read"),
        }
    }
}
