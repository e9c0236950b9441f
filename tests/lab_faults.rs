//! The lab's faults as stories on the pure world: each acts on a cause, is seen in what follows
//! from it, hits whom it is aimed at, ends when it is told to, and repeats with its seed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use switchback::lab::anchor::Anchor;
use switchback::lab::scenario::parse;
use switchback::lab::world::{Fate, Life, Served, Vision, Wrote};
use switchback::lab::{Lever, Scenario, World};
use switchback::units::{Millis, Percent, Slot, Split};

const BLUE: Slot = Slot::First;
const GREEN: Slot = Slot::Second;
const HEAD: &str = "schema = 1\n[drill]\nid = \"t\"\ntitle = \"T\"\nlevel = 1\nminutes = 1\n";

fn scenario(rest: &str) -> Scenario {
    parse("t", &format!("{HEAD}{rest}")).unwrap_or_else(|fault| panic!("{fault} ({})", fault.hint))
}

fn fault(rest: &str) -> String {
    format!("[[fault]]\nid = \"f\"\n{rest}\n")
}

fn green(percent: u8) -> Split {
    Split::giving(GREEN, Percent::new(percent).unwrap())
}

fn secs(secs: u64) -> Millis {
    Millis::secs(secs)
}

/// A world whose Green is deployed at 1 s and would be up at 8 s, played to 10 s.
fn deployed(text: &str) -> World {
    let mut world = World::new(&scenario(text), 5);
    world.play_until(secs(1));
    world.deploy(GREEN, None, secs(1));
    world.play_until(secs(10));
    world
}

/// The same with everybody on Green from 10 s on.
fn switched(text: &str) -> World {
    let mut world = deployed(text);
    world.set_split(green(100), secs(10));
    world
}

/// What users of one slot got between two seconds.
fn between(world: &mut World, slot: Slot, from: u64, to: u64) -> Vec<Served> {
    world.play_until(Millis(from * 1000 - 1));
    let played = world.play_until(Millis(to * 1000 - 1));
    played.into_iter().filter(|(_, s, _)| *s == slot).map(|(_, _, served)| served).collect()
}

fn pct(served: &[Served], counts: impl Fn(&Served) -> bool) -> f64 {
    100.0 * served.iter().filter(|served| counts(served)).count() as f64
        / served.len().max(1) as f64
}

fn failed(served: &[Served]) -> f64 {
    pct(served, Served::failed)
}

fn status(served: &[Served], status: u16) -> f64 {
    pct(served, |served| served.fate == Fate::Answer(status))
}

fn p95_ms(served: &[Served]) -> f64 {
    let mut all: Vec<_> = served.iter().map(|served| served.latency_us).collect();
    all.sort_unstable();
    all[(all.len() - 1) * 95 / 100] as f64 / 1000.0
}

fn word(world: &mut World, slot: Slot, name: &str, at: u64) -> String {
    let readiness = world.readiness(slot, secs(at)).unwrap();
    readiness.components.get(name).map_or_else(String::new, ToString::to_string)
}

fn near(is: f64, should: f64, by: f64) {
    assert!((is - should).abs() <= by, "{is}, and {should} was expected");
}

#[test]
fn each_fault_repeats_with_its_seed_bit_for_bit() {
    let kinds = [
        "kind = \"http.error\"\nshare = 0.3\nshape = \"flap\"\nevery = \"5s\"",
        "kind = \"mem.leak\"\nvalue = 30",
        "kind = \"session.key\"",
        "kind = \"client.abuse\"\nvalue = 20",
        "kind = \"client.retry_storm\"\nvalue = 3",
        "kind = \"db.pool_grow\"\nvalue = 60",
        "kind = \"traffic.profile\"\nvalue = 3",
        "kind = \"client.sticky_dns\"\nshare = 0.2",
        "kind = \"queue.slow\"\nvalue = 0.2",
    ];
    for kind in kinds {
        let story = || {
            let text =
                format!("[clock]\njitter = 0.2\n{}", fault(&format!("at = \"switch\"\n{kind}")));
            let mut world = switched(&text);
            let played = world.play_until(secs(60));
            (format!("{played:?}"), world.tally())
        };
        assert_eq!(story(), story(), "{kind}");
    }
}

