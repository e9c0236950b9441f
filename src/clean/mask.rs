//! Masks: a secret's value becomes `[redacted:NAME]` wherever it turns up.
//!
//! Two kinds of rules. Values that the plan names are looked for as they are and in the forms in
//! which programs like to print them: each line of a value of several lines, base64 in its three
//! alignments, percent-encoded, JSON-escaped. Patterns catch what nobody named: private keys,
//! bearer tokens, well-known token prefixes, the user part of a URL.
//!
//! A value shorter than [`SHORTEST`] is not masked, as it would blot out ordinary text; its name is
//! kept so that `check` can say so. Nothing here ever prints or hashes a value.

use super::assignment;
use super::forms::forms;
use super::personal::{self, Found, Personal};
use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};

/// The fewest characters of a value that is masked.
pub const SHORTEST: usize = 8;

/// The fewest characters at the end of what is typed by which a value is known before it is whole.
const BEGUN: usize = 4;

/// The longest e-mail address, which a cut may not halve either.
const PERSONAL_LENGTH: usize = 320;

const OPEN: &str = "[redacted:";

static INSTALLED: OnceLock<Mask> = OnceLock::new();
static PATTERNS_ALONE: LazyLock<Mask> = LazyLock::new(|| Mask::new([]));

/// A mask was installed before; the first one stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secrets of this process were already named")]
pub struct MaskInstalled;

pub(super) fn install(mask: Mask) -> Result<(), MaskInstalled> {
    INSTALLED.set(mask).map_err(|_| MaskInstalled)
}

/// The mask of this process; before one is installed, the patterns alone.
pub fn installed() -> &'static Mask {
    INSTALLED.get().unwrap_or(&PATTERNS_ALONE)
}

/// What is masked, and as what.
pub struct Mask {
    rules: Vec<Rule>,
    /// Forms of values, each with its rule, longest first.
    forms: Vec<(String, usize)>,
    /// Which forms begin with which byte, as positions in `forms`.
    by_first: Vec<Vec<usize>>,
    longest: usize,
    too_short: Vec<String>,
    /// Addresses that are the plan's own, and no client's.
    known: Vec<IpAddr>,
}

struct Rule {
    name: String,
    hits: AtomicU64,
}

/// Values are nobody's business, not even in a panic message.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.rules.iter().map(|rule| rule.name.as_str()).collect();
        f.debug_struct("Mask").field("names", &names).finish_non_exhaustive()
    }
}

/// The patterns that are always on; a pattern's position here is that of its rule.
const PATTERNS: [&str; 9] = [
    "private_key",
    "bearer",
    "token",
    "userinfo",
    personal::NAMES[0],
    personal::NAMES[1],
    personal::NAMES[2],
    personal::NAMES[3],
    assignment::NAME,
];
const PRIVATE_KEY: usize = 0;
const BEARER: usize = 1;
const TOKEN: usize = 2;
const USERINFO: usize = 3;
/// The first of the rules for what is personal.
const PERSONAL: usize = 4;

/// What is called a secret, in other people's text.
const ASSIGNMENT: usize = 8;

/// Whether a byte belongs to a token.
type Belongs = fn(u8) -> bool;

/// Beginnings of well-known tokens, the characters that follow, and the fewest of them.
const TOKENS: [(&str, Belongs, usize); 17] = [
    ("AKIA", upper_or_digit, 16),
    ("ASIA", upper_or_digit, 16),
    ("ghp_", word, 20),
    ("gho_", word, 20),
    ("ghu_", word, 20),
    ("ghs_", word, 20),
    ("ghr_", word, 20),
    ("github_pat_", word, 20),
    ("glpat-", word_or_dash, 20),
    ("xoxa-", word_or_dash, 10),
    ("xoxb-", word_or_dash, 10),
    ("xoxp-", word_or_dash, 10),
    ("xoxr-", word_or_dash, 10),
    ("xoxs-", word_or_dash, 10),
    ("sk_live_", word, 16),
    ("rk_live_", word, 16),
    ("AIza", word_or_dash, 35),
];

