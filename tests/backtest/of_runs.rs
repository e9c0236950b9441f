//! Runs of ours: under the plan that they were flown with, the verdicts are those of the journal,
//! bit for bit.

use crate::hour::{Place, told_without_gaps};
use crate::sim::{Fate, Flight, Health, Manner, World, facts, plan};
use proptest::prelude::*;
use std::path::Path;
use std::time::Duration;
use switchback::backtest::{Told, flown};
use switchback::journal::{self, Closed, Ended, Entry, Opened, Run, Turn, Writer, Written};
use switchback::plan::{Bound, CommandName, Plan};
use switchback::runbook::{Command, Effect, Event, Record, RunFacts};
use switchback::signal::Judgement;
use switchback::units::{Millis, Role, Slot, Split};

/// The plan of the stories, judged by the rule and not by its plain reading.
fn by_the_rule() -> Plan {
    let mut plan = plan();
    plan.limits.iter_mut().for_each(|limit| limit.literal = false);
    plan
}

fn flight(plan: &Plan, world: World) -> Flight {
    let facts = RunFacts { attended: false, ..facts() };
    crate::sim::flight(plan.clone(), facts, world)
}

/// Presses what is routine and lets time pass, until it is over or so many seconds have passed.
pub fn fly(flight: &mut Flight, secs: u64) {
    let end = flight.now + secs * 1000;
    while flight.finish().is_none() {
        if let Some(command) = flight.core.routine() {
            flight.command(command);
        } else if !flight.advance_to_next(end) {
            return;
        }
    }
}

/// Writes a flight into a run's directory, as the engine does.
fn write(directory: &Path, plan: &Plan, flight: &Flight) {
    write_with(directory, Opened::new(flight.facts().clone(), plan.clone(), "router"), flight);
}

/// The same, of a run that began so.
pub fn write_with(directory: &Path, opened: Opened, flight: &Flight) -> Ended {
    let (writer, _troubles) = Writer::create(directory, opened, Millis::ZERO).unwrap();
    for (n, step) in (1..).zip(&flight.watcher.history.steps) {
        writer.append(Entry::Input { n, event: step.event.clone() }, step.at);
        for effect in &step.effects {
            writer.append(Entry::Effect { n, effect: effect.clone() }, step.at);
        }
    }
    if let Some(finish) = flight.finish() {
        writer.append(Entry::Closed(Closed::now(finish)), Millis(flight.now));
    }
    writer.close(Duration::from_secs(30)).unwrap()
}

/// The same without a disk.
fn as_run(plan: &Plan, flight: &Flight) -> Run {
    let steps = (1..).zip(&flight.watcher.history.steps);
    let turns: Vec<Turn> = steps
        .map(|(n, step)| Turn {
            n,
            at: step.at,
            event: step.event.clone(),
            effects: step
                .effects
                .iter()
                .map(|effect| Written { effect: effect.clone(), json: String::new(), seq: 0 })
                .collect(),
        })
        .collect();
    Run {
        noted: Vec::new(),
        opened: Opened::new(flight.facts().clone(), plan.clone(), "router"),
        last_n: turns.len() as u64,
        last_at: Millis(flight.now),
        turns,
        loose: Vec::new(),
        closed: None,
        head: String::new(),
        lines: 0,
        sample_lines: 0,
        torn: [0, 0],
        unanchored: 0,
        journal_bytes: 0,
        sample_bytes: 0,
        gaps: Vec::new(),
        cuts: Vec::new(),
    }
}

/// When the run went back.
fn went_back(run: &Run) -> Option<Millis> {
    run.effects().find_map(|(at, effect)| match effect {
        Effect::Record(Record::RollbackStarted { .. }) => Some(at),
        _ => None,
    })
}

/// What the journal says of Green.
fn journalled(run: &Run) -> Vec<Judgement> {
    journalled_until(run, Millis(u64::MAX))
}

/// What it says of Green up to `end`.
fn journalled_until(run: &Run, end: Millis) -> Vec<Judgement> {
    run.effects()
        .filter(|(at, _)| *at <= end)
        .filter_map(|(_, effect)| match effect {
            Effect::Record(Record::Verdict { role: Role::Green, judgement }) => {
                Some(judgement.clone())
            }
            _ => None,
        })
        .collect()
}