#[test]
fn an_error_can_be_one_workers_or_one_cohorts() {
    let one = fault("kind = \"http.error\"\nat = \"switch\"\nshare = 1.0\nworker = 2");
    near(failed(&between(&mut switched(&one), GREEN, 11, 60)), 33.0, 4.0);
    let cohorts =
        "[traffic]\ncohorts = [{ name = \"web\", share = 0.9 }, { name = \"api\", share = 0.1 }]\n";
    let api = fault("kind = \"http.error\"\nat = \"switch\"\nshare = 1.0\ncohort = \"api\"");
    near(failed(&between(&mut switched(&format!("{cohorts}{api}")), GREEN, 11, 60)), 10.0, 3.0);
}

#[test]
fn a_slow_tail_moves_the_95th_percentile_and_hardly_the_median() {
    let text =
        fault("kind = \"http.latency\"\nat = \"switch\"\nvalue = 6\nshare = 0.12\nfor = \"60s\"");
    let mut world = switched(&text);
    let slow = between(&mut world, GREEN, 11, 70);
    let after = between(&mut world, GREEN, 71, 130);
    let ratio = p95_ms(&slow) / p95_ms(&after);
    assert!((1.6..5.0).contains(&ratio), "{ratio}");
    assert!(failed(&slow) < 1.0);
    let more = fault("kind = \"http.latency\"\nat = \"switch\"\ntakes = \"2s\"");
    assert!(p95_ms(&between(&mut switched(&more), GREEN, 11, 40)) > 2_000.0);
}

#[test]
fn a_good_status_with_a_bad_answer_is_counted_and_brings_users_back_who_get_4xx() {
    let text = fault("kind = \"http.wrong_ok\"\nat = \"switch\"\nshare = 0.8");
    let mut world = switched(&text);
    let served = between(&mut world, GREEN, 15, 75);
    assert!(failed(&served) < 1.0, "5xx stay flat");
    near(status(&served, 404), 18.0, 5.0);
    let rps = served.len() as f64 / 60.0;
    assert!((52.0..66.0).contains(&rps), "more come: {rps}");
    assert!(world.tally().slot(GREEN).wrong > 1_000);
    assert!(!served.iter().any(|s| s.wrong && s.fate != Fate::Answer(302)));
}

#[test]
fn fresh_tokens_look_wrong_to_a_clock_that_is_ahead() {
    let text = fault("kind = \"clock.skew\"\nat = \"deploy\"\ntakes = \"90s\"");
    let mut world = switched(&text);
    let served = between(&mut world, GREEN, 11, 70);
    near(status(&served, 401), 6.0, 2.0);
    assert_eq!(word(&mut world, GREEN, "clock", 70), "90 s ahead");
    assert_eq!(word(&mut world, BLUE, "clock", 70), "", "Blue's clock is right");
    let auth = fault("kind = \"http.reject_auth\"\nat = \"switch\"\nshare = 0.2");
    near(status(&between(&mut switched(&auth), GREEN, 11, 70), 401), 20.0, 3.0);
}

#[test]
fn readiness_answers_in_turn_or_lies_and_the_deep_check_knows_better() {
    let flaps =
        fault("kind = \"ready.sequence\"\nat = \"ready\"\nturns = [1, 1, 0]\nevery = \"2s\"");
    let mut world = deployed(&flaps);
    let turns: Vec<_> =
        (8..20).map(|at| u8::from(world.readiness(GREEN, secs(at)).unwrap().ready())).collect();
    assert_eq!(turns, [1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0]);
    assert!(world.readiness(BLUE, secs(20)).unwrap().ready());
    let deep = fault("kind = \"ready.sequence\"\nat = \"ready\"\nturns = [0]\ndeep = true");
    let mut world = deployed(&deep);
    assert!(world.readiness(GREEN, secs(10)).unwrap().ready());
    assert!(!world.deep_readiness(GREEN, secs(10)).unwrap().ready());
    assert!(world.deep_readiness(BLUE, secs(10)).unwrap().ready());
    let lie = fault("kind = \"ready.lie\"\nat = \"deploy\"");
    let mut world = World::new(&scenario(&lie), 1);
    world.deploy(GREEN, None, secs(1));
    assert!(world.readiness(GREEN, secs(4)).unwrap().ready(), "it still boots");
    let pay = "kind = \"http.reject_auth\"\nat = \"ready\"\nshare = 1.0\nroute = \"/pay\"";
    assert_eq!(word(&mut deployed(&fault(pay)), GREEN, "deep", 10), "401 on /pay");
}

