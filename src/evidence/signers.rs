//! Who may sign what: an `allowed_signers` file in OpenSSH's format, and signatures held against it.
//!
//! The arithmetic is checked here and not by `ssh-keygen`, so that verifying needs no other program;
//! the verdicts are those of `ssh-keygen -Y verify`, held against it in the tests. Two things are
//! stricter. A signature must be the very bytes that `ssh-keygen` writes: a changed letter that
//! happens to mean the same is a changed letter. And names are names: a principal that is a pattern
//! would let anybody be anybody, and a certificate authority would need certificates; both are
//! refused when the file is read, with the line. Keys in a bundle are never asked for anything.

use crate::clean::Clean;
use crate::journal::Signer;
use crate::runbook::{Fault, FaultKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};
use std::path::Path;

/// A file of signers of more bytes than this is a mistake.
const LARGEST: u64 = 1 << 20;
/// A signature of more bytes than this is none.
const LARGEST_SIG: usize = 64 << 10;
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "\n-----END SSH SIGNATURE-----\n";
/// How it ends what is said of a key whose time is over.
pub(super) const NOT_NOW: &str = "is not valid any more";
/// Columns that `ssh-keygen` wraps a signature at.
const WRAP: usize = 70;

/// Who may sign what.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    list: Vec<Allowed>,
}

/// One line of the file.
#[derive(Debug, Clone)]
struct Allowed {
    principals: Vec<String>,
    namespaces: Option<String>,
    after: Option<i64>,
    before: Option<i64>,
    key: KeyData,
}

/// What is to be said of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It is good, and by a key that the file knows for this purpose at this time.
    Known {
        /// The name that the file gives to the key; the first where it gives several.
        principal: String,
        /// The key.
        signer: Signer,
    },
    /// It fits, and the file does not know the key: not at all, not for this purpose, or not at
    /// this time.
    Unknown {
        /// The key.
        signer: Signer,
    },
    /// It does not fit these bytes or this purpose, or it is no signature.
    Bad(String),
}

