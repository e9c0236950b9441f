//! How a run looks: the state as a [`Snapshot`]. Nothing is decided here.

use super::core::Core;
use super::gate::GateState;
use super::line::micros;
use super::phase::{Job, Phase, Rung, Warmth};
use super::record::Tone;
use super::resume::PickUp;
use super::rollback::DOWN;
use super::snapshot::{Alarm, Headline, Health, Snapshot, StepLine, StepState, Traffic};
use super::step::Step;
use crate::clean::Clean;
use crate::plan::{CommandName, Signal};
use crate::signal::{Judgement, Verdict};
use crate::units::{Millis, Percent, Role, Slot};

/// Nothing speaks against Green, and nothing for it.
const TOO_FEW: &str = "TOO FEW TO SAY";

impl Core {
    /// How things stand.
    pub fn snapshot(&mut self) -> Snapshot {
        let (gate, checks) = self.gate();
        let limits_on = if self.green_is_judged() { Role::Green } else { Role::Blue };
        let seen = self.world.seen(self.at);
        Snapshot {
            at: self.at,
            facts: self.facts.without_record(),
            service: Clean::new(&self.plan.service),
            plan: self.plan.digest.chars().take(8).collect(),
            marking: self.plan.evidence.marking.as_deref().map(Clean::new),
            current: self.current(),
            next: self.plan.release.next.as_deref().map(Clean::new),
            migration: self.plan.release.migration,
            slots: Slot::BOTH.map(|slot| Clean::new(self.plan.slot_name(slot))),
            blue: self.world.blue,
            step: self.step_now(),
            steps: self.step_lines(),
            headline: self.headline(gate),
            alarm: self.alarm(),
            traffic: self.traffic(seen),
            gate,
            checks,
            limits: self.world.judges[limits_on.index()].told().collect(),
            limits_on,
            limits_at: self.world.judges[limits_on.index()].evaluated(),
            health: Role::BOTH.map(|role| self.health(role)),
            rollback: self.rollback.as_ref().map(super::rollback::Rollback::view),
            question: self.question().map(super::question::Open::view),
            next_open: self.next_open(),
            turns_back: self.stands_to_turn(),
            held: self.held,
            can_extend: self.can_extend(),
            running: self.running().map(|(command, began)| (Clean::new(command.key()), began)),
            journal_trouble: self.journal_trouble.clone(),
            owed: self.owed.clone(),
            finish: self.finish.clone(),
        }
    }

    fn current(&self) -> Option<Clean> {
        let read = self.world.health[Role::Blue.index()].release.clone();
        read.or_else(|| self.plan.release.current.as_deref().map(Clean::new))
    }

    fn health(&self, role: Role) -> Health {
        let health = &self.world.health[role.index()];
        Health {
            live: health.live,
            ready: self.world.ready(role, self.at),
            since: health.since,
            good_of: (health.good, health.checks),
            why: health.why.clone(),
            release: health.release.clone(),
            artefact: health.artefact.clone(),
            in_flight: health.in_flight,
        }
    }

    fn traffic(&self, seen: Option<(u64, u64)>) -> Traffic {
        Traffic {
            asked: self.asked.and_then(|split| self.green_of(split)),
            read: self.green_read(),
            first: self.world.split(self.at).map(|split| split.share(Slot::First)),
            read_at: self.world.good.map(|(_, at)| at),
            trouble: self.world.router_trouble(self.at),
            seen,
            moved_by_others: self.moved_by_others.is_some(),
            named: self.plan.identity.slot_header.is_some(),
        }
    }

    /// The timed part of the step that is being timed: since when, and how long.
    fn timed(&self) -> Option<(Millis, Millis)> {
        let entered = |step: Step| self.times[step as usize].entered.unwrap_or(self.at);
        match self.phase {
            Phase::Readiness { since: Some(since), .. } => Some((since, self.plan.health.hold)),
            Phase::Soak { until } => {
                let since = entered(Step::Soak);
                Some((since, until.since(since)))
            }
            Phase::Switch { state: Rung::Holding { since, until }, .. }
            | Phase::Watch { since, until } => Some((since, until.since(since))),
            Phase::Warm { since, state: Warmth::Keeping { until } } => {
                Some((since, until.since(since)))
            }
            _ => None,
        }
    }