#[test]
fn a_boot_can_fail_take_long_or_begin_again_and_again() {
    let fails = fault("kind = \"boot.fail\"\nat = \"deploy\"");
    let mut world = deployed(&fails);
    let lives: Vec<_> = (3..30).map(|at| world.life(GREEN, secs(at))).collect();
    assert!(!lives.contains(&Life::Up) && lives.contains(&Life::Booting), "{lives:?}");
    assert_eq!(world.anchors().seen(&Anchor::Ready), None);
    assert!(world.deploy_says(GREEN, secs(10))[0].contains("1 MB (1.8.2 has 27 MB)"));
    let slow = fault("kind = \"boot.slow\"\nat = \"deploy\"\ntakes = \"20s\"");
    world = deployed(&slow);
    assert_eq!(
        (world.life(GREEN, secs(27)), world.life(GREEN, secs(28))),
        (Life::Booting, Life::Up)
    );
    let again = fault(
        "kind = \"restart_loop\"\nat = \"ready\"\nevery = \"10s\"\ntakes = \"2s\"\nuntil = \"stopped\"",
    );
    world = switched(&again);
    assert_eq!(
        (world.life(GREEN, secs(19)), world.life(GREEN, secs(21))),
        (Life::Booting, Life::Up)
    );
    near(failed(&between(&mut world, GREEN, 11, 111)), 20.0, 4.0);
}

#[test]
fn one_worker_on_another_build_is_one_third_of_the_users_trouble() {
    let text = fault("kind = \"worker.variant\"\nat = \"ready\"\nworker = 2\nshare = 0.6");
    let mut world = switched(&text);
    near(failed(&between(&mut world, GREEN, 11, 90)), 20.0, 4.0);
    assert_eq!(word(&mut world, GREEN, "workers", 90), "worker 2 runs 1.7.4");
}

#[test]
fn a_leak_is_seen_long_before_it_kills_a_worker_and_begins_again_after() {
    let text = "[world.memory]\nbase_mb = 200.0\nlimit_mb = 500.0\n".to_owned()
        + &fault("kind = \"mem.leak\"\nat = \"switch\"\nvalue = 3");
    let mut world = switched(&text);
    let before = between(&mut world, GREEN, 11, 109);
    let left = word(&mut world, GREEN, "memory", 109);
    assert!(left.contains("of 500 MB, full in"), "{left}");
    let burst = between(&mut world, GREEN, 111, 118);
    assert!(
        failed(&before) < 1.0 && failed(&burst) > 20.0,
        "{} {}",
        failed(&before),
        failed(&burst)
    );
    let after = between(&mut world, GREEN, 120, 200);
    assert!(failed(&after) < 1.0);
    assert_eq!(world.readiness(GREEN, secs(200)).unwrap().memory.restarts, 1);
}

#[test]
fn a_full_disk_ends_the_writes_of_both_slots_and_going_back_frees_nothing() {
    let text = "[world.disk]\nused_pct = 90.0\n".to_owned()
        + &fault("kind = \"disk.fill\"\nat = \"deploy\"\nvalue = 0.4\nuntil = \"stopped\"");
    let mut world = switched(&text);
    assert!(failed(&between(&mut world, GREEN, 11, 25)) < 1.0);
    for slot in Slot::BOTH {
        assert!(word(&mut world, slot, "disk", 25).contains("% full, 100 % in"), "they share it");
    }
    near(failed(&between(&mut world, GREEN, 40, 100)), 15.0, 4.0);
    world.set_split(green(0), secs(100));
    near(failed(&between(&mut world, BLUE, 101, 160)), 15.0, 4.0);
}