/// To the last bit: what is written down of each is the same text.
pub fn same(told: &Told, run: &Run) {
    let text = |judgement: &Judgement| serde_json::to_string(judgement).unwrap();
    let was: Vec<String> = journalled(run).iter().map(text).collect();
    let is: Vec<String> = told.said.iter().map(|said| text(&said.judgement)).collect();
    let differ = was.iter().zip(&is).position(|(was, is)| was != is);
    let n = differ.unwrap_or(was.len().min(is.len()));
    let at = told.said.get(n).map(|said| said.at);
    assert!(was == is, "change {n} at {at:?}\nwas {:?}\nis  {:?}", was.get(n), is.get(n));
}

/// Flies it, writes it, reads it, judges it, and compares.
fn judged_again(plan: &Plan, flight: &Flight) -> (Run, Told) {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), plan, flight);
    let run = journal::read(place.path()).unwrap();
    let told = flown(plan, &run);
    same(&told, &run);
    same(&flown(plan, &as_run(plan, flight)), &run);
    (run, told)
}

#[test]
fn a_good_flight_says_again_what_it_said() {
    for plan in [plan(), by_the_rule()] {
        let mut flight = flight(&plan, World::default());
        flight.feed(Event::Begin);
        fly(&mut flight, 900);
        let (run, told) = judged_again(&plan, &flight);
        assert!(journalled(&run).len() >= 4, "{:?}", journalled(&run));
        assert!(!told.goes_back() && told.switched.is_some());
        assert!(told.sum_up().starts_with("would have kept Green"), "{}", told.sum_up());
    }
}

#[test]
fn a_flight_that_went_back_trips_again_when_it_did() {
    for plan in [plan(), by_the_rule()] {
        let mut flight = flight(&plan, World::default());
        flight.feed(Event::Begin);
        fly(&mut flight, 80);
        flight.world.slots[1].health = Health::Failing(30);
        fly(&mut flight, 900);
        let (run, told) = judged_again(&plan, &flight);
        let went_back = went_back(&run);
        let (said, on_users) = told.tripped.clone().unwrap();
        assert!(on_users && went_back.unwrap().since(said.at) <= Millis::secs(2), "{told:?}");
        assert!(told.sum_up().contains(" after the switch"), "{}", told.sum_up());
    }
}

#[test]
fn a_run_that_went_back_by_hand_is_not_judged_beyond_that() {
    let text = limits(&by_the_rule());
    let plan = switchback::plan::parse(&text, "plan.toml").unwrap().plan;
    let mut flight = flight(&plan, World::default());
    flight.feed(Event::Begin);
    fly(&mut flight, 80);
    flight.world.slots[1].health = Health::Failing(30);
    fly(&mut flight, 2);
    flight.command(Command::Rollback);
    fly(&mut flight, 900);
    let (run, told) = judged_again(&plan, &flight);
    let back = went_back(&run).expect("the operator went back");
    assert!(told.switched.is_some() && told.tripped.is_none(), "{told:?}");
    assert_eq!(told.went_back, Some(back));
    assert!(told.changes().iter().all(|said| said.at <= back));
    let place = Place::new();
    place.write("plan.toml", text);
    let directory = place.path("runs/20261123T142207Z-7f3a");
    std::fs::create_dir_all(&directory).unwrap();
    write(&directory, &plan, &flight);
    let read = place.run(&["backtest", "plan.toml", "7f3a", "--runs", "runs", "--plain"]);
    let back = switchback::text::clock(back);
    let last = format!("the run itself went back at {back}; until then nothing had tripped");
    assert_eq!((read.exit, read.out.lines().last()), (0, Some(last.as_str())), "{read:?}");
    assert!(!read.out.contains("TRIPPED") && !read.out.contains("kept"), "{}", read.out);
    let json = place.run(&["backtest", "plan.toml", "7f3a", "--runs", "runs"]);
    assert_eq!(json.changes().len(), told.changes().len());
    // What one line says it was is what the line before said.
    told_without_gaps(&json);
}

