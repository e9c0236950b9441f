//! Whatever happens, in whatever order: the promises hold. What must be true is checked after each
//! step; here seeded storms go over the plan of the stories, which takes its time. The hostile
//! test flies many more of them over plans that are through in a minute.

use crate::sim::hostile::fly::{fly, reports};
use crate::sim::hostile::weather::{self, Pace};
use crate::sim::{facts, plan, to_json};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use switchback::clean::Clean;
use switchback::plan::{Rehearsal, ReleaseSource};
use switchback::runbook::{Command, Core, EffectId, Event, Outcome, Seen};
use switchback::units::{Millis, Percent, Role};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x5717_c4ba),
        failure_persistence: None,
        max_shrink_iters: 300,
        ..ProptestConfig::default()
    }
}

/// Events in no order at all.
fn event() -> impl Strategy<Value = Event> {
    let strays = (0u32..20, 1u32..4, any::<bool>()).prop_map(|(n, attempt, good)| Event::Done {
        effect: EffectId { n, attempt },
        outcome: match good {
            true => Outcome::Router(reports(0, 1)),
            false => Outcome::Kept(Clean::new("what?")),
        },
        after_us: u64::MAX,
    });
    prop_oneof![
        4 => Just(Event::Due),
        2 => Just(Event::Begin),
        6 => weather::key().prop_map(Event::Command),
        2 => Just(Event::Command(Command::Next)),
        3 => strays,
        3 => (0u8..=100).prop_map(|green| Event::Read(reports(green, u64::from(green)))),
        1 => any::<bool>().prop_map(|attended| Event::Resumed { attended }),
        1 => Just(Event::Seen { what: Seen::LastAnswer(Role::Green), after_us: u64::MAX }),
    ]
}

proptest! {
    #![proptest_config(config(128))]

    /// In any storm the promises hold, to the end.
    #[test]
    fn in_any_storm_the_promises_hold(story in weather::story(Pace::Slow)) {
        let flown = fly(&story, &story.terms.of(plan()), None);
        prop_assert!(flown.is_ok(), "{}\n{story}", flown.unwrap_err());
    }

    /// In any storm a rehearsal keeps them too: its ramp is all that it ever moves.
    #[test]
    fn in_any_storm_a_rehearsal_turns_back(story in weather::story(Pace::Slow)) {
        let mut plan = story.terms.of(plan());
        plan.identity.release = Some(ReleaseSource::Header("X-Version".to_owned()));
        let percent = Percent::new(10).unwrap();
        let plan = plan.rehearsing(Rehearsal { percent, hold: Millis::secs(10) });
        // That users are moved in the steps of this, and of nothing else, is one of the promises.
        prop_assert_eq!(&plan.ramp, &[percent]);
        let flown = fly(&story, &plan, None);
        prop_assert!(flown.is_ok(), "{}\n{story}", flown.unwrap_err());
    }

    /// Events in no order at all, at times that jump: nothing panics and nothing ends twice.
    #[test]
    fn a_core_that_is_fed_nonsense_does_not_fall_over(
        events in prop::collection::vec((event(), any::<u64>()), 1..60),
    ) {
        let mut core = Core::new(plan(), facts());
        let mut ends = 0;
        for (event, at) in events {
            if matches!(event, Event::Resumed { .. }) {
                ends = 0;
            }
            let text = to_json(&core.step(event, Millis(at)));
            ends += text.matches("\"finish\":").count();
            prop_assert!(ends <= 1);
            core.snapshot();
        }
    }
}