    fn step_lines(&self) -> Vec<StepLine> {
        let now = self.step_now();
        Step::ALL
            .into_iter()
            .map(|step| {
                let times = self.times[step as usize];
                let state = match (times.passed.is_some(), step == now) {
                    (true, _) => StepState::Passed,
                    (false, true) if self.rollback.is_some() => StepState::Failed,
                    (false, true) => StepState::Now,
                    (false, false) if self.rollback.is_some() => StepState::Skipped,
                    (false, false) => StepState::Ahead,
                };
                let declared = match step {
                    Step::Readiness => Some(self.plan.health.hold),
                    Step::Soak => Some(self.plan.soak),
                    Step::Switch if self.plan.ramp.len() > 1 || self.plan.turns_back() => {
                        Some(self.plan.ramp_hold)
                    }
                    Step::Watch => Some(self.plan.watch),
                    Step::Warm => Some(self.plan.warm),
                    _ => None,
                };
                let timed =
                    (step == now && self.rollback.is_none()).then(|| self.timed()).flatten();
                let took = match timed {
                    Some((since, _)) => Some(self.at.since(since)),
                    None => {
                        times.entered.map(|entered| times.passed.unwrap_or(self.at).since(entered))
                    }
                };
                StepLine {
                    step,
                    state,
                    note: self.step_note(step, now),
                    took,
                    of: timed.map_or(declared, |(_, of)| Some(of)),
                }
            })
            .collect()
    }

    fn step_note(&self, step: Step, now: Step) -> String {
        match (step, &self.phase) {
            (Step::Switch, Phase::Switch { rung, state }) if now == Step::Switch => {
                let percent = |i: usize| self.plan.ramp.get(i).map_or(0, |p| p.get());
                match state {
                    Rung::Asking => String::new(),
                    Rung::Writing { .. } => format!("→ {} %", percent(*rung)),
                    Rung::Holding { .. } => format!("{} %", percent(*rung)),
                }
            }
            _ => String::new(),
        }
    }

    // ---- the line that a tired person reads first ----

    fn headline(&self, gate: GateState) -> Headline {
        if let Some(finish) = &self.finish {
            let tone = if matches!(finish.exit, 0 | 3 | 5) { Tone::Good } else { Tone::Bad };
            let state = finish.outcome.word().to_uppercase();
            let next = format!("{} · exit {}", finish.says, finish.exit);
            return Headline { state, going: String::new(), next, tone, due: None };
        }
        if self.rollback.is_some() {
            return self.headline_back();
        }
        let (mut state, mut next, mut due) = self.headline_phase(gate);
        let (going, mut tone) = self.going(gate);
        if self.picking_up != PickUp::No {
            state = format!("PICKED UP, STANDING {}", self.at_words());
            (next, due) = ("reading the router".to_owned(), None);
        } else if self.held {
            state = format!("HELD {}", self.at_words());
            due = None;
            tone = tone.max_warn();
            next = if self.moved_by_others.is_some() {
                "r goes back · the split is not ours".to_owned()
            } else if self.trip_held.is_some() {
                "r goes back · you hold in spite of it".to_owned()
            } else {
                "h goes on, r goes back".to_owned()
            };
        }
        let acts = self.green_is_judged() && !matches!(self.phase, Phase::Warm { .. });
        let judge = self.world.green();
        let tripping = judge.tripping().filter(|_| judge.tripped().is_none());
        if let Some(tripping) = tripping.filter(|_| acts && !self.held) {
            let asks = self.plan.on_trip.ask || self.going_back_is_risky();
            let then = match asks && self.facts.attended {
                true => "you are asked",
                false => "by itself",
            };
            let judged_at = judge.evaluated().unwrap_or(self.at);
            due = tripping.trips_in.map(|left| judged_at + left);
            // The key comes first, for the end is what a narrow screen cuts.
            let time = if due.is_some() { " in {}" } else { "" };
            next = format!("r goes back now · else {then}{time}");
        }
        if self.shared.is_some() && self.trip_held.is_none() && self.moved_by_others.is_none() {
            (next, due) = ("r goes back all the same · nothing moves".to_owned(), None);
        }
        if let Some(open) = self.question() {
            next = format!("you decide: {}", open.title);
            due = open.due.as_ref().map(|(at, _)| *at);
        }
        Headline { state, going, next, tone, due }
    }