#[test]
fn bad_cache_entries_outlive_the_slot_that_wrote_them_until_they_are_purged() {
    let text = fault("kind = \"cache.poison\"\nat = \"switch\"\nshare = 0.3\ntakes = \"20s\"");
    let mut world = switched(&text);
    let green_s = between(&mut world, GREEN, 35, 60);
    world.set_split(green(0), secs(60));
    let blue_s = between(&mut world, BLUE, 61, 90);
    near(failed(&green_s), 30.0, 5.0);
    near(failed(&blue_s), 30.0, 5.0);
    world.pull(Lever::PurgeCache, secs(90)).unwrap();
    assert!(failed(&between(&mut world, BLUE, 91, 120)) < 1.0);
}

#[test]
fn a_pool_that_does_not_fit_starves_the_slot_that_serves_until_green_is_stopped() {
    let text = "[world.green]\npool_idle = 2\npool_per_worker = 12\n".to_owned()
        + &fault(
            "kind = \"db.pool_grow\"\nat = \"ready\"\nramp = \"20s\"\nvalue = 36\nuntil = \"stopped\"",
        );
    let mut world = deployed(&text);
    assert!(failed(&between(&mut world, BLUE, 11, 20)) < 1.5);
    near(failed(&between(&mut world, BLUE, 35, 95)), 7.0, 2.5);
    let ready = world.readiness(BLUE, secs(95)).unwrap();
    assert!(ready.db.connections == 57 && ready.components["pool"].contains("57 of 60"));
    assert!(world.readiness(GREEN, secs(95)).unwrap().db.errors > 100, "Green asks in vain");
    world.stop(GREEN, secs(95));
    assert!(failed(&between(&mut world, BLUE, 97, 150)) < 1.0, "its connections are free again");
    let ends = text.replace("until = \"stopped\"", "for = \"30s\"");
    let mut world = deployed(&ends);
    world.play_until(secs(60));
    let open = world.readiness(BLUE, secs(60)).unwrap().db.connections;
    assert_eq!(open, 24 + 6, "a pool that is not asked for any more shrinks to what is idle");
}

#[test]
fn held_and_leaked_connections_are_nobodys_and_go_with_the_process() {
    let hold = fault("kind = \"db.hold\"\nat = \"ready\"\nvalue = 6\nfor = \"30s\"");
    let mut world = deployed(&hold);
    let open = |world: &mut World, at| world.readiness(BLUE, secs(at)).unwrap().db.connections;
    assert_eq!((open(&mut world, 20), open(&mut world, 45)), (54, 48));
    let leak = fault("kind = \"db.conn_leak\"\nat = \"ready\"\nvalue = 0.5");
    let mut world = deployed(&leak);
    assert_eq!(open(&mut world, 18), 53);
    world.play_until(secs(60));
    assert_eq!(open(&mut world, 60), 57);
    world.stop(GREEN, secs(60));
    assert_eq!(open(&mut world, 61), 24);
}

#[test]
fn a_lock_stalls_who_writes_until_the_migration_is_cancelled() {
    let text = fault("kind = \"db.lock\"\nat = \"deploy+6s\"\ntakes = \"5s\"\nwrites = false");
    let mut world = deployed(&text);
    let stalled = between(&mut world, BLUE, 20, 40);
    assert!(p95_ms(&stalled) > 1_000.0 && failed(&stalled) > 20.0, "{}", p95_ms(&stalled));
    assert_eq!(word(&mut world, BLUE, "schema", 40), "a migration holds a lock");
    world.pull(Lever::CancelMigration, secs(40)).unwrap();
    let after = between(&mut world, BLUE, 50, 80);
    assert!(failed(&after) < 1.0 && p95_ms(&after) < 200.0);
}