const fn upper_or_digit(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

const fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

const fn word_or_dash(b: u8) -> bool {
    word(b) || b == b'-'
}

const fn bearer(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

impl Mask {
    /// A mask for these values by name, and for the patterns.
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let rule = |name: &str| Rule { name: safe_name(name), hits: AtomicU64::new(0) };
        let mut mask = Self {
            rules: PATTERNS.iter().map(|name| rule(name)).collect(),
            forms: Vec::new(),
            by_first: vec![Vec::new(); 256],
            longest: 0,
            too_short: Vec::new(),
            known: Vec::new(),
        };
        for (name, value) in values {
            let forms = forms(&value);
            if forms.is_empty() {
                mask.too_short.push(safe_name(&name));
                continue;
            }
            mask.forms.extend(forms.into_iter().map(|form| (form, mask.rules.len())));
            mask.rules.push(rule(&name));
        }
        mask.forms.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        mask.forms.dedup_by(|(a, _), (b, _)| a == b);
        for (i, (form, _)) in mask.forms.iter().enumerate() {
            if let Some(&first) = form.as_bytes().first() {
                mask.by_first[usize::from(first)].push(i);
            }
        }
        mask.longest =
            mask.forms.iter().map(|(form, _)| form.len()).max().unwrap_or(0).max(PERSONAL_LENGTH);
        mask
    }

    /// The same mask, which leaves the addresses that `text` names as they are: those of a plan
    /// are what its operator needs to read, and no client's.
    #[must_use]
    pub fn leaving(mut self, text: &str) -> Self {
        self.known = personal::addresses(text);
        self
    }

    /// The rule that would mask something in this text, for whoever searches what is already
    /// written. Nothing is counted, our own masks are no hits, and what is personal is not looked
    /// for.
    pub fn would_mask(&self, text: &str) -> Option<&str> {
        if !self.may_match(text) {
            return None;
        }
        let mut i = 0;
        while i < text.len() {
            let userinfo = self.userinfo_at(text, i, &text[..i]);
            let ours = self.token_of_ours(&text[i..]);
            let secret = || ours.is_none().then(|| self.secret_at(text, i, &text[..i])).flatten();
            if let Some((_, rule)) = userinfo.or_else(secret) {
                return self.rules.get(rule).map(|rule| rule.name.as_str());
            }
            i += ours.unwrap_or_else(|| text[i..].chars().next().map_or(1, char::len_utf8));
        }
        None
    }

    /// Whether a text of our own holds a secret, or what is called one: for warnings alone.
    pub fn finds_secret(&self, text: &str) -> bool {
        let ours = |value: &str| self.is_mask_of_ours(value);
        let called = |(i, _)| assignment::at(text, i, ours).is_some();
        self.would_mask(text).is_some() || text.char_indices().any(called)
    }

    /// Names of values that are too short to be masked, or empty.
    pub fn too_short(&self) -> &[String] {
        &self.too_short
    }

    /// How often each rule has found something, by name; never what it found.
    pub fn hits(&self) -> Vec<(String, u64)> {
        self.rules
            .iter()
            .map(|rule| (rule.name.clone(), rule.hits.load(Ordering::Relaxed)))
            .filter(|(_, hits)| *hits > 0)
            .collect()
    }

    /// The length in bytes of the longest form: what a cut may have to give up.
    pub(super) const fn longest(&self) -> usize {
        self.longest
    }

    /// A quick look: whether [`apply`](Self::apply) could change this text at all.
    pub(super) fn may_match(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let values =
            !self.forms.is_empty() && (0..bytes.len()).any(|i| self.value_at(text, i).is_some());
        values
            || text.contains("://")
            || text.contains("earer ")
            || text.contains("EARER ")
            || text.contains("-----BEGIN ")
            || text.contains(JWT)
            || TOKENS.iter().any(|(begin, ..)| text.contains(begin))
    }

    /// The text without a value's beginning at its end, which whoever types it is about to finish.
    pub(super) fn hide_beginning(&self, text: &str) -> String {
        let begun = text.char_indices().find_map(|(i, _)| {
            let rest = &text[i..];
            let known = rest.chars().count() >= BEGUN;
            let form = self.forms.iter().find(|(form, _)| known && form.starts_with(rest));
            form.map(|(_, rule)| (i, *rule))
        });
        match begun {
            Some((i, rule)) => format!("{}{OPEN}{}]", &text[..i], self.rules[rule].name),
            None => text.to_owned(),
        }
    }

    fn value_at(&self, text: &str, i: usize) -> Option<(usize, usize)> {
        let rest = text.as_bytes().get(i..)?;
        self.by_first[usize::from(*rest.first()?)].iter().find_map(|&form| {
            let (form, rule) = &self.forms[form];
            rest.starts_with(form.as_bytes()).then_some((form.len(), *rule))
        })
    }

    /// Masks text that has its stand-ins already; says how many secrets were found.
    pub(super) fn apply(&self, text: String) -> (String, u64) {
        if !self.may_match(&text) {
            return (text, 0);
        }
        let mut out = String::with_capacity(text.len());
        let mut found = 0;
        let mut i = 0;
        while i < text.len() {
            // What comes before is looked up in what we write, so that a second pass over our
            // own words sees the same and changes nothing.
            if let Some((length, rule)) = self.userinfo_at(&text, i, &out).or_else(|| {
                if self.token_of_ours(&text[i..]).is_some() {
                    None
                } else {
                    self.secret_at(&text, i, &out)
                }
            }) {
                let rule = &self.rules[rule];
                rule.hits.fetch_add(1, Ordering::Relaxed);
                let _ = write!(out, "{OPEN}{}]", rule.name);
                found += 1;
                i += length;
                continue;
            }
            let next = self
                .token_of_ours(&text[i..])
                .unwrap_or_else(|| text[i..].chars().next().map_or(1, char::len_utf8));
            out.push_str(&text[i..i + next]);
            i += next;
        }
        (out, found)
    }

    /// Masks what is personal, or is called a secret, in text that came from outside; says how
    /// much was found.
    pub(super) fn apply_personal(&self, text: String) -> (String, u64) {
        if !personal::may_match(&text) && !assignment::may_match(&text) {
            return (text, 0);
        }
        let mut out = String::with_capacity(text.len());
        let mut count = 0;
        let mut i = 0;
        while i < text.len() {
            let called = assignment::at(&text, i, |value| self.is_mask_of_ours(value));
            let found = match called {
                Some(length) => Some((length, ASSIGNMENT)),
                None => match personal::at(&text, i, &self.known) {
                    Some(Found::Hide(length, what)) => Some((length, rule_of(what))),
                    Some(Found::Leave(length)) => {
                        out.push_str(&text[i..i + length]);
                        i += length;
                        continue;
                    }
                    None => None,
                },
            };
            if let Some((length, rule)) = found {
                let rule = &self.rules[rule];
                rule.hits.fetch_add(1, Ordering::Relaxed);
                let _ = write!(out, "{OPEN}{}]", rule.name);
                count += 1;
                i += length;
                continue;
            }
            let next = self.token_of_ours(&text[i..]);
            let next = next.unwrap_or_else(|| text[i..].chars().next().map_or(1, char::len_utf8));
            out.push_str(&text[i..i + next]);
            i += next;
        }
        (out, count)
    }

    /// The length of a mask of ours at the beginning of `rest`. A made-up one, with a name that
    /// no rule has, is ordinary text: a secret could hide in it.
    fn token_of_ours(&self, rest: &str) -> Option<usize> {
        let name = rest.strip_prefix(OPEN)?;
        let end = name.find(']')?;
        let known = self.rules.iter().any(|rule| rule.name == name[..end]);
        known.then_some(OPEN.len() + end + 1)
    }

    /// Whether all of a value is a mask of ours, or as much of one as a cut has left.
    fn is_mask_of_ours(&self, value: &str) -> bool {
        if let Some(length) = self.token_of_ours(value) {
            return value[length..].chars().all(|c| !c.is_alphanumeric());
        }
        let name = value.strip_prefix(OPEN).and_then(|value| value.strip_suffix('…'));
        name.is_some_and(|name| self.rules.iter().any(|rule| rule.name.starts_with(name)))
    }

    fn secret_at(&self, text: &str, i: usize, before: &str) -> Option<(usize, usize)> {
        let rest = &text[i..];
        self.value_at(text, i)
            .or_else(|| Some((private_key(rest)?, PRIVATE_KEY)))
            .or_else(|| Some((bearer_token(rest, before)?, BEARER)))
            .or_else(|| Some((known_token(rest, before)?, TOKEN)))
    }

    fn userinfo_at(&self, text: &str, i: usize, before: &str) -> Option<(usize, usize)> {
        if !before.ends_with("://") {
            return None;
        }
        let rest = &text[i..];
        let authority = rest
            .find(|c: char| {
                c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '␊')
            })
            .map_or(rest, |end| &rest[..end]);
        let length = authority.rfind('@').filter(|&at| at > 0)?;
        (self.token_of_ours(rest) != Some(length)).then_some((length, USERINFO))
    }
}

