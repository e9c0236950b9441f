//! One cockpit a router.
//!
//! The lock goes by what the router is known by, not by plan or directory: two plans for one router
//! are two hands on one switch. The kernel holds it and gives it back when the process ends, however
//! it ends; a file that is left behind is no obstacle. What the file says is for people.

use super::dir::private_dir;
use crate::clean::Clean;
use crate::journal::chain::digest;
use crate::journal::line::utc;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Who has a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The host it runs on.
    pub host: Clean,
    /// The run.
    pub run: Clean,
    /// Since when, UTC.
    pub since: Clean,
    /// What the router is known by.
    pub router: Clean,
}

/// A router that is ours while this lives.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
    socket: PathBuf,
}

/// Why a router is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockFault {
    /// Another cockpit has it.
    #[error("{}", held(holder))]
    Held {
        /// Who, where the file says so.
        holder: Option<Box<Holder>>,
        /// The socket on which that cockpit's engine may listen.
        socket: PathBuf,
    },
    /// The lock's file cannot be used.
    #[error("the lock {path} cannot be used: {source}", path = path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn held(holder: &Option<Box<Holder>>) -> String {
    match holder {
        Some(by) => format!(
            "run {} has the router {} since {} (process {} on {})",
            by.run, by.router, by.since, by.pid, by.host
        ),
        None => "another cockpit has this router".to_owned(),
    }
}

impl LockFault {
    /// The next move.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Held { .. } => {
                "go to that terminal; `switchback rollback` from here goes through its engine"
            }
            Self::Unusable { .. } => "make its directory writable, or set XDG_RUNTIME_DIR",
        }
    }
}

impl Lock {
    /// Takes the router for a run, or says who has it.
    pub fn take(locks: &Path, router: &str, run: &str) -> Result<Self, LockFault> {
        let path = file_of(locks, router);
        let unusable = |source| LockFault::Unusable { path: path.clone(), source };
        private_dir(locks).map_err(unusable)?;
        let mut file = match hold(&path).map_err(unusable)? {
            Ok(file) => file,
            Err(file) => {
                let holder = read_holder(file).map(Box::new);
                return Err(LockFault::Held { holder, socket: Self::socket_of(locks, router) });
            }
        };
        let holder = Holder {
            pid: std::process::id(),
            host: Clean::new(&nix::unistd::gethostname().unwrap_or_default().to_string_lossy()),
            run: Clean::new(run),
            since: Clean::new(&utc(now_ms())),
            router: Clean::new(router),
        };
        let json = serde_json::to_string(&holder).map_err(|e| unusable(e.into()))?;
        // The kernel has it for us already. On a full disk nobody can read whose it is, and that
        // is no reason to leave users where they are.
        let _ = file.set_len(0).and_then(|()| file.write_all(json.as_bytes()));
        Ok(Self { _file: file, socket: Self::socket_of(locks, router) })
    }

    /// Who has a router now; nothing if nobody has.
    pub fn holder(locks: &Path, router: &str) -> Option<Holder> {
        let file = File::open(file_of(locks, router)).ok()?;
        match Flock::lock(file, FlockArg::LockSharedNonblock) {
            Ok(_free) => None,
            Err((file, _)) => read_holder(file),
        }
    }

    /// Where this run's engine listens for a second terminal.
    pub fn socket_path(&self) -> &Path {
        &self.socket
    }

    /// Where the engine of whoever has this router listens.
    pub fn socket_of(locks: &Path, router: &str) -> PathBuf {
        file_of(locks, router).with_extension("sock")
    }
}

/// Locks the file, or gives it back as it is because somebody else has it.
fn hold(path: &Path) -> io::Result<Result<Flock<File>, File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    // Who only looks at the holder has the lock for an instant: that is nobody's router.
    let mut looks = 3;
    loop {
        match Flock::lock(options.open(path)?, FlockArg::LockExclusiveNonblock) {
            Ok(file) => return Ok(Ok(file)),
            Err((file, Errno::EWOULDBLOCK)) if looks == 0 => return Ok(Err(file)),
            Err((_, Errno::EWOULDBLOCK)) => {
                looks -= 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Err((_, e)) => return Err(e.into()),
        }
    }
}

fn file_of(locks: &Path, router: &str) -> PathBuf {
    // Short, as a socket's path may have no more than some hundred bytes.
    locks.join(format!("{}.lock", &digest(router.as_bytes())[..16]))
}

fn read_holder(mut file: File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_second_cockpit_on_one_router_is_told_who_has_it() {
        let locks = tempfile::tempdir().unwrap();
        let router = "/run/haproxy/admin.sock notes";
        let lock = Lock::take(locks.path(), router, "7f3a").unwrap();
        let fault = Lock::take(locks.path(), router, "beef").unwrap_err();
        let told = fault.to_string();
        let pid = format!("process {}", std::process::id());
        assert!(told.contains("run 7f3a") && told.contains(&pid), "{told}");
        assert!(fault.hint().contains("switchback rollback"));
        let LockFault::Held { socket, .. } = fault else { panic!("{fault}") };
        assert_eq!(socket, lock.socket_path());
        assert!(Lock::take(locks.path(), "another router", "beef").is_ok());
        drop(lock);
        Lock::take(locks.path(), router, "beef").unwrap();
    }

    #[test]
    fn what_a_dead_process_left_is_no_obstacle() {
        let locks = tempfile::tempdir().unwrap();
        let path = file_of(locks.path(), "r");
        std::fs::write(&path, r#"{"pid":1,"host":"h","run":"dead","since":"","router":"r"}"#)
            .unwrap();
        let _lock = Lock::take(locks.path(), "r", "7f3a").unwrap();
        let told = Lock::take(locks.path(), "r", "beef").unwrap_err().to_string();
        assert!(told.contains("run 7f3a"), "{told}");
    }

    #[test]
    fn the_lock_is_private() {
        let home = tempfile::tempdir().unwrap();
        let locks = home.path().join("run/switchback");
        let _lock = Lock::take(&locks, "r", "7f3a").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&locks), mode(&file_of(&locks, "r"))), (0o700, 0o600));
    }
}
