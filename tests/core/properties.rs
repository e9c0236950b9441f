//! Whatever happens, in whatever order: the promises hold. The rules of the simulated world are
//! checked after each step; here a seeded storm of events goes over it.

use crate::sim::{
    Fate, Flight, Health, Manner, Router, SlotWorld, World, facts, plan, replays, to_json,
};
use crate::story::gives;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use switchback::clean::Clean;
use switchback::plan::{CommandName, DeadlineThen, Migration, Plan, Unproven};
use switchback::runbook::{
    Answer, Command, Core, EffectId, Event, GateState, Interrupt, Outcome, Readback, Seen, Step,
    View,
};
use switchback::signal::{Origin, Sample};
use switchback::units::{Millis, Percent, Role};

/// Something that happens in a storm.
#[derive(Debug, Clone)]
enum Gust {
    /// Time passes, in milliseconds.
    Time(u64),
    /// The pilot presses what takes the run forward, for so many milliseconds.
    Fly(u64),
    /// A key, whatever stands on the screen.
    Key(Command),
    /// The question that is open is answered.
    Answer(bool),
    /// The word that is asked for is typed.
    Type,
    Router(Manner, Option<u32>),
    Others(u8),
    Restart(u8),
    Nobody(bool),
    Slot(usize, Health),
    Users(Option<u64>),
    Command(CommandName, Fate),
    Journal(bool),
    StubbornRouter(bool),
    Slow(u64),
    /// The process dies and the run is picked up.
    Die(u64),
    /// An answer to an act that was never asked for, or is long over.
    Stray(u32, u32, bool),
    /// Something was seen at the front door, whether or not anybody looked.
    Saw(bool, u64),
    /// Between the question and its yes, something happens, and time passes.
    Between(Box<Gust>, u64),
    /// A yes, and so many milliseconds later the way back.
    SecondThoughts(u64),
    /// Somebody else moves the split, so many milliseconds from now: at any instant.
    OthersIn(u64, u8),
    /// The router would, or would not, send anybody to a slot, or does not say.
    Up(usize, Option<bool>),
    /// The machine sleeps.
    Sleep(u64),
    /// A second with numbers that nobody believes.
    Nonsense(u64, u64),
}

fn key() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => Just(Command::Next),
        2 => Just(Command::Rollback),
        2 => Just(Command::Hold),
        2 => Just(Command::Extend),
        1 => Just(Command::Note(Clean::new("a remark"))),
        1 => Just(Command::Look(View::Log)),
        1 => Just(Command::Leave),
        1 => Just(Command::Suspend),
        1 => Just(Command::Continue),
        1 => Just(Command::Interrupt(Interrupt::Hangup)),
        1 => (0u32..30, any::<bool>()).prop_map(|(question, yes)| Command::Answer {
            question,
            answer: if yes { Answer::Yes } else { Answer::No },
        }),
        1 => (0u32..30).prop_map(|question| Command::Answer {
            question,
            answer: Answer::Typed(Clean::new("notes")),
        }),
    ]
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        4 => Just(Manner::Obeys),
        1 => Just(Manner::Refuses),
        1 => Just(Manner::Ignores),
        1 => Just(Manner::Mute),
        1 => Just(Manner::Unreachable),
        2 => (0u64..4_000).prop_map(Manner::Late),
    ]
}

fn health() -> impl Strategy<Value = Health> {
    prop_oneof![
        5 => Just(Health::Well),
        1 => Just(Health::Unready),
        2 => (1u64..100).prop_map(Health::Failing),
        1 => Just(Health::Slow),
        1 => Just(Health::Gone),
        1 => Just(Health::Silent),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => (0u64..5_000).prop_map(Fate::Good),
        1 => (1i32..99, 0u64..5_000).prop_map(|(status, ms)| Fate::Fails(status, ms)),
        1 => Just(Fate::Hangs),
        1 => Just(Fate::Lost),
    ]
}

