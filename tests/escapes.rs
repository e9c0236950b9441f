//! The matrix: everything that acts on a terminal or hides in text, through every way in, on the
//! built program in a real terminal. Every byte that reached the terminal is parsed, every file of
//! the run is read, and only what our renderer makes is there.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use nix::sys::signal::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::cockpit::Cockpit;
use support::haproxy::{soon, within};
use support::place::{Place, Terms};

/// A class of what must never arrive, and one of its kind as bytes.
type Sent = (&'static str, Vec<u8>);
/// The ways in, and how many were sent by each.
type Ways = Vec<(&'static str, usize)>;

/// Every C0, C1, bidi, zero-width and tag character, and every kind of sequence in both forms.
fn matrix() -> Vec<Sent> {
    let chars = |class: &'static str, codes: &[(u32, u32)]| -> Vec<Sent> {
        let codes = codes.iter().flat_map(|&(first, last)| first..=last);
        let text = |c: char| (class, c.to_string().into_bytes());
        codes.filter_map(char::from_u32).map(text).collect()
    };
    let mut all: Vec<Sent> = [
        chars("C0", &[(0x00, 0x09), (0x0b, 0x1f)]),
        chars("DEL", &[(0x7f, 0x7f)]),
        chars("C1", &[(0x80, 0x9f)]),
        chars("bidi", &[(0x202a, 0x202e), (0x2066, 0x2069), (0x200e, 0x200f), (0x061c, 0x061c)]),
        chars("zero width", &[(0x200b, 0x200d), (0x2060, 0x2064), (0xfeff, 0xfeff), (0xad, 0xad)]),
        chars("separators", &[(0x2028, 0x2029)]),
        chars("variation", &[(0xfe00, 0xfe0f)]),
        chars("tag", &[(0xe0000, 0xe007f)]),
    ]
    .concat();
    all.extend((0x80..=0x9f).map(|byte| ("C1, one byte", vec![byte])));
    // Kind, what follows ESC, and how the same begins as one C1 character.
    let sequences: [(&str, &str); 31] = [
        ("CSI", "[2J"),
        ("CSI", "[31;1m"),
        ("CSI", "[1;1H"),
        ("CSI", "[?1049l"),
        ("CSI", "[?25l"),
        ("CSI", "[6n"),
        ("CSI", "[8m"),
        ("CSI", "[3J"),
        ("CSI", "[?1003h"),
        ("CSI", "[20t"),
        ("CSI", "[!p"),
        ("CSI", "[5i"),
        ("OSC", "]0;title\u{7}"),
        ("OSC", "]2;title\u{1b}\\"),
        ("OSC", "]52;c;aGk=\u{7}"),
        ("OSC", "]8;;http://x\u{1b}\\link"),
        ("OSC", "]1337;File=x\u{9c}"),
        ("OSC", "]4;1;?\u{7}"),
        ("OSC", "]133;A\u{7}"),
        ("DCS", "P$q\"p\u{1b}\\"),
        ("DCS", "P1;2|17/hi\u{9c}"),
        ("DCS", "Pq#0;2;0;0;0\u{1b}\\"),
        ("DCS", "+q544e\u{1b}\\"),
        ("APC", "_Gf=100;AAAA\u{1b}\\"),
        ("PM", "^private\u{1b}\\"),
        ("SOS", "Xstring\u{1b}\\"),
        ("ESC", "c"),
        ("ESC", "7"),
        ("ESC", "(0"),
        ("ESC", "#8"),
        ("ESC", "N"),
    ];
    for (kind, body) in sequences {
        all.push((kind, format!("\u{1b}{body}").into_bytes()));
        let first = body.as_bytes()[0];
        if (0x40..0x60).contains(&first) {
            let c1 = char::from(first + 0x40);
            all.push((kind, format!("{c1}{}", &body[1..]).into_bytes()));
            all.push((kind, [&[first + 0x40], &body.as_bytes()[1..]].concat()));
        }
    }
    all
}

/// The same, packed into texts of at most so many bytes.
fn packed(all: &[Sent], bytes: usize) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
    for (_, sent) in all {
        if texts.last().is_some_and(|text| text.len() + sent.len() > bytes) {
            texts.push(Vec::new());
        }
        texts.last_mut().unwrap().extend(sent);
    }
    texts
}

