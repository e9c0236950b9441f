//! Stories about journals: written, read, lived again, cut off, tampered with.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod journal_help;

use journal_help::{Engine, Stepper, finish, opened, read, sample};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};
use switchback::journal::{
    self, Closed, Entry, JOURNAL, JournalFault, ResumeFault, SAMPLES, Trouble, Writer, replay,
};
use switchback::runbook::{Command, Event, FaultKind, Kind, RunOutcome};
use switchback::runs::{self, IndexLine, RunDir};
use switchback::units::Millis;

const PATIENCE: Duration = Duration::from_secs(30);

fn begun() -> (tempfile::TempDir, Engine) {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Engine::new(dir.path(), "20261123T142207Z-7f3a", Kind::Deploy);
    engine.feed(Event::Begin, Millis::ZERO);
    (dir, engine)
}

/// A whole run of some minutes, with a way back at its end.
fn whole(dir: &Path, secs: u64) -> journal::Ended {
    let mut engine = Engine::new(dir, "20261123T142207Z-7f3a", Kind::Deploy);
    engine.feed(Event::Begin, Millis::ZERO);
    engine.fly(1, secs);
    let at = Millis::secs(secs + 1);
    engine.feed(Event::Command(Command::Rollback), at);
    engine.writer.append(Entry::Closed(Closed::now(&finish(RunOutcome::RolledBack, 3))), at);
    engine.writer.close(PATIENCE).unwrap()
}

fn replayed(dir: &Path) -> Result<replay::Replayed, Box<dyn std::error::Error>> {
    let mut stepper = Stepper::default();
    Ok(replay(&journal::read(dir)?, |event, at| stepper.step(event, at))?)
}

/// Waits for something that another process or thread does.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_run_is_lived_again_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let ended = whole(dir.path(), 200);
    let run = journal::read(dir.path()).unwrap();
    assert_eq!(run.opened, opened("20261123T142207Z-7f3a", Kind::Deploy));
    assert_eq!((run.head.as_str(), run.lines), (ended.head.as_str(), ended.lines));
    assert_eq!(run.closed.as_ref().unwrap().rollback_us, Some(480));
    assert!(!run.is_open() && run.gaps.is_empty() && run.torn == [0, 0]);
    let seen = replayed(dir.path()).unwrap();
    assert_eq!((seen.inputs, seen.unwritten, seen.gap), (1 + 200 * 3 + 20 * 2 + 1, 0, None));
    assert!(seen.effects > 100, "{seen:?}");
}

