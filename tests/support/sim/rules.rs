//! What must hold after each step, whatever happens: the promises to the person at the keyboard.

use super::to_json;
use std::collections::BTreeMap;
use switchback::plan::Signal;
use switchback::runbook::{
    Act, Answer, Barrier, Command, Core, Effect, EffectId, Event, GateState, Outcome, Readback,
    Snapshot, Step,
};
use switchback::signal::Verdict;
use switchback::sim::Watcher;
use switchback::units::{Millis, Role, Slot, Split};

/// When and after what a promise was broken; printed only then.
struct At<'a> {
    now: u64,
    event: &'a Event,
}

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {} ms after {:?}", self.now, self.event)
    }
}

/// Looks at every step of a core and fails where a promise is broken.
#[derive(Debug, Default)]
pub struct Rules {
    before: Option<Snapshot>,
    in_flight: BTreeMap<EffectId, Act>,
    forward: Vec<(EffectId, Split)>,
    going_back: bool,
    finished: bool,
    last_read: Option<(Option<Split>, u64)>,
    /// How it all looked before an answer that came too late.
    late: Option<String>,
    /// How many writes towards Green were seen: a test that means to see some can ask.
    pub moves: usize,
}

fn green(blue: Option<Slot>, split: Split) -> u8 {
    blue.map_or(0, |blue| split.share(blue.other()).get())
}

impl Watcher for Rules {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core) {
        self.check(now.0, event, effects, core);
    }

    /// An answer to an act that was cancelled changes nothing at all.
    fn answers_late(&mut self, _: Millis, _: &Event, core: &mut Core) {
        self.late = Some(to_json(&core.snapshot()));
    }

    /// What was in flight is gone.
    fn process_died(&mut self) {
        self.in_flight.clear();
        self.finished = false;
    }
}

impl Rules {
    /// Checks one step.
    fn check(&mut self, now: u64, event: &Event, effects: &[Effect], core: &mut Core) {
        if let Some(before) = self.late.take() {
            assert!(effects.is_empty(), "late {event:?} did something");
            assert_eq!(before, to_json(&core.snapshot()), "late {event:?} was believed");
        }
        // A second of which nothing followed is looked at together with the read that ends it.
        if matches!(event, Event::Sample(_)) && effects.is_empty() {
            return;
        }
        let after = core.snapshot();
        let at = At { now, event };
        self.check_end(effects, &after, &at);
        self.remember_reads(now, event);
        if let Event::Done { effect, .. } = event {
            self.in_flight.remove(effect);
        }
        for effect in effects {
            match effect {
                Effect::Cancel(id) => {
                    self.in_flight.remove(id);
                }
                Effect::Act { id, after: barrier, act } => {
                    self.check_act(*id, *barrier, act, event, core.blue(), &at);
                    self.in_flight.insert(*id, act.clone());
                }
                Effect::Record(_) | Effect::Observe(_) | Effect::Finish(_) => {}
            }
        }
        match core.next_due() {
            Some(due) => assert!(due > Millis(now), "next_due {due:?} is not after now {at}"),
            None => assert!(after.finish.is_some(), "nothing is due and nothing is over {at}"),
        }
        self.check_screen(now, &after, &at);
        self.going_back |= after.rollback.is_some();
        self.before = Some(after);
    }

    fn check_end(&mut self, effects: &[Effect], after: &Snapshot, at: &At<'_>) {
        assert!(!self.finished || effects.is_empty(), "effects after the end {at}: {effects:?}");
        let ends = effects.iter().filter(|effect| matches!(effect, Effect::Finish(_))).count();
        assert!(ends <= 1, "the run ended twice {at}");
        if ends == 1 {
            assert!(matches!(effects.last(), Some(Effect::Finish(_))), "no end at the end {at}");
            self.finished = true;
            // What is called back, or abandoned, is read at Blue at that moment.
            if let Some(Effect::Finish(finish)) = effects.last()
                && matches!(finish.exit, 3 | 5)
            {
                let green = after.traffic.read.map(|read| read.get());
                assert_eq!(green, Some(0), "{finish:?} {at}");
            }
        }
    }

