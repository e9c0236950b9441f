//! How a run is closed: its recording gets its slate, its journal its last line, and the runs'
//! index one of its own.

use crate::engine::Ended;
use crate::evidence::recorder::Recorder;
use crate::evidence::slate::Closing;
use crate::journal::{Entry, Opened};
use crate::plain::complain;
use crate::runbook::RunOutcome;
use crate::runs::{self, Home, IndexLine};
use std::time::Duration;

/// How long the end of a run waits for a disk that does not answer.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Closes a run; says whether the end of its journal is on disk.
pub fn close(home: &Home, opened: &Opened, ended: Ended, recorder: Option<&Recorder>) -> bool {
    let Ended { finish, journal, closed, at } = ended;
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
    // A run that was interrupted is closed as such, and can be picked up all the same.
    journal.append(Entry::Closed(closed.clone()), at);
    // The disk is waited for here, and not where a rollback could be waiting behind it.
    let Ok(written) = journal.close(LAST_WRITE) else { return false };
    // The index gets its line when a run is over, not when it was interrupted.
    if finish.outcome != RunOutcome::Interrupted {
        let line = IndexLine::new(opened, &closed, &written);
        if let Err(fault) = runs::index::append(&home.runs, &line) {
            complain(format_args!("warning: the runs' index was not written: {fault}"));
        }
    }
    true
}
