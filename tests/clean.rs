//! Stories about untrusted text: what must never reach a terminal, and what must never be lost.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

use proptest::prelude::*;
use switchback::clean::{Clean, LENGTH, LineSplitter, Mask, lines};

/// Characters that act on a terminal, turn text around, or cannot be seen, class by class.
const LISTED: [(&str, &[(u32, u32)]); 8] = [
    ("C0", &[(0x00, 0x1f)]),
    ("DEL and C1", &[(0x7f, 0x9f)]),
    ("bidi", &[(0x202a, 0x202e), (0x2066, 0x2069), (0x200e, 0x200f), (0x061c, 0x061c)]),
    ("separators", &[(0x2028, 0x2029)]),
    ("zero width", &[(0x200b, 0x200d), (0x2060, 0x2064), (0xfeff, 0xfeff), (0xad, 0xad)]),
    ("variation", &[(0xfe00, 0xfe0f), (0xe0100, 0xe01ef)]),
    ("tags", &[(0xe0000, 0xe007f)]),
    ("not characters", &[(0xfffe, 0xffff), (0x10_fffe, 0x10_ffff)]),
];

fn listed() -> impl Iterator<Item = (&'static str, char)> {
    LISTED.into_iter().flat_map(|(class, ranges)| {
        let codes = ranges.iter().flat_map(|&(first, last)| first..=last);
        codes.filter_map(char::from_u32).map(move |c| (class, c))
    })
}

fn is_listed(c: char) -> bool {
    LISTED
        .iter()
        .any(|(_, ranges)| ranges.iter().any(|&(first, last)| (first..=last).contains(&(c as u32))))
}

fn check(clean: &Clean, what: &str) {
    assert!(!clean.as_str().chars().any(|c| c.is_control() || is_listed(c)), "{what}: {clean:?}");
    assert!(clean.as_str().chars().count() <= LENGTH, "{what}");
}

#[test]
fn nothing_of_any_class_survives_and_everything_leaves_a_trace() {
    for (class, c) in listed() {
        let (clean, counts) = Clean::counted(&format!("a{c}b"));
        check(&clean, class);
        assert!(clean.as_str().len() > 2, "{class} {:04X} vanished", c as u32);
        assert!(counts.is_odd() || matches!(c, '\t' | '\n'), "{class} {:04X}", c as u32);
    }
}

#[test]
fn no_escape_sequence_survives_whatever_it_begins_with() {
    let bodies = [
        "[2J",
        "[31;1m",
        "[1;1H",
        "[?1049h",
        "[6n",
        "[8m",
        "]0;title\u{7}",
        "]52;c;aGk=\u{7}",
        "]8;;http://x\u{1b}\\link",
        "]1337;File=x\u{9c}",
        "P$q\"p\u{1b}\\",
        "P1;2|17/hi\u{9c}",
        "_Gf=100;AAAA\u{1b}\\",
        "^private\u{1b}\\",
        "Xstring\u{1b}\\",
        "c",
        "7",
        "(0",
        "#8",
        "=",
        "N",
    ];
    for body in bodies {
        check(&Clean::new(&format!("ok \u{1b}{body} ok")), body);
        // The same as one C1 character, where there is one, as text and as a raw byte.
        let first = body.as_bytes()[0];
        if (0x40..0x60).contains(&first) {
            let c1 = char::from(first + 0x40);
            check(&Clean::new(&format!("ok {c1}{}", &body[1..])), body);
            let raw = [&b"ok "[..], &[first + 0x40], &body.as_bytes()[1..]].concat();
            check(&Clean::from_bytes(&raw), body);
        }
    }
}