impl Signers {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let shown = path.display();
        let cannot = |why: String| {
            Fault::new(
                FaultKind::Local,
                format!("the signers file {shown} cannot be read: {why}"),
                "give the file that says whose keys you trust: --signers FILE",
            )
        };
        let meta = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?;
        if !meta.is_file() || meta.len() > LARGEST {
            return Err(cannot("it is no file of signers".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
        Self::parse(&text).map_err(|(line, why, hint)| {
            Fault::new(FaultKind::Local, format!("{shown}, line {line}: {why}"), hint)
        })
    }

    /// Reads the text of a file; a line that does not hold is told with its number, from 1, and
    /// the next move.
    pub fn parse(text: &str) -> Result<Self, (usize, String, String)> {
        let mut list = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            list.push(allowed(line).map_err(|(why, hint)| (number, why, hint))?);
        }
        Ok(Self { list })
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Holds a signature against its message, its purpose and this file. `at_unix_s` is when it
    /// was made, in seconds since 1970, as far as that is known: a key may be good for a time only.
    pub fn check(&self, sig: &[u8], message: &[u8], purpose: &str, at_unix_s: i64) -> Checked {
        let sig = match fits(sig, message, purpose) {
            Ok(sig) => sig,
            Err(why) => return Checked::Bad(why),
        };
        let signer = signer_of(sig.public_key());
        let found = self.list.iter().find(|allowed| {
            allowed.key == *sig.public_key() && allowed.lacks(purpose, at_unix_s).is_none()
        });
        match found.and_then(|allowed| allowed.principals.first()) {
            Some(principal) => {
                let identity = Clean::new(principal);
                let signer = Signer { identity, ..signer };
                Checked::Known { principal: principal.clone(), signer }
            }
            None => Checked::Unknown { signer },
        }
    }

    /// Whether the file gives this name to the key, for this purpose at this time.
    pub fn gives(&self, name: &str, fingerprint: &str, purpose: &str, at_unix_s: i64) -> bool {
        self.list.iter().any(|allowed| {
            print_of(&allowed.key) == fingerprint
                && allowed.principals.iter().any(|known| known == name)
                && allowed.lacks(purpose, at_unix_s).is_none()
        })
    }

    /// Why a key is unknown, in words.
    pub fn why_unknown(&self, fingerprint: &str, purpose: &str, at_unix_s: i64) -> String {
        let mut of_key = self.list.iter().filter(|allowed| print_of(&allowed.key) == fingerprint);
        of_key
            .find_map(|allowed| allowed.lacks(purpose, at_unix_s))
            .unwrap_or_else(|| format!("the signers file does not know the key {fingerprint}"))
    }
}

impl Allowed {
    /// Why the line does not hold for a purpose and time, if it does not.
    fn lacks(&self, purpose: &str, at: i64) -> Option<String> {
        let names = || self.principals.join(",");
        if self.namespaces.as_ref().is_some_and(|list| !matches_list(purpose, list)) {
            return Some(format!("the key of {} is not known for {purpose}", names()));
        }
        if self.after.is_some_and(|after| at < after) {
            return Some(format!("the key of {} was not valid yet", names()));
        }
        if self.before.is_some_and(|before| at > before) {
            return Some(format!("the key of {} {NOT_NOW}", names()));
        }
        None
    }
}

/// Who says so, believed by nobody: the key that a signature carries. Nothing is checked.
pub(super) fn claimed(sig: &[u8]) -> Option<Signer> {
    decode(sig).ok().map(|sig| signer_of(sig.public_key()))
}

/// Whether the signature fits message and purpose, whoever made it; then its key.
pub(super) fn by_anybody(sig: &[u8], message: &[u8], purpose: &str) -> Result<Signer, String> {
    fits(sig, message, purpose).map(|sig| signer_of(sig.public_key()))
}

/// A public key, from the line that `ssh-keygen` writes into `KEY.pub`, with its comment.
pub(super) fn public_key(line: &str) -> Option<(Signer, String)> {
    let key = PublicKey::from_openssh(line.trim()).ok()?;
    Some((signer_of(key.key_data()), key.comment().to_owned()))
}

fn fits(sig: &[u8], message: &[u8], purpose: &str) -> Result<SshSig, String> {
    let sig = decode(sig)?;
    if sig.namespace() != purpose {
        let made = Clean::new(sig.namespace());
        return Err(format!("it was made for {made}, not for {purpose}"));
    }
    if !sig.reserved().is_empty() {
        return Err("it holds what nobody has signed".to_owned());
    }
    let key = PublicKey::new(sig.public_key().clone(), "");
    key.verify(purpose, message, &sig).map_err(|error| match error {
        ssh_key::Error::AlgorithmUnsupported { algorithm } => {
            let kind = Clean::new(algorithm.as_str());
            format!("a signature of the kind {kind} cannot be checked here")
        }
        _ => "it does not fit: these bytes were not signed".to_owned(),
    })?;
    Ok(sig)
}

/// Takes a signature out of its armour, which must be as `ssh-keygen` writes it.
fn decode(sig: &[u8]) -> Result<SshSig, String> {
    let none = || "it is no signature as ssh-keygen writes it".to_owned();
    if sig.len() > LARGEST_SIG {
        return Err(none());
    }
    let text = std::str::from_utf8(sig).map_err(|_| none())?;
    let body = text.strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
    let body = body.ok_or_else(none)?;
    let blob = STANDARD.decode(body.replace('\n', "")).map_err(|_| none())?;
    let lines: Vec<&str> = body.split('\n').collect();
    let wrapped = lines.iter().enumerate().all(|(n, line)| {
        line.len() == WRAP || (n + 1 == lines.len() && (1..WRAP).contains(&line.len()))
    });
    // The armour's own decoder takes no other forms of base64, so one blob has one armour.
    if !wrapped || STANDARD.encode(&blob) != lines.concat() {
        return Err(none());
    }
    let sig = SshSig::from_pem(text).map_err(|_| none())?;
    // The decoder takes lengths that go beyond the end, and version 0 for 1; nobody writes those.
    if written(&sig).as_ref() == Some(&blob) { Ok(sig) } else { Err(none()) }
}

fn signer_of(key: &KeyData) -> Signer {
    Signer {
        identity: Clean::default(),
        fingerprint: print_of(key),
        key: Clean::new(key.algorithm().as_str()).into(),
    }
}

fn print_of(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// A signature's bytes as they are written.
fn written(sig: &SshSig) -> Option<Vec<u8>> {
    let string = |out: &mut Vec<u8>, bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).ok()?;
        out.extend(length.to_be_bytes());
        out.extend(bytes);
        Some(())
    };
    let key = PublicKey::new(sig.public_key().clone(), "").to_bytes().ok()?;
    let algorithm = sig.signature().algorithm();
    // Behind a token's signature stand its flags and its counter, in 5 bytes.
    let token = matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256);
    let bytes = sig.signature().as_bytes();
    let (bytes, behind) =
        bytes.split_at_checked(bytes.len().checked_sub(5 * usize::from(token))?)?;
    let mut signature = Vec::new();
    string(&mut signature, algorithm.as_str().as_bytes())?;
    string(&mut signature, bytes)?;
    signature.extend(behind);
    let mut out = b"SSHSIG".to_vec();
    out.extend(SshSig::VERSION.to_be_bytes());
    let hash = sig.hash_alg().to_string();
    for part in [&key[..], sig.namespace().as_bytes(), sig.reserved(), hash.as_bytes(), &signature]
    {
        string(&mut out, part)?;
    }
    Some(out)
}