#[test]
fn a_schema_that_was_contracted_breaks_the_old_release_for_good_and_only_it() {
    let text = fault("kind = \"schema.migrate\"\nat = \"switch\"\ncontract = true\nfor = \"1s\"");
    let mut world = switched(&text);
    assert!(failed(&between(&mut world, GREEN, 11, 40)) < 1.0);
    world.set_split(green(0), secs(40));
    assert!(failed(&between(&mut world, BLUE, 41, 60)) > 99.0);
    let said = world.redeploy_check("1.8.2", secs(60)).unwrap();
    assert!(said.iter().any(|line| line.contains("(contract)")), "{said:?}");
    let expand = fault("kind = \"schema.migrate\"\nat = \"switch\"");
    let mut world = switched(&expand);
    world.set_split(green(0), secs(40));
    assert!(failed(&between(&mut world, BLUE, 41, 60)) < 1.5);
}

#[test]
fn consumers_that_do_not_work_let_the_queue_grow_and_age_while_the_web_is_well() {
    let stop = fault("kind = \"queue.stop\"\nat = \"full\"");
    let mut world = switched(&stop);
    assert!(failed(&between(&mut world, GREEN, 11, 70)) < 1.0);
    let queue = world.readiness(GREEN, secs(70)).unwrap().queue;
    assert!((300..420).contains(&queue.depth), "six a second for a minute: {queue:?}");
    near(queue.oldest_s as f64, 60.0, 3.0);
    assert!(world.tally().jobs_late > 100);
    world.set_split(green(0), secs(70));
    world.play_until(secs(160));
    assert!(world.readiness(BLUE, secs(160)).unwrap().queue.depth < 20, "Blue's consumers work");
    let slow = fault("kind = \"queue.slow\"\nat = \"full\"\nvalue = 0.25");
    let mut world = switched(&slow);
    world.play_until(secs(70));
    let depth = world.readiness(GREEN, secs(70)).unwrap().queue.depth;
    assert!((130..250).contains(&depth), "six in and three out: {depth}");
}

#[test]
fn jobs_in_a_new_format_crash_the_old_consumers_unless_the_queue_was_paused_first() {
    let text = fault("kind = \"queue.format\"\nat = \"switch\"\nshare = 0.2");
    let back = |pause: bool| {
        let mut world = switched(&text);
        world.play_until(secs(40));
        assert!(world.tally().jobs_done > 100, "Green reads its own");
        if pause {
            world.pull(Lever::PauseQueue, secs(40)).unwrap();
            world.play_until(secs(42));
        } else {
            // Something of Green's waits as the weights move.
            world.pull(Lever::PauseQueue, secs(38)).unwrap();
            world.play_until(secs(42));
            world.pull(Lever::ResumeQueue, secs(42)).unwrap();
        }
        world.set_split(green(0), secs(42));
        let failed = failed(&between(&mut world, BLUE, 44, 80));
        if pause {
            world.pull(Lever::Quarantine, secs(80)).unwrap();
            world.pull(Lever::ResumeQueue, secs(80)).unwrap();
            world.play_until(secs(160));
            assert!(world.readiness(BLUE, secs(160)).unwrap().queue.depth < 20);
        }
        failed
    };
    near(back(false), 20.0, 5.0);
    assert!(back(true) < 1.5);
}

#[test]
fn two_schedulers_do_everything_twice_until_one_is_stopped() {
    let text = fault("kind = \"job.double\"\nat = \"ready\"\nvalue = 4");
    let mut world = deployed(&text);
    world.play_until(secs(60));
    let done = world.tally().duplicates;
    assert!((16..=24).contains(&done), "four at each tick of ten seconds: {done}");
    assert_eq!(world.readiness(GREEN, secs(60)).unwrap().jobs.per_tick, 2);
    assert!(!word(&mut world, BLUE, "jobs", 60).is_empty());
    world.pull(Lever::StopScheduler, secs(61)).unwrap();
    world.play_until(secs(120));
    assert_eq!(world.tally().duplicates, done);
}

#[test]
fn sockets_come_back_as_a_herd_unless_they_are_drained_in_slices() {
    let text = fault("kind = \"conn.pinned\"\nat = \"switch\"\nvalue = 220\nshare = 0.18");
    let ends = |slices: u64| {
        let mut world = switched(&text);
        world.play_until(secs(20));
        assert_eq!(word(&mut world, BLUE, "sockets", 20), "220 are still open");
        for n in 0..slices {
            world.pull(Lever::DrainSlice, secs(21 + n)).unwrap();
        }
        world.stop(BLUE, secs(40));
        failed(&between(&mut world, GREEN, 40, 60))
    };
    near(ends(0), 18.0, 4.0);
    assert!(ends(8) < 1.0);
}