fn is_hidden(c: char) -> bool {
    matches!(c as u32,
        0x80..=0x9f | 0xad | 0x061c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}

/// What a terminal was told, beside text.
#[derive(Default)]
struct Told {
    strange: Vec<String>,
    printed: usize,
}

/// The modes that our renderer switches: the cursor, the other screen, pasted text, whole frames.
const MODES: [u16; 4] = [25, 1049, 2004, 2026];

impl vte::Perform for Told {
    fn print(&mut self, c: char) {
        self.printed += 1;
        if is_hidden(c) || c.is_control() {
            self.strange.push(format!("printed {c:?}"));
        }
    }

    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\r' | b'\n') {
            self.strange.push(format!("control {byte:02x}"));
        }
    }

    fn csi_dispatch(&mut self, params: &vte::Params, between: &[u8], _: bool, action: char) {
        let modes = || params.iter().all(|mode| mode.iter().all(|mode| MODES.contains(mode)));
        let ours = match (between, action) {
            // Colours, cursor moves, and what is erased.
            ([], 'm' | 'H' | 'A' | 'B' | 'C' | 'D' | 'G' | 'd' | 'J' | 'K' | 'X') => true,
            (b"?", 'h' | 'l') => modes(),
            // How keys are reported.
            (b">" | b"<", 'u') => true,
            _ => false,
        };
        if !ours {
            self.strange.push(format!("CSI {between:?} {params:?} {action}"));
        }
    }

    fn esc_dispatch(&mut self, between: &[u8], _: bool, byte: u8) {
        self.strange.push(format!("ESC {between:?} {byte:02x}"));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.strange.push(format!("OSC {params:?}"));
    }

    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.strange.push(format!("DCS {action}"));
    }
}

/// Whether a terminal was told nothing but what our renderer makes. APC, PM and SOS are swallowed
/// by the parser, so each escape is looked at as well.
fn only_ours(what: &str, bytes: &[u8]) {
    let mut told = Told::default();
    vte::Parser::new().advance(&mut told, bytes);
    assert!(told.strange.is_empty(), "{what}: {:?}", told.strange);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == 0x1b) {
        assert_eq!(bytes.get(at + 1), Some(&b'['), "{what}: an escape that is no CSI at {at}");
    }
    let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(!text.chars().any(is_hidden), "{what}");
}

fn all_strings(value: &serde_json::Value, visit: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => visit(text),
        serde_json::Value::Array(all) => all.iter().for_each(|value| all_strings(value, visit)),
        serde_json::Value::Object(all) => all.iter().for_each(|(name, value)| {
            visit(name);
            all_strings(value, visit);
        }),
        _ => {}
    }
}

/// Every file below: nothing in it acts, read as it is or as the JSON that it is.
fn files_are_clean(directory: &Path, seen: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() {
            files_are_clean(&entry, seen);
            continue;
        }
        if name == "plan.toml" {
            // The bytes that were read, as they were sealed.
            continue;
        }
        seen.push(name.clone());
        let bytes = fs::read(&entry).unwrap();
        let mut text = String::from_utf8(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        if name == "report.html" {
            // The player is the same in every report, and no word of anybody's.
            for part in switchback::evidence::report::PLAYER {
                text = text.replace(part.text, "");
            }
        }
        let odd = |c: char| c != '\n' && (c.is_control() || is_hidden(c));
        assert!(!text.contains(odd), "{name}: {:?}", text.chars().find(|&c| odd(c)));
        let cast = name.ends_with(".cast");
        if !cast && !name.ends_with(".jsonl") && !name.ends_with(".json") {
            continue;
        }
        let mut shown = String::new();
        for line in text.lines() {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            match value.as_array().filter(|_| cast).map(Vec::as_slice) {
                Some([_, serde_json::Value::String(kind), serde_json::Value::String(data)])
                    if kind == "o" =>
                {
                    shown.push_str(data);
                }
                _ => all_strings(&value, &mut |text| {
                    assert!(!text.contains(odd), "{name}: {text:?}")
                }),
            }
        }
        only_ours(&name, shown.as_bytes());
    }
}

