//! The manifest: `SHA256SUMS`, a line for every file of a bundle, as `sha256sum -c` reads it.
//!
//! It lists every plain file but itself and what is made over it (its signature, the token over
//! that), sorted as `LC_ALL=C sort` does, behind one comment line that says of which run it is. A
//! bundle holds plain files and folders and nothing else, under names that no shell and no
//! terminal could misread; whatever is of another kind is refused by name. How much is looked at is
//! bounded, so that a hostile bundle costs no more than an honest one.
//!
//! Nothing here knows what the files mean.

use super::names;
use crate::clean::Clean;
use crate::journal::chain::digest;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The most files of a bundle.
pub const MOST_FILES: usize = 4_096;
/// The most bytes of one file.
pub const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// The most bytes of all files.
pub const MOST_OF_ALL: u64 = 1024 * 1024 * 1024;
/// Folders within folders.
const DEEPEST: usize = 4;
/// The longest name, with its folders.
const LONGEST_NAME: usize = 120;

/// The files that the manifest does not list: itself and what is made over it.
pub const UNLISTED: [&str; 3] = [names::MANIFEST, names::MANIFEST_SIG, names::MANIFEST_TOKEN];

/// What is wrong with a directory or a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Odd {
    /// Where.
    pub place: Clean,
    /// What.
    pub why: Clean,
    /// Whether that says nothing of the bundle: it could not be read here, or is too large to be.
    pub is_ours: bool,
}

impl Odd {
    fn new(place: impl AsRef<str>, why: impl AsRef<str>) -> Self {
        Self { place: Clean::new(place.as_ref()), why: Clean::new(why.as_ref()), is_ours: false }
    }

    fn ours(self) -> Self {
        Self { is_ours: true, ..self }
    }
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// What the first line says, without its `# `.
    pub title: String,
    /// Digests, by name.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// As it stands in the file.
    pub fn text(&self) -> String {
        let lines = self.files.iter().map(|(name, sha256)| format!("{sha256}  {name}\n"));
        format!("# {}\n{}", self.title, lines.collect::<String>())
    }

    /// Reads one. It must be just as [`text`](Self::text) would have written it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Odd> {
        let odd =
            |line: usize, why: &str| Odd::new(format!("{}, line {line}", names::MANIFEST), why);
        let text = std::str::from_utf8(bytes).map_err(|_| odd(1, "it is no text"))?;
        let mut lines = text.split_inclusive('\n').zip(1..);
        let title = lines.next().and_then(|(line, _)| line.strip_prefix("# ")?.strip_suffix('\n'));
        let title = title.ok_or_else(|| odd(1, "it does not say of which run it is"))?;
        let mut manifest = Self { title: title.to_owned(), files: BTreeMap::new() };
        for (line, number) in lines {
            let (sha256, name) = line
                .strip_suffix('\n')
                .and_then(|line| line.split_once("  "))
                .filter(|(sha256, _)| is_digest(sha256))
                .ok_or_else(|| odd(number, "it is not a digest, two spaces and a name"))?;
            if !is_name(name) || UNLISTED.contains(&name) {
                return Err(odd(number, "a manifest does not list such a name"));
            }
            if manifest.files.last_key_value().is_some_and(|(last, _)| last.as_str() >= name) {
                return Err(odd(number, "it is out of order, or there twice"));
            }
            if manifest.files.len() == MOST_FILES {
                return Err(odd(number, "there are too many files"));
            }
            manifest.files.insert(name.to_owned(), sha256.to_owned());
        }
        Ok(manifest)
    }
}

/// Whether this is a SHA-256 in hex.
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether a bundle may hold a file of this name: letters, digits, `.`, `_` and `-`, in folders,
/// none of which begins with a dot or a dash.
pub fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    name.len() <= LONGEST_NAME
        && name.split('/').count() <= DEEPEST
        && name.split('/').all(|part| {
            !part.is_empty() && !part.starts_with(['.', '-']) && part.bytes().all(plain)
        })
}

/// The names of all plain files under a directory, sorted by their bytes. Whatever is neither
/// plain file nor folder, or is called as no file of a bundle may be, is refused.
pub fn files_of(root: &Path) -> Result<Vec<String>, Vec<Odd>> {
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    walk(root, "", 1, &mut found, &mut odd);
    found.sort();
    if odd.is_empty() { Ok(found) } else { Err(odd) }
}

