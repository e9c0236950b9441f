//! Seeded tampering: one way of changing a bundle after another, the same ones for the same seed.
//!
//! None of these may verify. Most leave the signature as it is, so that it cannot fit any more;
//! the last kinds are whole rewrites, in which every digest is made anew, by somebody who has any
//! key but the right one.

use super::authority::Authority;
use super::bundle::{Place, RUN, sign};
use super::fixture;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use switchback::evidence::environment::stated;
use switchback::evidence::manifest::{Manifest, UNLISTED, files_of, of};
use switchback::evidence::seal::derive;
use switchback::journal::chain::{GENESIS, digest, seal};

/// A way of tampering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A byte of a file is another.
    Byte,
    /// A file is gone.
    Removed,
    /// A file is there that was not, under a name that is easily missed.
    Added,
    /// A line of a file is gone.
    LineRemoved,
    /// A line is there twice.
    LineAdded,
    /// Two lines have changed places.
    Reordered,
    /// The end of a file is gone.
    Truncated,
    /// Two files have changed places.
    Swapped,
    /// A file is a link to a copy of itself.
    Linked,
    /// A file is a folder, or a folder is there that was not.
    Folder,
    /// A record is another, and the chain after it was made anew.
    Rechained,
    /// That, and every digest; the signature is the old one.
    Rewritten,
    /// That, without any signature.
    Unsigned,
    /// That, signed by another key.
    OtherKey,
    /// That, with the right key, for another purpose.
    OtherPurpose,
    /// Every digest is right, and the declaration is signed by another key, and so is the rest.
    OtherDeclaration,
    /// The signature is gone, or the token over it, and nothing else.
    Bared,
    /// The token over the seal, or over the declaration, is another bundle's.
    OtherToken,
    /// The approval is of another plan, by the same person, or by another; every digest is right,
    /// and another key has signed.
    OtherApproval,
    /// Whoever has the right key says otherwise afterwards, and signs all of it anew.
    Insider,
}

/// What an insider says otherwise. Every digest and every signature is right, and every file that
/// is derived was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Another release was declared.
    Declared,
    /// Nothing was to be watched.
    Unwatched,
    /// Another run's declaration.
    OtherRun,
    /// The sealed plan is stricter than the one that was flown.
    Plan,
    /// The plan that was flown is laxer than the sealed one.
    Flown,
    /// The second person approved another release.
    OtherRelease,
    /// The second person is somebody else, by the journal.
    Approver,
    /// The second person is somebody else, and says so too.
    Both,
    /// The second person is the first, under another name.
    Own,
    /// The declaration was dated earlier.
    Dated,
    /// Somebody else signed, by the plan.
    Name,
}

/// Every lie, and the check that finds it.
pub const LIES: [(Lie, &str); 11] = [
    (Lie::Declared, "declaration"),
    (Lie::Unwatched, "declaration"),
    (Lie::OtherRun, "declaration"),
    (Lie::Plan, "plan"),
    (Lie::Flown, "plan"),
    (Lie::OtherRelease, "approval"),
    (Lie::Approver, "approval"),
    (Lie::Both, "approval"),
    (Lie::Own, "approval"),
    (Lie::Dated, "time of the declaration"),
    (Lie::Name, "signer's name"),
];

/// Every way, with how often of 100 it is taken.
pub const WAYS: [(Way, u64); 20] = [
    (Way::Byte, 26),
    (Way::Removed, 6),
    (Way::Added, 6),
    (Way::LineRemoved, 6),
    (Way::LineAdded, 4),
    (Way::Reordered, 5),
    (Way::Truncated, 6),
    (Way::Swapped, 4),
    (Way::Linked, 5),
    (Way::Folder, 3),
    (Way::Rechained, 5),
    (Way::Rewritten, 6),
    (Way::Unsigned, 3),
    (Way::OtherKey, 5),
    (Way::OtherPurpose, 2),
    (Way::OtherDeclaration, 2),
    (Way::Bared, 2),
    (Way::OtherToken, 2),
    (Way::OtherApproval, 2),
    (Way::Insider, 4),
];

impl Way {
    /// Whether nothing shows that somebody has changed it, but that its author is unknown.
    pub fn leaves_it_whole(self) -> bool {
        matches!(self, Self::OtherKey | Self::OtherDeclaration)
    }

    /// Whether every digest is right.
    pub fn is_whole_rewrite(self) -> bool {
        let rewritten = [
            Self::Rewritten,
            Self::Unsigned,
            Self::OtherPurpose,
            Self::OtherApproval,
            Self::Insider,
        ];
        self.leaves_it_whole() || rewritten.contains(&self)
    }
}