fn gust() -> impl Strategy<Value = Gust> {
    let between = prop_oneof![
        manner().prop_map(|manner| Gust::Router(manner, None)),
        any::<bool>().prop_map(Gust::Journal),
        (0u8..=100).prop_map(Gust::Others),
        (0u64..2_000, 0u8..=100).prop_map(|(ms, green)| Gust::OthersIn(ms, green)),
        (0usize..2, health()).prop_map(|(slot, health)| Gust::Slot(slot, health)),
        key().prop_map(Gust::Key),
    ];
    prop_oneof![
        4 => (between, 0u64..20_000).prop_map(|(gust, ms)| Gust::Between(Box::new(gust), ms)),
        2 => (0u64..2_000).prop_map(Gust::SecondThoughts),
        30 => weather(),
    ]
}

fn weather() -> impl Strategy<Value = Gust> {
    prop_oneof![
        8 => (1u64..8_000).prop_map(Gust::Time),
        1 => (8_000u64..60_000).prop_map(Gust::Time),
        14 => (1_000u64..40_000).prop_map(Gust::Fly),
        6 => key().prop_map(Gust::Key),
        3 => any::<bool>().prop_map(Gust::Answer),
        1 => Just(Gust::Type),
        3 => (manner(), prop::option::of(1u32..6)).prop_map(|(m, n)| Gust::Router(m, n)),
        1 => (0u8..=100).prop_map(Gust::Others),
        3 => (0u64..30_000, 0u8..=100).prop_map(|(ms, green)| Gust::OthersIn(ms, green)),
        2 => (0usize..2, prop::sample::select(vec![None, Some(true), Some(false)]))
            .prop_map(|(slot, up)| Gust::Up(slot, up)),
        1 => (0u64..100_000).prop_map(Gust::Sleep),
        1 => (0u8..=100).prop_map(Gust::Restart),
        1 => any::<bool>().prop_map(Gust::Nobody),
        4 => (0usize..2, health()).prop_map(|(slot, health)| Gust::Slot(slot, health)),
        1 => prop::option::of(0u64..200).prop_map(Gust::Users),
        2 => (prop::sample::select(CommandName::ALL.to_vec()), fate())
            .prop_map(|(name, fate)| Gust::Command(name, fate)),
        2 => any::<bool>().prop_map(Gust::Journal),
        1 => any::<bool>().prop_map(Gust::StubbornRouter),
        1 => (0u64..1_500).prop_map(Gust::Slow),
        1 => (0u64..100_000).prop_map(Gust::Die),
        1 => (0u32..20, 1u32..4, any::<bool>()).prop_map(|(n, a, good)| Gust::Stray(n, a, good)),
        1 => (any::<bool>(), 0u64..1_000_000).prop_map(|(b, us)| Gust::Saw(b, us)),
        1 => (any::<u64>(), any::<u64>()).prop_map(|(a, b)| Gust::Nonsense(a, b)),
    ]
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let migration = prop::sample::select(vec![
        Migration::Undeclared,
        Migration::None,
        Migration::Expand,
        Migration::Irreversible,
    ]);
    let unproven = prop::sample::select(vec![Unproven::Ask, Unproven::Extend, Unproven::Rollback]);
    let ramp = prop::sample::select(vec![vec![100], vec![10, 50, 100], vec![1, 100]]);
    let names = prop::collection::btree_set(prop::sample::select(CommandName::ALL.to_vec()), 0..6);
    (migration, unproven, ramp, names, any::<bool>(), any::<bool>()).prop_map(
        |(migration, unproven, ramp, names, ask_trip, ask_deadline)| {
            let mut plan = plan();
            plan.release.migration = migration;
            plan.unproven = unproven;
            plan.ramp = ramp.into_iter().filter_map(Percent::new).collect();
            plan.commands.argv =
                names.into_iter().map(|name| (name, vec!["true".to_owned()])).collect();
            plan.on_trip.ask = ask_trip;
            if ask_deadline {
                plan.health.deadline_then = DeadlineThen::Ask;
            }
            plan
        },
    )
}

/// What a router says that gives Green so much.
fn reports(green: u8, worker: u64) -> Readback {
    Router { worker, ..Router::new(gives(green)) }.reports(gives(green))
}

