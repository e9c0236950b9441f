//! Why a journal cannot be read, with the line.

use std::path::PathBuf;

/// Why a journal cannot be read. Lines are counted from 1, as editors do.
#[derive(Debug, thiserror::Error)]
pub enum JournalFault {
    /// The file cannot be read at all.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no whole record in it.
    #[error("{path} holds no whole record")]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// A line does not name the one before: it, or the one before, was edited, or one is missing.
    #[error(
        "journal line {line}: chain broken: this line or the one before it was changed, or one is missing"
    )]
    Broken {
        /// Which line.
        line: u64,
    },
    /// A line is no record.
    #[error("journal line {line}: no record: {why}")]
    Garbage {
        /// Which line.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The journal was written by a newer program.
    #[error("the journal is of version {found}, this program reads version {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A line of samples is none.
    #[error("samples line {line}: {why}")]
    Samples {
        /// Which line.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The samples are not those whose digest the journal holds.
    #[error(
        "samples up to line {lines} are not those of journal line {line}: changed, or lines are missing"
    )]
    SamplesChanged {
        /// The journal's line with the digest.
        line: u64,
        /// How many lines of samples it speaks for.
        lines: u64,
    },
}

impl JournalFault {
    /// The next move.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "see `switchback runs` for the runs there are",
            Self::Empty { .. } => {
                "the run ended before it began; nothing was changed, begin a new one"
            }
            Self::Broken { .. }
            | Self::Garbage { .. }
            | Self::Samples { .. }
            | Self::SamplesChanged { .. } => {
                "do not trust what follows; read the router itself, and keep the file as it is"
            }
            Self::Newer { .. } => "use the program that wrote it, or a newer one",
        }
    }
}