#[test]
fn an_old_address_keeps_users_on_blue_whatever_the_weights_say() {
    let text = fault("kind = \"client.sticky_dns\"\nat = \"full\"\nshare = 0.12\ntakes = \"60s\"");
    let mut world = switched(&text);
    let all = world.play_until(secs(40));
    let blue = all.iter().filter(|(_, slot, _)| *slot == BLUE).count() as f64 / all.len() as f64;
    near(100.0 * blue, 9.5, 3.0);
    world.stop(BLUE, secs(40));
    let cut = world.play_until(secs(60));
    let lost = cut.iter().filter(|(.., served)| served.fate == Fate::Refused).count();
    assert!(lost > 20, "{lost}");
    let late = world.play_until(secs(400)).into_iter().rev().take(400);
    assert_eq!(late.filter(|(_, slot, _)| *slot == BLUE).count(), 0, "and then nobody");
}

#[test]
fn one_client_makes_most_of_the_failures_on_both_slots() {
    let text = fault(
        "kind = \"client.abuse\"\nat = \"switch\"\ntarget = \"both\"\nvalue = 15\nshare = 0.9",
    );
    let mut world = deployed(&text);
    world.set_split(green(50), secs(10));
    let rps = world.play_until(secs(70)).len() as f64 / 60.0;
    near(rps, 55.0, 4.0);
    for slot in Slot::BOTH {
        let counts = *world.tally().slot(slot);
        let share = counts.abusive as f64 / counts.failed as f64;
        assert!(share > 0.9 && counts.failed > 150, "{counts:?}");
    }
}

#[test]
fn users_who_failed_try_again_at_once_and_as_cohorts_do() {
    let errors = fault("kind = \"http.error\"\nat = \"switch\"\nshare = 0.5");
    let storm =
        "[[fault]]\nid = \"s\"\nkind = \"client.retry_storm\"\nat = \"switch\"\nvalue = 3\n";
    let rps = |text: &str| {
        let mut world = switched(text);
        between(&mut world, GREEN, 15, 75).len() as f64 / 60.0
    };
    near(rps(&errors), 40.0, 3.0);
    near(rps(&format!("{errors}{storm}")), 40.0 * 1.875, 6.0);
    let cohorts = "[traffic]\ncohorts = [{ name = \"api\", share = 1.0, retry = 1 }]\n";
    near(rps(&format!("{cohorts}{errors}")), 60.0, 5.0);
}

#[test]
fn a_session_of_another_key_is_lost_once_and_going_back_loses_it_again() {
    let text = fault("kind = \"session.key\"\nat = \"switch\"");
    let mut world = deployed(&text);
    world.set_split(green(100), secs(10));
    let first = between(&mut world, GREEN, 10, 15);
    let later = between(&mut world, GREEN, 120, 150);
    assert!(status(&first, 401) > 80.0 && status(&later, 401) < 5.0);
    let lost = world.tally().slot(GREEN).sessions_lost;
    near(lost as f64, 1_180.0, 60.0);
    world.set_split(green(0), secs(150));
    assert!(status(&between(&mut world, BLUE, 150, 155), 401) > 80.0);
}

#[test]
fn uploads_stay_in_flight_on_blue_and_are_cut_if_it_is_stopped_too_early() {
    let text = fault("kind = \"drain.slow\"\nat = \"start\"\nvalue = 14\ntakes = \"95s\"");
    let mut world = switched(&text);
    world.play_until(secs(20));
    assert!((11..=14).contains(&world.uploads(BLUE)) && world.uploads(GREEN) == 0);
    let mut early = world.clone();
    early.stop(BLUE, secs(57));
    assert_eq!(early.tally().cut, 7);
    world.play_until(secs(110));
    assert_eq!(world.uploads(BLUE), 0);
    world.stop(BLUE, secs(110));
    assert_eq!(world.tally().cut, 0);
}