const fn rule_of(what: Personal) -> usize {
    PERSONAL
        + match what {
            Personal::Address => 0,
            Personal::Query => 1,
            Personal::Email => 2,
            Personal::Cookie => 3,
        }
}

/// From `-----BEGIN … PRIVATE KEY-----` to its end, or to the end of what is there.
fn private_key(rest: &str) -> Option<usize> {
    if !begins_private_key(rest) {
        return None;
    }
    let end =
        rest.find("-----END ").and_then(|end| Some(end + 9 + rest[end + 9..].find("-----")? + 5));
    Some(end.unwrap_or(rest.len()))
}

/// Whether a private key begins right here.
pub(super) fn begins_private_key(rest: &str) -> bool {
    let label = |b: u8| upper_or_digit(b) || b == b' ';
    rest.strip_prefix("-----BEGIN ").is_some_and(|rest| {
        let label = run_of(rest, label);
        let private = label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK");
        private && rest[label.len()..].starts_with("-----")
    })
}

fn run_of(rest: &str, belongs: impl Fn(u8) -> bool) -> &str {
    let end = rest.bytes().position(|b| !belongs(b)).unwrap_or(rest.len());
    &rest[..end]
}

/// What follows `Bearer `: long, or with a digit in it; "bearer of bad news" has neither.
fn bearer_token(rest: &str, before: &str) -> Option<usize> {
    let word = before.strip_suffix(' ')?.as_bytes();
    let word = word.get(word.len().checked_sub(6)?..)?;
    if !word.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    let token = run_of(rest, bearer);
    let secret =
        token.len() >= 20 || (token.len() >= SHORTEST && token.bytes().any(|b| b.is_ascii_digit()));
    secret.then_some(token.len())
}

