//! Files of samples, whoever wrote them.

use crate::hour::{Hour, IDLE, Place, Slot, WELL, after_ten_minutes, judged};
use crate::support::cockpit::Cockpit;

/// Green fails this share of all requests, in percent; so do its probes.
const fn failing(fails: u64) -> Slot {
    Slot { users: 10, fails, probed: true }
}

#[test]
fn an_hour_of_twenty_percent_errors_trips_twenty_five_seconds_after_the_switch() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, Slot { users: 2, ..WELL }, IDLE).split(600, 100);
    let errors = Slot { users: 2, fails: 20, probed: true };
    hour.seconds(600, 3600, IDLE, errors);
    let judged = judged("", hour.text());
    assert_eq!(judged.exit, 3, "{judged:?}");
    let tripped = judged.when("error_rate", "tripped").unwrap();
    assert_eq!(tripped, 625, "{}", judged.out);
    let change = judged.changes().into_iter().find(|c| c["verdict"] == "tripped").unwrap();
    for key in ["k", "n", "value", "above", "hold", "used", "tolerance", "luck", "normal"] {
        assert!(change[key].is_number(), "{key} of {change}");
    }
    assert_eq!((change["above"].as_f64(), change["from"].as_str()), (Some(2.0), Some("users")));
    assert!(change["line"].as_str().unwrap().contains("tripped"), "{change}");
    // Latched: nothing more is said of it in the rest of the hour.
    assert_eq!(judged.of_limit("error_rate").last().unwrap(), &(tripped, "tripped".to_owned()));
}

#[test]
fn a_good_release_is_kept_and_said_to_be() {
    let place = Place::new();
    let good = place.judge(after_ten_minutes(WELL).text());
    assert_eq!(good.exit, 0, "{good:?}");
    assert!(good.when("error_rate", "ok").is_some(), "{good:?}");
    assert!(!good.out.contains("trip"), "{}", good.out);
    let read = place.run(&["backtest", "plan.toml", "hour.jsonl", "--plain"]);
    assert_eq!(
        read.out.lines().last().unwrap(),
        "would have kept Green: 6000 requests, ~24 needed"
    );
}

#[test]
fn a_blip_does_not_trip() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 100);
    hour.seconds(600, 700, IDLE, WELL).seconds(700, 704, IDLE, failing(30));
    hour.seconds(704, 1200, IDLE, WELL);
    let judged = judged("", hour.text());
    assert_eq!((judged.exit, judged.when("error_rate", "tripped")), (0, None), "{judged:?}");
}

#[test]
fn where_both_slots_suffer_it_is_shared_and_nobody_goes_back() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 50).seconds(600, 700, WELL, WELL);
    hour.seconds(700, 1000, failing(20), failing(20)).seconds(1000, 1200, WELL, WELL);
    let place = Place::new();
    let both = place.judge(hour.text());
    assert_eq!(both.exit, 0, "{both:?}");
    assert!(both.when("error_rate", "shared").is_some(), "{both:?}");
    let shared = both.changes().into_iter().find(|c| c["verdict"] == "shared").unwrap();
    assert!(shared["blue"]["of"].as_u64().unwrap() > 0, "{shared}");
    let read = place.run(&["backtest", "plan.toml", "hour.jsonl", "--plain"]);
    let last = read.out.lines().last().unwrap();
    assert!(
        last.starts_with("would have held at") && last.contains("both slots suffered"),
        "{last}"
    );
}

#[test]
fn without_traffic_nothing_is_said_to_be_well() {
    let place = Place::new();
    let night = place.judge(after_ten_minutes(IDLE).text());
    assert_eq!(night.exit, 0);
    // In the soak its probes were enough; with users to judge, none came.
    assert_eq!(night.when("error_rate", "ok").map(|at| at <= 600), Some(true), "{night:?}");
    let read = place.run(&["backtest", "plan.toml", "hour.jsonl", "--plain"]);
    let last = read.out.lines().last().unwrap();
    assert!(last.contains("unproven: 0 of ~24 requests"), "{last}");
}

