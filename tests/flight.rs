//! Whole flights of the built program on real traffic: an HAProxy, two services, users.
//!
//! Ignored by plain `cargo test`; where HAProxy is missing they fail and name the command that
//! installs it. After each story the journal's chain is verified and the run is lived again: every
//! effect must come out byte for byte.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use nix::sys::signal::Signal;
use std::time::Instant;
use support::haproxy::{Config, soon};
use support::place::{Place, Terms, flown, stamps, timeline};
use support::site::Ill;
use switchback::journal::Run;
use switchback::runbook::{Effect, Record};

fn terms() -> Terms {
    Terms::default()
}

/// Held for so long at each step of the ramp that nothing moves by itself.
fn patient() -> Terms {
    Terms { hold: "60s", ..terms() }
}

/// How it ended at last, by its own word.
fn exit_of(run: &Run) -> u8 {
    let mut ends = run.effects().rev().filter_map(|(_, effect)| match effect {
        Effect::Record(Record::Ended { exit, .. }) => Some(*exit),
        _ => None,
    });
    ends.next().unwrap_or_else(|| panic!("it has not ended:\n{}", timeline(run)))
}

fn says(run: &Run, text: &str) {
    assert!(timeline(run).contains(text), "nobody said `{text}`:\n{}", timeline(run));
}