/// Dice: splitmix64, which needs no library and is the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }

    fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }
}

/// A bundle that has all that can be tampered with: a recording, a second person's approval, and a
/// time authority's tokens. The authority goes on answering as long as it is held.
pub fn sealed() -> (Place, Authority, PathBuf) {
    let mut place = Place::new(fixture::plan());
    let authority = Authority::open(place.home.path());
    place.plan.evidence.tsa = Some(authority.url.clone());
    place.approve();
    place.fly(&["\u{1b}[2J\u{1b}[1;1Hswitchback"], true);
    // An older bundle of the same run, whose token is of other bytes.
    let mask = switchback::clean::Mask::new([]);
    place.seal_with(&mask, |how| how.now_unix_ms -= 1_000).unwrap();
    let sealed = place.seal().unwrap();
    assert!(other_bundle(&place).is_dir());
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "it verifies as long as nobody touches it: {told:#?}");
    let approved = told.checks.iter().any(|c| c.says.as_str().ends_with("a second person"));
    assert!(approved, "{told:#?}");
    assert_eq!(place.script(&sealed.path, true).0, 0);
    (place, authority, sealed.path)
}

fn other_bundle(place: &Place) -> PathBuf {
    place.home.path().join(RUN).join("evidence.1")
}

/// A copy of a bundle.
pub fn copy(bundle: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for name in files_of(bundle).unwrap() {
        let path = to.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(bundle.join(&name), path).unwrap();
    }
}

/// Changes a copy of a bundle; says how and where. Nothing where this throw changes nothing.
pub fn tamper(place: &Place, dir: &Path, dice: &mut Dice) -> (Way, Option<String>) {
    let mut throw = dice.below(WAYS.iter().map(|(_, often)| often).sum());
    let way = WAYS.iter().find(|(_, often)| match throw.checked_sub(*often) {
        Some(rest) => {
            throw = rest;
            false
        }
        None => true,
    });
    let way = way.unwrap().0;
    (way, apply(way, place, dir, dice))
}

const TRICKY: [&str; 14] = [
    "SHA256SUMS.x",
    "SHA256SUMS.tsr",
    "journal",
    "journal.jsonl.",
    "journal.jsonl ",
    "-rf",
    ".hidden",
    "a b",
    "logs/new.log",
    "logs/..x",
    "line\nfeed",
    "plan.toml\n",
    "\u{202e}nosj",
    "session.2.cast",
];