/// One line: names, options, kind of key, key, comment.
fn allowed(line: &str) -> Result<Allowed, (String, String)> {
    const FORM: &str = "write: NAME namespaces=\"evidence@switchback,...\" KIND KEY";
    let bad = |why: &str| (why.to_owned(), FORM.to_owned());
    let (principals, rest) = word(line).ok_or_else(|| bad("it does not end"))?;
    let names: Vec<String> = principals.split(',').map(str::to_owned).collect();
    if names.iter().any(String::is_empty) {
        return Err(bad("a name is empty"));
    }
    if let Some(pattern) = names.iter().find(|name| name.contains(['*', '?', '!'])) {
        return Err((
            format!("`{}` is a pattern: with it anybody could be anybody", Clean::new(pattern)),
            "write the name of the person whose key it is".to_owned(),
        ));
    }
    let mut found = Allowed {
        principals: names,
        namespaces: None,
        after: None,
        before: None,
        key: KeyData::Ed25519(ssh_key::public::Ed25519PublicKey([0; 32])),
    };
    let mut rest = rest;
    if PublicKey::from_openssh(&first_words(rest)).is_err() {
        // What is no key here is a list of options.
        let (options, key) = split_options(rest).ok_or_else(|| bad("a quote is not closed"))?;
        for option in options {
            found.takes(&option)?;
        }
        rest = key;
    }
    found.key = PublicKey::from_openssh(&first_words(rest))
        .map_err(|_| bad("there is no key that can be read"))?
        .key_data()
        .clone();
    Ok(found)
}

impl Allowed {
    fn takes(&mut self, option: &str) -> Result<(), (String, String)> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        let taken = match name.to_ascii_lowercase().as_str() {
            "cert-authority" => {
                return Err((
                    "certificates are not checked here".to_owned(),
                    "write the key itself, without cert-authority".to_owned(),
                ));
            }
            "namespaces" if !value.is_empty() => {
                self.namespaces.replace(value.to_owned()).is_some()
            }
            "valid-after" => self.after.replace(time(value)?).is_some(),
            "valid-before" => self.before.replace(time(value)?).is_some(),
            _ => {
                return Err((
                    format!("`{}` is no option, or no key", Clean::new(option)),
                    "options are namespaces=, valid-after= and valid-before=".to_owned(),
                ));
            }
        };
        if taken {
            return Err((format!("`{name}` is said twice"), "say it once".to_owned()));
        }
        Ok(())
    }
}

/// The first word, without its quotes, and what follows.
fn word(line: &str) -> Option<(String, &str)> {
    if let Some(quoted) = line.strip_prefix('"') {
        let (word, rest) = quoted.split_once('"')?;
        return Some((word.to_owned(), rest.trim_start()));
    }
    let (word, rest) = line.split_once([' ', '\t'])?;
    Some((word.to_owned(), rest.trim_start()))
}

