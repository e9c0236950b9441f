//! Whole flights of the built program on real traffic: an HAProxy, two services, users.
//!
//! Ignored by plain `cargo test`; where HAProxy is missing they fail and name the command that
//! installs it. After each story the journal's chain is verified and the run is lived again: every
//! effect must come out byte for byte.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use support::place::{Place, Terms, stamps, timeline};

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_good_release_is_kept_and_users_notice_nothing() {
    let place = Place::new(&Terms::default()).with_users(60);
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("kept: kept; Blue is warm until"), "{printed}");
    assert_eq!(place.weights(), [0, 100]);
    assert_eq!(place.right.release(), "1.1.0");
    let (failed, all) = place.users.as_ref().unwrap().failed();
    assert_eq!(failed, 0, "of {all}");
    let run = place.flown();
    assert_eq!(run.closed.as_ref().unwrap().exit, 0);
    assert!(!timeline(&run).contains("Warning"), "{}", timeline(&run));
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn green_dies_at_half_the_traffic_and_users_are_taken_back() {
    let place =
        Place::new(&Terms { hold: "2s", ramp: "[50, 100]", ..Terms::default() }).with_users(60);
    let flight = place.lines("deploy PLAN --yes --plain");
    place.soon_at([50, 50]);
    let died = std::time::Instant::now();
    place.right.kill();
    let (exit, printed) = flight.end();
    assert_eq!(exit, 3, "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    let run = place.flown();
    assert_eq!(stamps(&run), 4, "{}", timeline(&run));
    assert!(timeline(&run).contains("tripped"), "{}", timeline(&run));
    let users = place.users.as_ref().unwrap();
    println!(
        "{:?} since it died; {:?} in all\n{printed}",
        users.failed_since(died),
        users.failed()
    );
}
