//! Faults made by hand, each of which must be seen by an invariant of the hostile world or by the
//! catalogue: what these two do not see, nobody would see.
//!
//! The sources are copied, every fault is built into the copy as a choice that one number in the
//! environment makes, and the copy is built once. Then the hostile test and, where that sees
//! nothing, the catalogue are run with one fault at a time. With none, both must pass. The list
//! is `tests/faults.toml`; unit tests see some of these as well, and do not count.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on shall fail")]

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Deploys that must do to see a fault, and the seed that they begin with.
const RUNS: u64 = 1_500;
const SEED: u64 = 20_261_123;
/// The name of the choice in the environment.
const CHOICE: &str = "SWITCHBACK_FAULT";
/// Tests of the catalogue that speak of the rule, the quickest first.
const CATALOGUE: [&str; 5] = [
    "one_look_is_not_enough_and_two_are_in_time",
    "slow_for_eighty_seconds_is_not_slow_for_two_minutes",
    "the_rule_reaches_its_goals_on_the_numbers_that_it_was_tuned_on",
    "the_rule_reaches_its_goals_on_ranges_that_it_was_not_tuned_on",
    "the_rule_reaches_its_goals_on_a_bad_host",
];

/// The whole list.
#[derive(Debug, Deserialize)]
struct Faults {
    fault: Vec<Fault>,
}

/// One fault.
#[derive(Debug, Deserialize)]
struct Fault {
    name: String,
    says: String,
    r#in: String,
    /// What stands there, with marks around what the fault replaces.
    text: String,
    becomes: String,
}

impl Fault {
    /// What stands before the marks, between them, and after them.
    fn parts(&self) -> [&str; 3] {
        let (before, rest) = self.text.split_once('«').expect("an opening mark");
        let (between, after) = rest.split_once('»').expect("a closing mark");
        [before, between, after]
    }

    /// Where what it replaces begins and ends in a source, in bytes.
    fn place(&self, source: &str) -> (usize, usize) {
        let [before, between, after] = self.parts();
        let whole = find(source, &format!("{before}{between}{after}"));
        assert_eq!(whole.len(), 1, "`{}` stands {} times in {}", self.text, whole.len(), self.r#in);
        let (from, to) = whole[0];
        // Behind as many characters as stand before the opening mark.
        let skip = before.chars().filter(|c| !c.is_whitespace()).count();
        let inner = source[from..to].char_indices().filter(|(_, c)| !c.is_whitespace());
        let start = from + inner.map(|(at, _)| at).nth(skip).unwrap_or(0);
        let (_, end) = find(&source[start..to], between)[0];
        (start, start + end)
    }
}

fn main() -> ExitCode {
    let names: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let ours = names.is_empty() || names.iter().any(|name| "faults".contains(name.as_str()));
    if !ours || std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("tests/faults.toml")).unwrap();
    let Faults { fault: faults } = toml::from_str(&list).unwrap();
    println!("faults: {} made by hand", faults.len());
    let began = Instant::now();
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
    Copied::of(root, &faults).lies_at(&dir);
    let built = Built::from(&dir);
    println!("  built in {:.0} s", began.elapsed().as_secs_f64());

    let sound = built.sees(0);
    if let Some(seen) = sound {
        println!("  without any fault: {seen}");
        return ExitCode::FAILURE;
    }
    let mut unseen = 0;
    for (number, fault) in (1..).zip(&faults) {
        let began = Instant::now();
        let seen = built.sees(number);
        let secs = began.elapsed().as_secs_f64();
        unseen += usize::from(seen.is_none());
        let seen = seen.unwrap_or_else(|| format!("NOBODY SEES IT: {}", fault.says));
        println!("  {number:>2} {:<42} {secs:>4.0} s  {seen}", fault.name);
    }
    println!(
        "  {} seen, {unseen} not, in {:.0} s",
        faults.len() - unseen,
        began.elapsed().as_secs_f64()
    );
    if unseen == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

// ---- the copy ----

/// The sources with every fault in them as a choice: paths from the copy's root, and contents.
#[derive(Default)]
struct Copied(BTreeMap<PathBuf, String>);

impl Copied {
    fn of(root: &Path, faults: &[Fault]) -> Self {
        let mut copied = Self::default();
        let parts =
            ["src", "tests/hostile", "tests/support/sim", "benches/support", "themes", "scenarios"];
        for part in parts.into_iter().chain(["tests/catalogue.rs"]) {
            copied.take(root, Path::new(part));
        }
        copied.put("Cargo.toml", manifest(root));
        let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
        let lock = lock.replace("name = \"switchback\"\n", "name = \"switchback-with-faults\"\n");
        copied.put("Cargo.lock", lock);
        let library = &copied.0[Path::new("src/lib.rs")];
        copied.put("src/lib.rs", format!("{library}\npub(crate) mod fault;\n"));
        copied.put("src/fault.rs", chooser());
        copied.plant(faults);
        copied
    }