#[test]
fn what_was_forged_in_a_file_is_clean_after_reading() {
    let forged: Clean = serde_json::from_str(r#""\u001b]0;owned\u0007\u202e""#).unwrap();
    check(&forged, "from a file");
    assert_eq!(forged.as_str(), "␛]0;owned␇<U+202E>");
    let again: Clean = serde_json::from_str(&serde_json::to_string(&forged).unwrap()).unwrap();
    assert_eq!(again, forged);
}

#[test]
fn once_named_a_secret_is_masked_wherever_clean_text_is_made() {
    let secret = "correct horse battery";
    let named = || Mask::new([("horse".to_owned(), secret.to_owned())]);
    switchback::clean::install(named()).unwrap();
    assert!(switchback::clean::install(named()).is_err(), "the first one stays");
    let masked = "a [redacted:horse] b";
    let text = format!("a {secret} b");
    assert_eq!(Clean::new(&text).as_str(), masked);
    assert_eq!(Clean::from_bytes(text.as_bytes()).as_str(), masked);
    assert_eq!(lines(text.as_bytes())[0].as_str(), masked);
    let read: Clean = serde_json::from_str(&format!("{text:?}")).unwrap();
    assert_eq!(read.as_str(), masked);
}

#[test]
fn a_secret_in_a_stream_is_masked_in_every_dress_wherever_a_read_ends() {
    let mask = Mask::new([
        ("token".to_owned(), "s3cret & <safe>".to_owned()),
        ("pem".to_owned(), "first-line-1\nsecond-line-2\n".to_owned()),
    ]);
    let key =
        "web | -----BEGIN EC PRIVATE KEY-----\nweb | MHcCAQEE\nweb | -----END EC PRIVATE KEY-----";
    for (text, says) in [
        ("x s3cret & <safe> y", "x [redacted:token] y"),
        ("x s3cret &amp; &lt;safe&gt; y", "x [redacted:token] y"),
        ("x 7333637265742026203c736166653e y", "x [redacted:token] y"),
        ("x 7333637265742026203C736166653E y", "x [redacted:token] y"),
        ("x s3cret%20%26%20%3csafe%3e y", "x [redacted:token] y"),
        ("x s3cret+%26+%3Csafe%3E y", "x [redacted:token] y"),
        (r"x s3cret \u0026 \u003csafe\u003e y", "x [redacted:token] y"),
        ("x first-line-1\nsecond-line-2 y", "x [redacted:pem]|[redacted:pem] y"),
        (r"x first-line-1\nsecond-line-2 y", "x [redacted:pem] y"),
        ("x glpat-abcdefghij0123456789 y", "x [redacted:token] y"),
        ("x xoxp-1234567890-abc y", "x [redacted:token] y"),
        (key, "web | [redacted:private_key]"),
    ] {
        for cut in 0..=text.len() {
            let mut splitter = LineSplitter::with(&mask, LENGTH);
            let mut lines = splitter.push(&text.as_bytes()[..cut]);
            lines.extend(splitter.push(&text.as_bytes()[cut..]));
            lines.extend(splitter.finish());
            let lines: Vec<&str> = lines.iter().map(Clean::as_str).collect();
            assert_eq!(lines.join("|"), says, "cut at {cut}");
        }
    }
}

#[test]
fn many_lines_are_as_many_lines() {
    let text = "0123456789\n".repeat(100_000);
    assert_eq!(lines(text.as_bytes()).len(), 100_000);
}

/// Text with more trouble in it than chance would bring.
fn troubled() -> impl Strategy<Value = String> {
    let bad: Vec<char> = listed().map(|(_, c)| c).collect();
    let words = [
        "hunter2-aaaa",
        "hunter2-",
        "aaaa",
        "redacted",
        "[redacted:",
        "[redacted:token]",
        "[redacted:bearer]",
        "[redacted:assign",
        "password=",
        "token: ",
        "\"secret\":\"",
        "]",
        "://",
        "@",
        ":",
        "/",
        "Bearer ",
        "bearer\t",
        "AKIA",
        "ABCDEFGHIJKLMNOP",
        "ghp_",
        "abcdefghij0123456789",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END ",
        "-----",
        "\n",
        "x",
    ];
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(bad).prop_map(String::from),
        prop::sample::select(words.map(str::to_owned).to_vec()),
        prop::sample::select(words.map(str::to_owned).to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn mask() -> Mask {
    Mask::new([
        ("token".to_owned(), "hunter2-aaaa".to_owned()),
        ("long".to_owned(), "hunter2-aaaahunter2-aaaa".to_owned()),
    ])
}

/// What is personal, planted where a log might have it.
fn planted() -> impl Strategy<Value = (&'static str, String)> {
    let seen = |a: &std::net::Ipv4Addr| !a.is_loopback() && !a.is_unspecified();
    let four = any::<std::net::Ipv4Addr>().prop_filter("a client's", seen);
    let six = any::<[u16; 8]>().prop_map(|mut groups| {
        // As a provider gives them out.
        groups[0] = 0x2000 | groups[0] & 0x1fff;
        std::net::Ipv6Addr::from(groups)
    });
    prop_oneof![
        four.prop_map(|a| ("client_address", a.to_string())),
        six.prop_map(|a| ("client_address", a.to_string())),
        (any::<u16>(), any::<u16>())
            .prop_map(|(a, b)| ("client_address", format!("2001:db8:{a:x}::{b:x}"))),
        "[a-z][a-z0-9._+-]{0,9}[a-z0-9]@[a-z]{1,8}(\\.[a-z]{2,6}){1,2}"
            .prop_filter("a person's", |mail| {
                let unit = ["service", "socket", "target", "mount", "timer", "slice", "scope"];
                let unit = unit.iter().chain(&["device", "path", "swap", "automount"]);
                !unit.clone().any(|unit| mail.ends_with(unit)) && !mail.contains("git@")
            })
            .prop_map(|mail| ("email", mail)),
    ]
}

/// What may stand around it: nothing that would make another number or name of it.
fn around() -> impl Strategy<Value = (String, String)> {
    let before = [
        "",
        " ",
        "\t",
        "\"",
        "'",
        "(",
        "[",
        "{",
        "<",
        "=",
        ",",
        ";",
        "|",
        "/",
        "ip=",
        "from ",
        "for=",
        "\u{1b}[1;31m",
        "\u{1b}[0m",
        "\u{200b}",
        "\u{202e}",
        "\r",
        "http://",
        "client: ",
        "ü ",
        "漢",
        "🚀",
        "2026-11-23T12:41:07Z ",
        "12:41:07 ",
        "a::b::c ",
        "[redacted:email]",
        "\\n",
        "?",
    ];
    let after = [
        "",
        " ",
        "\t",
        "\"",
        "'",
        ")",
        "]",
        "}",
        ">",
        ",",
        ";",
        "|",
        "/",
        ".",
        ". ",
        ", next",
        " - -",
        "\u{1b}[0m",
        "\u{200b}",
        "\u{202e}",
        "\r",
        " ü",
        "…",
        "!",
        "?",
        "?a=b",
        "/24",
        "\\",
    ];
    (
        prop::sample::select(before.map(str::to_owned).to_vec()),
        prop::sample::select(after.map(str::to_owned).to_vec()),
    )
}

/// A secret that no plan has named, where programs print such things; and how it begins there.
fn assigned() -> impl Strategy<Value = (String, String, String)> {
    let names = [
        "password",
        "DB_PASSWORD",
        "db.passwd",
        "MYSQL_PWD",
        "client-secret",
        "accessToken",
        "API_KEY",
        "apikey",
        "aws_secret_access_key",
        "privateKey",
        "CREDENTIALS",
    ];
    let dresses = [
        ("=", ""),
        ("='", "'"),
        ("=\"", "\""),
        (" = ", ""),
        (": ", ""),
        (": \"", "\""),
        ("\":\"", "\""),
        ("\" : \"", "\","),
        ("\":", "}"),
        ("\\\":\\\"", "\\\""),
        ("\u{1b}[2m=\u{1b}[0m", ""),
        (" => '", "'"),
    ];
    let value = prop_oneof![
        // Neither a number of a few digits nor a word that says that there is nothing.
        "[A-Za-z0-9!#@+/_-]{3,20}[a-z0-9]".prop_filter("a secret", |value| {
            let path = value.starts_with('/') || value.starts_with("-");
            let word = ["true", "null", "none", "false", "undefined", "redacted", "hidden"];
            let word = word.contains(&value.to_ascii_lowercase().as_str());
            !path && !word && value.chars().any(|c| !matches!(c, 'x' | 'X' | '-'))
        }),
        "[0-9]{4,12}",
    ];
    (prop::sample::select(names.to_vec()), prop::sample::select(dresses.to_vec()), value)
        .prop_map(|(name, (open, close), value)| (format!("{name}{open}"), value, close.to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn clean_text_is_clean_and_cleaning_it_again_changes_nothing(text in troubled()) {
        let mask = mask();
        let (once, _) = Clean::with(text.as_bytes(), &mask, LENGTH);
        check(&once, "text");
        prop_assert!(!once.as_str().contains("hunter2-aaaa"));
        prop_assert!(once.ascii().bytes().all(|b| (b' '..=b'~').contains(&b)));
        let (twice, counts) = Clean::with(once.as_str().as_bytes(), &mask, LENGTH);
        prop_assert_eq!(&twice, &once);
        prop_assert_eq!(counts.masked, 0);
        let clean = Clean::new(&text);
        let read: Clean = serde_json::from_str(&serde_json::to_string(&clean).unwrap()).unwrap();
        prop_assert_eq!(read, clean);
    }

    #[test]
    fn any_bytes_become_clean(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        check(&Clean::from_bytes(&bytes), "bytes");
        for line in lines(&bytes) {
            check(&line, "line");
        }
    }

    #[test]
    fn where_reads_end_makes_no_difference(
        text in troubled(),
        cuts in prop::collection::vec(0usize..400, 0..6),
    ) {
        let mask = mask();
        let bytes = text.as_bytes();
        let split = |mut at: Vec<usize>| {
            at.push(bytes.len());
            at.sort_unstable();
            let mut splitter = LineSplitter::with(&mask, LENGTH);
            let (mut from, mut out) = (0, Vec::new());
            for to in at.into_iter().map(|to| to.min(bytes.len())) {
                out.extend(splitter.push(&bytes[from..to]));
                from = to;
            }
            out.extend(splitter.finish());
            out
        };
        let whole = split(Vec::new());
        prop_assert!(whole.iter().all(|line| !line.as_str().contains("hunter2-aaaa")));
        prop_assert_eq!(split(cuts), whole);
    }

    #[test]
    fn nothing_personal_survives_in_any_surrounding(
        (rule, personal) in planted(),
        (before, after) in around(),
        far in troubled(),
    ) {
        let mask = mask();
        let text = format!("{before}{personal}{after}");
        let (clean, _) = Clean::foreign_with(text.as_bytes(), &mask, LENGTH);
        check(&clean, "planted");
        prop_assert!(!clean.as_str().contains(&personal), "{} in {}", personal, clean);
        prop_assert!(clean.as_str().contains("[redacted:"), "{}: {}", rule, clean);
        // With more around it than anybody thinks of, as a line of a program's output.
        let text = format!("{far} {before}{personal}{after} {far}");
        for line in lines(text.as_bytes()) {
            prop_assert!(!line.as_str().contains(&personal), "{} in {}", personal, line);
        }
    }

    #[test]
    fn nothing_that_is_called_a_secret_survives_in_any_surrounding(
        (called, secret, close) in assigned(),
        (before, after) in around(),
        far in troubled(),
    ) {
        let mask = mask();
        // Behind a bare value stands what ends one.
        let after = if close.is_empty() { format!(" {after}") } else { after };
        for text in [
            format!("{before}{called}{secret}{close}{after}"),
            format!("{before} {called}{secret}{close}{after} {far}"),
        ] {
            let (clean, counts) = Clean::foreign_with(text.as_bytes(), &mask, LENGTH);
            check(&clean, "planted");
            prop_assert!(counts.masked > 0, "{}", clean);
            prop_assert!(!clean.as_str().contains(&format!("{called}{secret}")), "{}", clean);
            let again = Clean::foreign_with(clean.as_str().as_bytes(), &mask, LENGTH);
            prop_assert_eq!(again.0, clean);
        }
    }

    #[test]
    fn others_text_is_clean_and_cleaning_it_again_changes_nothing(
        text in troubled(),
        pieces in prop::collection::vec((planted(), around()), 0..8),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mask = mask();
        let mut all = text;
        for ((_, personal), (before, after)) in pieces {
            all.push_str(&format!("{before}{personal}{after}"));
        }
        let all = [all.as_bytes(), &bytes].concat();
        for length in [LENGTH, 40] {
            let (once, _) = Clean::foreign_with(&all, &mask, length);
            check(&once, "text");
            let again = once.as_str().as_bytes();
            prop_assert_eq!(&Clean::foreign_with(again, &mask, length).0, &once);
            prop_assert_eq!(&Clean::with(again, &mask, length).0, &once, "the journal reads it so");
        }
    }
}
