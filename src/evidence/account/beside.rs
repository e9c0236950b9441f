//! What an account takes from files beside the journal: a date that an approval says of itself, and
//! marks of masking. Neither is believed for more than that.

use crate::clean::Clean;
use crate::evidence::approve::Approval;
use crate::evidence::manifest::{MOST_BYTES, read_plain};
use crate::evidence::names;
use crate::journal::{JOURNAL, SAMPLES};
use std::path::Path;

/// How every mark of masking begins.
const MARK: &[u8] = b"[redacted:";

/// When a second person has approved, as they say.
pub(super) fn approved_at(dir: &Path) -> Option<Clean> {
    let bytes = read_plain(&dir.join(names::APPROVAL), 64 << 10).ok()?;
    let approval: Approval = serde_json::from_slice(&bytes).ok()?;
    Some(Clean::new(&approval.at))
}

/// Marks of masking in journal, samples and logs; nothing if the journal cannot be read.
pub(super) fn marks(dir: &Path) -> Option<u64> {
    let count = |name: &Path| {
        let bytes = read_plain(name, MOST_BYTES).ok()?;
        Some(bytes.windows(MARK.len()).filter(|window| *window == MARK).count() as u64)
    };
    let mut sum = count(&dir.join(JOURNAL))?;
    sum += count(&dir.join(SAMPLES)).unwrap_or(0);
    if let Ok(logs) = std::fs::read_dir(dir.join("logs")) {
        sum += logs.filter_map(|log| count(&log.ok()?.path())).sum::<u64>();
    }
    Some(sum)
}