fn blow(flight: &mut Flight, gust: Gust) {
    match gust {
        Gust::Time(ms) => flight.advance(ms),
        Gust::Fly(ms) => fly(flight, ms),
        Gust::Key(command) => flight.command(command),
        Gust::Answer(yes) => {
            if let Some(question) = flight.snapshot().question {
                let answer = if yes { Answer::Yes } else { Answer::No };
                flight.command(Command::Answer { question: question.number, answer });
            }
        }
        Gust::Type => {
            if let Some(question) = flight.snapshot().question
                && let Some(word) = question.type_word
            {
                let answer = Answer::Typed(word);
                flight.command(Command::Answer { question: question.number, answer });
            }
        }
        Gust::Between(gust, ms) => {
            until_next(flight);
            flight.command(Command::Next);
            let question = flight.snapshot().question.map_or(0, |question| question.number);
            blow(flight, *gust);
            flight.advance(ms);
            flight.command(Command::Answer { question, answer: Answer::Yes });
        }
        Gust::SecondThoughts(ms) => {
            until_next(flight);
            flight.command(Command::Next);
            blow(flight, Gust::Answer(true));
            flight.advance(ms);
            flight.command(Command::Rollback);
        }
        Gust::Router(manner, writes) => flight.world.router.behaves(manner, writes),
        Gust::Others(green) => flight.world.router.split = gives(green),
        Gust::OthersIn(ms, green) => {
            flight.after(ms, move |world| world.router.split = gives(green));
        }
        Gust::Up(slot, up) => flight.world.router.up[slot] = up,
        Gust::Sleep(ms) => flight.sleeps_for(ms),
        Gust::Restart(green) => flight.world.router.restarts(gives(green)),
        Gust::Nobody(nobody) => flight.world.router.reports_nobody = nobody,
        Gust::Slot(slot, health) => flight.world.slots[slot].health = health,
        Gust::Users(users) => flight.world.slots.users = users,
        Gust::Command(name, fate) => {
            flight.world.commands.insert(name, fate);
        }
        Gust::Journal(works) => flight.journal(works),
        Gust::StubbornRouter(stubborn) => flight.world.router.honours_cancel = !stubborn,
        Gust::Slow(ms) => flight.world.router.delay = ms,
        Gust::Die(ms) => flight.dies_for(ms),
        Gust::Stray(n, attempt, good) => {
            // Ids above what a run asks for are never in flight; those below may be long over.
            let effect = EffectId { n: n + 1_000, attempt };
            let outcome = if good {
                Outcome::Router(reports(100, 1))
            } else {
                Outcome::Kept(Clean::new("what?"))
            };
            flight.feed(Event::Done { effect, outcome, after_us: 1 });
        }
        Gust::Saw(blue, after_us) => {
            let what =
                if blue { Seen::FirstAnswer(Role::Blue) } else { Seen::LastAnswer(Role::Green) };
            flight.feed(Event::Seen { what, after_us });
        }
        Gust::Nonsense(a, b) => {
            for from in [Origin::Users, Origin::Probes] {
                let sample = Sample {
                    requests: Some(a),
                    failed: Some(b),
                    client_errors: Some(b),
                    checks: Some(b),
                    unready: Some(a),
                    ready: Some(a > b),
                    ..Sample::empty(Millis(a), Role::Green.into(), from)
                };
                flight.feed(Event::Sample(Box::new(sample)));
            }
        }
    }
}

/// Lets time pass until space would do something, for a minute at most.
fn until_next(flight: &mut Flight) {
    let end = flight.now + 60_000;
    while !flight.snapshot().next_open && flight.advance_to_next(end) {}
}

