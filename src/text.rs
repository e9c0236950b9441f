//! One voice for times and numbers.
//!
//! The screen, plain lines and the report say durations, instants and counts in the same words,
//! and they take them from here. Nothing here reads a clock or knows a terminal. Durations as
//! people write them into a plan (`1h30m`) are `Millis`'s own `Display`; here is clock text, which
//! keeps its width while it runs.

use crate::units::Millis;

const SECOND: u64 = 1_000;
const DAY: i64 = 86_400_000;

/// A length of time as a clock shows it: `0:14`, `12:00`, `1:00:00`. Whole seconds, rounded down.
pub fn clock(length: Millis) -> String {
    let secs = length.0 / SECOND;
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

/// How long until `due`, as a clock shows it, rounded up: a countdown says `0:01` until it is over.
pub fn countdown(now: Millis, due: Millis) -> String {
    clock(due.since(now) + Millis(SECOND - 1))
}

/// Microseconds as a person compares them: `0.4 ms`, `31 ms`, `1.2 s`, `14 s`.
///
/// Screen, log, records and report all take it from here, so that one stamp has one voice. What is
/// not nothing is never said as nothing: less than the last digit is `<0.1 ms`.
pub fn micros(us: u64) -> String {
    let ms = us as f64 / 1_000.0;
    match us {
        1..=49 => "<0.1 ms".to_owned(),
        0..=9_949 => format!("{ms:.1} ms"),
        9_950..=999_499 => format!("{ms:.0} ms"),
        999_500..=9_949_999 => format!("{:.1} s", ms / 1_000.0),
        _ => format!("{:.0} s", ms / 1_000.0),
    }
}

/// How long ago something was, in its largest unit: `40s`, `12m`, `5h`, `3d`.
pub fn age(length: Millis) -> String {
    let secs = length.0 / SECOND;
    match secs {
        0..=59 => format!("{secs}s"),
        60..=3_599 => format!("{}m", secs / 60),
        3_600..=86_399 => format!("{}h", secs / 3_600),
        _ => format!("{}d", secs / 86_400),
    }
}

/// How many of something: `1 line`, `2 lines`, `no lines`.
pub fn count(n: u64, one: &str) -> String {
    match n {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// A share in percent as it is read at a glance: `0 %`, `0.3 %`, `12 %`.
///
/// What is not nothing is never said as nothing: a share below the last digit is `<0.1 %`.
pub fn percent(value: f64) -> String {
    if value > 0.0 && value < 0.05 {
        "<0.1 %".to_owned()
    } else if value == 0.0 || value >= 9.95 {
        format!("{value:.0} %")
    } else {
        format!("{value:.1} %")
    }
}

/// Milliseconds of latency as they are read at a glance: `8.2 ms`, `182 ms`, `1.4 s`.
pub fn latency(ms: f64) -> String {
    if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1_000.0)
    }
}

/// The time of day in UTC of an instant in milliseconds since 1970: `14:22:07`.
pub fn time_of_day(unix_ms: i64) -> String {
    let secs = unix_ms.rem_euclid(DAY) / 1_000;
    format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// Date and time of day in UTC of an instant in milliseconds since 1970:
/// `2026-11-23 14:22:07 UTC`.
pub fn utc(unix_ms: i64) -> String {
    let (year, month, day) = civil(unix_ms.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02} {} UTC", time_of_day(unix_ms))
}

/// The calendar date of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Counted from 1 March, so that the leap day is the last of its year; 146 097 days are 400 years.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_run_and_countdowns_end_at_nought() {
        assert_eq!(clock(Millis(14_900)), "0:14");
        assert_eq!(clock(Millis::secs(720)), "12:00");
        assert_eq!(clock(Millis::secs(3_600)), "1:00:00");
        assert_eq!(countdown(Millis(0), Millis(1_001)), "0:02");
        assert_eq!(countdown(Millis(1), Millis(1_001)), "0:01");
        assert_eq!(countdown(Millis(999), Millis(1_000)), "0:01");
        assert_eq!(countdown(Millis(2_000), Millis(1_000)), "0:00");
    }

    #[test]
    fn microseconds_take_the_unit_that_is_read_aloud() {
        for (us, words) in [
            (0, "0.0 ms"),
            (12, "<0.1 ms"),
            (412, "0.4 ms"),
            (3_149, "3.1 ms"),
            (9_949, "9.9 ms"),
            (9_999, "10 ms"),
            (31_200, "31 ms"),
            (96_400, "96 ms"),
            (999_499, "999 ms"),
            (999_500, "1.0 s"),
            (1_240_000, "1.2 s"),
            (14_200_000, "14 s"),
        ] {
            assert_eq!(micros(us), words);
        }
    }

    #[test]
    fn little_is_not_nothing() {
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.01), "<0.1 %");
        assert_eq!(percent(0.32), "0.3 %");
        assert_eq!(percent(60.0), "60 %");
        assert_eq!(count(1, "line"), "1 line");
        assert_eq!(count(0, "line"), "no lines");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        use chrono::{DateTime, Utc};
        assert_eq!(utc(1_795_443_727_000), "2026-11-23 14:22:07 UTC");
        for day in (-40_000..40_000).step_by(17) {
            let ms = day * DAY + 4_321_000;
            let theirs = DateTime::<Utc>::from_timestamp_millis(ms).unwrap();
            assert_eq!(utc(ms), theirs.format("%Y-%m-%d %H:%M:%S UTC").to_string());
        }
    }

    #[test]
    fn ages_say_their_largest_unit() {
        assert_eq!(age(Millis::secs(59)), "59s");
        assert_eq!(age(Millis::secs(3 * 86_400 + 5)), "3d");
    }
}