    fn headline_back(&self) -> Headline {
        let Some(rollback) = &self.rollback else {
            return Headline {
                state: String::new(),
                going: String::new(),
                next: String::new(),
                tone: Tone::Plain,
                due: None,
            };
        };
        let view = rollback.view();
        let what = if view.abandoned { "ABANDONING GREEN" } else { "ROLLING BACK" };
        if !view.verified {
            return Headline {
                state: what.to_owned(),
                going: format!("attempt {}", view.attempt),
                next: view.trouble.map_or_else(|| view.why.to_string(), |t| t.to_string()),
                tone: Tone::Bad,
                due: None,
            };
        }
        let (state, tone) = match (self.green_read(), view.abandoned) {
            (Some(Percent::ZERO), _) if self.world.blue_is_down(self.at) => {
                let what = if view.abandoned { "ABANDONED · ALL" } else { "BACK" };
                (format!("{what} ON BLUE · THE ROUTER HOLDS BLUE DOWN"), Tone::Bad)
            }
            (Some(Percent::ZERO), true) => ("ABANDONED · ALL ON BLUE".to_owned(), Tone::Good),
            (Some(Percent::ZERO), false) => ("BACK ON BLUE".to_owned(), Tone::Good),
            (Some(read), _) => (format!("WAS BACK, NOW {read} % ON GREEN"), Tone::Bad),
            (None, _) => ("WAS BACK, NOW UNREAD".to_owned(), Tone::Warn),
        };
        let time = match &view.stamps[0] {
            super::snapshot::StampState::After(us) => format!("verified after {}", micros(*us)),
            _ => "verified".to_owned(),
        };
        let next = if rollback.settled() {
            if self.green_read() == Some(Percent::ZERO) {
                "q leaves"
            } else {
                "r goes back once more, q leaves"
            }
        } else {
            "reading once more, keeping Green's logs"
        };
        Headline { state, going: time, next: next.to_owned(), tone, due: None }
    }

    /// Where the traffic stands, as the router reports it and not as we wished it.
    fn at_words(&self) -> String {
        self.green_read().map_or_else(|| "AT AN UNKNOWN SPLIT".to_owned(), |p| format!("AT {p} %"))
    }

    /// How it is going, in a word, and how loud.
    fn going(&self, gate: GateState) -> (String, Tone) {
        let judge = &self.world.judges
            [if self.green_is_judged() { Role::Green } else { Role::Blue }.index()];
        if let Some(judgement) = judge.tripped() {
            return (format!("{} TRIPPED", judgement.signal().label()), Tone::Bad);
        }
        if let Some(judgement) = judge.tripping() {
            return (format!("{} TRIPPING", judgement.signal().label()), Tone::Bad);
        }
        if judge.shared().is_some() || self.shared.is_some() {
            return ("BOTH SLOTS SUFFER".to_owned(), Tone::Warn);
        }
        if self.world.ready(Role::Blue, self.at) == Some(false) {
            return ("BLUE NOT READY".to_owned(), Tone::Bad);
        }
        match gate {
            GateState::Unknown => ("UNKNOWN".to_owned(), Tone::Warn),
            GateState::Shut => ("GATE SHUT".to_owned(), Tone::Warn),
            _ if self.green_is_judged() => {
                // What is said of Green is said of its requests; its health alone is not enough.
                let well = match judge.of(Signal::ErrorRate) {
                    Some(errors) => errors.verdict == Verdict::Ok,
                    None => judge.judgements().any(|j| j.verdict == Verdict::Ok),
                };
                match self.too_few_on_green() {
                    None if well => ("WELL".to_owned(), Tone::Good),
                    None => (TOO_FEW.to_owned(), Tone::Plain),
                    Some(few) => {
                        let label = few.signal().label();
                        let seen = few.seen_words().map(|seen| format!(": {label} {seen}"));
                        let seen = seen.unwrap_or_else(|| format!(": {label}"));
                        (format!("{TOO_FEW}{}", seen.replace('~', "")), Tone::Plain)
                    }
                }
            }
            GateState::Open => ("READY".to_owned(), Tone::Good),
            GateState::Waiting => ("WAITING".to_owned(), Tone::Plain),
        }
    }