/// Kind and key, without the comment.
fn first_words(rest: &str) -> String {
    rest.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// Options up to the first blank that is not in quotes, and what follows.
fn split_options(rest: &str) -> Option<(Vec<String>, &str)> {
    let (mut options, mut option, mut quoted) = (Vec::new(), String::new(), false);
    for (i, c) in rest.char_indices() {
        match c {
            '"' => {
                quoted = !quoted;
                option.push(c);
            }
            ',' if !quoted => options.push(std::mem::take(&mut option)),
            ' ' | '\t' if !quoted => {
                options.push(option);
                return Some((options, rest[i..].trim_start()));
            }
            _ => option.push(c),
        }
    }
    (!quoted).then(|| {
        options.push(option);
        (options, "")
    })
}

/// A time as OpenSSH writes it, `YYYYMMDD[HHMM[SS]][Z]`, in seconds since 1970; without `Z` it is
/// this machine's time.
fn time(text: &str) -> Result<i64, (String, String)> {
    let bad = || {
        (
            format!("`{}` is no time", Clean::new(text)),
            "write YYYYMMDDZ or YYYYMMDDHHMMSSZ".to_owned(),
        )
    };
    let (digits, utc) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(bad());
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Ok(0), str::parse::<u32>);
    let read = || -> Option<NaiveDateTime> {
        let year = i32::try_from(part(0, 4).ok()?).ok()?;
        let date = NaiveDate::from_ymd_opt(year, part(4, 6).ok()?, part(6, 8).ok()?)?;
        let [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
        let time = NaiveTime::from_hms_opt(hour.ok()?, minute.ok()?, second.ok()?)?;
        Some(date.and_time(time))
    };
    let read = read().ok_or_else(bad)?;
    if utc {
        return Ok(read.and_utc().timestamp());
    }
    Local.from_local_datetime(&read).earliest().map(|at| at.timestamp()).ok_or_else(bad)
}

/// Whether a text is matched by a list of patterns; one with `!` in front rules it out.
fn matches_list(text: &str, list: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        let (pattern, not) = pattern.strip_prefix('!').map_or((pattern, false), |p| (p, true));
        if matches_one(text.as_bytes(), pattern.as_bytes()) {
            if not {
                return false;
            }
            found = true;
        }
    }
    found
}

fn matches_one(text: &[u8], pattern: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            (0..=text.len()).any(|skipped| matches_one(&text[skipped..], rest))
        }
        (Some((b'?', pattern)), Some((_, text))) => matches_one(text, pattern),
        (Some((p, pattern)), Some((t, text))) if p == t => matches_one(text, pattern),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 \
                       AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn refused(text: &str) -> (usize, String) {
        let (line, why, hint) = Signers::parse(text).unwrap_err();
        assert!(!hint.is_empty());
        (line, why)
    }

    #[test]
    fn a_file_of_signers_is_read_with_all_that_its_lines_may_say() {
        let text = format!(
            "# ours\n\nolga@example.org {KEY} a comment of words\n\
             \"a b,c\" namespaces=\"x,ev*\",valid-after=\"20260101Z\",valid-before=20270101Z {KEY}\n"
        );
        let signers = Signers::parse(&text).unwrap();
        assert_eq!(signers.list.len(), 2);
        assert_eq!(signers.list[1].principals, ["a b", "c"]);
        assert_eq!(signers.list[1].namespaces.as_deref(), Some("x,ev*"));
        assert_eq!(signers.list[1].after, Some(1_767_225_600));
        assert_eq!(signers.list[1].before, Some(1_798_761_600));
    }

    #[test]
    fn what_would_let_anybody_be_anybody_is_refused_with_its_line() {
        let (line, why) = refused(&format!("# ours\n* {KEY}\n"));
        assert_eq!((line, why.contains("anybody")), (2, true), "{why}");
        let (_, why) = refused(&format!("a cert-authority {KEY}\n"));
        assert!(why.contains("certificates"), "{why}");
        for bad in [
            "a",
            "a ssh-ed25519",
            "a ssh-ed25519 AAAA",
            "a,,b ssh-ed25519 AAAA",
            "a namespaces=\"x ssh-ed25519 AAAA",
        ] {
            refused(bad);
        }
        refused(&format!("a valid-after=2026 {KEY}"));
        refused(&format!("a valid-after=20260231Z {KEY}"));
        refused(&format!("a no-touch {KEY}"));
        refused(&format!("a namespaces=\"a\",namespaces=\"b\" {KEY}"));
    }

    #[test]
    fn patterns_of_purposes_are_those_of_ssh() {
        for (list, is) in [
            ("evidence@switchback", true),
            ("x,evidence@*", true),
            ("*", true),
            ("e?idence@switchback", true),
            ("evidence@switchbac", false),
            ("*,!evidence@switchback", false),
            ("!x", false),
        ] {
            assert_eq!(matches_list("evidence@switchback", list), is, "{list}");
        }
    }
}