/// Takes the run forward with the keys, as a pilot in a hurry would.
fn fly(flight: &mut Flight, ms: u64) {
    let end = flight.now + ms;
    while flight.now < end {
        let snap = flight.snapshot();
        if let Some(question) = snap.question {
            let forward = question.type_word.is_some()
                || ["Deploy", "Send", "Run", "The run was", "Contract"]
                    .iter()
                    .any(|words| question.title.starts_with(words));
            let answer = match (forward, question.type_word) {
                (true, Some(word)) => Answer::Typed(word),
                (forward, _) => {
                    if forward {
                        Answer::Yes
                    } else {
                        Answer::No
                    }
                }
            };
            flight.command(Command::Answer { question: question.number, answer });
        } else if snap.next_open {
            flight.command(Command::Next);
        } else if snap.held {
            flight.command(Command::Hold);
        }
        if !flight.advance_to_next(end) {
            return;
        }
    }
}

/// Presses what `--yes` presses, until the run has ended; says whether it did in time.
fn ends_by_itself(flight: &mut Flight, ms: u64) -> bool {
    let end = flight.now + ms;
    while flight.finish().is_none() {
        let snap = flight.snapshot();
        if let Some(question) = snap.question {
            if question.routine {
                let answer = Answer::Yes;
                flight.command(Command::Answer { question: question.number, answer });
            }
        } else if snap.rollback.is_some() {
            // The way back needs nobody.
        } else if snap.step == Step::Warm && snap.running.is_none() {
            flight.command(Command::Leave);
        } else if snap.next_open && snap.gate == GateState::Open {
            flight.command(Command::Next);
        }
        if flight.finish().is_none() && !flight.advance_to_next(end) {
            return false;
        }
    }
    true
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x5717_c4ba),
        failure_persistence: None,
        max_shrink_iters: 300,
        ..ProptestConfig::default()
    }
}

/// A run that is flown through calm weather for a while, and then through a storm.
fn storm(plan: Plan, attended: bool, calm_ms: u64, gusts: Vec<Gust>) -> Flight {
    let mut facts = facts();
    facts.attended = attended;
    let mut world = World::default();
    if !plan.commands.has(CommandName::Deploy) {
        // Where the plan has no deploy command, somebody has deployed by hand.
        world.slots[1] = SlotWorld::running("1.9.0");
    }
    let mut flight = Flight::new(plan, facts, world);
    flight.feed(Event::Begin);
    fly(&mut flight, calm_ms);
    for gust in gusts {
        blow(&mut flight, gust);
    }
    flight
}

