//! Where runs and locks live.

use std::ffi::OsString;
use std::path::PathBuf;

/// Where runs and locks live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The runs' root: a directory a run, and the index.
    pub runs: PathBuf,
    /// Locks and control sockets. They go by the router, so `--runs` does not move them.
    pub locks: PathBuf,
}

/// The environment names no place for runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither XDG_STATE_HOME nor HOME names a directory: set HOME, or give --runs DIR")]
pub struct NoHome;

impl Home {
    /// From this process's environment; `runs` is what `--runs` said.
    pub fn of(runs: Option<PathBuf>) -> Result<Self, NoHome> {
        Self::from(runs, |name| std::env::var_os(name))
    }

    /// From any environment.
    pub fn from(
        runs: Option<PathBuf>,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, NoHome> {
        // A relative path in these variables is to be passed over, says their specification.
        let dir = |name| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = dir("XDG_STATE_HOME")
            .or_else(|| Some(dir("HOME")?.join(".local/state")))
            .map(|state| state.join("switchback"));
        let runtime = dir("XDG_RUNTIME_DIR").map(|runtime| runtime.join("switchback"));
        let locks = runtime
            .or_else(|| Some(state.as_ref()?.join("locks")))
            .or_else(|| Some(runs.as_ref()?.join("locks")));
        let runs = runs.or_else(|| Some(state?.join("runs")));
        Ok(Self { runs: runs.ok_or(NoHome)?, locks: locks.ok_or(NoHome)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(runs: Option<&str>, env: &[(&str, &str)]) -> Result<(String, String), NoHome> {
        let find = |name: &str| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let home = Home::from(runs.map(PathBuf::from), find)?;
        Ok((home.runs.display().to_string(), home.locks.display().to_string()))
    }

    fn at(runs: &str, locks: &str) -> Result<(String, String), NoHome> {
        Ok((runs.to_owned(), locks.to_owned()))
    }

    #[test]
    fn the_usual_places_are_known_and_can_be_overruled() {
        let home_only = [("HOME", "/h")];
        assert_eq!(
            home(None, &home_only),
            at("/h/.local/state/switchback/runs", "/h/.local/state/switchback/locks")
        );
        let all = [("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "/r")];
        assert_eq!(home(None, &all), at("/s/switchback/runs", "/r/switchback"));
        assert_eq!(home(Some("/else"), &all), at("/else", "/r/switchback"), "locks stay");
        assert_eq!(home(Some("/else"), &[]), at("/else", "/else/locks"));
        let odd = [("HOME", "/h"), ("XDG_STATE_HOME", "not/absolute")];
        assert_eq!(home(None, &odd), home(None, &home_only));
        assert_eq!(home(None, &[]), Err(NoHome));
    }
}
