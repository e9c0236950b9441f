//! Every key of a fault does what it says, or is an error: what it acts on besides its kind, and
//! how its strength runs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use switchback::lab::anchor::Anchor;
use switchback::lab::scenario::parse;
use switchback::lab::world::{Fate, Life, Served};
use switchback::lab::{Errand, Lever, Scenario, World};
use switchback::units::{Millis, Percent, Slot, Split};

const BLUE: Slot = Slot::First;
const GREEN: Slot = Slot::Second;
const HEAD: &str = "schema = 1\n[drill]\nid = \"t\"\ntitle = \"T\"\nlevel = 1\nminutes = 1\n";

fn read(rest: &str) -> Result<Scenario, String> {
    parse("t", &format!("{HEAD}{rest}")).map_err(|fault| fault.to_string())
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

/// A world whose Green is deployed at 1 s and gets everybody at 10 s.
fn switched(text: &str) -> World {
    let mut world = World::new(&read(text).unwrap(), 5);
    world.play_until(secs(1));
    world.deploy(GREEN, None, secs(1));
    world.play_until(secs(10));
    world.set_split(green(100), secs(10));
    world
}

fn between(world: &mut World, slot: Slot, from: u64, to: u64) -> Vec<Served> {
    world.play_until(Millis(from * 1000 - 1));
    let played = world.play_until(Millis(to * 1000 - 1));
    played.into_iter().filter(|(_, s, _)| *s == slot).map(|(_, _, served)| served).collect()
}

fn pct(served: &[Served], counts: impl Fn(&Served) -> bool) -> f64 {
    100.0 * served.iter().filter(|served| counts(served)).count() as f64
        / served.len().max(1) as f64
}

fn status(served: &[Served], status: u16) -> f64 {
    pct(served, |served| served.fate == Fate::Answer(status))
}

fn at_ms(served: &[Served], share: f64) -> f64 {
    let mut all: Vec<_> = served.iter().map(|served| served.latency_us).collect();
    all.sort_unstable();
    all[((all.len() - 1) as f64 * share) as usize] as f64 / 1000.0
}

fn near(is: f64, should: f64, by: f64) {
    assert!((is - should).abs() <= by, "{is}, and {should} was expected");
}

/// What users of Green get in a minute with this fault from the switch on.
fn minute(kind: &str) -> Vec<Served> {
    between(&mut switched(&fault(&format!("at = \"switch\"\n{kind}"))), GREEN, 11, 71)
}

#[test]
fn a_key_that_would_do_nothing_is_an_error_that_names_it() {
    for (keys, word) in [
        ("kind = \"ready.lie\"\nroute = \"/pay\"", "route"),
        ("kind = \"disk.fill\"\nvalue = 1\nworker = 1", "worker"),
        ("kind = \"proxy.stuck\"\nramp = \"5s\"", "ramp"),
        ("kind = \"session.key\"\ncouple = \"weight\"", "couple"),
        ("kind = \"advice.wrong\"\ntext = \"x\"\nshape = \"burst\"\nevery = \"5s\"", "shape"),
        ("kind = \"db.lock\"\nshape = \"linear\"\nfor = \"9s\"", "shape"),
        ("kind = \"db.slow\"\nvalue = 2\njitter = 0.5", "jitter"),
        ("kind = \"traffic.profile\"\nvalue = 2\nshift = true", "shift"),
        ("kind = \"http.error\"\nshare = 0.1\nstatus = \"6xx\"", "6xx"),
        ("kind = \"http.latency\"\nvalue = 2\nband = [95, 90]", "band"),
        ("kind = \"label.swap\"\nodds = 0.5", "odds"),
    ] {
        let error = read(&fault(&format!("at = \"start\"\n{keys}"))).unwrap_err();
        assert!(error.contains(word), "{keys}: {error}");
    }
}

#[test]
fn errors_of_a_class_are_several_and_all_of_it() {
    let served = minute("kind = \"http.error\"\nstatus = \"5xx\"\nshare = 0.4");
    near(pct(&served, Served::failed), 40.0, 4.0);
    for code in [500, 502, 503, 504] {
        near(status(&served, code), 10.0, 3.0);
    }
    let served = minute("kind = \"http.error\"\nstatus = \"4xx\"\nshare = 0.4");
    assert!(status(&served, 429) > 4.0 && pct(&served, Served::failed) < 1.0);
}

#[test]
fn a_band_slows_the_slowest_alone_and_jitter_spreads_what_is_slower() {
    let plain = minute("kind = \"http.latency\"\nvalue = 1");
    let tail = minute("kind = \"http.latency\"\nvalue = 6\nband = [90, 100]");
    near(at_ms(&tail, 0.5), at_ms(&plain, 0.5), 1.0);
    near(at_ms(&tail, 0.85), at_ms(&plain, 0.85), 20.0);
    assert!(at_ms(&tail, 0.95) > 3.0 * at_ms(&plain, 0.95));
    let even = minute("kind = \"http.latency\"\ntakes = \"1s\"");
    let uneven = minute("kind = \"http.latency\"\ntakes = \"1s\"\njitter = 0.8");
    assert!(at_ms(&even, 0.02) > 1_000.0 && at_ms(&uneven, 0.02) < 500.0);
    assert!(at_ms(&uneven, 0.98) > 1_600.0);
}

#[test]
fn a_hang_may_end_and_a_reset_may_wait() {
    let ends = minute("kind = \"http.hang\"\nshare = 0.1\ntakes = \"2s\"");
    let cut: Vec<_> = ends.iter().filter(|s| s.fate == Fate::Reset).collect();
    near(100.0 * cut.len() as f64 / ends.len() as f64, 10.0, 3.0);
    assert!(cut.iter().all(|s| (2_000_000..3_000_000).contains(&s.latency_us)));
    let reset = minute("kind = \"http.reset\"\nshare = 1.0\ntakes = \"700ms\"");
    near(at_ms(&reset, 0.5), 700.0, 20.0);
}

#[test]
fn a_wrong_answer_may_have_a_good_place_and_a_bad_body_and_be_found_by_a_probe() {
    let kind = "kind = \"http.wrong_ok\"\nshare = 1.0\nstatus = 200\nprobed = true";
    let mut world = switched(&fault(&format!("at = \"switch\"\n{kind}")));
    let served = between(&mut world, GREEN, 11, 20);
    assert!(served.iter().filter(|s| s.wrong).all(|s| !s.page().contains("total")));
    let probe = world.probe(world.route_at("/orders"));
    let got = world.serve(GREEN, &probe, secs(21));
    assert!(got.wrong && !got.page().contains("total"), "the probe misses its word");
}

#[test]
fn tokens_are_refused_by_age_and_by_key() {
    // Users stay logged in for 1500 s, so that a tenth of the tokens is younger than 150 s.
    let young = minute("kind = \"http.reject_auth\"\nyounger = \"150s\"");
    near(status(&young, 401), 10.0, 3.0);
    let old = minute("kind = \"http.reject_auth\"\nolder = \"1200s\"");
    near(status(&old, 401), 20.0, 4.0);
    let both = "[[fault]]\nid = \"a\"\nkind = \"http.reject_auth\"\nat = \"switch\"\nshare = 0.3\n\
        key = \"k2\"\n[[fault]]\nid = \"b\"\nkind = \"http.reject_auth\"\nat = \"switch\"\n\
        share = 0.3\nkey = \"k2\"\n";
    let same = between(&mut switched(both), GREEN, 11, 71);
    near(status(&same, 401), 30.0, 4.0);
}

#[test]
fn readiness_may_come_to_its_last_word_and_stay_there() {
    let text = fault(
        "kind = \"ready.sequence\"\nat = \"ready\"\nturns = [0, 0, 1]\ncycle = false\nevery = \"2s\"",
    );
    let mut world = switched(&text);
    let ready = |at| world.readiness(GREEN, secs(at)).unwrap().ready();
    let turns: Vec<_> = [8, 10, 12, 14, 16, 18].map(ready).into();
    assert_eq!(turns, [false, false, true, true, true, true]);
}

#[test]
fn a_start_that_fails_runs_so_long_and_says_its_status() {
    let text =
        fault("kind = \"boot.fail\"\nat = \"deploy\"\nexit = 127\nevery = \"10s\"\ntakes = \"8s\"");
    let mut world = World::new(&read(&text).unwrap(), 5);
    world.deploy(GREEN, None, secs(1));
    assert_eq!(world.life(GREEN, secs(10)), Life::Booting);
    assert_eq!(world.life(GREEN, secs(12)), Life::Absent);
    let said = world.ends_again(GREEN, secs(24)).unwrap();
    assert!(said.contains("status 127") && said.contains("3 times"), "{said}");
}

#[test]
fn what_is_counted_by_requests_follows_them() {
    let leaks = |percent: u8| {
        let text = fault("kind = \"mem.leak\"\nat = \"switch\"\nvalue = 0.05\nper = \"request\"");
        let mut world = switched(&text);
        world.set_split(green(percent), secs(10));
        world.play_until(secs(70));
        world.readiness(GREEN, secs(70)).unwrap().memory.mb - 180
    };
    // Forty a second for a minute, at a twentieth of a megabyte each.
    near(leaks(100) as f64, 120.0, 12.0);
    near(leaks(25) as f64, 30.0, 6.0);
    let burns = |percent: u8| {
        let text = fault("kind = \"cpu.burn\"\nat = \"switch\"\nvalue = 0.9\nper = \"request\"");
        let mut world = switched(&text);
        world.set_split(green(percent), secs(10));
        at_ms(&between(&mut world, GREEN, 20, 70), 0.5)
    };
    assert!(burns(100) > 2.0 * burns(10), "{} {}", burns(100), burns(10));
}

#[test]
fn a_miss_may_cost_more_than_a_read_and_a_lock_may_be_on_one_table() {
    let cold = |cost: &str| {
        let kind = format!("kind = \"cache.cold\"\nvalue = 0.2\n{cost}");
        at_ms(&minute(&kind), 0.5)
    };
    assert!(cold("cost = 4") > 2.0 * cold(""));
    let text = fault("kind = \"db.lock\"\nat = \"switch\"\nwrites = false\ntable = \"pay\"");
    let mut world = switched(&text);
    let served = between(&mut world, GREEN, 11, 40);
    near(pct(&served, |s| s.db.lock_us > 0), 15.0, 4.0);
    let words = world.readiness(GREEN, secs(40)).unwrap();
    assert_eq!(words.components["schema"], "a migration holds a lock on pay");
}

#[test]
fn a_schema_names_the_releases_that_can_work_with_it() {
    let text = |versions| {
        fault(&format!(
            "kind = \"schema.migrate\"\nat = \"switch\"\ncontract = true\nversions = {versions}"
        ))
    };
    let failed = |versions| {
        let mut world = switched(&text(versions));
        let green_s = pct(&between(&mut world, GREEN, 11, 30), Served::failed);
        world.set_split(green(0), secs(30));
        (green_s, pct(&between(&mut world, BLUE, 31, 50), Served::failed))
    };
    let (green_s, blue_s) = failed("[\"1.8.2\", \"1.9.0\"]");
    assert!(green_s < 2.0 && blue_s < 2.0);
    let (green_s, blue_s) = failed("[\"1.8.2\"]");
    assert!(green_s > 98.0 && blue_s < 2.0);
}

#[test]
fn consumers_may_leave_out_what_they_cannot_read() {
    let back = |keys: &str| {
        let mut world =
            switched(&fault(&format!("kind = \"queue.format\"\nat = \"switch\"\n{keys}")));
        world.pull(Lever::PauseQueue, secs(20)).unwrap();
        world.play_until(secs(30));
        world.set_split(green(0), secs(30));
        world.pull(Lever::ResumeQueue, secs(30)).unwrap();
        let failed = pct(&between(&mut world, BLUE, 32, 50), Served::failed);
        (failed, world.tally().jobs_skipped)
    };
    let (failed, skipped) = back("skip = true");
    assert!(failed < 2.0 && skipped > 30, "{failed} {skipped}");
    let (failed, skipped) = back("versions = [\"1.8.2\", \"1.9.0\"]");
    assert!(failed < 2.0 && skipped == 0, "both can read it");
    assert!(back("").0 > 10.0);
}

#[test]
fn sockets_come_back_as_their_clients_are_made() {
    let ends = |policy: &str| {
        let text = fault(&format!(
            "kind = \"conn.pinned\"\nat = \"switch\"\nvalue = 200\nshare = 0.2\n{policy}"
        ));
        let mut world = switched(&text);
        world.play_until(secs(20));
        world.stop(BLUE, secs(20));
        let failed = pct(&between(&mut world, GREEN, 21, 39), Served::failed);
        (failed, world.tally().cut)
    };
    near(ends("reconnect = \"at_once\"").0, 20.0, 5.0);
    near(ends("reconnect = \"backoff\"").0, 4.0, 2.5);
    let (failed, cut) = ends("reconnect = \"never\"");
    assert!(failed < 1.5 && cut == 200, "{failed} {cut}");
}

#[test]
fn more_of_one_cohort_or_a_shift_between_routes() {
    let cohorts =
        "[traffic]\ncohorts = [{ name = \"web\", share = 0.9 }, { name = \"api\", share = 0.1 }]\n";
    let rps = |rest: &str| {
        let mut world = switched(&format!("{cohorts}{rest}"));
        between(&mut world, GREEN, 12, 72).len() as f64 / 60.0
    };
    near(rps(""), 40.0, 2.0);
    let more = fault("kind = \"traffic.profile\"\nat = \"switch\"\nvalue = 6\ncohort = \"api\"");
    near(rps(&more), 60.0, 4.0);
    let shift = more.replace("value = 6", "value = 6\nshift = true");
    near(rps(&shift), 40.0, 3.0);
    let errors = "[[fault]]\nid = \"e\"\nkind = \"http.error\"\nat = \"switch\"\nshare = 1.0\n\
        cohort = \"api\"\n";
    let mut world = switched(&format!("{cohorts}{shift}{errors}"));
    near(pct(&between(&mut world, GREEN, 12, 72), Served::failed), 60.0, 4.0);
    let pay = "kind = \"traffic.profile\"\nvalue = 4\nroute = \"/pay\"\nshift = true";
    let both = format!(
        "{}[[fault]]\nid = \"e\"\nkind = \"http.error\"\nat = \"switch\"\nshare = 1.0\nroute = \"/pay\"\n",
        fault(&format!("at = \"switch\"\n{pay}"))
    );
    near(pct(&between(&mut switched(&both), GREEN, 12, 72), Served::failed), 60.0, 5.0);
}

#[test]
fn traffic_may_go_up_and_down_as_a_day_does() {
    let text = fault(
        "kind = \"traffic.profile\"\nat = \"switch\"\nvalue = 3\nshape = \"sine\"\nevery = \"40s\"",
    );
    let mut world = switched(&text);
    let quiet = between(&mut world, GREEN, 11, 14).len() as f64 / 3.0;
    let busy = between(&mut world, GREEN, 28, 32).len() as f64 / 4.0;
    let quiet_again = between(&mut world, GREEN, 48, 52).len() as f64 / 4.0;
    near(busy, 120.0, 15.0);
    assert!(quiet < 60.0 && quiet_again < 60.0, "{quiet} {quiet_again}");
}

#[test]
fn a_switch_may_be_on_in_turns() {
    let text = fault(
        "kind = \"proxy.stuck\"\nat = \"switch\"\nshape = \"burst\"\nevery = \"10s\"\non = \"4s\"",
    );
    let mut world = switched(&text);
    use switchback::lab::world::Wrote;
    let wrote: Vec<_> = [11, 15, 21, 25].map(|at| world.writes(secs(at))).into();
    assert_eq!(wrote, [Wrote::Ignored, Wrote::Done, Wrote::Ignored, Wrote::Done]);
}

#[test]
fn an_old_tick_is_read_until_somebody_checks_anew() {
    let text = fault("kind = \"rollback.missing\"\nat = \"start\"\nchecked = \"3 d\"");
    let mut world = switched(&text);
    let said = world.redeploy_check("1.8.2", secs(11)).unwrap().join(" ");
    assert!(said.contains("checked 3 d ago"), "{said}");
    let anew = world.run(Errand::read("recheck blue").unwrap(), secs(12)).unwrap();
    assert!(anew.contains("its artefact is missing"), "{anew}");
    assert!(world.redeploy_check("1.8.2", secs(13)).is_err());
    assert_eq!(world.anchors().seen(&Anchor::Event("recheck".to_owned())), Some(secs(12)));
    let gone = fault("kind = \"rollback.missing\"\nat = \"switch+5s\"\nslot = true");
    let mut world = switched(&gone);
    assert_eq!(world.life(BLUE, secs(14)), Life::Up);
    world.play_until(secs(16));
    assert_eq!(world.life(BLUE, secs(16)), Life::Absent);
}

#[test]
fn a_certificate_may_bear_the_wrong_name_and_a_refusal_its_own_status() {
    let text = fault("kind = \"tls.bad\"\nat = \"deploy\"\nname = \"old.example\"");
    let mut world = switched(&text);
    let words = world.readiness(GREEN, secs(11)).unwrap();
    assert_eq!(words.components["certificate"], "is for old.example");
    let text = fault("kind = \"proxy.refuse\"\nat = \"switch\"\nstatus = 409");
    assert_eq!(switched(&text).refusal(secs(11)), 409);
}

#[test]
fn what_is_not_visible_is_not_told_and_happens_all_the_same() {
    let text = |visible: &str| {
        fault(&format!("kind = \"mem.leak\"\nat = \"switch\"\nvalue = 3\n{visible}"))
    };
    for (visible, told) in [("", true), ("visible = false", false)] {
        let mut world = switched(&text(visible));
        world.play_until(secs(60));
        let ready = world.readiness(GREEN, secs(60)).unwrap();
        assert_eq!(ready.components["memory"] != "ok", told);
        assert!(ready.memory.mb > 300);
    }
}

#[test]
fn with_swapped_labels_the_other_slot_is_the_one_that_serves() {
    let text =
        fault("kind = \"label.swap\"\nat = \"start\"\nfrom = \"note\"\ntext = \"Left is prod.\"");
    let scenario = read(&text).unwrap();
    assert_eq!(scenario.blue(), Slot::Second, "the label says left");
    let mut world = World::new(&scenario, 5);
    world.play_until(secs(5));
    assert_eq!((world.life(Slot::First, secs(5)), world.weights()), (Life::Absent, [0, 100]));
    assert_eq!(world.tally().slot(Slot::First).requests, 0);
    let said = &world.messages(secs(5))[0];
    assert!(said.decoy && said.text == "Left is prod." && said.from == "note");
    let words = world.redeploy_check("1.8.2", secs(5)).unwrap().join(" ");
    assert!(words.contains("configuration of left"), "the command believes the label: {words}");
    let which = switchback::lab::scenario::load("which-one-is-live").unwrap();
    assert_eq!(which.blue(), Slot::Second);
}