fn checked(place: &Place, cockpit: &Cockpit, ways: &mut Ways, more: &[(&'static str, usize)]) {
    only_ours("the terminal", &cockpit.raw());
    let mut seen = Vec::new();
    for run in place.runs() {
        files_are_clean(&run, &mut seen);
    }
    assert!(seen.iter().any(|name| name == "journal.jsonl"), "{seen:?}");
    let trace = |run: &Path| {
        let read = |name| fs::read_to_string(run.join(name)).unwrap_or_default();
        (read("journal.jsonl") + &read("samples.jsonl")).contains("<U+")
    };
    assert!(place.runs().iter().any(|run| trace(run)), "{more:?}: nothing of it came in at all");
    ways.extend(more);
}

/// Writes every one of the matrix on a line of its own, which says that it was there.
fn as_lines(all: &[Sent]) -> Vec<u8> {
    let mut lines = Vec::new();
    for (n, (_, sent)) in all.iter().enumerate() {
        lines.extend_from_slice(format!("line {n} ").as_bytes());
        lines.extend_from_slice(sent);
        lines.extend_from_slice(b" end\n");
    }
    lines
}

fn terms(deploy: &'static str, more: String) -> Terms {
    Terms { deploy, deadline: "60s", soak: "1s", hold: "60s", more, ..Terms::default() }
}

#[test]
fn nothing_that_acts_reaches_the_terminal_or_a_file_by_any_way_in() {
    let all = matrix();
    let mut ways = Ways::new();
    of_the_operator(&all, &mut ways);
    of_the_plan(&all, &mut ways);
    of_commands(&all, &mut ways);
    of_services(&all, &mut ways);
    let classes: BTreeSet<_> = all.iter().map(|(class, _)| class).collect();
    let told: Vec<String> = ways.iter().map(|(way, n)| format!("{way} {n}")).collect();
    println!(
        "escape matrix: {} kinds of {} classes, {} ways, {} tried, 0 arrived: {}",
        all.len(),
        classes.len(),
        ways.len(),
        ways.iter().map(|(_, n)| n).sum::<usize>(),
        told.join(", ")
    );
}

/// What commands print: the deploy command, on the screen and as lines, and the logs command.
fn of_commands(all: &[Sent], ways: &mut Ways) {
    let prepared = |more: &str| {
        let place = Place::of_files(&terms("cat $HOME/matrix; $TELL", more.to_owned()));
        fs::write(place.path("matrix"), as_lines(all)).unwrap();
        place
    };
    let logs = "logs = [\"/bin/sh\", \"-c\", \"cat $HOME/matrix\"]\n";
    let place = prepared(logs);
    let mut cockpit = place.to_soak();
    cockpit.key("l").expect("Deploy").key("r").expect("ALL ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 5);
    let kept = fs::read_to_string(place.runs()[0].join("logs/green-last.log")).unwrap();
    for n in 0..all.len() {
        assert!(kept.contains(&format!("line {n} ")), "line {n} is not in the logs");
    }
    checked(&place, &cockpit, ways, &[("deploy output", all.len()), ("logs command", all.len())]);

    // As lines in a terminal every one of them is printed.
    let place = prepared(logs);
    let mut lines = place.cockpit("deploy PLAN --yes --plain");
    soon("Green soaks", || String::from_utf8_lossy(&lines.raw()).contains("Soak: begun"));
    lines.signal(Signal::SIGTERM);
    let _ = lines.exit_code();
    let printed = String::from_utf8(lines.raw()).unwrap();
    for n in 0..all.len() {
        assert!(printed.contains(&format!("line {n} ")), "line {n} was not printed");
    }
    checked(&place, &lines, ways, &[("deploy output as lines", all.len())]);
}

/// What services answer: words of components, releases in a body and in a header.
fn of_services(all: &[Sent], ways: &mut Ways) {
    let texts = packed(all, 48);
    let rounds = texts.len();
    for from in ["header = \"X-Version\"", "json = \"/version\""] {
        let place = Place::of_files(&terms("$TELL", String::new()));
        let plan = fs::read_to_string(place.plan()).unwrap();
        let plan = plan
            .replace("release = { header = \"X-Version\" }", &format!("release = {{ {from} }}"))
            .replace(
                "require = [\"database\"]",
                "require = [\"database\"]\noptional = [\"search\"]",
            );
        fs::write(place.plan(), plan).unwrap();
        place.left.says(texts.clone());
        let mut cockpit = place.cockpit("deploy PLAN");
        cockpit.expect("Confirm");
        // Each is said for four answers, and a second takes at least ten.
        let wanted = place.left.answered() + 4 * rounds as u64 + 40;
        within(Duration::from_secs(90), "all was said", || place.left.answered() >= wanted);
        cockpit.key("q");
        let _ = cockpit.exit_code();
        let way: &[(&str, usize)] = if from.starts_with("header") {
            &[("health body", all.len()), ("response header", all.len())]
        } else {
            &[("release in a body", all.len())]
        };
        checked(&place, &cockpit, ways, way);
    }
}

/// What an operator types and pastes.
fn of_the_operator(all: &[Sent], ways: &mut Ways) {
    let place = Place::of_files(&terms("$TELL", String::new()));
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy");
    let pasted: Vec<Sent> = all
        .iter()
        .filter(|(_, sent)| std::str::from_utf8(sent).is_ok_and(|text| !text.contains("[20")))
        .cloned()
        .collect();
    for (n, text) in packed(&pasted, 40).into_iter().enumerate() {
        let text = String::from_utf8(text).unwrap();
        cockpit.key("n").expect("Enter keep the note");
        cockpit.key(&format!("\u{1b}[200~paste {n} {text} pasted {n}.\u{1b}[201~"));
        cockpit.expect(&format!("pasted {n}.")).key("\r").expect_no("Enter keep the note");
    }
    // What is a key of its own is no text; the rest is typed.
    let typed: Vec<Sent> = all
        .iter()
        .filter(|(class, _)| {
            ["bidi", "zero width", "separators", "variation", "tag", "C1"].contains(class)
        })
        .cloned()
        .collect();
    for (n, text) in packed(&typed, 36).into_iter().enumerate() {
        let text = String::from_utf8(text).unwrap();
        cockpit.key("n").expect("Enter keep the note").key(&format!("{text} typed {n}."));
        cockpit.expect(&format!("typed {n}.")).key("\r").expect_no("Enter keep the note");
    }
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 0);
    checked(&place, &cockpit, ways, &[("note pasted", pasted.len()), ("note typed", typed.len())]);
}

/// What a plan says: refused with clean words, or shown clean.
fn of_the_plan(all: &[Sent], ways: &mut Ways) {
    let toml = |sent: &[u8]| {
        let text = String::from_utf8_lossy(sent);
        text.chars().fold(String::new(), |out, c| format!("{out}\\U{:08X}", c as u32))
    };
    let keys = [
        ("service name", "service = \"notes\"", "service = \"notesX\""),
        ("slot name", "right = \"http", "\"rightX\" = \"http"),
        ("release name", "next = \"1.1.0\"", "next = \"1.1.0X\""),
        (
            "change reason",
            "migration = \"none\"",
            "migration = \"none\"\nchange = { reason = \"whyX\" }",
        ),
    ];
    for (way, from, to) in keys {
        let place = Place::of_files(&terms("$TELL", String::new()));
        let good = fs::read_to_string(place.plan()).unwrap();
        let with = |text: &str| good.replacen(from, &to.replacen('X', text, 1), 1);
        // Each alone: what is accepted is flown together, and what is refused is told cleanly.
        let mut accepted = String::new();
        for (class, sent) in all {
            match switchback::plan::parse(&with(&toml(sent)), "plan.toml") {
                Ok(_) if accepted.len() < 2_000 => accepted.push_str(&toml(sent)),
                Ok(_) => {}
                Err(faults) => {
                    let told = faults.to_string();
                    let odd = |c: char| c != '\n' && (c.is_control() || is_hidden(c));
                    assert!(!told.contains(odd), "{way}, {class}: {told:?}");
                }
            }
        }
        let everything: String = all.iter().map(|(_, sent)| toml(sent)).collect();
        fs::write(place.plan(), with(&everything)).unwrap();
        for command in ["check PLAN", "deploy PLAN"] {
            let mut cockpit = place.cockpit(command);
            if command.starts_with("deploy")
                && switchback::plan::parse(&with(&everything), "p").is_ok()
            {
                cockpit.expect("Confirm").key("q");
            }
            let _ = cockpit.exit_code();
            only_ours(way, &cockpit.raw());
        }
        if !accepted.is_empty() && switchback::plan::parse(&with(&accepted), "p").is_ok() {
            fs::write(place.plan(), with(&accepted)).unwrap();
            let mut cockpit = place.cockpit("deploy PLAN");
            cockpit.expect("Confirm").key("q");
            let _ = cockpit.exit_code();
            only_ours(way, &cockpit.raw());
        }
        let mut seen = Vec::new();
        for run in place.runs() {
            files_are_clean(&run, &mut seen);
        }
        ways.push((way, all.len()));
    }
    // The bytes as they are, which no TOML may hold, and text that is none.
    let place = Place::of_files(&terms("$TELL", String::new()));
    let good = fs::read(place.plan()).unwrap();
    let some: Vec<&Sent> = all.iter().filter(|(class, _)| *class != "tag").step_by(5).collect();
    for (_, sent) in &some {
        let at = good.iter().position(|&b| b == b'n').unwrap();
        let bad = [&good[..at], sent, &good[at..]].concat();
        fs::write(place.plan(), bad).unwrap();
        let mut cockpit = place.cockpit("check PLAN");
        let _ = cockpit.exit_code();
        only_ours("a plan's bytes", &cockpit.raw());
    }
    ways.push(("plan bytes", some.len()));
}
