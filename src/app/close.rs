//! How a run is closed: its journal gets its last line, and the runs' index one of its own.

use crate::engine::Ended;
use crate::journal::{Entry, Opened};
use crate::plain::complain;
use crate::runbook::surroundings::End;
use crate::runbook::{RunOutcome, Snapshot};
use crate::runs::{self, Home, IndexLine};
use std::time::Duration;

/// How long the end of a run waits for a disk that does not answer.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Closes a run, of which `last` is how things stood at its end; says whether the end of its journal is on disk.
pub fn close(home: &Home, opened: &Opened, ended: Ended, last: Option<&Snapshot>) -> bool {
    let Ended { finish, journal, closed, at } = ended;
    // A run that was interrupted is closed as such, and can be picked up all the same.
    journal.append(Entry::Closed(closed.clone()), at);
    // The disk is waited for here, and not where a rollback could be waiting behind it.
    let Ok(written) = journal.close(LAST_WRITE) else { return false };
    // The index gets its line when a run is over, not when it was interrupted.
    if finish.outcome != RunOutcome::Interrupted {
        let line = IndexLine::new(opened, &closed, &written).leaving(last.map(End::of));
        if let Err(fault) = runs::index::append(&home.runs, &line) {
            complain(format_args!("warning: the runs' index was not written: {fault}"));
        }
    }
    true
}