#[test]
fn what_is_absent_was_not_read_and_is_not_zero() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 100).seconds(600, 1200, IDLE, WELL);
    for line in hour.lines() {
        *line = line.replace("\"failed\":0,", "");
    }
    let judged = judged("", hour.text());
    let said = judged.of_limit("error_rate");
    let words: Vec<&str> = said.iter().map(|(_, verdict)| verdict.as_str()).collect();
    assert_eq!(words, ["unknown", "too_few", "unknown"], "what failed was never counted: {said:?}");
    assert!(judged.err.contains("error_rate: its limit could not be judged"), "{}", judged.err);
    assert!(!judged.err.contains("client_error_rate"), "{}", judged.err);
}

#[test]
fn a_source_that_pauses_is_not_unknown_before_the_longest_hold_has_passed() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 100).seconds(600, 700, IDLE, WELL);
    // Nobody writes for a minute and a half; then for ten minutes.
    hour.seconds(790, 900, IDLE, WELL).seconds(1500, 1600, IDLE, WELL);
    let judged = judged("", hour.text());
    let said = judged.of_limit("error_rate");
    let stale: Vec<u64> = said.iter().filter(|(_, v)| v == "stale").map(|(at, _)| *at).collect();
    assert_eq!(stale.len(), 1, "{said:?}");
    assert!((1020..=1030).contains(&stale[0]), "two minutes after the last second: {said:?}");
}

#[test]
fn without_a_mark_the_first_user_of_green_is_the_switch() {
    let mut marked = after_ten_minutes(failing(20));
    let with = judged("", marked.text());
    marked.lines().retain(|line| !line.contains("split"));
    let without = judged("", marked.text());
    assert_eq!((with.exit, without.exit), (3, 3));
    assert_eq!(with.out, without.out, "the mark stood where the first user came");
}

#[test]
fn with_a_mark_a_user_who_strays_to_green_before_it_is_no_switch() {
    let mut hour = Hour::default();
    hour.seconds(0, 300, WELL, IDLE).seconds(300, 301, WELL, failing(100));
    hour.seconds(301, 600, WELL, IDLE).split(600, 100).seconds(600, 1200, IDLE, WELL);
    let place = Place::new();
    assert_eq!(place.judge(hour.text()).exit, 0);
    let read = place.run(&["backtest", "plan.toml", "hour.jsonl", "--plain"]);
    assert!(read.out.contains("kept Green: 6000 requests"), "{}", read.out);
}

#[test]
fn once_its_users_are_taken_back_nothing_more_is_said_of_green_until_they_return() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 100).seconds(600, 700, IDLE, WELL).split(700, 0);
    // Green falls apart when nobody is on it.
    hour.seconds(700, 1000, WELL, failing(100));
    let gone = judged("", hour.text());
    assert_eq!(gone.exit, 0, "{gone:?}");
    assert!(gone.changes().iter().all(|change| change["at"].as_u64().unwrap() <= 700_000));
    hour.split(1000, 10).seconds(1000, 1100, WELL, failing(100));
    let again = judged("", hour.text());
    assert_eq!(again.exit, 3);
    let tripped = again.when("error_rate", "tripped").unwrap();
    assert!((1010..=1015).contains(&tripped), "{tripped}");
}

#[test]
fn a_second_that_comes_too_late_counts_at_the_next_evaluation() {
    let mut hour = Hour::default();
    hour.seconds(0, 600, WELL, IDLE).split(600, 100).seconds(600, 610, IDLE, WELL);
    let in_order = judged("", hour.text());
    // The bad second 603 comes when 608 is over: nothing before 610 can know of it.
    let mut late = hour.clone();
    let bad = r#"{"at":603000,"role":"green","from":"users","requests":1000,"failed":1000}"#;
    late.line(bad).seconds(610, 640, IDLE, WELL);
    let late = judged("", late.text());
    assert!(late.err.contains("1 line came more than 1 s after later ones"), "{}", late.err);
    assert_eq!(in_order.when("error_rate", "ok"), late.when("error_rate", "ok"));
    let tripping = late.when("error_rate", "tripping").unwrap();
    assert_eq!(tripping, 610, "it counts at the next evaluation: {}", late.out);
    let change = late.changes().into_iter().find(|c| c["verdict"] == "tripping").unwrap();
    assert_eq!((change["k"].as_u64(), change["n"].as_u64()), (Some(1000), Some(1100)));
}