    fn put(&mut self, path: &str, text: String) {
        self.0.insert(PathBuf::from(path), text);
    }

    fn take(&mut self, root: &Path, part: &Path) {
        let from = root.join(part);
        if from.is_dir() {
            for entry in fs::read_dir(from).unwrap() {
                self.take(root, &part.join(entry.unwrap().file_name()));
            }
        } else {
            self.0.insert(part.to_owned(), fs::read_to_string(from).unwrap());
        }
    }

    /// Puts it where the last copy lies. What has not changed is left alone, so that it is not
    /// built again.
    fn lies_at(&self, dir: &Path) {
        remove_others(dir, dir, &self.0);
        for (path, text) in &self.0 {
            let path = dir.join(path);
            if fs::read_to_string(&path).ok().as_ref() != Some(text) {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
    }

    /// Builds the choices in.
    fn plant(&mut self, faults: &[Fault]) {
        let mut files: BTreeMap<&str, Vec<Planted<'_>>> = BTreeMap::new();
        for (number, fault) in (1..).zip(faults) {
            let source = &self.0[Path::new(&fault.r#in)];
            let (from, to) = fault.place(source);
            files.entry(&fault.r#in).or_default().push((number, from, to, &fault.becomes));
        }
        for (file, planted) in files {
            let source = &self.0[Path::new(file)];
            let text = planted_in(source, planted);
            self.put(file, text);
        }
    }
}

/// Removes what an earlier copy has left.
fn remove_others(root: &Path, dir: &Path, kept: &BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove_others(root, &path, kept);
        } else if !kept.contains_key(path.strip_prefix(root).unwrap()) {
            fs::remove_file(path).unwrap();
        }
    }
}

/// The manifest without programs and benches, and under another name: what is built beside it
/// stays what it is.
fn manifest(root: &Path) -> String {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let mut manifest: toml::Table = text.parse().unwrap();
    for part in ["bin", "bench", "test", "lints"] {
        manifest.remove(part);
    }
    let package = manifest["package"].as_table_mut().unwrap();
    for key in ["default-run", "readme"] {
        package.remove(key);
    }
    package.insert("name".to_owned(), "switchback-with-faults".into());
    for automatic in ["autobins", "autotests", "autobenches", "autoexamples"] {
        package.insert(automatic.to_owned(), false.into());
    }
    let mut text = toml::to_string(&manifest).unwrap();
    text.push_str(
        "
[workspace]
[lints.rust]
warnings = \"allow\"
[profile.dev.package.switchback-with-faults]
opt-level = 1
[[test]]
name = \"hostile\"
path = \"tests/hostile/main.rs\"
harness = false
[[test]]
name = \"catalogue\"
",
    );
    text
}

/// The choice: which fault is switched on, told once by the environment.
fn chooser() -> String {
    format!(
        "//! Which fault is switched on.
use std::sync::OnceLock;
static CHOSEN: OnceLock<u32> = OnceLock::new();
/// Whether this one is.
pub fn on(number: u32) -> bool {{
    let told = || std::env::var({CHOICE:?}).ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    *CHOSEN.get_or_init(told) == number
}}
"
    )
}

/// Where a text stands, however its lines are broken: from and to, in bytes.
fn find(source: &str, text: &str) -> Vec<(usize, usize)> {
    let words: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let all: Vec<(usize, char)> =
        source.char_indices().filter(|(_, c)| !c.is_whitespace()).collect();
    let stands = all.windows(words.len());
    let stands = stands.filter(|window| window.iter().map(|(_, c)| c).eq(&words));
    let ends = |&(at, c): &(usize, char)| at + c.len_utf8();
    stands.filter_map(|window| Some((window.first()?.0, ends(window.last()?)))).collect()
}

/// A fault's number, where what it replaces begins and ends, and what it puts there.
type Planted<'a> = (u32, usize, usize, &'a str);

/// A source with a choice wherever a fault wants one.
fn planted_in(source: &str, mut planted: Vec<Planted<'_>>) -> String {
    planted.sort_by_key(|(_, from, ..)| *from);
    let (mut text, mut done) = (String::new(), 0);
    while let Some(&(_, from, to, _)) = planted.first() {
        // Several faults may want the same place, and nothing that lies within it.
        let here = planted.iter().take_while(|(_, start, ..)| *start < to).count();
        text.push_str(&source[done..from]);
        let statement = source[from..to].ends_with(';');
        let (opens, closes) = if statement { ('{', '}') } else { ('(', ')') };
        text.push(opens);
        for (number, start, end, becomes) in planted.drain(..here) {
            assert_eq!((start, end), (from, to), "fault {number} overlaps another one");
            write!(text, "if crate::fault::on({number}) {{ {becomes} }} else ").unwrap();
        }
        write!(text, "{{ {} }}{closes}", &source[from..to]).unwrap();
        done = to;
    }
    text.push_str(&source[done..]);
    text
}

// ---- what is built ----

/// The hostile test and the catalogue, with every fault in them.
struct Built {
    hostile: PathBuf,
    catalogue: PathBuf,
    dir: PathBuf,
}

impl Built {
    /// Builds the copy beside what is built already, so that its dependencies are not built again.
    fn from(dir: &Path) -> Self {
        let own = std::env::current_exe().unwrap();
        let target = own.ancestors().nth(3).expect("a target directory");
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = Command::new(cargo);
        command.args(["test", "--no-run", "--offline", "--quiet"]);
        command.args(["--message-format=json-render-diagnostics"]);
        command.args(["--test", "hostile", "--test", "catalogue"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        command.arg("--target-dir").arg(target).current_dir(dir);
        // What is told to this test about its own package would have dependencies built anew.
        for (name, _) in std::env::vars() {
            let own =
                ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY"];
            if own.iter().any(|start| name.starts_with(start)) {
                command.env_remove(name);
            }
        }
        let output = command.output().expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the copy does not build:\n{why}");
        let program = |name: &str| {
            said.lines()
                .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
                .filter(|message| message["target"]["name"] == name)
                .find_map(|message| message["executable"].as_str().map(PathBuf::from))
                .expect("it was built")
        };
        Self { hostile: program("hostile"), catalogue: program("catalogue"), dir: dir.to_owned() }
    }

    /// Who sees this fault; nothing where nobody does.
    fn sees(&self, number: u32) -> Option<String> {
        self.hostile_sees(number).or_else(|| self.catalogue_sees(number))
    }

    fn run(&self, program: &Path, number: u32, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        command.args(arguments).env(CHOICE, number.to_string()).current_dir(&self.dir);
        command.env_remove("SWITCHBACK_SEED").env("RUST_BACKTRACE", "0");
        let output = command.output().expect("it starts");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn hostile_sees(&self, number: u32) -> Option<String> {
        let (seed, runs) = (SEED.to_string(), RUNS.to_string());
        let arguments = ["--briefly", "--seed", &seed, "--runs", &runs];
        let (passed, said) = self.run(&self.hostile, number, &arguments);
        let line = |start: &str| {
            said.lines().find_map(|line| line.trim().strip_prefix(start)).map(str::to_owned)
        };
        (!passed).then(|| {
            let after = line("broken after ").unwrap_or_default();
            format!("{after}: {}", line("BROKEN: ").unwrap_or(said.clone()))
        })
    }

    fn catalogue_sees(&self, number: u32) -> Option<String> {
        CATALOGUE.into_iter().find_map(|name| {
            let arguments = ["--exact", "--include-ignored", name];
            let (passed, said) = self.run(&self.catalogue, number, &arguments);
            assert!(said.contains("running 1 test"), "the catalogue has no test {name}");
            (!passed).then(|| {
                let falls_short = said.lines().find(|line| line.contains("falls short"));
                let words = falls_short.map(|line| line.split_whitespace().collect::<Vec<_>>());
                let words =
                    words.map_or_else(String::new, |words| format!(": {}", words.join(" ")));
                format!("the catalogue: {}{words}", name.replace('_', " "))
            })
        })
    }
}
