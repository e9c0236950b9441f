//! Stories of what happened between two runs, and of what runs in Green in truth.

use crate::sim::{facts, replays};
use crate::story::{Place, Story, given};
use switchback::plan::ReleaseSource;
use switchback::runbook::surroundings::{End, LastEnd};
use switchback::runbook::{CheckState, Effect, GateState, Record, RunFacts, RunOutcome, Step};
use switchback::units::Percent;

/// The run before, which left Blue serving all and running what it runs in the simulated world.
fn last() -> LastEnd {
    LastEnd {
        run: "6e29".to_owned(),
        ended_unix_ms: 1_794_700_000_000,
        end: End {
            slots: ["left".into(), "right".into()],
            serves: Some("left".into()),
            first: Some(Percent::ALL),
            releases: [Some("1.8.2".into()), None],
        },
        straight: false,
    }
}

fn outside(story: &Story) -> Vec<(String, String, String)> {
    let records = story.flight.watcher.history.asked.iter().map(|(_, effect)| effect);
    let records = records.filter_map(|effect| match effect {
        Effect::Record(Record::Outside { was, is, says }) => {
            Some((was.to_string(), is.to_string(), says.to_string()))
        }
        _ => None,
    });
    records.collect()
}

#[test]
fn a_run_that_finds_what_the_last_one_left_says_nothing() {
    let story = given().after(last()).reaches(Place::Soak);
    assert_eq!(outside(&story), []);
    assert!(!story.log().contains("outside"), "{}", story.log());
}

#[test]
fn the_first_run_has_nothing_to_compare() {
    assert_eq!(outside(&given().reaches(Place::Soak)), []);
}

#[test]
fn users_who_were_moved_between_two_runs_are_told_once_and_stop_nothing() {
    let mut last = last();
    last.end.serves = Some("right".into());
    last.end.first = Some(Percent::ZERO);
    last.end.releases = [None, None];
    let story = given().after(last).reaches(Place::Confirmed).gate_says(
        GateState::Open,
        "changed outside Switchback: left serves all users; when run 6e29 ended, right served all users",
    );
    let story = story.reaches(Place::Soak);
    let [(was, is, _)] = &outside(&story)[..] else { panic!("{}", story.log()) };
    assert_eq!((was.as_str(), is.as_str()), ("right served all users", "left serves all users"));
}

#[test]
fn what_a_way_back_without_a_run_left_is_not_said_to_be_a_runs() {
    let mut last = last();
    last.end.serves = Some("right".into());
    last.end.first = Some(Percent::ZERO);
    last.straight = true;
    let story = given().after(last).reaches(Place::Confirmed);
    let [(_, _, says)] = &outside(&story)[..] else { panic!("{}", story.log()) };
    assert!(says.contains("when `switchback rollback` had gone back without a run"), "{says}");
}

#[test]
fn a_split_that_somebody_settled_between_two_runs_is_told() {
    let mut last = last();
    last.end.serves = None;
    last.end.first = Percent::new(50);
    let story = given().after(last).reaches(Place::Confirmed);
    let [(was, ..)] = &outside(&story)[..] else { panic!("{}", story.log()) };
    assert_eq!(was, "users were split left 50 / right 50");
}

#[test]
fn a_release_that_was_changed_between_two_runs_is_told_once() {
    let mut last = last();
    last.end.releases[0] = Some("1.8.1".into());
    let story = given().after(last).reaches(Place::Soak);
    let [(was, is, says)] = &outside(&story)[..] else { panic!("{}", story.log()) };
    assert_eq!((was.as_str(), is.as_str()), ("1.8.1", "1.8.2"));
    assert_eq!(
        says,
        "changed outside Switchback: left runs 1.8.2; when run 6e29 ended, it ran 1.8.1"
    );
    replays(&story.flight);
}

#[test]
fn what_the_last_run_did_not_know_is_not_compared() {
    let mut unknown = last();
    unknown.end.first = None;
    unknown.end.serves = None;
    unknown.end.releases = [None, None];
    assert_eq!(outside(&given().after(unknown).reaches(Place::Soak)), []);
    let mut renamed = last();
    renamed.end.slots = ["blue".into(), "green".into()];
    renamed.end.serves = Some("blue".into());
    assert_eq!(outside(&given().after(renamed).reaches(Place::Soak)), []);
}

