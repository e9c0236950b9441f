//! Files that were not meant as they stand: nothing is said to be kept on their account.

use crate::hour::{Hour, IDLE, Judged, Place, Slot, WELL, after_ten_minutes, told_without_gaps};

const BAD: Slot = Slot { users: 10, fails: 20, probed: true };

/// Judged, as people read it.
fn read(text: &str) -> Judged {
    let place = Place::new();
    place.write("hour.jsonl", text);
    place.run(&["backtest", "plan.toml", "hour.jsonl", "--plain"])
}

/// Every line's `at`, as `change` makes it.
fn at(text: &str, change: impl Fn(u64) -> u64) -> String {
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["at"] = change(line["at"].as_u64().unwrap()).into();
        line.to_string() + "\n"
    });
    lines.collect()
}

#[test]
fn seconds_where_milliseconds_belong_are_wrong_use() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 100).seconds(600, 3600, IDLE, BAD);
    let squeezed = read(&at(&hour.text(), |at| at / 1000));
    assert_eq!((squeezed.exit, squeezed.out.as_str()), (2, ""), "{squeezed:?}");
    let says = "`at` is in milliseconds: 3600 seconds of green users lie in 3.6 s";
    assert!(squeezed.err.contains(says) && squeezed.err.contains("by 1000"), "{}", squeezed.err);
    // Several who write the same seconds, each a little later, are well.
    let mut several = String::new();
    for line in after_ten_minutes(WELL).text().lines() {
        several.push_str(&format!("{line}\n{line}\n"));
        several.push_str(&line.replacen("000,", "007,", 1));
        several.push('\n');
    }
    assert_eq!(read(&several).exit, 0);
}

#[test]
fn where_nothing_was_judged_nothing_was_kept() {
    let blue = "{\"at\":1000,\"role\":\"blue\",\"from\":\"users\",\"requests\":5,\"failed\":0}\n";
    let split = "{\"at\":500,\"mark\":\"split\",\"green\":100}\n";
    let short = blue.replace("blue", "green");
    let mut only_blue = Hour::default();
    only_blue.split(600, 100).seconds(0, 1200, WELL, WELL);
    only_blue.lines().retain(|line| !line.contains("\"role\":\"green\""));
    for (text, why) in [
        (String::new(), "holds no sample"),
        (split.to_owned(), "holds no sample"),
        (blue.to_owned(), "no second of Green's"),
        (only_blue.text(), "no second of Green's"),
        (format!("{split}{short}"), "no evaluation of Green"),
    ] {
        let judged = read(&text);
        assert_eq!(judged.exit, 1, "{judged:?}");
        assert!(!judged.out.contains("would have"), "{judged:?}");
        let says = judged.err.contains("nothing was judged") && judged.err.contains(why);
        assert!(says && judged.err.contains("hint: "), "{why}: {}", judged.err);
    }
    // Probes alone are a soak, and that was judged.
    let mut soak = Hour::default();
    soak.seconds(0, 600, WELL, IDLE);
    let soak = read(&soak.text());
    assert_eq!(soak.exit, 0);
    assert!(soak.out.contains("only its soak was judged"), "{}", soak.out);
}

#[test]
fn keys_that_nobody_knows_are_counted_and_named() {
    let text = after_ten_minutes(BAD).text();
    let judged = read(&text.replace("\"client_errors\"", "\"client_error\""));
    assert_eq!(judged.exit, 3, "{judged:?}");
    let says = "`client_error` is not a key of a sample: nearest `client_errors` (";
    assert!(judged.err.contains(says), "{}", judged.err);
    let without = read(&text.replace("\"requests\"", "\"request\""));
    assert!(!without.out.contains("kept"), "{without:?}");
    assert!(without.err.contains("`request` is not a key of a sample: nearest `requests`"));
    let far = read(&text.replace("{\"at\"", "{\"pod\":\"web-1\",\"at\""));
    assert!(far.err.contains("`pod` is not a key of a sample (4800 lines)"), "{}", far.err);
    assert_eq!(far.exit, 3);
}

#[test]
fn more_failed_than_requests_is_told_with_its_line() {
    let mut hour = after_ten_minutes(WELL);
    let line = hour.lines().len() + 1;
    hour.line(r#"{"at":1201000,"role":"green","from":"users","requests":1,"failed":3}"#);
    let judged = read(&hour.text());
    let says = format!("line {line}: `failed` is above `requests`");
    assert!(judged.err.contains(&says), "{}", judged.err);
}

#[test]
fn before_a_broken_line_changes_are_told_and_no_sum() {
    let judged = read(&(after_ten_minutes(WELL).text() + "broken\n"));
    assert_eq!(judged.exit, 1);
    assert!(judged.out.contains("ok") && !judged.out.contains("would have"), "{}", judged.out);
    assert!(!judged.out.contains("unproven"), "{}", judged.out);
}

#[test]
fn where_both_suffer_for_too_long_the_operator_is_asked() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 50).seconds(600, 1000, WELL, WELL);
    hour.seconds(1000, 2000, BAD, BAD).seconds(2000, 2100, WELL, WELL);
    let judged = read(&hour.text());
    let last = judged.out.lines().last().unwrap();
    assert_eq!(judged.exit, 0, "{judged:?}");
    assert!(last.starts_with("would have held at 1"), "{last}");
    assert!(last.contains(", asked at 2") && last.contains("(shared_hold 10m)"), "{last}");
    assert!(!last.contains("kept"), "{last}");
}

#[test]
fn the_verdicts_that_the_switch_begins_anew_are_told() {
    let mut hour = Hour::default();
    let slow = Slot { users: 1, ..WELL };
    hour.seconds(0, 600, WELL, IDLE).split(600, 100).seconds(600, 1200, IDLE, slow);
    let judged = crate::hour::judged("", hour.text());
    told_without_gaps(&judged);
    let anew = judged.changes().into_iter().any(|change| {
        change["limit"] == "error_rate"
            && change["was"] == "ok"
            && change["verdict"] == "too_few"
            && change["at"] == 605_000
    });
    assert!(anew, "{}", judged.out);
}

#[test]
fn times_of_the_day_are_told_since_the_first_second() {
    let text = after_ten_minutes(BAD).text();
    let since = read(&text);
    let day = read(&at(&text, |at| at + 1_800_000_000_000));
    assert_eq!(day.exit, 3);
    let (first, rest) = day.out.split_once('\n').unwrap();
    assert_eq!(first, "times are since the first second: 2027-01-15 08:00:00 UTC");
    assert_eq!(rest, since.out);
    assert!(rest.ends_with("would have gone back at 10:25, 0:25 after the switch: 5xx tripped\n"));
}

#[test]
fn a_directory_that_is_no_run_is_named() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    let judged = place.run(&["backtest", "plan.toml", "empty"]);
    assert_eq!(judged.exit, 1);
    assert!(judged.err.contains("empty is no run"), "{}", judged.err);
    assert!(!judged.err.contains("samples.jsonl"), "{}", judged.err);
}

#[test]
fn the_readme_shows_what_the_program_says() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, Slot { users: 2, ..WELL }, IDLE).split(600, 100);
    hour.seconds(600, 3600, IDLE, Slot { users: 2, ..BAD });
    let judged = read(&hour.text());
    assert!(include_str!("../../README.md").contains(&judged.out), "{}", judged.out);
}