fn known_token(rest: &str, before: &str) -> Option<usize> {
    if before.bytes().next_back().is_some_and(word) && !personal::begins(before) {
        return None;
    }
    if let Some(length) = jwt(rest) {
        return Some(length);
    }
    TOKENS.iter().find_map(|(begin, belongs, fewest)| {
        let token = run_of(rest.strip_prefix(begin)?, belongs);
        (token.len() >= *fewest).then_some(begin.len() + token.len())
    })
}

/// What the JSON of a token begins with, in base64.
const JWT: &str = "eyJ";

/// A JSON web token: a header, its claims, and mostly a signature.
fn jwt(rest: &str) -> Option<usize> {
    let part = |text: &str| run_of(text, word_or_dash).len();
    let header = rest.starts_with(JWT).then(|| part(rest)).filter(|n| *n >= 10)?;
    let claims = rest[header..].strip_prefix('.').filter(|claims| claims.starts_with(JWT))?;
    let claims = part(claims).checked_add(1).filter(|n| *n >= 10)?;
    let signature = rest[header + claims..].strip_prefix('.').map_or(0, |s| part(s) + 1);
    Some(header + claims + signature)
}

/// Letters, digits, `_`, `-`, `.`: a name that stays in its brackets.
fn safe_name(name: &str) -> String {
    name.chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::Clean;

    fn mask() -> Mask {
        Mask::new([
            ("probe_token".to_owned(), "hunter2/äaaa yyyy".to_owned()),
            ("pem".to_owned(), "first-line-1\nsecond-line-2\nno\n".to_owned()),
            ("pin".to_owned(), "1234".to_owned()),
            ("word".to_owned(), "redacted".to_owned()),
        ])
    }

    fn masked(text: &str) -> String {
        Clean::with(text.as_bytes(), &mask(), 400).0.to_string()
    }

    #[test]
    fn a_value_is_found_in_every_dress() {
        for text in [
            "hunter2/äaaa yyyy",
            "hunter2%2F%C3%A4aaa%20yyyy",
            "hunter2%2f%c3%a4aaa+yyyy",
            "hunter2\\/äaaa yyyy",
            "hunter2/\\u00e4aaa yyyy",
            "aHVudGVyMi/DpGFhYSB5eXl5",
            "hunter2/äaaa\tyyyy",
        ] {
            let clean = masked(&format!("token={text};"));
            assert!(clean.starts_with("token=[redacted:probe_token]"), "{text}: {clean}");
        }
        assert_eq!(masked("a second-line-2 b"), "a [redacted:pem] b");
        assert_eq!(masked("pin 1234 no"), "pin 1234 no", "short values would blot out text");
        assert_eq!(mask().too_short(), ["pin"]);
    }

    #[test]
    fn patterns_catch_what_nobody_named() {
        for (text, clean) in [
            ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted:bearer]"),
            ("the bearer of bad news", "the bearer of bad news"),
            ("key AKIAIOSFODNN7EXAMPLE.", "key [redacted:token]."),
            ("ghp_0123456789abcdefghijklmnopqrstuvwxyz", "[redacted:token]"),
            ("postgres://app:s3cret@db:5432/x", "postgres://[redacted:userinfo]@db:5432/x"),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
            (
                "k=-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----;",
                "k=[redacted:private_key];",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMHc", "[redacted:private_key]"),
            ("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"),
            ("t=glpat-abcdefghij0123456789;", "t=[redacted:token];"),
            ("xoxb-1234567890-abc", "[redacted:token]"),
            ("boxer xoxb- is short", "boxer xoxb- is short"),
            ("stripe sk_live_0123456789abcdef!", "stripe [redacted:token]!"),
            ("AIzaSyA0123456789abcdefghijklmnopqrstuvw", "[redacted:token]"),
            (
                "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2ln-bmF0dXJl_ end",
                "jwt [redacted:token] end",
            ),
            ("eyJust words.eyJust words", "eyJust words.eyJust words"),
            ("\u{1b}[31mAKIAIOSFODNN7EXAMPLE\u{1b}[0m", "␛[31m[redacted:token]␛[0m"),
            (
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==\n-----END PGP PRIVATE KEY BLOCK-----",
                "[redacted:private_key]",
            ),
        ] {
            assert_eq!(masked(text), clean);
        }
    }

    #[test]
    fn a_mask_is_not_masked_again_and_a_forged_one_hides_nothing() {
        let once = masked("hunter2/äaaa yyyy redacted");
        assert_eq!(once, "[redacted:probe_token] [redacted:word]");
        assert_eq!(masked(&once), once);
        assert_eq!(masked("[redacted:second-line-2]"), "[[redacted:word]:[redacted:pem]]");
    }

    #[test]
    fn names_and_counts_are_told_and_values_never() {
        let mask = mask();
        let (_, counts) = Clean::with(b"second-line-2 second-line-2", &mask, 400);
        assert_eq!(counts.masked, 2);
        assert_eq!(mask.hits(), [("pem".to_owned(), 2)]);
        let debug = format!("{mask:?}");
        assert!(debug.contains("probe_token") && !debug.contains("hunter2"), "{debug}");
    }

    #[test]
    fn what_would_be_masked_is_named_and_not_counted() {
        let mask = mask();
        for (text, rule) in [
            ("all is well at 10.0.0.1, anna@example.org", None),
            ("x second-line-2 y", Some("pem")),
            ("Bearer [redacted:bearer] [redacted:pem] word=[redacted:word]", None),
            ("[redacted:pem]second-line-2", Some("pem")),
            ("postgres://[redacted:userinfo]@db/x", None),
            ("postgres://app:s3cret@db/x", Some("userinfo")),
            ("ghp_0123456789abcdefghijklmnopqrstuvwxyz", Some("token")),
        ] {
            assert_eq!(mask.would_mask(text), rule, "{text}");
        }
        assert!(mask.hits().is_empty());
    }

    #[test]
    fn a_cut_never_shows_half_a_secret() {
        let secret = "0123456789".repeat(20);
        let mask = Mask::new([("long".to_owned(), secret.clone())]);
        let key =
            format!("-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----", "A".repeat(65_350));
        let (clean, _) = Clean::with(format!("{key}{secret}").as_bytes(), &mask, 400);
        assert!(!clean.as_str().contains("0123"), "{clean}");
    }
}
