//! How a run is closed: its recording gets its slate, its journal its last line, the runs' index
//! one of its own; and then it is sealed.
//!
//! Nothing here changes how a run has ended. What cannot be written or sealed is told, with the
//! command that tries again.

use super::report::bundle;
use crate::clean;
use crate::engine::Ended;
use crate::evidence::recorder::Recorder;
use crate::evidence::sign::Asking;
use crate::evidence::slate::Closing;
use crate::journal::{Closed, Entry, Noted, Opened, Writer};
use crate::plain::complain;
use crate::runbook::surroundings::End;
use crate::runbook::{Fault, RunOutcome, Snapshot};
use crate::runs::{self, Home, IndexLine};
use crate::units::Millis;
use std::path::Path;
use std::time::Duration;

/// How long the end of a run waits for a disk that does not answer.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Closes the recording and the journal of a run, of which `last` is how things stood at its end;
/// says whether the end of the journal is on disk.
pub fn close(
    home: &Home,
    opened: &Opened,
    ended: Ended,
    last: Option<&Snapshot>,
    recorder: Option<&Recorder>,
) -> bool {
    let Ended { journal, closed, at, .. } = ended;
    // What is to be said of the recording comes before the journal's last line.
    if let Some(recorder) = recorder {
        let closing = Closing {
            outcome: closed.outcome,
            exit: closed.exit,
            says: closed.says.clone(),
            head: journal.head(LAST_WRITE),
        };
        recorder.close(closing, LAST_WRITE);
    }
    let hits = clean::installed().hits();
    if !hits.is_empty() {
        let hits = hits.into_iter().collect();
        journal.append(Entry::Noted(Noted::Redacted(hits)), at);
    }
    finish(home, opened, journal, closed, at, last.map(End::of))
}

/// Keeps what there is of a run whose engine has failed: its journal has no last line, and its
/// bundle says so.
pub fn cut_off(home: &Home, directory: &Path, recorder: Option<&Recorder>, fault: &Fault) {
    if let Some(recorder) = recorder {
        let closing =
            Closing { outcome: RunOutcome::Failed, exit: 1, says: fault.cause.clone(), head: None };
        recorder.close(closing, LAST_WRITE);
    }
    seal(home, directory, Asking::Nobody, true);
}

/// Writes the end of a journal, and the run's line in the index, with how it left things as far as
/// that is known.
pub fn finish(
    home: &Home,
    opened: &Opened,
    journal: Writer,
    closed: Closed,
    at: Millis,
    end: Option<End>,
) -> bool {
    let over = closed.outcome != RunOutcome::Interrupted;
    // A run that was interrupted is closed as such, and can be picked up all the same.
    journal.append(Entry::Closed(closed.clone()), at);
    // The disk is waited for here, and not where a rollback could be waiting behind it.
    let Ok(written) = journal.close(LAST_WRITE) else { return false };
    // The index gets its line when a run is over, not when it was interrupted.
    if over {
        let line = IndexLine::new(opened, &closed, &written).leaving(end);
        if let Err(fault) = runs::index::append(&home.runs, &line) {
            complain(format_args!("warning: the runs' index was not written: {fault}"));
        }
    }
    true
}

/// Seals a run that was just closed, and says so; `told` is whether lines may be printed.
pub fn seal(home: &Home, directory: &Path, asking: Asking, told: bool) {
    let id = directory.file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default();
    match bundle(home, directory, &Default::default(), asking) {
        Ok(sealed) => {
            if told {
                println(&super::report::says(&sealed));
            }
        }
        Err(failure) => complain(format_args!(
            "warning: the run is not sealed\n{}\nhint: switchback report {} seals it",
            failure.says,
            runs::short(&id)
        )),
    }
}

/// A reader that has seen enough is no error, and the run's exit code stays what it is.
fn println(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