fn walk(folder: &Path, above: &str, depth: usize, found: &mut Vec<String>, odd: &mut Vec<Odd>) {
    let unreadable = |e: io::Error| {
        let place = if above.is_empty() { "the bundle" } else { above };
        Odd::new(place, format!("it cannot be read: {e}")).ours()
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return odd.push(unreadable(e)),
    };
    for entry in entries {
        if found.len() + odd.len() > MOST_FILES {
            return odd.push(Odd::new("the bundle", "it has too many files").ours());
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => return odd.push(unreadable(e)),
        };
        let last = entry.file_name();
        let name = format!("{above}{}", last.to_string_lossy());
        if last.to_str().is_none() || !is_name(&name) {
            odd.push(Odd::new(name, "no file of a bundle is called so, or lies so deep"));
            continue;
        }
        // The kind of the entry itself, never of what a link leads to.
        match entry.file_type() {
            Ok(kind) if kind.is_file() => found.push(name),
            Ok(kind) if kind.is_dir() && depth < DEEPEST => {
                let before = found.len();
                walk(&entry.path(), &format!("{name}/"), depth + 1, found, odd);
                if found.len() == before && odd.is_empty() {
                    odd.push(Odd::new(name, "it is a folder that holds nothing"));
                }
            }
            Ok(kind) if kind.is_symlink() => odd.push(Odd::new(name, "it is a symbolic link")),
            Ok(kind) if kind.is_dir() => odd.push(Odd::new(name, "it lies too deep")),
            Ok(_) => odd.push(Odd::new(name, "it is neither a plain file nor a folder")),
            Err(e) => odd.push(Odd::new(name, format!("it cannot be read: {e}")).ours()),
        }
    }
}

/// Reads a plain file, and nothing else: no link, no pipe that nobody writes to, nothing that has
/// more than `most` bytes.
pub fn read_plain(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    let file: File = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    // Only the largest bound is one of ours: what is small by its nature is none of its kind.
    let kind =
        if most < MOST_BYTES { io::ErrorKind::InvalidData } else { io::ErrorKind::FileTooLarge };
    let too_large = || io::Error::new(kind, format!("it has more than {most} bytes"));
    if about.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}

/// The manifest of what is in a directory.
pub fn of(root: &Path, title: &str) -> Result<Manifest, Vec<Odd>> {
    let mut files = BTreeMap::new();
    for name in files_of(root)?.into_iter().filter(|name| !UNLISTED.contains(&name.as_str())) {
        let bytes = read_plain(&root.join(&name), MOST_BYTES)
            .map_err(|e| vec![Odd::new(&name, e.to_string())])?;
        files.insert(name, digest(&bytes));
    }
    Ok(Manifest { title: title.to_owned(), files })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn bundle() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("logs")).unwrap();
        for name in ["b", "B", "a.txt", "logs/z.log", "SHA256SUMS", "SHA256SUMS.sig"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        dir
    }

    #[test]
    fn stock_tools_accept_the_manifest_with_its_title() {
        let dir = bundle();
        let text = of(dir.path(), "DRILL on vps-1, run 20261123T142207Z-7f3a").unwrap().text();
        let names: Vec<&str> = text.lines().skip(1).map(|line| &line[66..]).collect();
        assert_eq!(names, ["B", "a.txt", "b", "logs/z.log"], "in the order of bytes");
        fs::write(dir.path().join(names::MANIFEST), &text).unwrap();
        for tool in [&["sha256sum", "--strict", "-c"][..], &["shasum", "-a", "256", "-c"]] {
            let ran = std::process::Command::new(tool[0])
                .args(&tool[1..])
                .arg(names::MANIFEST)
                .current_dir(dir.path())
                .output()
                .unwrap();
            assert!(ran.status.success(), "{tool:?}: {ran:?}");
        }
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().text(), text);
    }

    #[test]
    fn a_manifest_that_is_not_as_we_write_it_is_refused() {
        let hash = "0".repeat(64);
        let line = |name: &str| format!("{hash}  {name}\n");
        for (why, text) in [
            ("no title", line("a")),
            ("no order", format!("# t\n{}{}", line("b"), line("a"))),
            ("twice", format!("# t\n{}{}", line("a"), line("a"))),
            ("outside", format!("# t\n{}", line("../a"))),
            ("absolute", format!("# t\n{}", line("/etc/passwd"))),
            ("itself", format!("# t\n{}", line("SHA256SUMS"))),
            ("binary mode", format!("# t\n{hash} *a\n")),
            ("no end", format!("# t\n{}", line("a").trim_end())),
            ("a second comment", format!("# t\n# u\n{}", line("a"))),
            ("short", "# t\nabc  a\n".to_owned()),
        ] {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{why}");
        }
        assert!(Manifest::parse(b"\xff").is_err());
    }

    #[test]
    fn what_is_no_plain_file_is_refused_by_name() {
        let dir = bundle();
        symlink("/etc/passwd", dir.path().join("link")).unwrap();
        nix::unistd::mkfifo(&dir.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::write(dir.path().join("-rf"), "").unwrap();
        fs::write(dir.path().join("a b"), "").unwrap();
        fs::create_dir(dir.path().join("empty")).unwrap();
        let odd = files_of(dir.path()).unwrap_err();
        let told: Vec<String> = odd.iter().map(ToString::to_string).collect();
        for name in ["link", "pipe", "-rf", "a b"] {
            assert!(told.iter().any(|line| line.starts_with(name)), "{name}: {told:?}");
        }
        assert!(read_plain(&dir.path().join("link"), 10).is_err());
        assert!(read_plain(&dir.path().join("pipe"), 10).is_err());
        assert!(read_plain(&dir.path().join("logs/z.log"), 3).is_err(), "too large");
    }
}