fn apply(way: Way, place: &Place, dir: &Path, dice: &mut Dice) -> Option<String> {
    let names = files_of(dir).unwrap();
    let name = names[dice.index(names.len())].clone();
    let path = dir.join(&name);
    let bytes = fs::read(&path).unwrap();
    let write = |path: &PathBuf, new: &[u8]| fs::write(path, new).unwrap();
    match way {
        Way::Byte => {
            let at = dice.index(bytes.len());
            let mut new = bytes;
            new[at] ^= 1 + dice.below(255) as u8;
            write(&path, &new);
            return Some(format!("byte {at} of {name}"));
        }
        Way::Removed => fs::remove_file(&path).unwrap(),
        Way::Added => {
            let added = TRICKY[dice.index(TRICKY.len())];
            let added = dir.join(added);
            fs::create_dir_all(added.parent().unwrap()).unwrap();
            let what = if dice.below(2) == 0 { b"".as_slice() } else { &bytes };
            if fs::read(&added).is_ok_and(|there| there == what) {
                // A token in its own place is no change.
                return None;
            }
            fs::write(&added, what).unwrap();
            return Some(format!("{}", added.display()));
        }
        Way::LineRemoved | Way::LineAdded | Way::Reordered => {
            let journal = dir.join("journal.jsonl");
            let path = if dice.below(4) == 0 { path } else { journal };
            let text = fs::read(&path).unwrap();
            let mut lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
            let (one, other) = (dice.index(lines.len()), dice.index(lines.len()));
            match way {
                Way::LineRemoved => {
                    lines.remove(one);
                }
                Way::LineAdded => lines.insert(other, lines[one]),
                _ => lines.swap(one, other),
            }
            let new = lines.concat();
            if new == text {
                return None;
            }
            write(&path, &new);
            return Some(format!("lines {one} and {other} of {}", path.display()));
        }
        Way::Truncated => write(&path, &bytes[..dice.index(bytes.len())]),
        Way::Swapped => {
            let other = dir.join(&names[dice.index(names.len())]);
            let theirs = fs::read(&other).unwrap();
            if theirs == bytes {
                return None;
            }
            write(&path, &theirs);
            write(&other, &bytes);
        }
        Way::Linked => {
            let outside = place.home.path().join("outside");
            fs::rename(&path, &outside).unwrap();
            symlink(&outside, &path).unwrap();
        }
        Way::Folder => {
            if dice.below(2) == 0 {
                fs::remove_file(&path).unwrap();
                fs::create_dir(&path).unwrap();
            } else {
                fs::create_dir(dir.join(format!("folder{}", dice.below(100)))).unwrap();
            }
        }
        Way::Rechained => return rechain(dir, dice),
        Way::Rewritten | Way::Unsigned | Way::OtherKey | Way::OtherPurpose => {
            let how = if dice.below(2) == 0 {
                rechain(dir, dice)?
            } else {
                let own = names.iter().filter(|name| !UNLISTED.contains(&name.as_str()));
                let own: Vec<&String> = own.collect();
                let path = dir.join(own[dice.index(own.len())]);
                let mut new = fs::read(&path).unwrap();
                let at = dice.index(new.len());
                new[at] ^= 1;
                write(&path, &new);
                format!("byte {at} of {}", path.display())
            };
            relist(dir);
            resign(way, place, dir);
            return Some(how);
        }
        Way::OtherDeclaration => {
            sign(&place.other_key(), "declaration@switchback", &dir.join("declaration.json"));
            relist(dir);
            resign(way, place, dir);
        }
        Way::Bared => {
            let bared = UNLISTED[1 + dice.index(2)];
            fs::remove_file(dir.join(bared)).unwrap();
            return Some(bared.to_owned());
        }
        Way::OtherToken => {
            let token = ["SHA256SUMS.tsr", "declaration.tsr"][dice.index(2)];
            fs::copy(other_bundle(place).join("SHA256SUMS.tsr"), dir.join(token)).unwrap();
            if dice.below(2) == 0 {
                relist(dir);
            }
            return Some(token.to_owned());
        }
        Way::OtherApproval => {
            let path = dir.join("approval.json");
            let mut said: serde_json::Value =
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            said["plan_sha256"] = digest(&dice.below(u64::MAX).to_be_bytes()).into();
            write(&path, said.to_string().as_bytes());
            let second = place.home.path().join("second");
            let by = [place.other_key(), second][dice.index(2)].clone();
            sign(&by, "approval@switchback", &path);
            relist(dir);
            resign(Way::OtherKey, place, dir);
            return Some(format!("by {}", by.display()));
        }
        Way::Insider => {
            let (lie, _) = LIES[dice.index(LIES.len())];
            tell(lie, place, dir);
            return Some(format!("{lie:?}"));
        }
    }
    Some(name)
}

/// Says otherwise in a copy of a bundle, with the right key.
pub fn tell(lie: Lie, place: &Place, dir: &Path) {
    let mut journal = Journal::of(dir);
    let second = place.home.path().join("second");
    match lie {
        Lie::Declared | Lie::Unwatched | Lie::OtherRun => {
            journal.declare(place, |said| match lie {
                Lie::Declared => said["release"]["next"] = "9.9.9".into(),
                Lie::Unwatched => said["limits"] = serde_json::json!([]),
                _ => said["run"] = "20200101T000000Z-0000".into(),
            })
        }
        Lie::Plan => {
            let path = dir.join("plan.toml");
            let old = fs::read_to_string(&path).unwrap();
            let new = old.replacen("[watch]\nfor = \"10s\"", "[watch]\nfor = \"2h\"", 1);
            assert_ne!(old, new, "{old}");
            fs::write(&path, &new).unwrap();
            let (old, new) = (digest(old.as_bytes()), digest(new.as_bytes()));
            journal.replace(&old, &new);
            journal.disapprove();
            journal.declare(place, |said| said["plan"]["sha256"] = new.into());
        }
        Lie::Flown => journal.replace("\"above\":{\"percent\":2.0}", "\"above\":{\"percent\":2.5}"),
        Lie::OtherRelease => journal.approve(&second, |said| {
            said["release"]["next"] = "6.6.6".into();
        }),
        Lie::Approver => {
            journal.noted(|noted| noted["approved"]["identity"] = "chief@example.org".into());
        }
        Lie::Both => {
            journal.approve(&second, |said| {
                said["approver"]["identity"] = "chief@example.org".into();
            });
        }
        Lie::Own => {
            let own = journal.noted(|_| ())["signed"].clone();
            journal.approve(&place.key(), |said| {
                said["approver"] = own;
                said["approver"]["identity"] = "chief@example.org".into();
            });
        }
        Lie::Dated => {
            journal.noted(|noted| noted["token"]["time"] = "2026-01-01T00:00:00Z".into());
        }
        Lie::Name => {
            let (old, new) = (super::bundle::WHO, "chief@example.org");
            journal.replace(old, new);
            let path = dir.join("plan.toml");
            let text = fs::read_to_string(&path).unwrap();
            let changed = text.replace(old, new);
            assert_ne!(text, changed);
            fs::write(&path, &changed).unwrap();
            let sha256 = digest(changed.as_bytes());
            journal.replace(&digest(text.as_bytes()), &sha256);
            journal.disapprove();
            journal.declare(place, |said| {
                said["plan"]["sha256"] = sha256.into();
                said["signer"]["identity"] = new.into();
            });
        }
    };
    journal.write();
    reseal(place, dir, if lie == Lie::Name { "chief@example.org" } else { super::bundle::WHO });
}