    /// The first limit over Green of which too little was seen to judge: of those that the plan
    /// declares, and of failed requests always.
    pub(super) fn too_few_on_green(&self) -> Option<&Judgement> {
        let few = |judgement: &&Judgement| {
            let counts = judgement.limit.declared || judgement.signal() == Signal::ErrorRate;
            counts && judgement.verdict == Verdict::TooFew
        };
        self.world.green().judgements().find(few)
    }

    fn headline_phase(&self, gate: GateState) -> (String, String, Option<Millis>) {
        let space = |what: &str| format!("press space {what}");
        match &self.phase {
            Phase::Reading => (
                "WHO IS BLUE?".to_owned(),
                self.world.split(self.at).filter(|split| split.sole().is_none()).map_or_else(
                    || "reading the router".to_owned(),
                    |split| self.start_split(split),
                ),
                None,
            ),
            Phase::Confirm { .. } => {
                let next = match gate {
                    GateState::Open if self.plan.turns_back() => space("to rehearse"),
                    GateState::Open => space("to deploy"),
                    GateState::Waiting => "checking the way back".to_owned(),
                    _ => self.first_trouble(),
                };
                ("CONFIRMING THE WAY BACK".to_owned(), next, None)
            }
            Phase::Deploy { migrate, deploy, answer_by } => {
                let (state, next) = match (migrate, deploy, self.running()) {
                    (_, _, Some((CommandName::Migrate, _))) => {
                        ("MIGRATING", "the expand migration runs".to_owned())
                    }
                    (_, _, Some(_)) => ("DEPLOYING", "the deploy command runs".to_owned()),
                    (Job::Bad(_), ..) => {
                        ("MIGRATE FAILED", "space runs it again, r abandons Green".to_owned())
                    }
                    (_, Job::Bad(_), _) => {
                        ("DEPLOY FAILED", "space runs it again, r abandons Green".to_owned())
                    }
                    (_, Job::NotDeclared, _) => ("DEPLOY BY HAND", space("when Green is deployed")),
                    _ => ("WAITING FOR GREEN", "Green must answer".to_owned()),
                };
                (state.to_owned(), next, *answer_by)
            }
            Phase::Readiness { since, deadline, .. } => match since {
                Some(since) => (
                    "GREEN READY, HOLDING".to_owned(),
                    "the soak begins by itself in {}".to_owned(),
                    Some(*since + self.plan.health.hold),
                ),
                None => (
                    "WAITING FOR GREEN TO BE READY".to_owned(),
                    "deadline".to_owned(),
                    Some(*deadline),
                ),
            },
            Phase::Soak { until } => (
                "SOAKING".to_owned(),
                "ready in {}, then the switch by your yes".to_owned(),
                Some(*until),
            ),
            Phase::Switch { rung, state } => self.headline_switch(*rung, *state, gate),
            Phase::Watch { until, .. } => {
                let state = format!("WATCHING {}", self.at_words());
                if self.at < *until {
                    (state, "the limits decide in {}".to_owned(), Some(*until))
                } else {
                    (state, self.first_trouble(), None)
                }
            }
            Phase::Decide => ("UNPROVEN".to_owned(), "you decide".to_owned(), None),
            Phase::Warm { state, .. } => self.headline_warm(*state),
        }
    }

    fn headline_switch(
        &self,
        rung: usize,
        state: Rung,
        gate: GateState,
    ) -> (String, String, Option<Millis>) {
        let percent = |i: usize| self.plan.ramp.get(i).map_or(0, |p| p.get());
        match state {
            Rung::Asking => {
                let next = match gate {
                    GateState::Open => format!("press space to send {} %", percent(rung)),
                    _ => self.first_trouble(),
                };
                let state = match (self.green_read(), gate) {
                    (Some(Percent::ZERO), GateState::Open) => "READY TO SWITCH".to_owned(),
                    (Some(Percent::ZERO), _) => "BEFORE THE SWITCH".to_owned(),
                    _ => format!("STANDING {}", self.at_words()),
                };
                (state, next, None)
            }
            Rung::Writing { tries } => {
                let state = format!("SWITCHING TO {} %", percent(rung));
                (state, format!("telling the router, attempt {tries}"), None)
            }
            Rung::Holding { until, .. } => {
                let state = format!("HOLDING {}", self.at_words());
                if self.turns_back_at(rung) && self.at < until {
                    return (state, "r goes back · else by itself in {}".to_owned(), Some(until));
                }
                let then = format!("press space to send {} %", percent(rung + 1));
                if self.at < until {
                    match gate {
                        // The hold's end opens nothing then: no countdown beside what is wrong.
                        GateState::Shut | GateState::Unknown => (state, self.first_trouble(), None),
                        _ => (state, format!("ready in {{}}, then {then}"), Some(until)),
                    }
                } else if gate == GateState::Open {
                    (state, then, None)
                } else {
                    (state, self.first_trouble(), None)
                }
            }
        }
    }

