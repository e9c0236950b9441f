//! What is made from a bundle's own files: the same files give the same bytes, here and wherever
//! it is verified.

use crate::evidence::environment::{self, Stated};
use crate::evidence::manifest::{MOST_BYTES, files_of, read_plain};
use crate::evidence::seal::gather::is_cast;
use crate::evidence::state::{self, End};
use crate::evidence::{Account, controls, names, oscal, readme, report, statement, transcript};
use crate::journal::chain::digest;
use crate::journal::{JOURNAL, Run};
use std::path::Path;

/// The check with stock tools, as it goes into every bundle.
const VERIFY_SH: &str = include_str!("../verify.sh");

/// What is derived, and so no source of anything.
pub const DERIVED: [&str; 11] = [
    names::STATE_BEFORE,
    names::STATE_AFTER,
    names::ENVIRONMENT,
    names::TRANSCRIPT,
    names::CONTROLS,
    names::OSCAL,
    names::STATEMENT,
    names::REPORT_MD,
    names::REPORT,
    names::VERIFY_SH,
    names::README,
];

/// Derives all of it from the other files in `dir`, which hold the journal `run`.
pub fn derive(dir: &Path, run: &Run, stated: &Stated) -> Result<Vec<(String, Vec<u8>)>, String> {
    let names = files_of(dir).map_err(|odd| {
        odd.first().map_or_else(|| "it cannot be read".to_owned(), ToString::to_string)
    })?;
    let own = |name: &&String| {
        !DERIVED.contains(&name.as_str())
            && !crate::evidence::manifest::UNLISTED.contains(&name.as_str())
    };
    let read = |name: &str| read_plain(&dir.join(name), MOST_BYTES).map_err(|e| e.to_string());
    let mut digests: Vec<(String, String)> = Vec::new();
    let mut casts = Vec::new();
    let mut journal = Vec::new();
    let mut masks = std::collections::BTreeMap::new();
    for name in names.iter().filter(own) {
        let bytes = read(name)?;
        digests.push((name.clone(), digest(&bytes)));
        if name == JOURNAL || name.starts_with("logs/") {
            environment::count_masks(&bytes, &mut masks);
        }
        if is_cast(name) {
            casts.push((name.clone(), bytes));
        } else if name == JOURNAL {
            journal = bytes;
        }
    }
    let account = Account::of(dir, run);
    let mut made = Made { files: Vec::new(), digests };
    made.add(names::STATE_BEFORE, state::json(run, End::Before));
    made.add(names::STATE_AFTER, state::json(run, End::After));
    made.add(names::ENVIRONMENT, environment::json(run, stated, masks));
    if !casts.is_empty() {
        made.add(names::TRANSCRIPT, transcript::text(&casts));
    }
    made.add(names::CONTROLS, controls::json(&account));
    made.add(names::OSCAL, oscal::json(&account, &made.digests));
    made.add(names::STATEMENT, statement::json(&account, &made.digests));
    let page = report::Page {
        controls: controls::rows(&account).into_iter().map(row).collect(),
        account,
        digests: made.digests.clone(),
        casts,
        journal,
        signed: stated.signer.clone(),
        left_out: stated
            .left_out
            .iter()
            .map(|left| format!("{}: {}", left.file, left.why))
            .collect(),
    };
    made.add(names::REPORT_MD, report::markdown(&page));
    made.add(names::REPORT, report::html(&page));
    made.add(names::VERIFY_SH, verify_sh(run));
    let mut listed: Vec<String> = made.digests.iter().map(|(name, _)| name.clone()).collect();
    listed.sort();
    made.add(names::README, readme::text(run, stated, &listed));
    Ok(made.files)
}

struct Made {
    files: Vec<(String, Vec<u8>)>,
    digests: Vec<(String, String)>,
}

impl Made {
    fn add(&mut self, name: &str, text: String) {
        self.digests.push((name.to_owned(), digest(text.as_bytes())));
        self.files.push((name.to_owned(), text.into_bytes()));
    }
}

fn verify_sh(run: &Run) -> String {
    VERIFY_SH.replacen("@TITLE@", &readme::title(run), 1)
}

/// A row of the controls as the report tells it.
fn row(row: controls::Row) -> report::ControlRow {
    let pieces = row.relevant.iter().map(|piece| format!("{}: {}", piece.file, piece.what));
    report::ControlRow {
        framework: row.framework.name().to_owned(),
        id: row.id.to_owned(),
        name: row.name.to_owned(),
        relevant: pieces.collect::<Vec<_>>().join("; "),
        not_shown: row.does_not_show,
    }
}