proptest! {
    #![proptest_config(config(64))]

    /// In any storm the rules hold, and the same events give the same effects again.
    #[test]
    fn in_any_storm_the_promises_hold_and_replay_equals_live(
        plan in any_plan(),
        attended in prop::bool::weighted(0.8),
        calm_ms in 0u64..160_000,
        gusts in prop::collection::vec(gust(), 1..20),
    ) {
        replays(&storm(plan, attended, calm_ms, gusts));
    }

    /// From wherever a storm has left a run, the key leads to Blue as soon as the world obeys.
    #[test]
    fn after_any_storm_r_leads_to_blue_when_the_world_obeys(
        plan in any_plan(),
        calm_ms in 0u64..160_000,
        gusts in prop::collection::vec(gust(), 1..15),
    ) {
        let mut flight = storm(plan, true, calm_ms, gusts);
        let snap = flight.snapshot();
        let gone = snap.headline.state.contains("BLUE GONE");
        if snap.finish.is_some() || snap.blue.is_none() || gone {
            return Ok(());
        }
        flight.world.router.behaves(Manner::Obeys, None);
        flight.world.router.delay = 2;
        flight.world.router.reports_nobody = false;
        flight.nothing_changes_any_more();
        // What was written before may still land; the second look is there for it.
        flight.command(Command::Rollback);
        if let Some(question) = flight.snapshot().question
            && question.title == "Go back all the same?"
        {
            flight.command(Command::Answer { question: question.number, answer: Answer::Yes });
        }
        flight.advance(8_000);
        let snap = flight.snapshot();
        let blue = snap.blue.expect("it was known");
        prop_assert_eq!(flight.world.router.split.sole(), Some(blue), "{:?}", snap.headline);
        let verified = snap.rollback.is_some_and(|back| back.verified);
        prop_assert!(verified, "{:?}", snap.headline);
    }

    /// Where nobody is at the keyboard every run ends, whatever the storm has left: kept, back, or
    /// with a code that calls a person.
    #[test]
    fn unattended_every_run_ends(
        plan in any_plan(),
        calm_ms in 0u64..160_000,
        gusts in prop::collection::vec(gust(), 0..10),
    ) {
        let mut flight = storm(plan, false, calm_ms, gusts);
        let ended = ends_by_itself(&mut flight, 1_800_000);
        let snap = flight.snapshot();
        prop_assert!(ended, "{:?} {:?} {:#?}", snap.headline, snap.question, snap.checks);
    }

    /// Where the world does not obey, a way back that has begun says so as long as it lasts.
    #[test]
    fn a_way_back_that_fails_is_never_quiet(
        calm_ms in 35_000u64..180_000,
        gusts in prop::collection::vec(gust(), 0..6),
        manner in prop::sample::select(vec![
            Manner::Refuses, Manner::Ignores, Manner::Mute, Manner::Unreachable,
        ]),
    ) {
        let mut flight = storm(plan(), true, calm_ms, gusts);
        let snap = flight.snapshot();
        if snap.finish.is_some() || snap.blue.is_none() || snap.rollback.is_some() {
            return Ok(());
        }
        if snap.headline.state.contains("BLUE GONE")
            || snap.traffic.read.is_none_or(|read| read == Percent::ZERO)
        {
            return Ok(());
        }
        flight.world.router.behaves(manner, None);
        flight.command(Command::Rollback);
        for _ in 0..8 {
            flight.advance(2_500);
            let snap = flight.snapshot();
            prop_assert!(snap.rollback.as_ref().is_some_and(|back| !back.verified));
            prop_assert!(snap.alarm.is_some(), "{:?}", snap.headline);
            prop_assert!(snap.headline.state.contains("ROLLING BACK"), "{:?}", snap.headline);
        }
    }

    /// Events in no order at all, at times that jump: nothing panics and nothing comes twice.
    #[test]
    fn a_core_that_is_fed_nonsense_does_not_fall_over(
        events in prop::collection::vec((gust(), any::<u64>()), 1..60),
    ) {
        let mut core = Core::new(plan(), facts());
        let mut ends = 0;
        for (gust, at) in events {
            let event = match gust {
                Gust::Key(command) => Event::Command(command),
                Gust::Stray(n, attempt, good) => Event::Done {
                    effect: EffectId { n, attempt },
                    outcome: if good {
                        Outcome::Router(reports(0, 1))
                    } else {
                        Outcome::Kept(Clean::new("what?"))
                    },
                    after_us: u64::MAX,
                },
                Gust::Others(green) => {
                    Event::Read(reports(green, u64::from(green)))
                }
                Gust::Die(_) => Event::Resumed { attended: true },
                Gust::Time(_) => Event::Begin,
                Gust::Saw(..) => {
                    Event::Seen { what: Seen::LastAnswer(Role::Green), after_us: u64::MAX }
                }
                _ => Event::Due,
            };
            let resumed = matches!(event, Event::Resumed { .. });
            let effects = core.step(event, Millis(at));
            let text = to_json(&effects);
            if resumed {
                ends = 0;
            }
            ends += text.matches("\"finish\":").count();
            prop_assert!(ends <= 1);
            core.snapshot();
        }
    }
}

/// The storm above must really get somewhere: a run that never moves proves nothing.
#[test]
fn storms_reach_the_far_places() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut moves, mut kept, mut back) = (0, 0, 0);
    for _ in 0..40 {
        let strategy = (any_plan(), 0u64..160_000, prop::collection::vec(gust(), 5..20));
        let (plan, calm_ms, gusts) = strategy.new_tree(&mut runner).expect("a storm").current();
        let mut flight = storm(plan, true, calm_ms, gusts);
        let snap = flight.snapshot();
        moves += flight.watcher.rules.moves;
        kept += usize::from(snap.step == switchback::runbook::Step::Warm);
        back += usize::from(snap.rollback.is_some());
    }
    assert!(moves > 40 && kept > 4 && back > 4, "{moves} moves, {kept} kept, {back} back");
}
