//! Finding and reading scenarios: by name from those built in, or by path. What is wrong is said
//! with its line, its cause and the next move.

use super::answer::Answer;
use super::file::File;
use super::{Scenario, check};
use crate::runbook::readback::{Fault, FaultKind};
use std::borrow::Cow;

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../scenarios/", $name, ".toml")))),*]
    };
}

/// Easiest first.
const BUILTIN: [(&str, &str); COUNT] = builtin![
    // Level 1.
    "plain-sailing",
    "wall-of-red",
    "cold-shiver",
    "unset-variable",
    "missing-binary",
    "half-open-door",
    "slow-goodbye",
    "debug-left-on",
    // Level 2.
    "twice-the-pool",
    "only-the-tail",
    "nobodys-error",
    "quiet-heap",
    "eight-minutes",
    "one-of-three",
    "rings-twice",
    "three-in-the-morning",
    "neighbours-noise",
    "wrong-passport",
    "straggling-clock",
    "creeping-ramp",
    // Level 3.
    "both-beds",
    "lock-at-the-altar",
    "no-way-back",
    "empty-hangar",
    "router-says-no",
    "the-cure",
    "cold-blue",
    "flat-and-perfect",
    "pinned",
    "still-bleeding",
    "old-address-book",
    "logged-out",
    "logged-in-again",
    // Level 4.
    "loud-thief",
    "cries-wolf",
    "poisoned-letters",
    "which-one-is-live",
    "old-mine",
];
const COUNT: usize = 38;

/// The names of the scenarios that come with the program, easiest first.
pub fn builtin() -> impl Iterator<Item = &'static str> {
    BUILTIN.into_iter().map(|(name, _)| name)
}

/// The scenario of this name, or in the file at this path (which ends in `.toml` or holds a
/// slash).
pub fn load(name: &str) -> Result<Scenario, Fault> {
    parse(name, &text(name)?)
}

/// The answer of the scenario of this name, or in the file at this path. Whoever shows it before
/// the end of a drill has spoiled the drill.
pub fn load_answer(name: &str) -> Result<Answer, Fault> {
    parse_answer(name, &text(name)?)
}

/// The whole file as it is written, for its hash and for the journal.
pub fn text(name: &str) -> Result<Cow<'static, str>, Fault> {
    if let Some((_, text)) = BUILTIN.into_iter().find(|(known, _)| *known == name) {
        return Ok(Cow::Borrowed(text));
    }
    if name.ends_with(".toml") || name.contains('/') {
        let text = std::fs::read_to_string(name).map_err(|error| {
            local(format!("scenario {name} could not be read: {error}"), "check the path")
        })?;
        return Ok(Cow::Owned(text));
    }
    let nearest = nearest(name, builtin());
    let known = builtin().collect::<Vec<_>>().join(", ");
    Err(local(
        format!("no scenario is called {name:?}"),
        match nearest {
            Some(nearest) => format!("did you mean {nearest}? known are {known}"),
            None => format!("known are {known}; a path to a file ends in .toml"),
        },
    ))
}

/// Reads a scenario's text; `name` is what errors call it.
pub fn parse(name: &str, text: &str) -> Result<Scenario, Fault> {
    whole(name, text).map(|(scenario, _)| scenario)
}

/// Reads the answer in a scenario's text; `name` is what errors call it.
pub fn parse_answer(name: &str, text: &str) -> Result<Answer, Fault> {
    whole(name, text).map(|(_, answer)| answer)
}

fn whole(name: &str, text: &str) -> Result<(Scenario, Answer), Fault> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let (cause, hint) = explain(error.message());
        local(format!("scenario {name}, line {line}: {cause}"), hint)
    })?;
    let (scenario, answer) = file.apart();
    check::scenario(&scenario).and_then(|()| check::answer(&scenario, &answer)).map_err(
        |wrong| {
            let line = text.find(&*wrong.near).map_or(1, |at| line_of(text, at));
            local(format!("scenario {name}, line {line}: {}", wrong.cause), wrong.hint)
        },
    )?;
    Ok((scenario, answer))
}

