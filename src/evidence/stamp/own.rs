//! Holding a token together by the certificates that it carries: has anybody changed it?
//!
//! That says nothing of who the authority is, for anybody can make a certificate; that takes the
//! authority's own, from elsewhere. `openssl` does the arithmetic.

use super::form::{Certificate, Form};
use crate::evidence::tool::{self, Asking};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// It is as it was signed. So many of the certificates that it carries are covered by nothing
    /// in it: who signed them is not among them.
    Fits {
        /// How many.
        uncovered: usize,
    },
    /// It is not.
    Bad(String),
    /// It could not be looked at.
    Unable(String),
}

/// Holds a token over the bytes of `data` against its own signer, at its own time, in seconds since
/// 1970.
pub fn holds(form: &Form, token: &Path, data: &Path, at_unix_s: i64) -> Own {
    let place = match Place::open() {
        Ok(place) => place,
        Err(e) => return Own::Unable(format!("no room to look at it: {e}")),
    };
    let looked = place.pem("signer", &form.signer.der).map_err(|e| Own::Unable(e.to_string()));
    let looked = looked.and_then(|signer| {
        let mut command = Command::new("openssl");
        command.args(["ts", "-verify", "-partial_chain", "-attime", &at_unix_s.to_string()]);
        command.arg("-data").arg(data).arg("-in").arg(token).arg("-CAfile").arg(signer);
        heard(&mut command)?;
        others(&place, form)
    });
    match looked {
        Ok(uncovered) => Own::Fits { uncovered },
        Err(own) => own,
    }
}

/// Looks at the certificates that lead to the signer's; gives how many cannot be looked at.
fn others(place: &Place, form: &Form) -> Result<usize, Own> {
    let leads = |of: &Certificate| {
        let below = form.others.iter().filter(|other| *other != of);
        std::iter::once(&form.signer).chain(below).any(|below| below.issuer == of.subject)
    };
    let mut uncovered = 0;
    for of in &form.others {
        if !leads(of) {
            return Err(Own::Bad("it carries a certificate that has no part in it".to_owned()));
        }
        let Some(by) = form.others.iter().find(|by| by.subject == of.issuer) else {
            uncovered += 1;
            continue;
        };
        let files = place.pem("by", &by.der).and_then(|by| Ok((by, place.pem("of", &of.der)?)));
        let (by, of) = files.map_err(|e| Own::Unable(e.to_string()))?;
        let mut command = Command::new("openssl");
        command.args(["verify", "-partial_chain", "-no_check_time", "-check_ss_sig", "-trusted"]);
        heard(command.arg(by).arg(of))?;
    }
    Ok(uncovered)
}

fn heard(command: &mut Command) -> Result<(), Own> {
    match tool::run(command, Asking::Nobody, PATIENCE) {
        Ok(said) if said.well => Ok(()),
        Ok(said) if said.err.to_ascii_lowercase().contains("unknown option") => {
            Err(Own::Unable("this openssl cannot do it".to_owned()))
        }
        Ok(said) => Err(Own::Bad(format!("it is not as it was signed: openssl: {}", said.why()))),
        Err(_) => Err(Own::Unable("openssl could not be run".to_owned())),
    }
}

/// A directory of our own, which goes away.
struct Place(PathBuf);

impl Place {
    fn open() -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, temporary) = (std::process::id(), std::env::temp_dir());
        let mut tries = 0;
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = temporary.join(format!("switchback-token-{process}-{count}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Somebody's who had our number before us.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && tries < 1_000 => tries += 1,
                Err(e) => return Err(e),
            }
        }
    }

    fn pem(&self, name: &str, der: &[u8]) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        let text = STANDARD.encode(der);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let body: String = lines.map(|line| line.into_owned() + "\n").collect();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n");
        std::fs::write(&path, pem)?;
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