#[test]
fn a_flight_that_was_cut_off_and_slept_says_again_what_it_said() {
    let plan = by_the_rule();
    let mut flight = flight(&plan, World::default());
    flight.feed(Event::Begin);
    fly(&mut flight, 45);
    flight.dies_for(7_000);
    fly(&mut flight, 60);
    flight.dies_for(60_000);
    fly(&mut flight, 30);
    flight.sleeps_for(33_000);
    fly(&mut flight, 20);
    flight.command(Command::Suspend);
    fly(&mut flight, 3);
    flight.command(Command::Continue);
    fly(&mut flight, 20);
    flight.world.slots[1].health = Health::Failing(30);
    fly(&mut flight, 600);
    let (_, told) = judged_again(&plan, &flight);
    assert!(told.goes_back());
}

#[test]
fn the_program_says_of_a_run_what_its_journal_says_by_id_directory_and_samples() {
    let text = limits(&by_the_rule());
    let plan = switchback::plan::parse(&text, "plan.toml").unwrap().plan;
    let mut flight = flight(&plan, World::default());
    flight.feed(Event::Begin);
    fly(&mut flight, 80);
    flight.world.slots[1].health = Health::Failing(30);
    fly(&mut flight, 900);
    let place = Place::new();
    let id = "20261123T142207Z-7f3a";
    let directory = place.path(&format!("runs/{id}"));
    std::fs::create_dir_all(&directory).unwrap();
    write(&directory, &plan, &flight);
    let run = journal::read(&directory).unwrap();
    place.write("plan.toml", text);
    let by_id = place.run(&["backtest", "plan.toml", "7f3a", "--runs", "runs"]);
    assert_eq!(by_id.exit, 3, "{by_id:?}");
    let line = |judgement: &Judgement| (judgement.signal().key().to_owned(), judgement.line());
    // What its limits said after its own way back had begun is judged again, and not told.
    let back = went_back(&run).unwrap();
    let was: Vec<_> = journalled_until(&run, back).iter().map(line).collect();
    let text = |change: &serde_json::Value, key: &str| change[key].as_str().unwrap().to_owned();
    let said: Vec<_> =
        by_id.changes().iter().map(|c| (text(c, "limit"), text(c, "line"))).collect();
    assert_eq!(was, said);
    for name in [format!("runs/{id}"), format!("runs/{id}/samples.jsonl")] {
        assert_eq!(by_id, place.run(&["backtest", "plan.toml", &name]), "{name}");
    }
    // Without its journal the steps are told by the samples themselves, nearly as well.
    let copy = place.path("copy.jsonl");
    std::fs::copy(directory.join("samples.jsonl"), &copy).unwrap();
    let alone = place.run(&["backtest", "plan.toml", "copy.jsonl"]);
    assert_eq!(alone.exit, 3);
    assert_eq!(alone.when("error_rate", "tripped"), by_id.when("error_rate", "tripped"));
    // A journal that was tampered with is not believed, nor is what it says of the samples.
    let samples = directory.join("samples.jsonl");
    let text = std::fs::read_to_string(&samples).unwrap();
    std::fs::write(&samples, text.replacen("\"requests\":2", "\"requests\":3", 1)).unwrap();
    let tampered = place.run(&["backtest", "plan.toml", "7f3a", "--runs", "runs"]);
    assert!(tampered.exit == 1 && tampered.err.contains("changed"), "{tampered:?}");
}

/// A plan's text with the limits and times of `plan`.
fn limits(plan: &Plan) -> String {
    let mut text = format!(
        "{}hold = \"10s\"\ndeadline = {{ after = \"60s\", then = \"abandon\" }}\n",
        crate::hour::PLAN.replace("[commands]\ndeploy = [\"true\"]\n", "")
    );
    text.push_str(
        "every = \"1s\"\ntimeout = \"1s\"\n[traffic]\nramp = [10, 50, 100]\nhold = \"20s\"\n\
         [release]\nnext = \"1.9.0\"\nmigration = \"none\"\n\
         [commands]\ndeploy = [\"true\"]\n[soak]\nfor = \"20s\"\n[watch]\nfor = \"60s\"\n",
    );
    for limit in &plan.limits {
        let above = match limit.above {
            Bound::Percent(percent) => format!("\"{percent}%\""),
            Bound::Millis(ms) => format!("\"{ms}ms\""),
            Bound::Count(count) => format!("{count}"),
        };
        let key = limit.signal.key();
        text.push_str(&format!(
            "[[limit]]\nsignal = \"{key}\"\nabove = {above}\nfor = \"{}\"\n",
            limit.hold
        ));
    }
    text
}

