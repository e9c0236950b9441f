//! Whether plan and release were put down before the first change, and on whose word.

use super::Account;
use chrono::DateTime;

/// What is known of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing was declared.
    Nothing,
    /// This host's clock and its operator say so, and nobody else.
    Word,
    /// A time authority has dated the declaration before the first change.
    Proven,
    /// It has dated it after the first change, by this host's clock.
    After,
    /// It gave a time that cannot be read.
    Unreadable,
}

impl Before {
    /// With which reserve something may be called signed before the first change.
    pub const fn reserve(self) -> &'static str {
        match self {
            Self::Proven => "before the first change, as a time authority's token says",
            Self::After => "AFTER the first change, as a time authority's token says",
            Self::Nothing | Self::Word | Self::Unreadable => {
                "before the first change by the operator's word alone"
            }
        }
    }
}

impl Account {
    /// Whether plan and release were declared before the first change.
    pub fn declared_before(&self) -> Before {
        let Some(declared) = &self.declared else { return Before::Nothing };
        let Some(token) = &declared.token else { return Before::Word };
        let time = DateTime::parse_from_rfc3339(&token.time).ok().map(|at| at.timestamp_millis());
        match (time, self.first_change.map(|at| self.unix_ms(at))) {
            (None, _) => Before::Unreadable,
            (Some(time), Some(changed)) if time > changed => Before::After,
            (Some(_), _) => Before::Proven,
        }
    }
}
