//! Whether the plan's commands could be started on this machine. Nothing is started here.

use super::fault::PlanFault;
use super::loaded::Places;
use super::{CommandName, Plan, RouterKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Every command whose program is not found, or found and not executable.
pub fn commands_on_path(plan: &Plan, places: &Places) -> Vec<PlanFault> {
    let mut wanted: Vec<(String, &[String])> = Vec::new();
    if let RouterKind::Command { set, get } = &plan.router.kind {
        wanted.push(("router.set".to_owned(), set));
        wanted.push(("router.get".to_owned(), get));
    }
    for name in CommandName::ALL {
        if let Some(argv) = plan.commands.argv.get(&name) {
            wanted.push((format!("commands.{}", name.key()), argv));
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    wanted
        .into_iter()
        .filter_map(|(key, argv)| {
            let program = argv.first()?;
            // A program that is named by the slot or release is only known when it is run.
            if !super::placeholders(program).is_empty() {
                return None;
            }
            let (cause, hint) = look(program, &path).err()?;
            Some(places.error(&key, &format!("`{key}`: {cause}"), hint))
        })
        .collect()
}

/// Finds a program as `execvp` does.
fn look(program: &str, path: &std::ffi::OsStr) -> Result<PathBuf, (String, &'static str)> {
    let places: Vec<PathBuf> = if program.contains('/') {
        vec![PathBuf::from(program)]
    } else {
        std::env::split_paths(path).map(|dir| dir.join(program)).collect()
    };
    if let Some(found) = places.iter().find(|place| is_executable(place)) {
        return Ok(found.clone());
    }
    match places.iter().find(|place| place.exists()) {
        Some(place) if place.is_dir() => {
            Err((format!("`{program}` is a directory"), "name the program in it"))
        }
        Some(_) => Err((format!("`{program}` is not executable"), "make it so with chmod +x")),
        None if program.contains(char::is_whitespace) => Err((
            format!("there is no program `{program}`"),
            "write each word as a text of its own: there is no shell unless you name one",
        )),
        None if program.contains('/') => Err((
            format!("there is no program `{program}`"),
            "a path with a slash is looked for from where switchback is started",
        )),
        None => Err((
            format!("there is no program `{program}` on the PATH"),
            "install it, or write its whole path",
        )),
    }
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