/// The journal of a copy, without its chain.
struct Journal {
    dir: PathBuf,
    lines: Vec<String>,
}

impl Journal {
    fn of(dir: &Path) -> Self {
        let text = fs::read_to_string(dir.join("journal.jsonl")).unwrap();
        let bare = |line: &str| format!("{}}}", &line[..line.rfind(",\"prev\":\"").unwrap()]);
        Self { dir: dir.to_owned(), lines: text.lines().map(bare).collect() }
    }

    fn replace(&mut self, old: &str, new: &str) {
        assert!(self.lines.iter().any(|line| line.contains(old)), "{old}");
        self.lines.iter_mut().for_each(|line| *line = line.replace(old, new));
    }

    /// Changes what the journal says was declared; gives it.
    fn noted(&mut self, change: impl FnOnce(&mut serde_json::Value)) -> serde_json::Value {
        let line = &mut self.lines[1];
        let mut read: serde_json::Value = serde_json::from_str(line).unwrap();
        let old = read["data"]["declared"].clone();
        change(&mut read["data"]["declared"]);
        let new = read["data"]["declared"].clone();
        // Only that part: the order of the line's other members is not ours to change.
        let start = line.find("\"declared\":{").unwrap() + "\"declared\":".len();
        let mut reader = serde_json::Deserializer::from_str(&line[start..]).into_iter();
        let _: serde_json::Value = reader.next().unwrap().unwrap();
        let end = start + reader.byte_offset();
        let typed: switchback::journal::Declared = serde_json::from_value(new.clone()).unwrap();
        line.replace_range(start..end, &serde_json::to_string(&typed).unwrap());
        old
    }

    /// Declares otherwise, signed with the right key; no authority dates it again.
    fn declare(&mut self, place: &Place, change: impl FnOnce(&mut serde_json::Value)) {
        let path = self.dir.join("declaration.json");
        let mut said: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut said);
        let typed: switchback::evidence::declare::Declaration =
            serde_json::from_value(said).unwrap();
        fs::write(&path, serde_json::to_string_pretty(&typed).unwrap() + "\n").unwrap();
        sign(&place.key(), "declaration@switchback", &path);
        let sha256 = digest(&fs::read(&path).unwrap());
        let _ = fs::remove_file(self.dir.join("declaration.tsr"));
        self.noted(|noted| {
            noted["sha256"] = sha256.into();
            noted["token"] = serde_json::Value::Null;
        });
    }

    fn disapprove(&mut self) {
        for name in ["approval.json", "approval.json.sig"] {
            fs::remove_file(self.dir.join(name)).unwrap();
        }
        self.noted(|noted| noted["approved"] = serde_json::Value::Null);
    }

    fn approve(&mut self, key: &Path, change: impl FnOnce(&mut serde_json::Value)) {
        let path = self.dir.join("approval.json");
        let mut said: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut said);
        fs::write(&path, said.to_string()).unwrap();
        sign(key, "approval@switchback", &path);
        self.noted(|noted| noted["approved"] = said["approver"].clone());
    }

    fn write(&self) {
        let mut prev = GENESIS.to_owned();
        let mut out = String::new();
        for line in &self.lines {
            let sealed = seal(line, &prev);
            prev = digest(sealed.as_bytes());
            out.push_str(&sealed);
        }
        fs::write(self.dir.join("journal.jsonl"), out).unwrap();
    }
}