#[test]
fn unknown_marks_fields_and_empty_lines_change_nothing() {
    let plain = after_ten_minutes(failing(20));
    let mut adorned = plain.clone();
    for line in adorned.lines().iter_mut().filter(|line| !line.contains("mark")) {
        *line = line.replace("{\"at\"", "{ \"pod\" : {\"name\":\"web-1\"}, \"at\"");
    }
    adorned.lines().insert(0, r#"{"mark":"moon","green":"cheese","at":"noon"}"#.to_owned());
    adorned.lines().insert(900, String::new());
    adorned.lines().insert(901, r#"{"at":99999999,"mark":"operator","says":"hm"}"#.to_owned());
    let as_it_is = judged("", plain.text());
    for text in [adorned.text(), adorned.text().replace('\n', "\r\n")] {
        let adorned = judged("", text);
        assert_eq!((as_it_is.exit, &as_it_is.out), (adorned.exit, &adorned.out));
        // It is told that nobody knows the key, and what it holds is not asked.
        assert!(adorned.err.contains("`pod` is not a key of a sample"), "{}", adorned.err);
    }
}

#[test]
fn a_line_that_is_none_is_told_with_its_number_after_what_was_judged_before_it() {
    let mut hour = after_ten_minutes(failing(20));
    let whole = judged("", hour.text());
    let lines = hour.lines().len();
    hour.line("garbage").line("{}");
    let broken = judged("", hour.text());
    assert_eq!(broken.exit, 1);
    assert_eq!(broken.out, whole.out, "what was judged before is there");
    let told = format!("error: hour.jsonl, line {}: expected value", lines + 1);
    assert!(
        broken.err.contains(&told) && broken.err.contains("\nhint: a line is"),
        "{}",
        broken.err
    );
    let binary = [hour.text().lines().next().unwrap().as_bytes(), b"\n\xff\xfe{}\n"].concat();
    let binary = judged("", binary);
    assert_eq!(binary.exit, 1);
    assert!(binary.err.contains("line 2: it is not text"), "{}", binary.err);
}

#[test]
fn a_last_line_that_was_cut_off_is_left_out_and_told() {
    let mut hour = after_ten_minutes(failing(20));
    let whole = judged("", hour.text());
    let lines = hour.lines().len();
    let cut = hour.text() + r#"{"at":1201000,"role":"gre"#;
    let cut = judged("", cut);
    assert_eq!((cut.exit, &cut.out), (3, &whole.out));
    let told = format!("line {}: it was cut off", lines + 1);
    assert!(cut.err.contains(&told), "{}", cut.err);
    let trimmed = judged("", hour.text().trim_end());
    assert_eq!(trimmed, whole, "a last line without its line feed is a line");
}

#[test]
fn the_same_counts_give_the_same_bytes_by_whatever_way_they_come() {
    let text = after_ten_minutes(failing(20)).text();
    let place = Place::new();
    let first = place.judge(&text);
    assert_eq!(first, place.judge(&text));
    assert_eq!(first, place.judge_piped(&text));
    let json = place.run(&["backtest", "plan.toml", "./hour.jsonl", "--json"]);
    assert_eq!(first, json);
}

#[test]
fn on_a_terminal_it_is_read_by_people_and_the_last_line_sums_up() {
    let place = Place::new();
    place.write("hour.jsonl", after_ten_minutes(failing(20)).text());
    let path = |name: &str| place.path(name).display().to_string();
    let argv =
        [env!("CARGO_BIN_EXE_switchback"), "backtest", &path("plan.toml"), &path("hour.jsonl")];
    let env = [("TERM".to_owned(), "xterm".to_owned())];
    let mut terminal = Cockpit::open(&argv.map(str::to_owned), &env, (200, 40));
    terminal.expect("10:25  TRIPPED   5xx").expect("would have gone back at 10:25, 0:25 after");
    assert!(!terminal.screen().contains("\"at\""), "{}", terminal.screen());
    assert_eq!(terminal.exit_code(), 3);
}

#[test]
fn other_limits_say_something_else_of_the_same_samples() {
    let text = after_ten_minutes(failing(20)).text();
    let generous = "[[limit]]\nsignal = \"error_rate\"\nabove = \"30%\"\nfor = \"2m\"\n";
    assert_eq!(judged(generous, &text).exit, 0);
    let literal =
        "[[limit]]\nsignal = \"error_rate\"\nabove = \"2%\"\nfor = \"2m\"\njudge = \"literal\"\n";
    let literal = judged(literal, &text);
    assert_eq!(literal.exit, 3);
    let tripped = literal.when("error_rate", "tripped").unwrap();
    assert!((715..=725).contains(&tripped), "above 2 % for all of 2m: {tripped}");
}

#[test]
fn a_gauge_is_judged_only_where_the_plan_has_a_source_for_it() {
    let mut hour = after_ten_minutes(WELL);
    for (n, at) in (601..1200).enumerate() {
        hour.lines().push(format!(
            r#"{{"at":{at}000,"role":"green","from":"gauges","queue_depth":{}}}"#,
            600 + n
        ));
    }
    // In the order of time.
    hour.lines().sort_by_key(|line| {
        let digits: String = line
            .split("\"at\":")
            .nth(1)
            .unwrap()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse::<u64>().unwrap()
    });
    let place = Place::new();
    let without = place.judge(hour.text());
    assert_eq!(without.of_limit("queue_depth"), []);
    assert!(without.err.contains("queue_depth is here and was not judged"), "{}", without.err);
    let limit = "[signals]\nqueue_depth = { readiness = \"/queue\" }\n\
                 [[limit]]\nsignal = \"queue_depth\"\nabove = 500\nfor = \"2m\"\n";
    let with = judged(limit, hour.text());
    assert!(with.when("queue_depth", "tripped").is_some(), "{with:?}");
}

#[test]
fn wrong_use_is_told_apart_from_what_cannot_be_read() {
    let place = Place::new();
    place.write("hour.jsonl", after_ten_minutes(WELL).text());
    let exit = |args: &[&str]| {
        let said = place.run(args);
        assert!(said.out.is_empty() && !said.err.is_empty(), "{said:?}");
        (said.exit, said.err)
    };
    assert_eq!(exit(&["backtest", "plan.toml"]).0, 2);
    assert_eq!(exit(&["backtest", "nowhere.toml", "hour.jsonl"]).0, 2);
    let (code, says) = exit(&["backtest", "plan.toml", "nowhere.jsonl"]);
    assert!(code == 1 && says.contains("no file nowhere.jsonl") && says.contains("hint"), "{says}");
    assert_eq!(exit(&["backtest", "plan.toml", "./nowhere/hour.jsonl"]).0, 1);
    place.write("plan.toml", "schema = 1\nservice = \"notes\"\n");
    assert_eq!(exit(&["backtest", "plan.toml", "hour.jsonl"]).0, 2);
}

#[test]
fn counts_that_nobody_can_believe_end_nothing() {
    let mut hour = after_ten_minutes(WELL);
    let most = u64::MAX;
    hour.line(format!(
        r#"{{"at":{most},"role":"green","from":"users","requests":{most},"failed":{most},"latency_ms":{{"1e300":{most},"0":{most}}}}}"#
    ));
    hour.split(1300, 0).split(1, 100).seconds(0, 20, failing(100), failing(100));
    let judged = judged("", hour.text());
    assert!(matches!(judged.exit, 0 | 3), "{judged:?}");
}
