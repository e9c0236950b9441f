//! Stories by chance. What is rare in the world is common here; the numbers before each line say
//! how common, against each other.

use super::story::{Ending, Gust, Story, Terms};
use crate::sim::{Fate, Health, Manner};
use proptest::prelude::*;
use proptest::sample::select;
use switchback::clean::Clean;
use switchback::plan::{CommandName, Migration, Unproven};
use switchback::runbook::{Answer, Command, Interrupt, View};

/// How long things take: compressed plans are through in a minute, the stories' plan in three.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    Compressed,
    Slow,
}

impl Pace {
    /// A length of time, in milliseconds of the slow pace.
    const fn of(self, ms: u64) -> u64 {
        match self {
            Self::Compressed => ms / 3,
            Self::Slow => ms,
        }
    }
}

/// Any story.
pub fn story(pace: Pace) -> impl Strategy<Value = Story> {
    (
        terms(),
        prop::bool::weighted(0.6),
        0..pace.of(160_000),
        prop::collection::vec(gust(pace), 0..12),
        ending(),
    )
        .prop_map(|(terms, attended, calm, gusts, ending)| Story {
            terms,
            attended,
            calm,
            gusts,
            ending,
        })
}

fn terms() -> impl Strategy<Value = Terms> {
    let migration = prop_oneof![
        1 => Just(Migration::Undeclared),
        4 => Just(Migration::None),
        2 => Just(Migration::Expand),
        1 => Just(Migration::Irreversible),
    ];
    let commands = CommandName::ALL.map(|name| {
        let often = if name == CommandName::Deploy { 0.85 } else { 0.4 };
        prop::bool::weighted(often).prop_map(move |has| has.then_some(name))
    });
    let commands = commands.to_vec();
    (
        migration,
        select(vec![Unproven::Ask, Unproven::Extend, Unproven::Rollback]),
        select(vec![vec![100], vec![10, 50, 100], vec![1, 100]]),
        commands,
        (any::<bool>(), any::<bool>(), any::<[bool; 3]>()),
        prop_oneof![6 => Just(Some(20)), 1 => Just(None), 2 => (0u64..3).prop_map(Some)],
        prop_oneof![20 => Just(0), 4 => Just(100), 1 => 1u8..100],
    )
        .prop_map(
            |(migration, unproven, ramp, commands, (trip, deadline, literal), users, starts)| {
                Terms {
                    migration,
                    unproven,
                    ramp,
                    commands: commands.into_iter().flatten().collect(),
                    asks_on_trip: trip,
                    asks_on_deadline: deadline,
                    literal,
                    users,
                    starts,
                }
            },
        )
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        2 => Just(Ending::Open),
        5 => Just(Ending::Settled),
        1 => select(vec![
            Manner::Refuses, Manner::Ignores, Manner::Mute, Manner::Unreachable,
        ]).prop_map(Ending::Defied),
    ]
}

/// Any key, whatever stands on the screen.
pub fn key() -> impl Strategy<Value = Command> {
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
        1 => (0u32..12, any::<bool>()).prop_map(|(question, yes)| Command::Answer {
            question,
            answer: if yes { Answer::Yes } else { Answer::No },
        }),
        1 => (0u32..12).prop_map(|question| Command::Answer {
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
        3 => (1u64..100).prop_map(Health::Failing),
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

fn gust(pace: Pace) -> impl Strategy<Value = Gust> {
    let between = prop_oneof![
        manner().prop_map(|manner| Gust::Router(manner, None)),
        any::<bool>().prop_map(Gust::Journal),
        (0u8..=100).prop_map(Gust::Others),
        (0u64..2_000, 0u8..=100).prop_map(|(ms, green)| Gust::OthersIn(ms, green)),
        (0usize..2, health()).prop_map(|(slot, health)| Gust::Slot(slot, health)),
        key().prop_map(Gust::Key),
    ];
    prop_oneof![
        4 => (between, 0..pace.of(20_000))
            .prop_map(|(gust, ms)| Gust::Between(Box::new(gust), ms)),
        3 => (manner(), 0u64..2_000, select(vec![Command::Rollback, Command::Hold]))
            .prop_map(|(manner, ms, key)| Gust::SecondThoughts(manner, ms, key)),
        2 => (0u64..3_000).prop_map(Gust::HeldOnly),
        3 => (1u64..100, health(), pace.of(20_000)..pace.of(80_000))
            .prop_map(|(percent, other, ms)| Gust::Ill(percent, other, ms)),
        40 => weather(pace),
    ]
}

fn weather(pace: Pace) -> impl Strategy<Value = Gust> {
    prop_oneof![
        8 => (1..pace.of(8_000)).prop_map(Gust::Time),
        1 => (pace.of(8_000)..pace.of(60_000)).prop_map(Gust::Time),
        14 => (1_000..pace.of(40_000)).prop_map(Gust::Fly),
        6 => key().prop_map(Gust::Key),
        3 => any::<bool>().prop_map(Gust::Answer),
        1 => Just(Gust::Type),
        3 => (manner(), prop::option::of(1u32..6)).prop_map(|(m, n)| Gust::Router(m, n)),
        1 => (0u8..=100).prop_map(Gust::Others),
        3 => (0..pace.of(30_000), 0u8..=100).prop_map(|(ms, green)| Gust::OthersIn(ms, green)),
        2 => (0usize..2, select(vec![None, Some(true), Some(false)]))
            .prop_map(|(slot, up)| Gust::Up(slot, up)),
        1 => (0..pace.of(100_000)).prop_map(Gust::Sleep),
        1 => (0u8..=100).prop_map(Gust::Restart),
        1 => any::<bool>().prop_map(Gust::Nobody),
        1 => any::<bool>().prop_map(Gust::Unread),
        4 => (0usize..2, health()).prop_map(|(slot, health)| Gust::Slot(slot, health)),
        2 => health().prop_map(Gust::Both),
        1 => prop::option::of(0u64..200).prop_map(Gust::Users),
        2 => (select(CommandName::ALL.to_vec()), fate())
            .prop_map(|(name, fate)| Gust::Command(name, fate)),
        2 => any::<bool>().prop_map(Gust::Journal),
        1 => any::<bool>().prop_map(Gust::StubbornRouter),
        1 => (0u64..1_500).prop_map(Gust::Slow),
        1 => (0..pace.of(100_000)).prop_map(Gust::Die),
        1 => (0u32..20, 1u32..4, any::<bool>()).prop_map(|(n, a, good)| Gust::Stray(n, a, good)),
        1 => (any::<bool>(), 0u64..1_000_000).prop_map(|(b, us)| Gust::Saw(b, us)),
        1 => (any::<u64>(), any::<u64>()).prop_map(|(a, b)| Gust::Nonsense(a, b)),
    ]
}