    fn check_act(
        &mut self,
        id: EffectId,
        barrier: Barrier,
        act: &Act,
        event: &Event,
        blue: Option<Slot>,
        at: &At<'_>,
    ) {
        let Act::SetRouter { split, rollback, expect, .. } = act else { return };
        if *rollback {
            assert_eq!(*expect, None, "a rollback that looks first {at}");
            assert_eq!(barrier, Barrier::Nothing, "a rollback waits for something {at}");
            assert_eq!(green(blue, *split), 0, "a rollback towards Green {at}");
            let towards: Vec<_> = self
                .in_flight
                .values()
                .filter(|act| {
                    matches!(act, Act::SetRouter { rollback: false, .. } | Act::Run { .. })
                })
                .collect();
            assert!(towards.is_empty(), "still in flight when going back {at}: {towards:?}");
            self.going_back = true;
            return;
        }
        assert_eq!(barrier, Barrier::Journal, "a write without an intent on disk {at}");
        assert!(expect.is_some(), "a write that would go over anybody's {at}");
        let share = green(blue, *split);
        if share == 0 {
            return;
        }
        self.moves += 1;
        assert!(!self.going_back, "towards Green after a rollback began {at}");
        let Some(before) = &self.before else { panic!("towards Green before anything {at}") };
        assert!(before.journal_trouble.is_none(), "towards Green without a journal {at}");
        assert!(!before.held, "towards Green while held {at}");
        if id.attempt > 1 {
            let last = EffectId { n: id.n, attempt: id.attempt - 1 };
            assert!(id.attempt <= 3, "too many attempts {at}");
            assert!(self.forward.contains(&(last, *split)), "an attempt at nothing {at}");
            for limit in &before.limits {
                let over = matches!(limit.verdict, Verdict::Tripped | Verdict::Tripping);
                assert!(!over, "an attempt while {} is over {at}", limit.signal().label());
            }
        } else {
            assert_eq!(before.gate, GateState::Open, "towards Green, gate not open {at}");
            let asked = before.question.as_ref();
            let title = format!("Send {share} % of users to Green?");
            assert_eq!(asked.map(|q| q.title.as_str()), Some(title.as_str()), "{at}");
            let yes = matches!(
                event,
                Event::Command(Command::Answer { question, answer: Answer::Yes })
                    if Some(*question) == asked.map(|q| q.number)
            );
            assert!(yes, "towards Green without a yes {at}");
        }
        self.forward.push((id, *split));
    }

    fn remember_reads(&mut self, now: u64, event: &Event) {
        let mut hear = |readback: &Readback| self.last_read = Some((readback.split(), now));
        match event {
            Event::Read(readback) => hear(readback),
            Event::Done { effect, outcome: Outcome::Router(readback), .. }
                if self.in_flight.contains_key(effect) =>
            {
                hear(readback);
            }
            Event::Done { effect, outcome: Outcome::Failed(_), .. }
                if matches!(
                    self.in_flight.get(effect),
                    Some(Act::SetRouter { .. } | Act::ReadRouter)
                ) =>
            {
                self.last_read = Some((None, now));
            }
            _ => {}
        }
    }

    fn check_screen(&self, now: u64, after: &Snapshot, at: &At<'_>) {
        let head = &after.headline;
        assert!(!head.state.is_empty(), "no headline {at}");
        if after.finish.is_some() {
            return;
        }
        // The split that is shown is what the router last reported, and not long ago.
        if let (Some(read), Some((last, when))) = (after.traffic.read, self.last_read) {
            let last = last.map(|split| green(after.blue, split));
            assert_eq!(Some(read.get()), last, "the split is not what was read {at}");
            assert!(now - when <= 5_000, "the split is stale {at}");
        }
        if let Some(words) = head.state.split(" AT ").nth(1)
            && let Some(shown) = words.split(' ').next().and_then(|n| n.parse::<u8>().ok())
        {
            let read = after.traffic.read.map(|read| read.get());
            assert_eq!(read, Some(shown), "`{}` {at}", head.state);
        }
        if head.state.contains("BACK ON BLUE") || head.state.contains("ALL ON BLUE") {
            let read = after.traffic.read.map(|read| read.get());
            assert_eq!(read, Some(0), "`{}` {at}", head.state);
            assert!(after.rollback.as_ref().is_some_and(|back| back.verified), "{at}");
        }
        if head.state.contains("KEPT") {
            assert_eq!(after.step, Step::Warm, "`{}` {at}", head.state);
        }
        if head.going == "WELL" {
            let errors = after.limits.iter().find(|limit| limit.signal() == Signal::ErrorRate);
            assert_eq!(after.limits_on, Role::Green, "{at}");
            assert_eq!(errors.map(|errors| errors.verdict), Some(Verdict::Ok), "{at}");
        }
        if let Some(back) = &after.rollback {
            let loud = back.verified || back.trouble.is_some() || head.state.contains("ING");
            assert!(loud, "a silent rollback {at}");
            assert!(back.trouble.is_none() || back.verified || after.alarm.is_some(), "{at}");
        }
        if after.next_open {
            assert!(after.question.is_none(), "next is open under a question {at}");
        }
    }
}