fn local(cause: String, hint: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Local, cause, hint)
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The word that is most like `word`, if one is like it at all.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Cause and next move for what the parser says.
fn explain(message: &str) -> (String, String) {
    let message = message.trim();
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let mut ticked = message.split('`').skip(1).step_by(2);
        let word = ticked.next().unwrap_or_default();
        let known: Vec<_> = ticked.collect();
        let hint = match nearest(word, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known here are {}", known.join(", ")),
        };
        let what = if message.starts_with("unknown field") { "key" } else { "word" };
        return (format!("unknown {what} `{word}`"), hint);
    }
    let cause = message.lines().next().unwrap_or_default().to_owned();
    (cause, "correct the line; scenarios/plain-sailing.toml is an example".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = "schema = 1\n[drill]\nid = \"x\"\ntitle = \"X\"\nlevel = 1\nminutes = 3\n";

    #[test]
    fn everything_but_the_name_has_a_default() {
        let scenario = parse("x", SHORT).unwrap();
        assert_eq!(scenario.traffic.base_rps, 40.0);
        assert_eq!(scenario.world.blue.version, "1.8.2");
        assert!(scenario.faults.is_empty());
    }

    #[test]
    fn what_is_said_of_the_live_release_does_not_make_it_the_next_one() {
        let text = format!("{SHORT}[world.blue]\nworkers = 2\n[world.green]\nboot = \"6s\"\n");
        let world = parse("x", &text).unwrap().world;
        assert_eq!((world.blue.version.as_str(), world.blue.workers), ("1.8.2", 2));
        assert_eq!(world.green.version, "1.9.0");
        let named = parse("x", &format!("{SHORT}[world.blue]\nversion = \"1.9.0\"\n")).unwrap();
        assert_eq!(named.world.blue.version, "1.9.0", "what is said counts");
    }

    #[test]
    fn what_is_built_in_is_whole() {
        for name in builtin() {
            let scenario = load(name).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(scenario.drill.id, name);
            assert!(!scenario.story.brief.is_empty());
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones_with_the_nearest() {
        let fault = load("wall-of-rad").unwrap_err();
        assert!(fault.cause.as_str().contains("wall-of-rad"));
        assert!(fault.hint.as_str().starts_with("did you mean wall-of-red?"), "{}", fault.hint);
        assert!(fault.hint.as_str().contains("cold-shiver"));
        assert!(load("zzz").unwrap_err().hint.as_str().starts_with("known are"));
    }

    #[test]
    fn each_fault_is_named_by_line_with_cause_and_hint() {
        for (add, line, cause, hint) in [
            ("[traffic]\nbase_rsp = 3\n", 8, "unknown key `base_rsp`", "base_rps"),
            ("[traffic]\nbase_rps = \"many\"\n", 8, "invalid type", "plain-sailing"),
            ("[traffic]\nbase_rps = 0.0\n", 8, "0 requests", "more than 0"),
            ("[plan]\nsoak = \"soon\"\n", 8, "no duration", "plain-sailing"),
            (
                "\n[[fault]]\nid = \"f\"\nkind = \"http.eror\"\nat = \"start\"\n",
                10,
                "http.eror",
                "http.error",
            ),
            (
                "[[fault]]\nid = \"f\"\nkind = \"http.error\"\nat = \"swich\"\nshare = 0.1\n",
                10,
                "swich",
                "",
            ),
            ("[[fault]]\nid = \"f\"\nkind = \"http.error\"\nat = \"start\"\n", 7, "share", ""),
            (
                "[[fault]]\nid = \"f\"\nkind = \"http.error\"\nat = \"start\"\nshare = 0.1\nvalue = 2\n",
                7,
                "value",
                "",
            ),
            ("[answer]\ncuase = \"x\"\n", 8, "unknown key `cuase`", "cause"),
            ("[[decision]]\nid = \"d\"\ncall = \"rolback\"\n", 9, "rolback", "rollback"),
            ("[[decision]]\nid = \"d\"\ncall = \"declare\"\n", 8, "declares something", "declares"),
            (
                "[[decision]]\nid = \"d\"\ncall = \"hold\"\nthen = \"e\"\n",
                10,
                "no other decision",
                "[[decision]]",
            ),
            ("[bots]\noracle = [90, 80]\n", 8, "band of oracle", "lower one first"),
            (
                "[[critical]]\nwhen = \"fault:f\"\nsays = \"s\"\n",
                8,
                "no fault is called",
                "[[fault]]",
            ),
            ("[[inject]]\nat = \"soon\"\nfrom = \"a\"\ntext = \"b\"\n", 8, "no anchor", ""),
            ("[[offer]]\nlever = \"purge\"\nat = \"full\"\n", 8, "purge", "purge-cache"),
            (
                "[[fault]]\nid = \"f\"\nkind = \"http.error\"\nat = \"fault:f\"\nshare = 0.1\n",
                10,
                "waits for itself",
                "another anchor",
            ),
            (
                "[[fault]]\nid = \"f\"\nkind = \"mem.leak\"\nat = \"switch\"\nvalue = 1\nevery = \"3s\"\n",
                7,
                "has no `every`",
                "",
            ),
        ] {
            let fault = parse("x", &format!("{SHORT}{add}")).unwrap_err();
            let (got, next) = (fault.cause.as_str(), fault.hint.as_str());
            assert!(got.contains(&format!("line {line}:")), "{add}: {got}");
            assert!(got.contains(cause), "{add}: {got}");
            assert!(next.contains(hint), "{add}: {next}");
        }
    }
}