#[test]
fn a_slot_goes_by_its_name_and_not_by_its_place() {
    let mut turned = last();
    turned.end.slots.reverse();
    turned.end.releases.reverse();
    turned.end.first = Some(Percent::ZERO);
    assert_eq!(outside(&given().after(turned).reaches(Place::Soak)), []);
}

#[test]
fn a_run_leaves_what_the_next_one_finds() {
    let mut kept = given().reaches(Place::Kept);
    let end = End::of(&kept.snap());
    assert_eq!(end.serves, Some("right".into()));
    assert_eq!(end.first, Some(Percent::ZERO));
    assert_eq!(end.releases, [Some("1.8.2".into()), Some("1.9.0".into())]);
}

#[test]
fn facts_of_older_journals_read_and_write_as_they_were() {
    let old = serde_json::to_string(&facts()).unwrap();
    assert!(!old.contains("last_end"), "{old}");
    let read: RunFacts = serde_json::from_str(&old).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}

// ---- the artefact ----

const PLANNED: &str = "sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";
const OTHER: &str = "sha256:abababababababababababababababababababababababababababababababab";

fn with_artefact(named: Option<&'static str>) -> Story {
    given()
        .plan(|plan| {
            plan.release.change.insert("artefact".to_owned(), PLANNED.to_owned());
            plan.identity.artefact = Some(ReleaseSource::Header("X-Artefact".to_owned()));
        })
        .world(|world| world.slots[1].artefact = named.map(Into::into))
        .reaches(Place::Deploying)
}

/// What gate 2 said of the artefact, check by check.
fn said(story: &Story) -> Vec<(CheckState, String)> {
    let records = story.flight.watcher.history.asked.iter().map(|(_, effect)| effect);
    let checks = records.filter_map(|effect| match effect {
        Effect::Record(Record::Gate { step: Step::Deploy, checks, .. }) => Some(checks.clone()),
        _ => None,
    });
    let checks =
        checks.flatten().filter(|c| c.says.contains("Green runs") || c.says.contains("artefact"));
    checks.map(|check| (check.state, check.says)).collect()
}

#[test]
fn a_green_that_runs_another_artefact_is_called_wrong_and_goes_no_further() {
    let story = with_artefact(Some(OTHER)).waits(10).is_in(Step::Deploy).gate_says(
        GateState::Shut,
        "Green runs sha256:abababababab.. and the plan says sha256:cdcdcdcdcdcd..",
    );
    let story = story.tells(&format!("Green names the artefact {OTHER}; planned was {PLANNED}"));
    story
        .waits(60)
        .tells("it runs sha256:abababababab.., not sha256:cdcdcdcdcdcd..")
        .says("ABANDONED · ALL ON BLUE")
        .q()
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn a_green_that_runs_the_declared_artefact_passes_and_it_is_written_down() {
    let story = with_artefact(Some(PLANNED)).reaches(Place::Readiness);
    let said = said(&story);
    let good = (CheckState::Good, "Green runs sha256:cdcdcdcdcdcd.., as the plan says".to_owned());
    assert!(said.contains(&good), "{said:?}");
    story.tells(&format!("Green names the artefact {PLANNED}; as planned"));
}

#[test]
fn a_green_that_names_no_artefact_is_waited_for_and_not_for_ever() {
    with_artefact(None)
        .waits(10)
        .is_in(Step::Deploy)
        .gate_says(GateState::Waiting, "Green names no artefact yet")
        .waits(60)
        .tells("it does not name its artefact");
}

#[test]
fn without_a_way_to_name_it_an_artefact_is_not_compared_and_without_one_nothing_is_said() {
    let declared = given()
        .plan(|plan| {
            plan.release.change.insert("artefact".to_owned(), PLANNED.to_owned());
        })
        .reaches(Place::Readiness);
    let not_compared = "artefact: not compared: the plan does not say how Green names its artefact";
    assert!(said(&declared).contains(&(CheckState::NotDeclared, not_compared.to_owned())));
    assert_eq!(said(&given().reaches(Place::Readiness)), []);
}
