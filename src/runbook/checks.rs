//! The gates of the eight steps: which checks each has, and how they stand.
//!
//! A gate is looked at with each step of the core, and read by somebody once in a while. Each
//! check therefore goes to whoever takes it ([`Checks`]), and its words are made only there.

use super::core::Core;
use super::gate::{Check, CheckState, Checks, GateState, Worst, judge};
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

/// Readiness that is not there yet is what its step waits for to pass; its deadline is the judge.
struct Awaited<'a, C>(&'a mut C);

impl<C: Checks> Checks for Awaited<'_, C> {
    const READS: bool = C::READS;

    fn check(&mut self, state: CheckState, says: impl FnOnce() -> String) {
        let state = if matches!(state, Bad | Unknown) { Waiting } else { state };
        self.0.check(state, says);
    }
}

impl Core {
    /// What the gate of this step says, and why.
    pub(super) fn gate(&self) -> (GateState, Vec<Check>) {
        let mut checks = Vec::new();
        self.check_gate(&mut checks);
        (judge(&checks), checks)
    }

    /// What the gate of this step says, without a word of why.
    pub(super) fn gate_state(&self) -> GateState {
        let mut worst = Worst::default();
        self.check_gate(&mut worst);
        worst.gate()
    }

    fn check_gate(&self, to: &mut impl Checks) {
        match &self.phase {
            Phase::Reading => self.check_start(to),
            Phase::Confirm { redeploy, write } => self.gate_confirm(to, redeploy, write.as_ref()),
            Phase::Deploy { migrate, deploy, .. } => self.gate_deploy(to, migrate, deploy),
            Phase::Readiness { since, breaks, .. } => self.gate_readiness(to, *since, *breaks),
            Phase::Soak { until } => self.gate_soak(to, *until),
            Phase::Switch { rung, state } => self.gate_switch(to, *rung, *state),
            Phase::Watch { since, until } => self.gate_watch(to, *since, *until),
            Phase::Decide => to.plain(Waiting, "the operator decides"),
            Phase::Warm { state, .. } => self.gate_warm(to, *state),
        }
        if let Some(trouble) = &self.journal_trouble {
            to.check(Bad, || format!("journal: {trouble}"));
        }
        if let Some(says) = &self.moved_by_others {
            to.check(Bad, || says.to_string());
        }
    }

    /// Whether a write that was answered with yes may be repeated: whatever opened the gate, but
    /// the router's own answer, still stands.
    pub(super) fn may_write(&self) -> bool {
        let mut worst = Worst::default();
        worst.plain(Good, "the journal is written");
        if !matches!(self.phase, Phase::Confirm { .. }) {
            self.check_limits(&mut worst, Role::Green);
            self.check_ready(&mut worst, Role::Green);
            self.check_ready(&mut worst, Role::Blue);
            self.check_blue_up(&mut worst);
        }
        self.journal_trouble.is_none()
            && self.moved_by_others.is_none()
            && worst.gate() == GateState::Open
    }

