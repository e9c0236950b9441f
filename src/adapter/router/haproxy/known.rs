//! What was found out about the servers, shared by all clones of a router.
//!
//! Only the knowledge is shared, never a connection: it is copied out and put in whole, so nobody
//! holds it while waiting for anything, and the way back cannot be kept from it.

use super::discover::Found;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The last thing that was found, if anything was.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Mutex<Option<Arc<Found>>>>);

impl Known {
    /// What is known.
    pub(super) fn get(&self) -> Option<Arc<Found>> {
        self.here().clone()
    }

    /// Everybody knows this from now on.
    pub(super) fn learn(&self, found: Found) -> Arc<Found> {
        let found = Arc::new(found);
        *self.here() = Some(Arc::clone(&found));
        found
    }

    fn here(&self) -> MutexGuard<'_, Option<Arc<Found>>> {
        // It is replaced whole: whoever failed in between has broken nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
