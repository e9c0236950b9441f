//! Secrets: the plan names them, this module fetches them, and nothing prints them.
//!
//! [`Secrets`] has no `Serialize`, and its `Debug` shows names only. The values leave in one way:
//! [`Secrets::by_name`], for the headers that carry them and for the sanitiser that masks them.

use super::fault::{Faults, PlanFault};
use super::{Plan, SecretSource};
use crate::clean::Mask;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A secret of more bytes than this is a mistake.
const LARGEST: u64 = 64 << 10;

/// The values of the plan's secrets, by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// The values by name, for requests that carry them.
    pub const fn by_name(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, format_args!("***")))).finish()
    }
}

/// Fetches every secret that the plan names; all that cannot be had are faults.
pub fn resolve(plan: &Plan) -> Result<Secrets, Faults> {
    let (secrets, faults) = obtain(plan);
    if faults.is_empty() { Ok(secrets) } else { Err(Faults::new(faults)) }
}

/// Fetches what can be had, and says what cannot. What is missing is empty: a request that
/// carries it is sent all the same, and whoever wants the secret refuses it.
pub fn obtain(plan: &Plan) -> (Secrets, Vec<PlanFault>) {
    let mut values = BTreeMap::new();
    let mut faults = Vec::new();
    for (name, source) in &plan.secrets {
        let value = fetch(source).unwrap_or_else(|(cause, hint)| {
            let path = format!("secrets.{name}");
            let mut fault = PlanFault::file(&path, &cause, hint);
            fault.path = crate::clean::Clean::new(&path);
            faults.push(fault);
            String::new()
        });
        values.insert(name.clone(), value);
    }
    (Secrets(values), faults)
}

/// Why a secret cannot be had, or not be kept secret, with the next move; none where it can.
pub(super) fn lacking(source: &SecretSource) -> Option<(String, &'static str)> {
    match fetch(source) {
        Err(lacking) => Some(lacking),
        Ok(value) => (!Mask::new([(String::new(), value)]).too_short().is_empty()).then(|| {
            (
                "it is too short to be masked: where a service repeats it, it would be shown"
                    .to_owned(),
                "make it at least 8 characters long",
            )
        }),
    }
}

fn fetch(source: &SecretSource) -> Result<String, (String, &'static str)> {
    let (value, whence) = match source {
        SecretSource::Env(name) => {
            let value = match std::env::var(name) {
                Ok(value) => value,
                Err(std::env::VarError::NotPresent) => {
                    return Err((
                        format!("the variable {name} is not set"),
                        "set it in the environment that switchback is started from",
                    ));
                }
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err((format!("the variable {name} is not UTF-8"), "set it again"));
                }
            };
            (value, format!("the variable {name}"))
        }
        SecretSource::File(name) => (read(name)?, format!("the file {name}")),
    };
    if value.is_empty() {
        return Err((format!("{whence} is empty"), "put the secret there"));
    }
    if value.chars().any(char::is_control) {
        return Err((
            format!("{whence} holds more than one line, or a control character"),
            "a secret is sent in a header: one line",
        ));
    }
    Ok(value)
}

fn read(name: &str) -> Result<String, (String, &'static str)> {
    let path = at_home(name);
    let cannot = |error: std::io::Error| {
        (
            format!("the file {name} cannot be read: {}", reason(&error)),
            "look at its path and at who may read it",
        )
    };
    if !std::fs::metadata(&path).map_err(cannot)?.is_file() {
        return Err((format!("{name} is not a regular file"), "name a file that holds the secret"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).map_err(cannot)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err((
            format!("the file {name} is too large for a secret"),
            "is it the right file?",
        ));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| (format!("the file {name} is not UTF-8"), "is it the right file?"))?;
    // Editors end a file with a line feed; it is not part of the secret.
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// A path with `~/` as the operator's home.
pub fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}