#[test]
fn the_proxy_can_refuse_ignore_go_half_way_or_fall_silent_and_the_second_path_works() {
    for (kind, wrote) in [
        ("proxy.refuse", Wrote::Refused),
        ("proxy.stuck", Wrote::Ignored),
        ("proxy.mute", Wrote::Mute),
    ] {
        let text = fault(&format!("kind = \"{kind}\"\nat = \"switch+20s\"\nfor = \"30s\""));
        let mut world = switched(&text);
        assert_eq!(world.writes(secs(29)), Wrote::Done);
        assert_eq!((world.writes(secs(31)), world.writes(secs(61))), (wrote, Wrote::Done));
        world.pull(Lever::SecondPath, secs(61)).unwrap();
        assert_eq!(world.weights(), [100, 0]);
    }
    let half = fault("kind = \"proxy.partial\"\nat = \"switch\"\nshare = 0.5");
    let mut world = switched(&half);
    assert_eq!(world.writes(secs(12)), Wrote::Partly(0.5));
    assert_eq!(world.part_of_the_way([100, 0], 0.5), [50, 50]);
}

#[test]
fn the_way_back_can_go_in_steps() {
    let mut world = switched("");
    world.pull(Lever::RampBack, secs(20)).unwrap();
    let mut weights = Vec::new();
    for at in [20, 34, 36, 59, 61] {
        world.play_until(secs(at));
        weights.push(world.weights()[1]);
    }
    assert_eq!(weights, [75, 75, 50, 50, 0]);
    assert_eq!(world.anchors().seen(&Anchor::Rollback), Some(secs(60)));
}

#[test]
fn an_artefact_that_is_gone_is_missed_by_the_check_and_by_a_restart() {
    let text = fault("kind = \"rollback.missing\"\nat = \"start\"");
    let mut world = deployed(&text);
    assert!(world.redeploy_check("1.8.2", secs(10)).unwrap_err().contains("not in the store"));
    assert!(world.redeploy_check("1.9.0", secs(10)).is_ok());
    world.deploy(BLUE, None, secs(11));
    world.play_until(secs(40));
    assert_eq!(world.life(BLUE, secs(40)), Life::Absent);
    world.pull(Lever::RestoreArtefact, secs(41)).unwrap();
    world.deploy(BLUE, None, secs(42));
    assert_eq!(world.life(BLUE, secs(60)), Life::Up);
}

#[test]
fn drifted_configuration_bends_under_load_and_not_before() {
    let text = fault("kind = \"config.drift\"\nat = \"switch\"\nvalue = 6\nshare = 0.3");
    let mut world = switched(&text);
    world.set_split(green(80), secs(20));
    assert!(failed(&between(&mut world, BLUE, 21, 60)) < 3.0);
    world.set_split(green(0), secs(60));
    let bent = between(&mut world, BLUE, 61, 90);
    near(failed(&bent), 30.0, 5.0);
    assert!(p95_ms(&bent) > 500.0);
    world.pull(Lever::RevertDrift, secs(90)).unwrap();
    assert!(failed(&between(&mut world, BLUE, 91, 120)) < 1.5);
}

#[test]
fn a_bad_certificate_turns_users_away_and_probes_see_nothing() {
    let text = fault("kind = \"tls.bad\"\nat = \"deploy\"\nvalue = 1");
    let mut world = switched(&text);
    assert!(failed(&between(&mut world, GREEN, 11, 30)) > 99.0);
    let probe = world.probe(world.route_at("/orders"));
    assert!(!world.serve(GREEN, &probe, secs(31)).failed());
    assert_eq!(word(&mut world, GREEN, "certificate", 31), "expired 1 d ago");
}