// ---- storms ----

/// Something that happens to a run.
#[derive(Debug, Clone)]
enum Gust {
    Fly(u64),
    Time(u64),
    Key(Command),
    Health(usize, Health),
    Users(Option<u64>),
    Router(Manner, u32),
    Others(u8),
    Die(u64),
    Sleep(u64),
    Restart,
    Command(CommandName, Fate),
}

fn gust() -> impl Strategy<Value = Gust> {
    let health = prop_oneof![
        4 => Just(Health::Well),
        2 => (1u64..100).prop_map(Health::Failing),
        1 => Just(Health::Slow),
        1 => Just(Health::Unready),
        1 => Just(Health::Silent),
    ];
    let manner = prop_oneof![
        Just(Manner::Refuses),
        Just(Manner::Ignores),
        Just(Manner::Mute),
        (0u64..4_000).prop_map(Manner::Late),
    ];
    let key = prop_oneof![
        Just(Command::Next),
        Just(Command::Hold),
        Just(Command::Extend),
        Just(Command::Suspend),
        Just(Command::Continue),
        Just(Command::Leave),
    ];
    prop_oneof![
        14 => (1u64..60_000).prop_map(Gust::Fly),
        3 => (1u64..9_000).prop_map(Gust::Time),
        3 => key.prop_map(Gust::Key),
        3 => (0usize..2, health).prop_map(|(slot, health)| Gust::Health(slot, health)),
        1 => prop::option::of(0u64..200).prop_map(Gust::Users),
        2 => (manner, 1u32..4).prop_map(|(manner, n)| Gust::Router(manner, n)),
        1 => (0u8..=100).prop_map(Gust::Others),
        1 => (1u64..90_000).prop_map(Gust::Die),
        1 => (1u64..90_000).prop_map(Gust::Sleep),
        1 => Just(Gust::Restart),
        1 => Just(Gust::Command(CommandName::Deploy, Fate::Fails(1, 900))),
    ]
}

fn blow(flight: &mut Flight, gust: &Gust) {
    match gust.clone() {
        Gust::Fly(ms) => fly(flight, ms / 1000),
        Gust::Time(ms) => flight.advance(ms),
        Gust::Key(command) => flight.command(command),
        Gust::Health(slot, health) => flight.world.slots[slot].health = health,
        Gust::Users(users) => flight.world.slots.users = users,
        Gust::Router(manner, n) => {
            flight.world.router.behaves(manner, Some(n));
        }
        Gust::Others(green) => {
            if let Some(percent) = switchback::units::Percent::new(green) {
                flight.world.router.split = Split::giving(Slot::Second, percent);
            }
        }
        Gust::Die(ms) => flight.dies_for(ms),
        Gust::Sleep(ms) => flight.sleeps_for(ms),
        Gust::Restart => flight.world.router.restarts(Split::all_to(Slot::First)),
        Gust::Command(name, fate) => {
            flight.world.commands.insert(name, fate);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to a run, its journal is enough to say again what its limits said.
    #[test]
    fn whatever_happened_is_judged_again_as_it_was(
        gusts in prop::collection::vec(gust(), 1..40),
        attended in any::<bool>(),
        literal in any::<bool>(),
    ) {
        let plan = if literal { plan() } else { by_the_rule() };
        let facts = RunFacts { attended, ..facts() };
        let mut flight = crate::sim::flight(plan.clone(), facts, World::default());
        flight.feed(Event::Begin);
        for gust in &gusts {
            blow(&mut flight, gust);
        }
        let run = as_run(&plan, &flight);
        let told = flown(&plan, &run);
        same(&told, &run);
    }
}