#[test]
fn a_core_that_was_changed_since_is_found_out_at_the_first_difference() {
    let dir = tempfile::tempdir().unwrap();
    whole(dir.path(), 20);
    let run = journal::read(dir.path()).unwrap();
    let mut changed = Stepper { changed: true, ..Stepper::default() };
    let difference = replay(&run, |event, at| changed.step(event, at)).unwrap_err();
    assert_eq!((difference.n, difference.at, difference.expected), (7, Millis(2_009), None));
    assert_eq!(difference.got.as_deref(), Some(r#"{"record":{"info":"changed"}}"#));
    // A stepper that says less is found out as well.
    let mut silent = Stepper::default();
    let less = replay(&run, |event, at| match event {
        Event::Command(_) => Vec::new(),
        event => silent.step(event, at),
    });
    assert_eq!(less.unwrap_err().got, None);
}

#[test]
fn routine_inputs_stay_out_of_the_journal_and_their_digest_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    whole(dir.path(), 200);
    let journal = fs::read_to_string(dir.path().join(JOURNAL)).unwrap();
    let samples = fs::read_to_string(dir.path().join(SAMPLES)).unwrap();
    let of = |name: &str| journal.matches(&format!(r#""type":"{name}""#)).count();
    assert_eq!((of("input.sample"), of("input.due")), (0, 0));
    assert!((2..15).contains(&of("input.read")), "only a read-back that says something new");
    assert!((3..=5).contains(&of("samples.digest")), "once a minute, and at the end");
    for name in ["run.opened", "input.begin", "step.entered", "split", "note", "rollback.started"] {
        assert!(of(name) > 0, "{name}");
    }
    for name in ["effect.act.set_router", "stamp", "run.closed"] {
        assert_eq!(of(name), 1, "{name}");
    }
    assert!(samples.contains(r#""mark":"split","green":50}"#), "for those who judge again");
    assert!(samples.contains(r#""step":1}"#));
    let journal_note = journal.lines().find(|line| line.contains(r#""type":"input.command""#));
    assert!(journal_note.unwrap().contains(r#""actor":"operator","host":"vps-1 gr\u00fc\u00dfe""#));
}

#[test]
fn the_files_are_private_and_safe_to_cat() {
    let dir = tempfile::tempdir().unwrap();
    whole(dir.path(), 30);
    for name in [JOURNAL, SAMPLES] {
        let path = dir.path().join(name);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(path).unwrap();
        assert!(bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\n')), "{name}");
    }
}

/// The check that a stranger can make with what every machine has.
const SHELL: &str = r#"
p=$(printf '0%.0s' $(seq 64)); n=0
while IFS= read -r l; do n=$((n+1)); w=$(printf '%s' "$l" | sed -n 's/.*"prev":"\([0-9a-f]\{64\}\)"}$/\1/p')
 [ "$w" = "$p" ] || { echo "line $n: chain broken"; exit 1; }
 p=$(printf '%s\n' "$l" | sha256sum | cut -d' ' -f1); done < journal.jsonl; echo "$n lines, head $p"
"#;

fn shell(dir: &Path) -> (bool, String) {
    let out = Process::new("sh").arg("-c").arg(SHELL).current_dir(dir).output().unwrap();
    (out.status.success(), String::from_utf8(out.stdout).unwrap().trim().to_owned())
}

#[test]
fn four_lines_of_shell_can_check_it() {
    let dir = tempfile::tempdir().unwrap();
    let ended = whole(dir.path(), 25);
    let good = (true, format!("{} lines, head {}", ended.lines, ended.head));
    assert_eq!(shell(dir.path()), good);
    let path = dir.path().join(JOURNAL);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("asked", "Asked", 1)).unwrap();
    let (held, says) = shell(dir.path());
    let JournalFault::Broken { line } = journal::read(dir.path()).unwrap_err() else { panic!() };
    assert!(!held && says == format!("line {line}: chain broken"), "{says}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_byte_that_is_changed_is_found(at in any::<prop::sample::Index>(), to in 1u8..=255) {
        let dir = &*FLOWN;
        let copy = tempfile::tempdir().unwrap();
        let [journal, samples] = [JOURNAL, SAMPLES].map(|name| fs::read(dir.path().join(name)).unwrap());
        // All but the last line of the journal: nothing in it follows on that one. The index
        // holds its digest.
        let sealed = journal[..journal.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
        let (mut journal, mut samples) = (journal, samples);
        let at = at.index(sealed + samples.len());
        match at.checked_sub(sealed) {
            None => journal[at] ^= to,
            Some(at) => samples[at] ^= to,
        }
        fs::write(copy.path().join(JOURNAL), journal).unwrap();
        fs::write(copy.path().join(SAMPLES), samples).unwrap();
        prop_assert!(journal::read(copy.path()).is_err());
    }

    #[test]
    fn any_line_that_is_missing_or_moved_is_found(at in any::<prop::sample::Index>(), moved: bool) {
        let copy = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(FLOWN.path().join(JOURNAL)).unwrap();
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let at = at.index(lines.len() - 1);
        if moved { lines.swap(at, at + 1) } else { let _ = lines.remove(at); }
        fs::write(copy.path().join(JOURNAL), lines.concat()).unwrap();
        fs::copy(FLOWN.path().join(SAMPLES), copy.path().join(SAMPLES)).unwrap();
        let found = matches!(journal::read(copy.path()), Err(JournalFault::Broken { line }) if line == at as u64 + 1);
        prop_assert!(found);
    }

    #[test]
    fn a_journal_cut_off_anywhere_is_read_picked_up_and_lived_again(at in any::<prop::sample::Index>()) {
        let copy = tempfile::tempdir().unwrap();
        let journal = fs::read(OPEN.path().join(JOURNAL)).unwrap();
        let first = journal.iter().position(|b| *b == b'\n').unwrap() + 1;
        let keep = first + at.index(journal.len() - first);
        fs::write(copy.path().join(JOURNAL), &journal[..keep]).unwrap();
        // What the disk had of the samples: all, though the journal is older.
        fs::copy(OPEN.path().join(SAMPLES), copy.path().join(SAMPLES)).unwrap();
        let before = journal::read(copy.path()).unwrap();
        prop_assert!(before.gaps.is_empty(), "{:?}", before.gaps);
        let (writer, _, run) = Writer::resume(copy.path()).unwrap();
        let mut stepper = Stepper::default();
        for turn in &run.turns {
            stepper.step(turn.event.clone(), turn.at);
        }
        let mut engine = Engine { writer, stepper, n: run.last_n };
        engine.feed(Event::Resumed { attended: true }, run.last_at);
        engine.fly(run.last_at.as_secs() + 1, 70);
        engine.writer.close(PATIENCE).unwrap();
        let seen = replayed(copy.path()).unwrap();
        prop_assert_eq!((seen.inputs, seen.gap), (engine.n, None));
        prop_assert_eq!(journal::read(copy.path()).unwrap().torn, [0, 0]);
    }
}

static FLOWN: std::sync::LazyLock<tempfile::TempDir> = std::sync::LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    whole(dir.path(), 12);
    dir
});

static OPEN: std::sync::LazyLock<tempfile::TempDir> = std::sync::LazyLock::new(|| {
    let (dir, mut engine) = begun();
    engine.fly(1, 20);
    engine.writer.close(PATIENCE).unwrap();
    dir
});

#[test]
fn a_run_that_is_over_is_not_picked_up_but_an_interrupted_one_is() {
    let dir = tempfile::tempdir().unwrap();
    whole(dir.path(), 3);
    let fault = Writer::resume(dir.path()).unwrap_err();
    assert!(matches!(&fault, ResumeFault::Over { outcome: "rolled back", .. }), "{fault}");

    let (dir, engine) = begun();
    let closed = Closed::now(&finish(RunOutcome::Interrupted, 0));
    engine.writer.append(Entry::Closed(closed), Millis(5));
    engine.writer.close(PATIENCE).unwrap();
    let (writer, _, run) = Writer::resume(dir.path()).unwrap();
    assert!(run.is_open());
    writer.append(Entry::Input { n: 2, event: Event::Resumed { attended: true } }, Millis(9));
    writer.close(PATIENCE).unwrap();
    assert!(journal::read(dir.path()).unwrap().closed.is_none());
}

#[test]
fn nothing_may_follow_on_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _) = Writer::create(dir.path(), opened("r", Kind::Drill), Millis::ZERO).unwrap();
    writer.append(Entry::Closed(Closed::now(&finish(RunOutcome::Kept, 0))), Millis(1));
    writer.append(Entry::Input { n: 1, event: Event::Begin }, Millis(2));
    writer.close(PATIENCE).unwrap();
    let fault = journal::read(dir.path()).unwrap_err();
    assert!(matches!(fault, JournalFault::Garbage { line: 4, .. }), "{fault}");
}

#[test]
fn a_journal_from_the_future_is_refused_and_one_that_says_more_is_read() {
    let (dir, engine) = begun();
    engine.writer.close(PATIENCE).unwrap();
    let path = dir.path().join(JOURNAL);
    let text = fs::read_to_string(&path).unwrap();
    let first = text.split_inclusive('\n').next().unwrap();
    fs::write(&path, first.replacen(r#""journal":1"#, r#""journal":2"#, 1)).unwrap();
    let fault = journal::read(dir.path()).unwrap_err();
    assert!(matches!(fault, JournalFault::Newer { found: 2, known: 1 }), "{fault}");
    assert!(fault.hint().contains("newer"));
    fs::write(&path, first.replacen(r#""minor":1"#, r#""minor":7,"moon":"full""#, 1)).unwrap();
    assert_eq!(journal::read(dir.path()).unwrap().opened.minor, 7);
}

#[test]
fn a_second_run_cannot_have_the_same_directory() {
    let (dir, _engine) = begun();
    let fault = Writer::create(dir.path(), opened("r", Kind::Deploy), Millis::ZERO).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Local);
    assert!(fault.hint.as_str().contains("new one"), "{fault:?}");
}

#[test]
fn what_is_behind_a_barrier_is_on_disk() {
    let (dir, mut engine) = begun();
    runtime().block_on(async {
        for s in 1..50 {
            engine.feed(sample(Millis::secs(s), s), Millis::secs(s));
            engine.feed(Event::Command(Command::Hold), Millis::secs(s));
            let barrier = engine.writer.barrier();
            assert!(engine.writer.durable(barrier).await);
            let run = journal::read(dir.path()).unwrap();
            assert_eq!((run.last_n, run.turns.len() as u64), (engine.n, engine.n));
        }
        let watch = engine.writer.watch();
        engine.writer.close(PATIENCE).unwrap();
        assert!(!{ watch }.reached(1_000).await, "a writer that has ended keeps nobody waiting");
    });
}

#[test]
fn without_a_barrier_it_is_there_soon_and_without_close_it_is_there_too() {
    let (dir, mut engine) = begun();
    engine.feed(sample(Millis::secs(1), 3), Millis::secs(1));
    until("the sample", || journal::read(dir.path()).unwrap().last_n == 2);
    engine.feed(read(0, 1), Millis::secs(2));
    drop(engine);
    assert_eq!(journal::read(dir.path()).unwrap().last_n, 3);
}

#[test]
fn a_deleted_journal_is_told_once_and_put_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, mut troubles) =
        Writer::create(dir.path(), opened("r", Kind::Deploy), Millis::ZERO).unwrap();
    writer.append(Entry::Input { n: 1, event: Event::Begin }, Millis(1));
    runtime().block_on(async {
        assert!(writer.durable(writer.barrier()).await);
        fs::remove_file(dir.path().join(JOURNAL)).unwrap();
        writer.append(Entry::Input { n: 2, event: Event::Resumed { attended: true } }, Millis(2));
        let barrier = writer.barrier();
        let Some(Trouble::Failed(fault)) = troubles.recv().await else { panic!("no fault") };
        assert!(fault.cause.as_str().contains("deleted"), "{fault}");
        let lost = switchback::journal::Lost { records: 0, samples: 0 };
        assert_eq!(troubles.recv().await, Some(Trouble::Recovered { lost }));
        assert!(writer.durable(barrier).await);
    });
    assert_eq!(journal::read(dir.path()).unwrap().turns.len(), 2);
    writer.close(PATIENCE).unwrap();
}

#[test]
fn who_closes_on_a_dead_disk_is_told_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _troubles) =
        Writer::create(dir.path(), opened("r", Kind::Deploy), Millis::ZERO).unwrap();
    let path = dir.path().join(JOURNAL);
    fs::rename(&path, dir.path().join("aside")).unwrap();
    fs::write(&path, "another file").unwrap();
    writer.append(Entry::Input { n: 1, event: Event::Begin }, Millis(1));
    let fault = writer.close(Duration::from_millis(50)).unwrap_err();
    assert!(fault.cause.as_str().contains("another file"), "{fault}");
    assert_eq!(fs::read_to_string(path).unwrap(), "another file");
}

/// Names the directory for the process that is going to be killed.
const VICTIM: &str = "SWITCHBACK_TEST_VICTIM";

/// Not a story of its own: what the killed process does.
#[test]
fn writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(VICTIM) else { return };
    let mut engine = Engine::new(Path::new(&dir), "20261123T142207Z-7f3a", Kind::Deploy);
    engine.feed(Event::Begin, Millis::ZERO);
    for s in 1.. {
        engine.fly(s, 1);
        if s.is_multiple_of(7) {
            let barrier = engine.writer.barrier();
            runtime().block_on(engine.writer.durable(barrier));
        }
    }
}

#[test]
fn a_cockpit_that_is_killed_leaves_a_run_that_can_be_picked_up() {
    for round in 0..5u64 {
        let dir = tempfile::tempdir().unwrap();
        let mut victim = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed", "--nocapture"])
            .env(VICTIM, dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let enough = 20_000 + round * 7_919;
        until("a journal", || {
            fs::metadata(dir.path().join(JOURNAL)).is_ok_and(|file| file.len() > enough)
        });
        victim.kill().unwrap();
        victim.wait().unwrap();
        let (writer, _, run) = Writer::resume(dir.path()).unwrap();
        assert!(run.turns.len() > 20 && run.gaps.is_empty(), "{:?}", run.gaps);
        writer.append(
            Entry::Input { n: run.last_n + 1, event: Event::Resumed { attended: true } },
            run.last_at,
        );
        drop(writer);
        let mut stepper = Stepper::default();
        let run = journal::read(dir.path()).unwrap();
        let seen = replay(&run, |event, at| match event {
            Event::Resumed { .. } => Vec::new(),
            event => stepper.step(event, at),
        });
        assert_eq!(seen.unwrap().inputs, run.last_n);
    }
}

#[test]
fn runs_are_listed_found_and_indexed_by_what_their_journals_say() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("runs");
    assert!(runs::list(&root).unwrap().is_empty());
    let over = RunDir::create(&root, Kind::Deploy, b"schema = 1\n").unwrap();
    let ended = whole(over.path(), 3);
    let run = journal::read(over.path()).unwrap();
    let line = IndexLine::new(&run.opened, run.closed.as_ref().unwrap(), &ended);
    runs::index::append(&root, &line).unwrap();
    let open = RunDir::create(&root, Kind::Deploy, b"").unwrap();
    let engine = Engine::new(open.path(), open.id(), Kind::Deploy);
    fs::create_dir(root.join("20200101T000000Z-dead")).unwrap();

    let list = runs::list(&root).unwrap();
    assert_eq!(list.iter().map(|run| run.open).filter(|open| *open).count(), 1);
    assert_eq!(list[0].outcome, "unreadable", "a directory without a journal is not hidden");
    let found = runs::find(&root, Some(runs::short(over.id()))).unwrap();
    assert_eq!((found.outcome, found.exit, found.rollback_us), ("rolled back", Some(3), Some(480)));
    assert_eq!(found.began.as_deref(), Some("2026-11-23T14:22:07.000Z"));
    assert_eq!(runs::find(&root, None).unwrap().id, open.id());
    assert_eq!(runs::find(&root, Some("2020")).unwrap().id, "20200101T000000Z-dead");
    assert!(runs::find(&root, Some("2")).unwrap_err().to_string().contains(" or "));
    assert!(runs::find(&root, Some("moon")).unwrap_err().to_string().contains("moon"));
    let json = serde_json::to_string(&found).unwrap();
    assert!(json.contains(r#""outcome":"rolled back""#) && json.contains(over.id()), "{json}");
    let router = run.opened.router.as_str();
    let (us, _) = runs::last_rollback(&root, router).unwrap();
    assert_eq!(us, 480);
    drop(engine);
}