    /// Before Blue is fixed: the router must report one slot that serves everybody.
    fn check_start(&self, to: &mut impl Checks) {
        if let Some(trouble) = self.world.router_trouble(self.at) {
            let state = if self.world.readback.is_none() { Waiting } else { Unknown };
            return to.check(state, || format!("router: {trouble}"));
        }
        match self.world.split(self.at) {
            Some(split) if split.sole().is_none() => to.check(Bad, || self.start_split(split)),
            _ => to.plain(Waiting, "the router is being read"),
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

    pub(super) fn check_router(&self, to: &mut impl Checks) {
        let Some(asked) = self.asked.and_then(|split| self.green_of(split)) else {
            return to.plain(Waiting, "the router is being read");
        };
        match self.green_read() {
            Some(read) if read == asked => to.check(Good, || {
                let took = self.world.readback.as_ref().map_or(0, |(r, _)| r.took_us);
                format!("router reads {}/{read} ({})", read.rest(), micros(took))
            }),
            Some(read) => {
                // Until the write has been read back, what stands is what was.
                let state = if self.is_writing() { Waiting } else { Bad };
                to.check(state, || format!("router reads {}/{read}, asked {asked}", read.rest()));
            }
            None => to.check(Unknown, || {
                let why = self.world.router_trouble(self.at);
                let why = why.map_or_else(|| "unknown".to_owned(), |why| why.to_string());
                format!("router: {why}")
            }),
        }
    }

    const fn is_writing(&self) -> bool {
        matches!(self.phase, Phase::Switch { state: Rung::Writing { .. }, .. })
    }

    pub(super) fn check_ready(&self, to: &mut impl Checks, role: Role) {
        let health = &self.world.health[role.index()];
        match self.world.ready(role, self.at) {
            Some(true) => {
                to.check(Good, || format!("{role} ready ({} of {})", health.good, health.checks));
            }
            Some(false) => to.check(Bad, || {
                let why = health.why.as_ref().map_or("no answer", |why| why.as_str());
                format!("{role} not ready: {why}")
            }),
            None if health.last.is_none() && !self.silent_too_long() => {
                to.check(Waiting, || format!("{role} not heard yet"));
            }
            None if health.last.is_none() => {
                to.check(Unknown, || format!("{role} was never heard"));
            }
            None => to.check(Unknown, || format!("{role} not heard any more")),
        }
    }

    /// A Blue that the router would not send anybody to is no way back, however ready it is.
    pub(super) fn check_blue_up(&self, to: &mut impl Checks) {
        if self.world.blue_is_down(self.at) {
            to.check(Bad, || format!("{DOWN}: users who go back get errors"));
        }
    }

    /// Whether a slot that has said nothing since this step began should have been heard.
    fn silent_too_long(&self) -> bool {
        let entered = self.times[self.step_now() as usize].entered;
        let health = &self.plan.health;
        entered.is_some_and(|at| self.at.since(at) > health.every + health.every + health.timeout)
    }

    fn check_limits(&self, to: &mut impl Checks, role: Role) {
        let judge = &self.world.judges[role.index()];
        if let Some(judgement) = judge.tripped() {
            let label = judgement.signal().label();
            return to.check(Bad, || format!("{label} tripped on {role}: {}", judgement.counts()));
        }
        if let Some(judgement) = judge.tripping() {
            let label = judgement.signal().label();
            return to.check(Bad, || format!("{label} tripping on {role}: {}", judgement.counts()));
        }
        if self.shared.is_some() && role == Role::Green && judge.shared().is_none() {
            return to.check(Bad, || "both slots suffered less than a minute ago".to_owned());
        }
        if let Some(judgement) = judge.shared() {
            let label = judgement.signal().label();
            return to.check(Bad, || format!("{label}: both slots suffer, {}", judgement.counts()));
        }
        let unread =
            judge.judgements().find(|j| matches!(j.verdict, Verdict::Stale | Verdict::Unknown));
        match unread {
            Some(judgement) => to.check(Unknown, || {
                format!("{} on {role} is {}", judgement.signal().label(), judgement.verdict.word())
            }),
            // That nothing trips is worth something once something was judged.
            None if judge.judgements().all(|j| j.verdict != Verdict::Ok) => {
                to.check(NotDeclared, || format!("limits on {role}: too few to judge"));
            }
            None => to.check(Good, || format!("no limit tripping on {role}")),
        }
    }

    fn check_time(&self, to: &mut impl Checks, what: &str, since: Millis, until: Millis) {
        let of = || seconds(until.since(since));
        if self.at >= until {
            to.check(Good, || format!("{what} {}", of()));
        } else {
            to.check(Waiting, || format!("{what} {} of {}", seconds(self.at.since(since)), of()));
        }
    }

    /// What Blue names against what the plan says: a wrong `current` makes `redeploy_check` prove
    /// the wrong artefact.
    fn check_current(&self, to: &mut impl Checks) {
        let Some(named) = self.world.health[Role::Blue.index()].release.as_ref() else { return };
        let named = named.as_str();
        let release = &self.plan.release;
        match (release.current.as_deref(), release.next.as_deref()) {
            (Some(current), _) if named != current => to.check(NotDeclared, || {
                format!("Blue names {named}, the plan says {current}: see --current")
            }),
            (_, Some(next)) if named == next => to.check(NotDeclared, || {
                format!("Blue already runs {next}, which is to be deployed")
            }),
            _ => {}
        }
    }

    fn check_job(
        &self,
        to: &mut impl Checks,
        command: CommandName,
        job: &Job,
        by_hand: &'static str,
    ) {
        let key = command.key();
        match job {
            Job::NotDeclared => to.plain(NotDeclared, by_hand),
            Job::Waiting => to.check(Waiting, || format!("{key} is still to run")),
            Job::Running => to.check(Waiting, || format!("{key} runs")),
            Job::Good => to.check(Good, || format!("{key} ended well")),
            Job::Bad(why) => to.check(Bad, || format!("{key} {why}: space runs it again")),
        }
    }

    fn gate_confirm(
        &self,
        to: &mut impl Checks,
        redeploy: &Job,
        write: Option<&Result<u64, crate::clean::Clean>>,
    ) {
        self.check_router(to);
        match write {
            None => to.plain(Waiting, "write access is being proven"),
            Some(Ok(us)) => {
                to.check(Good, || format!("the split can be written ({})", micros(*us)))
            }
            Some(Err(why)) => to.check(Bad, || format!("the split cannot be written: {why}")),
        }
        self.check_ready(to, Role::Blue);
        self.check_job(
            to,
            CommandName::RedeployCheck,
            redeploy,
            "redeploy_check: not declared, yours to know",
        );
        self.check_limits(to, Role::Blue);
        match self.plan.release.migration {
            Migration::Undeclared if !self.facts.attended => to.plain(
                Bad,
                "migration: not declared, and nobody is there to say that the data stay as they \
                 are: add `migration` to [release]",
            ),
            Migration::Irreversible if !self.facts.attended => to.plain(
                Bad,
                "migration: IRREVERSIBLE, and nobody is there to type the word: deploy it attended",
            ),
            Migration::Undeclared => to.plain(NotDeclared, "migration: not declared"),
            Migration::None => to.plain(Good, "migration: none"),
            Migration::Expand => to.plain(Good, "migration: expand"),
            Migration::Irreversible => to.plain(Good, "migration: IRREVERSIBLE"),
        }
        to.plain(NotDeclared, "DB, memory, disk: not declared");
        self.check_own(to);
        if self.plan.turns_back() {
            self.check_rehearsal(to);
        } else {
            self.check_current(to);
        }
        // It informs, and never stands in the way.
        if let Some(drilled) = &self.facts.drilled {
            let now = self.facts.began_unix_ms;
            let state = if drilled.is_due(now) { NotDeclared } else { Good };
            to.check(state, || drilled.says(now));
        }
        for says in &self.changed_outside {
            to.check(NotDeclared, || says.to_string());
        }
        self.check_blue_up(to);
    }

    /// The operator's own checks: theirs to judge, so that with nobody there they are not passed
    /// over in silence.
    fn check_own(&self, to: &mut impl Checks) {
        let state = if self.facts.attended { NotDeclared } else { Bad };
        let nobody = if self.facts.attended { "" } else { " (nobody is there to look)" };
        for own in &self.plan.checks {
            to.check(state, || format!("yours to look at{nobody}: {}", own.text));
        }
    }

    fn gate_deploy(&self, to: &mut impl Checks, migrate: &Job, deploy: &Job) {
        if *migrate != Job::NotDeclared {
            self.check_job(to, CommandName::Migrate, migrate, "");
        }
        match deploy {
            Job::NotDeclared => to.plain(Waiting, "deploy Green by hand, then press space"),
            job => self.check_job(to, CommandName::Deploy, job, ""),
        }
        if *deploy == Job::Good {
            if self.green_answered() {
                to.plain(Good, "Green answers");
            } else {
                to.plain(Waiting, "Green has not answered yet");
            }
            self.check_release(to);
            self.check_artefact(to);
        }
        self.check_ready(to, Role::Blue);
    }

    fn check_release(&self, to: &mut impl Checks) {
        let named = self.world.health[Role::Green.index()].release.as_ref();
        let next = self.plan.release.next.as_deref();
        match (self.green_is_next(), named, next) {
            (Some(true), Some(named), _) => to.check(Good, || format!("Green names {named}")),
            (Some(_), Some(named), Some(next)) => {
                to.check(Waiting, || format!("Green names {named}, not {next}"));
            }
            (Some(_), ..) => to.plain(Waiting, "Green names no release yet"),
            (None, ..) => to.plain(NotDeclared, "release: not verified (no [identity])"),
        }
    }

    fn gate_readiness(&self, to: &mut impl Checks, since: Option<Millis>, breaks: u32) {
        self.check_ready(&mut Awaited(to), Role::Green);
        let hold = self.plan.health.hold;
        match since {
            Some(since) => self.check_time(to, "ready for", since, since + hold),
            None => to.check(Waiting, || format!("ready for 0s of {hold}")),
        }
        let flaps = self.plan.health.flaps;
        let budget = if breaks > flaps { Bad } else { Good };
        to.check(budget, || format!("{breaks} of {flaps} breaks forgiven"));
        self.check_ready(to, Role::Blue);
    }

    fn gate_soak(&self, to: &mut impl Checks, until: Millis) {
        let since = self.times[self.step_now() as usize].entered.unwrap_or(self.at);
        self.check_time(to, "soaked", since, until);
        self.check_limits(to, Role::Green);
        self.check_ready(to, Role::Green);
        self.check_ready(to, Role::Blue);
        self.check_router(to);
    }

    /// Until `until` the gate waits for its time anyway, and how many users there were, which
    /// takes some arithmetic, makes no difference.
    fn check_users_at<C: Checks>(&self, to: &mut C, until: Millis) {
        if C::READS || self.at >= until {
            self.check_users(to);
        }
    }

    pub(super) fn check_users(&self, to: &mut impl Checks) {
        let seen = self.world.green().requests();
        let needed = self.users_needed();
        if seen >= needed {
            to.check(Good, || format!("{seen} Green users ({needed} needed)"));
        } else {
            // Too few opens nothing by itself: it is said, and the yes is the operator's. Without
            // one, more are waited for, where anybody counts them.
            let waits = !self.facts.attended && self.world.counts_users;
            let state = if waits { Waiting } else { NotDeclared };
            to.check(state, || format!("too few: {seen} of {needed} Green users"));
        }
    }

    fn gate_switch(&self, to: &mut impl Checks, rung: usize, state: Rung) {
        self.check_router(to);
        self.check_limits(to, Role::Green);
        match state {
            Rung::Writing { tries } => {
                to.check(Waiting, || format!("the router is told (attempt {tries})"));
            }
            Rung::Holding { since, until } => {
                self.check_users_at(to, until);
                self.check_time(to, "hold", since, until);
            }
            Rung::Asking if rung == 0 => {
                let soaked = self.plan.soak;
                to.check(Good, || format!("soaked {soaked} without a trip"));
            }
            Rung::Asking => self.check_users(to),
        }
        self.check_ready(to, Role::Green);
        self.check_ready(to, Role::Blue);
        self.check_blue_up(to);
    }

    fn gate_watch(&self, to: &mut impl Checks, since: Millis, until: Millis) {
        self.check_time(to, "watched", since, until);
        self.check_limits(to, Role::Green);
        self.check_users_at(to, until);
        self.check_router(to);
        self.check_ready(to, Role::Green);
        self.check_ready(to, Role::Blue);
    }

    fn gate_warm(&self, to: &mut impl Checks, state: Warmth) {
        let since = self.times[self.step_now() as usize].entered.unwrap_or(self.at);
        match state {
            Warmth::Keeping { until } => self.check_time(to, "warm", since, until),
            Warmth::Gone => to.plain(Good, "Blue is decommissioned"),
            Warmth::Stopping => to.plain(Waiting, "stop runs"),
            Warmth::Draining { .. } | Warmth::Drained => {
                to.check(Good, || format!("warm {}", self.plan.warm));
            }
        }
        let left = self.world.health[Role::Blue.index()].in_flight;
        match (left, state) {
            (Some(0), _) => to.plain(Good, "nothing in flight on Blue"),
            (Some(n), Warmth::Drained | Warmth::Stopping | Warmth::Gone) => {
                to.check(Good, || format!("the drain time has passed, {n} in flight on Blue"));
            }
            (Some(n), _) => to.check(Waiting, || format!("{n} requests in flight on Blue")),
            (None, Warmth::Draining { until }) => {
                self.check_time(to, "drained", until - self.plan.drain, until);
            }
            (None, Warmth::Keeping { .. }) => {
                to.plain(Waiting, "Blue's last requests: not counted");
            }
            (None, _) => to.plain(Good, "the drain time has passed"),
        }
        to.plain(
            NotDeclared,
            if self.has_stop() {
                "decommission asks for the service's name"
            } else {
                "stop: not declared, by hand"
            },
        );
        self.check_all_on_green(to);
    }

    fn check_all_on_green(&self, to: &mut impl Checks) {
        match self.green_read() {
            Some(Percent::ALL) => to.plain(Good, "router reads 0/100"),
            Some(read) => to.check(Bad, || format!("router reads {}/{read}", read.rest())),
            None => to.plain(Unknown, "the router is not read"),
        }
    }
}
