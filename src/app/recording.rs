//! How a run gets its recorder: what the opening slate says, and when there is nothing to record.

use super::Watcher;
use crate::clean::Clean;
use crate::engine::clock::unix_ms;
use crate::evidence::recorder::{Recorder, Spec};
use crate::evidence::slate::Opening;
use crate::journal::{Declared, Opened, Writer};
use std::path::Path;
use std::sync::Arc;

/// The recorder of a run, for whoever watches it. JSON is for programs: nobody looks at it, and
/// nothing is recorded.
pub fn start(
    watcher: Watcher,
    directory: &Path,
    opened: &Opened,
    declared: &Declared,
    journal: &mut Writer,
) -> Option<Arc<Recorder>> {
    if matches!(watcher, Watcher::Json { .. }) {
        return None;
    }
    let opening = Opening {
        kind: opened.facts.kind,
        service: Clean::new(&opened.plan.service),
        host: opened.facts.host.clone(),
        run: opened.facts.run.clone(),
        plan_sha256: opened.plan_sha256.clone(),
        signed: declared.signed.clone(),
        clock: declared.clock,
        marking: opened.plan.evidence.marking.as_deref().map(Clean::new),
        unix_ms: unix_ms(),
    };
    let (marks, notes) = (journal.marks(), journal.notes());
    Some(Arc::new(Recorder::start(Spec { dir: directory.to_owned(), opening, marks, notes })))
}