    fn headline_warm(&self, state: Warmth) -> (String, String, Option<Millis>) {
        match state {
            Warmth::Keeping { until } => (
                format!("KEPT · BLUE WARM UNTIL {} UTC", self.clock(until)),
                "q leaves, Blue stays warm".to_owned(),
                Some(until),
            ),
            Warmth::Draining { until } => {
                ("KEPT · BLUE DRAINING".to_owned(), "its last requests".to_owned(), Some(until))
            }
            Warmth::Drained => (
                "KEPT · BLUE IDLE".to_owned(),
                "space decommissions Blue, q leaves it".to_owned(),
                None,
            ),
            Warmth::Stopping => {
                ("DECOMMISSIONING BLUE".to_owned(), "the stop command runs".to_owned(), None)
            }
            Warmth::Gone => ("KEPT · BLUE GONE".to_owned(), "q leaves".to_owned(), None),
        }
    }

    fn first_trouble(&self) -> String {
        use super::gate::CheckState::{Bad, Unknown, Waiting};
        let (_, checks) = self.gate();
        [Bad, Unknown, Waiting]
            .into_iter()
            .find_map(|state| checks.iter().find(|check| check.state == state))
            .map_or_else(String::new, |check| check.says.clone())
    }

    fn alarm(&self) -> Option<Alarm> {
        let bad = |text: String| Some(Alarm { text, tone: Tone::Bad, due: None });
        if let Some(trouble) = self.rollback.as_ref().and_then(|back| back.trouble.as_ref()) {
            return bad(format!("going back: {trouble}"));
        }
        if let Some(says) = &self.moved_by_others {
            return bad(format!("{says}. Nothing more is sent to Green; r goes back."));
        }
        if let Some(why) = &self.waits_for_blue {
            return bad(format!("Blue is NOT known to be ready: r goes back all the same · {why}"));
        }
        let stopped =
            matches!(self.phase, Phase::Warm { state: Warmth::Stopping | Warmth::Gone, .. });
        if self.world.blue_is_down(self.at) && !stopped {
            return bad(format!("{DOWN}: users who are sent there get errors; bring it up"));
        }
        if self.rollback.is_some() {
            return self.unread_alarm();
        }
        let judge = &self.world.judges
            [if self.green_is_judged() { Role::Green } else { Role::Blue }.index()];
        let role = if self.green_is_judged() { Role::Green } else { Role::Blue };
        if let Some(judgement) = judge.tripped().or_else(|| judge.tripping()) {
            let text = judgement.line_on(role);
            let judged_at = judge.evaluated().unwrap_or(self.at);
            let due = judgement.trips_in.map(|left| judged_at + left);
            return Some(Alarm { text, tone: Tone::Bad, due });
        }
        if let Some(judgement) = judge.shared() {
            let text = judgement.line_on(role);
            return Some(Alarm { text, tone: Tone::Warn, due: None });
        }
        if let Some(trouble) = &self.journal_trouble {
            let text = format!("the journal cannot be written: {trouble}");
            return Some(Alarm { text, tone: Tone::Bad, due: None });
        }
        self.unread_alarm()
    }

    fn unread_alarm(&self) -> Option<Alarm> {
        let late =
            self.world.readback.is_some().then(|| self.world.router_trouble(self.at)).flatten();
        late.map(|trouble| Alarm {
            text: format!("the router cannot be read: {trouble}"),
            tone: Tone::Warn,
            due: None,
        })
    }
}

impl Tone {
    /// At least a warning.
    const fn max_warn(self) -> Self {
        match self {
            Self::Good | Self::Plain | Self::Warn => Self::Warn,
            Self::Bad => Self::Bad,
        }
    }
}
