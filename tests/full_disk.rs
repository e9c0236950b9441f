//! A disk that is full, for real: the system refuses to let the journal grow, halfway through a
//! line, and later lets it. The limit is the whole process's, so this story has one for itself.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod journal_help;

use journal_help::{Engine, Stepper, opened};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use switchback::journal::{self, JOURNAL, Lost, Trouble, Writer, replay};
use switchback::runbook::{Event, FaultKind, Kind};
use switchback::units::Millis;

#[test]
fn a_full_disk_is_told_once_and_nothing_is_lost_or_out_of_order() {
    // Without this the system ends the process instead of refusing the write.
    let noticed = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(nix::libc::SIGXFSZ, Arc::clone(&noticed)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (writer, mut troubles) =
        Writer::create(dir.path(), opened("r", Kind::Deploy), Millis::ZERO).unwrap();
    let mut engine = Engine { writer, stepper: Stepper::default(), n: 0 };
    engine.feed(Event::Begin, Millis::ZERO);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(engine.writer.durable(engine.writer.barrier()).await);
        let path = dir.path().join(JOURNAL);
        let room = path.metadata().unwrap().len() + 777;
        let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
        setrlimit(Resource::RLIMIT_FSIZE, room, hard).unwrap();
        engine.fly(1, 90);
        let barrier = engine.writer.barrier();
        let Some(Trouble::Failed(fault)) = troubles.recv().await else { panic!("no fault") };
        assert_eq!(fault.kind, FaultKind::Local);
        assert!(fault.cause.as_str().contains(".jsonl cannot be written"), "{fault}");
        assert!(fault.hint.as_str().contains("as soon as it fits"), "{fault:?}");
        assert!(path.metadata().unwrap().len() <= room);
        // It is tried again, and refused again, and not told again.
        noticed.store(false, Ordering::SeqCst);
        while !noticed.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(troubles.try_recv().is_err());
        engine.fly(91, 5);
        setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
        let lost = Lost { records: 0, samples: 0 };
        assert_eq!(troubles.recv().await, Some(Trouble::Recovered { lost }));
        assert!(engine.writer.durable(barrier).await);
    });
    engine.writer.close(Duration::from_secs(10)).unwrap();
    let run = journal::read(dir.path()).unwrap();
    assert_eq!((run.last_n, run.gaps.len(), run.torn), (engine.n, 0, [0, 0]));
    let mut stepper = Stepper::default();
    assert_eq!(replay(&run, |e, at| stepper.step(e, at)).unwrap().inputs, engine.n);
}