// ---- to the end ----

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_good_release_is_kept_and_users_notice_nothing() {
    let place = Place::new(&terms()).with_users(60);
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("kept; Blue is warm until"), "{printed}");
    assert_eq!(place.weights(), [0, 100]);
    assert_eq!(place.right.release(), "1.1.0");
    let (failed, all) = place.users().failed();
    assert_eq!(failed, 0, "of {all}");
    let run = place.flown();
    assert_eq!(exit_of(&run), 0);
    assert!(!timeline(&run).contains("Warning"), "{}", timeline(&run));
    assert!(!printed.contains("!  gate"), "a good flight has no gate that shuts:\n{printed}");
    let (exit, listed) = place.run("runs");
    assert_eq!((exit, listed.contains("kept")), (0, true), "{listed}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn green_dies_at_half_the_traffic_and_users_are_taken_back() {
    let place = Place::new(&Terms { ramp: "[50, 100]", ..terms() }).with_users(60);
    let flight = place.lines("deploy PLAN --yes --plain");
    place.soon_at([50, 50]);
    let died = Instant::now();
    place.right.kill();
    place.soon_at([100, 0]);
    let back = Instant::now();
    let (exit, printed) = flight.end();
    assert_eq!(exit, 3, "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    let run = place.flown();
    assert_eq!(stamps(&run), 4, "{}", timeline(&run));
    // By the limit, or because a gate that is shut for it was waited for in vain: the deadline of
    // this plan is as short as the limit needs.
    says(&run, "5xx tripp");
    let (failed, all) = place.users().failed_since(back);
    assert_eq!(failed, 0, "of {all} who came when traffic was back");
    let (failed, all) = place.users().failed();
    let share = 60.0 * (back - died).as_secs_f64() / 2.0;
    assert!(failed > 0 && (failed as f64) < share * 1.2 + 10.0, "{failed} of {all}, {share}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn one_key_takes_ten_percent_back_to_blue() {
    let place = Place::new(&patient()).with_users(40);
    let mut cockpit = place.to_split(10);
    cockpit.key("r").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.expect("✔ first answer from Blue").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    cockpit.is_given_back().unwrap();
    let run = place.flown();
    assert_eq!(exit_of(&run), 3);
    says(&run, "router at Blue after");
    assert_eq!(place.users().failed().0, 0);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_second_terminal_goes_back_through_the_first_ones_engine() {
    let place = Place::new(&patient()).with_users(40);
    let mut cockpit = place.to_split(10);
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 1, "{printed}");
    let holder = format!("process {}", cockpit.pid());
    assert!(printed.contains(&holder) && printed.contains("hint: "), "{printed}");
    let (exit, printed) = place.run("rollback PLAN --to left");
    assert_eq!(exit, 2, "the open run knows better who Blue is: {printed}");
    assert_eq!(place.weights(), [90, 10]);
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("BACK ON BLUE"), "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(exit_of(&place.flown()), 3);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_split_that_is_nobodys_is_explained_and_settled() {
    let place = Place::with(&terms(), &Config::default()).with_users(40);
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("WHO IS BLUE?").expect("nobody is Blue").expect("rollback --to left");
    assert_eq!(place.weights(), [1, 1], "nothing was written");
    // Settled from a second terminal while the cockpit waits.
    let (exit, printed) = place.run("rollback PLAN --to left");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.expect("press space to deploy").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    assert_eq!(exit_of(&place.flown()), 0);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn where_no_run_is_open_rollback_wants_to_be_told() {
    let place = Place::with(&terms(), &Config::default());
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!(exit, 2, "{printed}");
    assert!(printed.contains("hint: ") && printed.contains("--to left"), "{printed}");
    let (exit, printed) = place.run("rollback PLAN --to middle");
    assert_eq!(exit, 2, "{printed}");
    assert!(printed.contains("left and right"), "{printed}");
    assert_eq!(place.weights(), [1, 1]);
    let (exit, printed) = place.run("rollback PLAN --to right");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(place.weights(), [0, 100]);
    let (exit, printed) = place.run("deploy PLAN");
    assert_eq!(exit, 2, "not a terminal: {printed}");
    assert!(printed.contains("--yes"), "{printed}");
    assert!(place.runs().is_empty());
    let (exit, printed) = place.run("check PLAN");
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("right is Blue now"), "{printed}");
    assert!(!printed.contains("names no slot"), "{printed}");
}

// ---- cut off ----

/// Picks the run up again, sees what is said of the router, and goes on or back.
fn resume(place: &Place, step: &str, router: &str) -> support::cockpit::Cockpit {
    let mut cockpit = place.cockpit("resume");
    cockpit.expect(&format!("cut off in step {step}")).expect(router);
    cockpit
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_1_it_goes_on() {
    let place = Place::new(&terms()).with_users(40);
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy");
    cockpit.kill();
    let mut cockpit = resume(&place, "1", "all users on Blue");
    cockpit.yes("cut off in step").expect("press space to deploy").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    assert_eq!(exit_of(&place.flown()), 0);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_2_nobody_believes_that_the_deploy_ended() {
    let deploy = "$TELL; sleep 3; echo there";
    let place = Place::new(&Terms { deploy, ..terms() }).with_users(40);
    let mut cockpit = place.to_deploy();
    cockpit.yes("Deploy 1.1.0").expect("DEPLOYING");
    // What stands on the screen is not on disk yet; what runs is.
    soon("it is written down that deploy runs", || {
        let journal = place.runs()[0].join("journal.jsonl");
        std::fs::read_to_string(journal).is_ok_and(|lines| lines.contains("deploy runs for"))
    });
    cockpit.kill();
    let mut cockpit = resume(&place, "2", "all users on Blue");
    cockpit.yes("cut off in step").expect("was cut off").expect("DEPLOY FAILED");
    cockpit.key(" ").yes("Run deploy again?").expect("SOAKING").key("r");
    cockpit.expect("ALL ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 5);
    assert_eq!(place.weights(), [100, 0]);
    assert_eq!(exit_of(&place.flown()), 5);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_3_the_hold_begins_anew_even_after_its_deadline() {
    let deploy = "echo told nobody";
    let place = Place::new(&Terms { deploy, deadline: "3s", ..terms() }).with_users(40);
    place.right.deploy("1.1.0");
    place.right.set(Some(Ill::NotReady));
    let mut cockpit = place.to_deploy();
    cockpit.yes("Deploy 1.1.0").expect("WAITING FOR GREEN TO BE READY");
    let killed = Instant::now();
    cockpit.kill();
    soon("the deadline has passed", || killed.elapsed().as_secs() >= 4);
    let mut cockpit = resume(&place, "3", "all users on Blue");
    place.right.set(None);
    cockpit.yes("cut off in step").expect("SOAKING").key("r").expect("ALL ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 5);
    assert_eq!(exit_of(&place.flown()), 5);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_4_it_soaks_anew() {
    let place = Place::new(&Terms { soak: "3s", ..terms() }).with_users(40);
    place.to_soak().kill();
    let mut cockpit = resume(&place, "4", "all users on Blue");
    cockpit.yes("cut off in step").expect("SOAKING").expect("press space to send 10 %").key("q");
    cockpit.yes("Leave?");
    assert_eq!(cockpit.exit_code(), 0);
    let run = place.flown();
    let soaked = run
        .effects()
        .any(|(_, effect)| format!("{effect:?}").contains("step: Soak, took: Millis(3"));
    assert!(soaked, "{}", timeline(&run));
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_5_traffic_stays_and_the_ramp_goes_on_from_there() {
    let place = Place::new(&Terms { ramp: "[50, 100]", hold: "2s", ..terms() }).with_users(60);
    place.to_split(50).kill();
    assert_eq!(place.weights(), [50, 50]);
    // Nobody is at the keyboard now.
    let (exit, printed) = place.run("resume --yes --plain");
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("cut off in step 5"), "{printed}");
    assert_eq!(place.weights(), [0, 100]);
    assert_eq!(exit_of(&place.flown()), 0);
    assert_eq!(place.users().failed().0, 0);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_5_another_terminal_picks_it_up_to_go_back() {
    let place = Place::new(&patient()).with_users(40);
    place.to_split(10).kill();
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    let run = place.flown();
    assert_eq!(exit_of(&run), 3);
    assert!(!timeline(&run).contains("writing again"), "{}", timeline(&run));
    let (exit, printed) = place.run("resume --yes");
    assert_eq!(exit, 2, "nothing is open any more: {printed}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_5_what_somebody_did_meanwhile_is_seen() {
    let place = Place::new(&patient()).with_users(40);
    place.to_split(10).kill();
    place.haproxy().ask("set weight app/app_a 70; set weight app/app_b 30").unwrap();
    let mut cockpit = resume(&place, "5", "reads 30 % of users on Green");
    cockpit.expect("NOT what this run asked for").yes("cut off in step").expect("HELD");
    assert_eq!(place.weights(), [70, 30], "adopted");
    cockpit.key("r").expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(place.weights(), [100, 0]);
    assert_eq!(exit_of(&place.flown()), 3);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_6_a_watch_that_nobody_kept_is_not_a_watch() {
    let place = Place::new(&Terms { ramp: "[100]", watch: "3s", ..terms() }).with_users(60);
    let cockpit = place.to_watch();
    let killed = Instant::now();
    cockpit.kill();
    soon("the watch would have ended", || killed.elapsed().as_secs() >= 4);
    let mut cockpit = resume(&place, "6", "reads 100 % of users on Green");
    assert!(!cockpit.screen().contains("KEPT"), "{}", cockpit.screen());
    cockpit.yes("cut off in step").expect("WATCHING AT 100 %").expect("KEPT").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    assert_eq!(exit_of(&place.flown()), 0);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_in_step_8_blue_is_still_the_way_back() {
    let place = Place::new(&Terms { ramp: "[100]", ..terms() }).with_users(60);
    let mut cockpit = place.to_watch();
    cockpit.expect("KEPT · BLUE WARM");
    cockpit.kill();
    let mut cockpit = resume(&place, "8", "reads 100 % of users on Green");
    cockpit.yes("cut off in step").expect("KEPT · BLUE WARM").key("r").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(exit_of(&place.flown()), 3);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_while_it_goes_back_it_goes_on_going_back_by_itself() {
    let place = Place::new(&patient()).with_users(40);
    let mut cockpit = place.to_split(10);
    place.stop_router(true);
    cockpit.key("r").expect("attempt 2");
    cockpit.kill();
    place.stop_router(false);
    let mut cockpit = place.cockpit("resume");
    cockpit.expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.expect("✔ first answer from Blue").expect("✔ last answer from Green");
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(exit_of(&place.flown()), 3);
}

// ---- never back onto the dead ----

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_limit_that_trips_while_blue_is_down_holds_and_the_key_still_works() {
    let place = Place::new(&Terms { ramp: "[50, 100]", hold: "60s", ..terms() }).with_users(60);
    let mut cockpit = place.to_split(50);
    place.left.set(Some(Ill::NotReady));
    cockpit.expect("BLUE NOT READY");
    place.right.set(Some(Ill::Failing));
    cockpit.expect("5xx TRIPPED").expect("HOLDING");
    assert_eq!(place.weights(), [50, 50], "Blue is not well: nobody is sent there");
    cockpit.key("r").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    says(&place.flown(), "r goes back all the same");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_limit_that_trips_asks_where_the_plan_says_so_and_the_countdown_ends_in_rollback() {
    let more = "[on_trip]\ndo = \"ask\"\ncountdown = \"3s\"\n".to_owned();
    let terms = Terms { ramp: "[50, 100]", hold: "60s", more, ..terms() };
    let place = Place::new(&terms).with_users(60);
    let mut cockpit = place.to_split(50);
    place.right.set(Some(Ill::Failing));
    cockpit.expect("A limit has tripped").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    says(&place.flown(), "the time was up");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_way_back_whose_router_is_gone_is_told_loudly_and_ends_with_4() {
    let place = Place::new(&patient()).with_users(40);
    let mut cockpit = place.to_split(10);
    place.stop_router(true);
    cockpit.key("r").expect("ROLLING BACK").expect("attempt 2").key("q");
    cockpit.yes("Leave?");
    assert_eq!(cockpit.exit_code(), 4);
    place.stop_router(false);
    assert_eq!(exit_of(&place.flown()), 4);
    // Whoever looks finds the run, and brings it to its end.
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    assert_eq!(exit_of(&place.flown()), 3);
}

// ---- nobody guards ----

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_terminal_that_is_closed_leaves_traffic_where_it_is() {
    let place = Place::new(&patient()).with_users(40);
    let mut cockpit = place.to_split(10);
    cockpit.hang_up();
    assert_eq!(cockpit.exit_code(), 4);
    assert_eq!(place.weights(), [90, 10]);
    let run = place.flown();
    assert_eq!(exit_of(&run), 4);
    says(&run, "the terminal went away");
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn asked_to_end_it_leaves_traffic_where_it_is_and_can_be_picked_up() {
    let place = Place::new(&patient()).with_users(40);
    let mut cockpit = place.to_split(10);
    cockpit.signal(Signal::SIGTERM);
    assert_eq!(cockpit.exit_code(), 4);
    cockpit.is_given_back().unwrap();
    assert_eq!(place.weights(), [90, 10]);
    let run = place.flown();
    assert_eq!(exit_of(&run), 4);
    says(&run, "asked to end");
    let mut cockpit = resume(&place, "5", "reads 10 % of users on Green");
    cockpit.yes("cut off in step").expect("HOLDING AT 10 %");
    // And it is left once more, on purpose.
    cockpit.key("q").expect("NOBODY GUARDS").yes("Leave?");
    assert_eq!(cockpit.exit_code(), 4);
    assert_eq!(place.weights(), [90, 10]);
    let mut cockpit = resume(&place, "5", "reads 10 % of users on Green");
    cockpit.key("r").expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(exit_of(&place.flown()), 3);
}

// ---- the router ----

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_router_that_stops_answering_is_unknown_and_nothing_moves() {
    let place = Place::new(&Terms { hold: "4s", ..terms() });
    let mut cockpit = place.to_split(10);
    place.stop_router(true);
    cockpit.expect("UNKNOWN").expect("the router cannot be read");
    cockpit.key(" ").expect("not yet");
    place.stop_router(false);
    assert_eq!(place.weights(), [90, 10]);
    cockpit.expect_no("UNKNOWN").send(50).expect("HOLDING AT 50 %");
    assert_eq!(place.weights(), [50, 50]);
    cockpit.key("r").expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(exit_of(&place.flown()), 3);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_split_that_somebody_else_made_is_adopted_and_held() {
    let place = Place::new(&Terms { hold: "1s", ..terms() }).with_users(40);
    let mut cockpit = place.to_split(10);
    place.haproxy().ask("set weight app/app_a 70; set weight app/app_b 30").unwrap();
    cockpit.expect("somebody else moved the split: Green has 30 %, we asked for 10 %");
    cockpit.expect("HELD").expect("router reads 70/30");
    cockpit.key("h").expect("nothing is sent to Green").key(" ").expect("not yet");
    assert_eq!(place.weights(), [70, 30]);
    cockpit.key("r").expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(place.weights(), [100, 0]);
    let run = place.flown();
    assert_eq!(exit_of(&run), 3);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_reload_that_swaps_the_servers_does_not_send_the_way_back_to_green() {
    let place = Place::new(&patient());
    let mut cockpit = place.to_split(10);
    // The same split by slot, under the other servers' names: nothing looks different.
    let config = Config { weights: [10, 90], ..Config::default() };
    place.haproxy().configure(&config, &[place.right.url(), place.left.url()]);
    place.haproxy().reload();
    cockpit.key("r").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [0, 100], "app_b is the service on the left now");
    assert_eq!(place.haproxy().user(), "release 1.0.0");
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    let run = place.flown();
    assert_eq!(exit_of(&run), 3);
    assert!(!timeline(&run).contains("writing again"), "{}", timeline(&run));
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn what_may_keep_users_where_they_are_is_said_when_the_run_begins() {
    let app = "balance roundrobin\n    cookie SLOT insert indirect nocache";
    let config = Config { app, weights: [100, 0], ..Config::default() };
    let place = Place::with(&terms(), &config);
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("binds users to a slot by the cookie SLOT").expect("press space to deploy");
    cockpit.kill();
    let mut cockpit = resume(&place, "1", "all users on Blue");
    cockpit.yes("cut off in step").expect("press space to deploy").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    let run = place.flown();
    assert_eq!(timeline(&run).matches("by the cookie SLOT").count(), 1, "{}", timeline(&run));
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_router_that_is_not_there_is_an_error_with_its_next_move() {
    let place = Place::new(&terms());
    let text = std::fs::read_to_string(place.plan()).unwrap();
    std::fs::write(place.plan(), text.replace("adm.sock", "none.sock")).unwrap();
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 1, "{printed}");
    assert!(printed.contains("no socket at") && printed.contains("hint: "), "{printed}");
    assert!(place.runs().is_empty());
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn the_next_deploy_swaps_the_roles() {
    let place = Place::new(&Terms { ramp: "[100]", soak: "1s", ..terms() }).with_users(60);
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!((exit, place.weights()), (0, [0, 100]), "{printed}");
    let (exit, printed) = place.run("deploy PLAN --yes --plain --release 1.2.0 --current 1.1.0");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    assert!(printed.contains("right serves all users: it is Blue"), "{printed}");
    assert_eq!(place.left.release(), "1.2.0");
    assert_eq!(place.users().failed().0, 0);
    for run in place.runs() {
        assert_eq!(exit_of(&flown(&run)), 0);
    }
}

// ---- by whom, and for whom ----

#[test]
fn nobody_at_the_keyboard_cannot_deploy_by_hand() {
    let place = Place::of_files(&terms());
    let text = std::fs::read_to_string(place.plan()).unwrap();
    let by_hand: Vec<&str> = text.lines().filter(|line| !line.starts_with("deploy = ")).collect();
    std::fs::write(place.plan(), by_hand.join("\n")).unwrap();
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!((exit, place.weights()), (2, [100, 0]), "{printed}");
    assert!(printed.contains("by hand") && printed.contains("[commands] deploy"), "{printed}");
    assert!(place.runs().is_empty());
    // With somebody there it is flown, but not picked up without them.
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space");
    cockpit.kill();
    let (exit, printed) = place.run("resume --yes --plain");
    assert_eq!((exit, place.weights()), (2, [100, 0]), "{printed}");
}

#[test]
fn who_flew_it_and_what_was_said_instead_of_the_plan_is_sealed() {
    let place = Place::of_files(&terms());
    let (exit, printed) = place.run("deploy PLAN --yes --json --release 2.0.0 --migration none");
    assert_eq!(exit, 3, "nobody came to judge by: {printed}");
    let run = place.flown();
    let said: Vec<(&str, &str)> =
        run.opened.overrides.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(said, [("migration", "none"), ("release", "2.0.0")]);
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).unwrap().unwrap();
    assert_eq!(run.opened.operator.as_ref().unwrap().as_str(), user.name);
    for line in printed.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["kind"], "deploy", "{line}");
        assert_eq!(line["host"], run.opened.facts.host.as_str(), "{line}");
        assert_eq!(line["run"], run.opened.facts.run, "{line}");
        assert!(line["at"].is_u64() && line["record"].is_object(), "{line}");
    }
}

#[test]
fn check_sends_each_probe_once_and_looks_for_what_signals_point_at() {
    let place = Place::of_files(&terms());
    let text = std::fs::read_to_string(place.plan()).unwrap();
    let more = "\n[[probe]]\npath = \"/page\"\ncontains = \"a unicorn\"\n\
                [signals]\ndb_errors = { readiness = \"/nowhere\" }\n\
                [secrets]\ntoken = { file = \"TOKEN\" }\n"
        .replace("TOKEN", &place.path("token").display().to_string());
    let text = text.replace("[health]", "[health]\nheaders = { X-Token = \"{token}\" }");
    std::fs::write(place.plan(), text + &more).unwrap();
    std::fs::write(place.path("token"), "short").unwrap();
    let (exit, printed) = place.run("check PLAN");
    assert_eq!(exit, 1, "{printed}");
    assert!(printed.contains("\"a unicorn\" is not in the body"), "{printed}");
    assert!(printed.contains("/nowhere"), "{printed}");
    assert!(printed.contains("ok: probe /page of slot left"), "{printed}");
    assert!(printed.contains("secret `token`: it is too short to be masked"), "{printed}");
}