#[test]
fn somebody_elses_service_is_slow_or_down_for_both_slots() {
    let slow = fault(
        "kind = \"vendor.slow\"\nat = \"switch\"\nvalue = 6\nroute = \"/pay\"\nfor = \"40s\"",
    );
    let mut world = deployed(&slow);
    world.set_split(green(50), secs(10));
    let [blue, green_s] = [BLUE, GREEN].map(|slot| {
        let mut world = world.clone();
        p95_ms(&between(&mut world, slot, 11, 49))
    });
    assert!(blue > 200.0 && green_s > 200.0, "{blue} {green_s}");
    let down = fault("kind = \"vendor.down\"\nat = \"switch\"\nshare = 1.0\nroute = \"/pay\"");
    near(failed(&between(&mut switched(&down), GREEN, 11, 70)), 15.0, 4.0);
}

#[test]
fn an_old_bug_hits_both_until_its_trigger_is_off() {
    let text = fault("kind = \"latent.trigger\"\nat = \"full+10s\"\nshare = 0.85");
    let mut world = switched(&text);
    near(failed(&between(&mut world, GREEN, 21, 40)), 85.0, 5.0);
    world.set_split(green(0), secs(40));
    near(failed(&between(&mut world, BLUE, 41, 60)), 85.0, 5.0);
    world.pull(Lever::DisableTrigger, secs(60)).unwrap();
    assert!(failed(&between(&mut world, BLUE, 61, 80)) < 1.5);
}

#[test]
fn what_is_seen_can_fail_and_what_happens_does_not_change() {
    for (kind, vision) in [
        ("kind = \"telemetry.freeze\"", Vision::Frozen),
        ("kind = \"telemetry.gap\"", Vision::Gap),
        ("kind = \"telemetry.delay\"\ntakes = \"20s\"", Vision::Late(secs(20))),
        ("kind = \"telemetry.wrong\"\nvalue = 0.1", Vision::Wrong(0.1)),
    ] {
        let mut blind = switched(&fault(&format!("at = \"switch\"\nfor = \"30s\"\n{kind}")));
        let mut seeing = switched("");
        assert_eq!((blind.vision(secs(20)), blind.vision(secs(41))), (vision, Vision::Clear));
        assert_eq!(blind.play_until(secs(60)), seeing.play_until(secs(60)));
    }
}

#[test]
fn more_users_come_where_the_traffic_says_so() {
    let text = fault("kind = \"traffic.profile\"\nat = \"switch\"\nvalue = 2.5\nfor = \"30s\"");
    let mut world = switched(&text);
    let (much, then) = (between(&mut world, GREEN, 12, 38), between(&mut world, GREEN, 42, 68));
    let ratio = much.len() as f64 / then.len() as f64;
    near(ratio, 2.5, 0.35);
}

#[test]
fn words_come_when_their_moment_has_come() {
    let text = "[[inject]]\nat = \"fault:f+5s\"\nfrom = \"customer\"\ntext = \"It spins.\"\n"
        .to_owned()
        + "[[offer]]\nlever = \"patch\"\nat = \"switch+20s\"\nsays = \"1.9.1 is built.\"\n"
        + "[[fault]]\nid = \"a\"\nkind = \"advice.wrong\"\nat = \"switch+8s\"\ntext = \"Go back.\"\n"
        + "[[fault]]\nid = \"m\"\nkind = \"inject.message\"\nat = \"switch+9s\"\ntext = \"Hm.\"\n"
        + &fault("kind = \"http.error\"\nat = \"switch+2s\"\nshare = 0.5\nuntil = \"event:patch\"");
    let mut world = switched(&text);
    let said = |world: &World, at| {
        world.messages(secs(at)).into_iter().map(|m| m.text).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(said(&world, 16), "");
    assert_eq!(said(&world, 19), "It spins. Go back. Hm.");
    assert!(world.messages(secs(19))[1].decoy);
    assert!(world.pull(Lever::Patch, secs(29)).unwrap_err().contains("nobody here can"));
    assert!(said(&world, 30).ends_with("1.9.1 is built."));
    world.pull(Lever::Patch, secs(30)).unwrap();
    near(failed(&between(&mut world, GREEN, 31, 37)), 50.0, 8.0);
    assert!(failed(&between(&mut world, GREEN, 39, 60)) < 1.0, "the repaired release is out");
    assert!(world.standing(secs(60)).anchors.iter().any(|(a, _)| a.to_string() == "event:patch"));
}