/// Derives everything anew, lists it, and signs it with the right key; no authority dates it.
fn reseal(place: &Place, dir: &Path, who: &str) {
    let run = switchback::journal::read(dir).unwrap();
    let mut stated = stated(&fs::read(dir.join("environment.json")).unwrap()).unwrap();
    stated.undated = Some("it was closed".into());
    if let Some(signer) = &mut stated.signer {
        signer.identity = who.into();
    }
    let _ = fs::remove_file(dir.join("SHA256SUMS.tsr"));
    for (name, bytes) in derive(dir, &run, &stated).unwrap() {
        fs::write(dir.join(name), bytes).unwrap();
    }
    relist(dir);
    sign(&place.key(), "evidence@switchback", &dir.join("SHA256SUMS"));
}

/// Changes a digit somewhere in a record, and makes the chain from there on anew.
fn rechain(dir: &Path, dice: &mut Dice) -> Option<String> {
    let path = dir.join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let changed = dice.index(lines.len());
    let mut prev = GENESIS.to_owned();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let end = line.rfind(",\"prev\":\"")?;
        let mut object = format!("{}}}", &line[..end]);
        if number == changed {
            let digits: Vec<usize> = object
                .bytes()
                .enumerate()
                .filter(|(_, b)| b.is_ascii_digit())
                .map(|d| d.0)
                .collect();
            let at = digits[dice.index(digits.len())];
            let other = if &object[at..=at] == "1" { "2" } else { "1" };
            object.replace_range(at..=at, other);
        }
        let sealed = seal(&object, &prev);
        prev = digest(sealed.as_bytes());
        out.push_str(&sealed);
    }
    if out == text {
        return None;
    }
    fs::write(&path, out).unwrap();
    Some(format!("line {} of the journal, chained anew", changed + 1))
}

/// Writes the manifest anew.
pub fn relist(dir: &Path) {
    let path = dir.join("SHA256SUMS");
    let title = Manifest::parse(&fs::read(&path).unwrap()).unwrap().title;
    fs::write(&path, of(dir, &title).unwrap().text()).unwrap();
}

pub fn resign(way: Way, place: &Place, dir: &Path) {
    let manifest = dir.join("SHA256SUMS");
    match way {
        Way::Unsigned => fs::remove_file(dir.join("SHA256SUMS.sig")).unwrap(),
        Way::OtherKey | Way::OtherDeclaration => {
            sign(&place.other_key(), "evidence@switchback", &manifest);
        }
        Way::OtherPurpose => sign(&place.key(), "declaration@switchback", &manifest),
        _ => {}
    }
}

/// Whether one byte of the seal's token is all that was changed, and it is one of those that nobody
/// has signed and that stock `openssl` does not look at: `verify.sh` says that it does not.
pub fn is_blind_there(sealed: &Path, dir: &Path) -> bool {
    let same = |name: &String| fs::read(sealed.join(name)).ok() == fs::read(dir.join(name)).ok();
    let Ok(there) = files_of(dir) else { return false };
    let changed: Vec<&String> = there.iter().filter(|name| !same(name)).collect();
    if changed != ["SHA256SUMS.tsr"] || there != files_of(sealed).unwrap() {
        return false;
    }
    let [old, new] = [sealed, dir].map(|dir| fs::read(dir.join(changed[0])).unwrap());
    let at: Vec<usize> = (0..old.len()).filter(|at| old.get(*at) != new.get(*at)).collect();
    old.len() == new.len() && at.len() == 1 && unsigned_bytes(&old).contains(&at[0])
}

/// Versions, parameters of algorithms, the signer's name and the kind of signature, as they lie in
/// the tokens of the authority of these tests.
pub fn unsigned_bytes(token: &[u8]) -> Vec<usize> {
    let find = |what: &[u8], after: usize| {
        after + token[after..].windows(what.len()).position(|bytes| bytes == what).unwrap()
    };
    const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    const SEQUENCE: u8 = 0x30;
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let version = find(&[2, 1, 3], 0) + 2;
    let first = find(SHA256, 0) + SHA256.len();
    // The signer's part is the last of all.
    let last = |what: &[u8], before: usize| {
        (0..before).rev().find(|at| token[*at..].starts_with(what)).unwrap()
    };
    let kind = last(ECDSA, token.len());
    let signer = last(&[2, 1, 1, SEQUENCE], kind);
    let digest = find(SHA256, signer);
    let mut all = vec![version, first, signer + 2, digest + SHA256.len()];
    all.extend(signer + 3..digest);
    all.extend(kind..kind + ECDSA.len());
    all
}
