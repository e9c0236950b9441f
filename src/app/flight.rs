//! A run is assembled and flown: router, lock, directory, journal, engine, and whoever watches.

use super::{Failure, Watcher, watcher};
use crate::adapter::router::Router;
use crate::clean::{self, Clean, Mask};
use crate::cli::Global;
use crate::engine::clock::unix_ms;
use crate::engine::{Engine, Setup};
use crate::evidence::declare::{Declaration, declare};
use crate::evidence::recorder::Recorder;
use crate::evidence::sign::Asking;
use crate::feed::Link;
use crate::journal::{Declared, Noted, Opened, Run, Troubles, Writer};
use crate::plan::secrets::{self, Secrets};
use crate::plan::{self, CommandName, Faults, Overrides, Plan, PlanFault};
use crate::runbook::{Command, Finish, Interrupt, Kind, RunFacts, RunOutcome, Snapshot};
use crate::runs::{Home, Lock, RunDir, last_end, last_rollback};
use crate::units::Percent;
use crate::{plain, tui};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Flies a deploy on the operator's plan.
pub fn deploy(global: &Global, path: &Path, overrides: Overrides) -> Result<u8, Failure> {
    let sealed = overrides.sealed();
    let loaded = super::load(path, overrides)?;
    let watcher = watcher(global)?;
    mask(&loaded.plan)?;
    for warning in plan::surroundings(&loaded.plan, &loaded.places) {
        crate::plain::complain(format_args!("{}", Faults::from(warning).to_string().trim_end()));
    }
    let text = loaded.text.as_bytes();
    begin(global, watcher, Kind::Deploy, &loaded.plan, text, Some(path), sealed)
}

/// With nobody there, nobody deploys by hand: whoever pressed on would send users to the release
/// that they are to be moved away from.
pub fn can_deploy(global: &Global, plan: &Plan) -> Result<(), Failure> {
    if let (true, Some(own)) = (global.yes, plan.checks.first()) {
        return Err(Failure::usage(
            format!("with --yes nobody is there to look at the plan's own check: {}", own.text),
            "leave --yes out, or take the [[check]] out of the plan",
        ));
    }
    // A rehearsal deploys nothing.
    if global.yes && !plan.turns_back() && !plan.commands.has(CommandName::Deploy) {
        return Err(Failure::usage(
            "with --yes nobody is there to deploy by hand, and the plan has no deploy command",
            "add [commands] deploy, or leave --yes out and deploy by hand at step 2",
        ));
    }
    Ok(())
}

/// Flies a new run. An approval is looked for beside the plan's file, if it has one.
pub fn begin(
    global: &Global,
    watcher: Watcher,
    kind: Kind,
    plan: &Plan,
    text: &[u8],
    file: Option<&Path>,
    overrides: BTreeMap<String, Clean>,
) -> Result<u8, Failure> {
    let beside = Beside::default();
    let landed = begin_beside(global, watcher, kind, plan, text, file, overrides, beside)?;
    Ok(landed.flown.seal(&home(global)?))
}

/// What is done with the link and the directory of a run that has begun.
pub type Joins<'a> = Box<dyn FnOnce(Link, &Path) + 'a>;

/// Somebody who goes along with a run.
#[derive(Default)]
pub struct Beside<'a> {
    /// Sent before anything that the operator does.
    pub first: Vec<Command>,
    /// Is given the link and the run's directory when the run has begun, and must not keep it
    /// waiting.
    pub joins: Option<Joins<'a>>,
}

/// A run that was flown, and is still to be sealed.
pub struct Landed {
    /// The flight.
    pub flown: Flown,
    /// Where the run lives.
    pub directory: PathBuf,
}

/// Flies a new run, with somebody beside it. It is still to be sealed.
#[allow(clippy::too_many_arguments, reason = "each is one thing that a run is made of")]
pub fn begin_beside(
    global: &Global,
    watcher: Watcher,
    kind: Kind,
    plan: &Plan,
    text: &[u8],
    file: Option<&Path>,
    overrides: BTreeMap<String, Clean>,
    beside: Beside<'_>,
) -> Result<Landed, Failure> {
    can_deploy(global, plan)?;
    let secrets = mask(plan)?;
    let (router, identity) = find(plan)?;
    let home = home(global)?;
    let directory = RunDir::create(&home.runs, kind, text)?;
    let lock = lock(&home, &identity, directory.id())
        .and_then(|lock| super::leftover::settle(&home, &identity, kind).map(|()| lock))
        .inspect_err(|_| {
            // Nothing has happened in it: a run that never began leaves no trace.
            let _ = std::fs::remove_dir_all(directory.path());
        })?;
    let mut facts = RunFacts {
        run: directory.id().to_owned(),
        kind,
        host: host(),
        began_unix_ms: unix_ms(),
        attended: attended(watcher),
        last_rollback: last_rollback(&home.runs, &identity),
        last_end: kind.outlives_process().then(|| last_end(&home.runs, &identity)).flatten(),
        tells_gates: true,
        drilled: super::hangar::drilled(&home.runs, kind, file),
        record: super::record::of_blue(&home, kind, plan, &identity, secrets.by_name()),
    };
    let mut opened = Opened::new(facts.clone(), plan.clone(), &identity);
    opened.operator = Some(operator());
    opened.overrides = overrides;
    let declaration = Declaration::of(&opened, unix_ms());
    let asking = if facts.attended { Asking::of_this_process() } else { Asking::Nobody };
    let declared = declare(directory.path(), &declaration, &plan.evidence, file, asking);
    if let Err(failure) = signed(kind, plan, &declared) {
        // Nothing has happened in it yet.
        let _ = std::fs::remove_dir_all(directory.path());
        return Err(failure);
    }
    // Somebody may have looked for a token for a minute: the run's time begins now.
    facts.began_unix_ms = unix_ms();
    opened.facts = facts.clone();
    let at = crate::units::Millis::ZERO;
    let (journal, troubles) = Writer::create(directory.path(), opened.clone(), at)?;
    journal.notes().note(Noted::Declared(Box::new(declared.clone())));
    let run = Assembled {
        plan: plan.clone(),
        facts,
        opened,
        declared,
        directory: directory.path().to_owned(),
        journal,
        troubles,
        secrets,
        router,
        resume: None,
        lock: Some(lock),
    };
    let directory = directory.path().to_owned();
    let flown = fly_beside(global, watcher, &home, run, beside)?;
    Ok(Landed { flown, directory })
}

/// Where the plan wants it, nothing begins that nobody has signed.
fn signed(kind: Kind, plan: &Plan, declared: &Declared) -> Result<(), Failure> {
    if !plan.evidence.require || !kind.outlives_process() || declared.signed.is_some() {
        return Ok(());
    }
    let why = declared.unsigned.as_ref().map_or("no reason is known", |why| why.as_str());
    Err(Failure::usage(
        format!("the declaration is not signed, and the plan requires it: {why}"),
        "let the key sign ([evidence] key; switchback check tries it), or take out `require`: \
         nothing was begun",
    ))
}

/// Everything that a run needs before it is flown.
pub struct Assembled {
    /// The plan.
    pub plan: Plan,
    /// What stays the same.
    pub facts: RunFacts,
    /// The journal's first record.
    pub opened: Opened,
    /// What was put down before its first change.
    pub declared: Declared,
    /// Where the run lives.
    pub directory: PathBuf,
    /// Its journal.
    pub journal: Writer,
    /// The journal's troubles.
    pub troubles: Troubles,
    /// The secrets.
    pub secrets: Secrets,
    /// The router.
    pub router: Router,
    /// The run that is picked up.
    pub resume: Option<Run>,
    /// The router is ours while this lives.
    pub lock: Option<Lock>,
}

/// Flies an assembled run to its end; it is still to be sealed. `first` is
/// sent before anything that the operator does.
pub fn fly(
    global: &Global,
    watcher: Watcher,
    home: &Home,
    run: Assembled,
    first: &[Command],
) -> Result<Flown, Failure> {
    let beside = Beside { first: first.to_vec(), joins: None };
    fly_beside(global, watcher, home, run, beside)
}

/// The same, with somebody beside it.
fn fly_beside(
    global: &Global,
    watcher: Watcher,
    home: &Home,
    run: Assembled,
    beside: Beside<'_>,
) -> Result<Flown, Failure> {
    let Assembled {
        plan,
        facts,
        opened,
        declared,
        directory,
        mut journal,
        troubles,
        secrets,
        router,
        resume,
        lock,
    } = run;
    let picked_up = resume.is_some();
    let recorder = super::recording::start(watcher, &directory, &opened, &declared, &mut journal);
    let engine = Engine::start(Setup {
        plan,
        facts,
        directory: directory.clone(),
        journal,
        troubles,
        secrets,
        router,
        resume,
        socket: lock.as_ref().map(|lock| lock.socket_path().to_owned()),
        yes: global.yes,
    })?;
    for command in beside.first {
        engine.link.send(command);
    }
    if let Some(joins) = beside.joins {
        joins(engine.link.clone(), &directory);
    }
    let watched = watch(global, watcher, &engine, recorder.as_ref());
    if let Err(report) = &watched {
        // Whoever watched has failed; the run has not. It ends in order, and says what stands.
        engine.link.send(Command::Interrupt(Interrupt::Screen));
        crate::plain::complain(format_args!(
            "error: the screen failed: {report:#}\nhint: --plain prints lines instead"
        ));
    }
    let link = engine.link.clone();
    let ended = engine.join();
    let last = link.feed.since(0).map(|update| update.snapshot);
    let ended = match ended {
        Ok(ended) => ended,
        Err(fault) => {
            let exit = exit_of_a_failure(last.as_ref(), picked_up);
            // What there is of it is evidence too, and most of all of this.
            super::close::cut_off(home, &directory, recorder.as_deref(), &fault);
            return Err(Failure { exit, ..Failure::from(fault) });
        }
    };
    let finish = ended.finish.clone();
    let closed = super::close::close(home, &opened, ended, last.as_ref(), recorder.as_deref());
    // Until here the journal was ours to write; nobody picks the run up before.
    drop(lock);
    say(watcher, opened.facts.kind, &finish, &directory, closed);
    let unsealed = closed.then_some((directory, watcher));
    Ok(Flown { exit: finish.exit, last, unsealed })
}

/// A run that has ended, and is sealed when everything that is urgent was said.
#[must_use]
pub struct Flown {
    /// The exit code.
    pub exit: u8,
    /// How things stood at the end.
    pub last: Option<Snapshot>,
    /// The run's directory and who watched, if the end of its journal is on disk.
    unsealed: Option<(PathBuf, Watcher)>,
}

impl Flown {
    /// Seals it; gives the exit code, which that does not change.
    pub fn seal(self, home: &Home) -> u8 {
        if let Some((directory, watcher)) = self.unsealed {
            let asking = if attended(watcher) { Asking::of_this_process() } else { Asking::Nobody };
            let told = !matches!(watcher, Watcher::Json { .. });
            super::close::seal(home, &directory, asking, told);
        }
        self.exit
    }
}

/// The exit code when the engine itself has failed: 1 only where it is known that all users are
/// on Blue and nothing was on its way, or that nothing was ever asked for.
fn exit_of_a_failure(last: Option<&Snapshot>, picked_up: bool) -> u8 {
    let at_blue = match last {
        None => !picked_up,
        Some(snapshot) => {
            let traffic = &snapshot.traffic;
            let asked = traffic.asked.is_some_and(|percent| percent > Percent::ZERO);
            let unknown = snapshot.blue.is_some() && traffic.read != Some(Percent::ZERO);
            !asked && !unknown
        }
    };
    if at_blue { 1 } else { 4 }
}

fn watch(
    global: &Global,
    watcher: Watcher,
    engine: &Engine,
    recorder: Option<&Arc<Recorder>>,
) -> color_eyre::Result<()> {
    let link = engine.link.clone();
    match watcher {
        Watcher::Screen => {
            let theme = super::theme(global);
            let recorder = recorder.cloned();
            tui::run(
                link,
                tui::Options { theme, ascii: global.ascii, recorder, ..Default::default() },
            )
        }
        Watcher::Plain { attended } => {
            plain::run(&link, plain::Form::Lines, attended, recorder.map(Arc::as_ref))
        }
        Watcher::Json { attended } => plain::run(&link, plain::Form::Json, attended, None),
    }
}

/// Whether somebody is at the keyboard.
pub const fn attended(watcher: Watcher) -> bool {
    match watcher {
        Watcher::Screen => true,
        Watcher::Plain { attended } | Watcher::Json { attended } => attended,
    }
}

/// The secrets, fetched, and masked from here on.
pub fn mask(plan: &Plan) -> Result<Secrets, Failure> {
    let (secrets, missing) = mask_what_there_is(plan);
    if missing.is_empty() { Ok(secrets) } else { Err(Faults::new(missing).into()) }
}

/// The secrets that can be had, masked from here on, and what is to be said of the others.
pub fn mask_what_there_is(plan: &Plan) -> (Secrets, Vec<PlanFault>) {
    let (secrets, missing) = secrets::obtain(plan);
    let named = secrets.by_name().iter().map(|(name, value)| (name.clone(), value.clone()));
    // A second run in one process has the first one's mask: that is one mask more, not less.
    let _ = clean::install(Mask::new(named).leaving(&own_addresses(plan)));
    (secrets, missing)
}

/// The plan as a text: the addresses in it are its operator's, and are shown.
fn own_addresses(plan: &Plan) -> String {
    serde_json::to_string(plan).unwrap_or_default()
}

/// The router, found and named, so that a wrong address is told before anything begins.
pub fn find(plan: &Plan) -> Result<(Router, String), Failure> {
    let mut router = Router::of_plan(plan)?;
    let identity = block_on(router.identity())??;
    Ok((router, identity))
}

/// Waits for something of the outside world, before there is an engine.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|e| Failure::world(format!("no runtime: {e}"), "see `ulimit -a`"))?;
    Ok(tokio::task::LocalSet::new().block_on(&runtime, future))
}

/// Where runs and locks live.
pub fn home(global: &Global) -> Result<Home, Failure> {
    Home::of(global.runs.clone()).map_err(|error| Failure::usage(error, "see --help"))
}

/// Takes the router's lock, or says who has it.
pub fn lock(home: &Home, identity: &str, run: &str) -> Result<Lock, Failure> {
    Lock::take(&home.locks, identity, run).map_err(|fault| Failure::world(&fault, fault.hint()))
}

fn host() -> Clean {
    let name = nix::unistd::gethostname().unwrap_or_default();
    Clean::new(&name.to_string_lossy())
}

/// Who is at the keyboard, as the system names them.
fn operator() -> Clean {
    let uid = nix::unistd::getuid();
    let known = nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
    let named = known.or_else(|| std::env::var("USER").ok());
    Clean::new(&named.unwrap_or_else(|| format!("uid {uid}")))
}

fn say(watcher: Watcher, kind: Kind, finish: &Finish, directory: &Path, closed: bool) {
    if !closed {
        crate::plain::complain(format_args!(
            "warning: the end of the journal could not be written: `switchback report` seals what there is"
        ));
    }
    if matches!(watcher, Watcher::Json { .. }) {
        return;
    }
    // Most sentences begin with the word already.
    let word = finish.outcome.word();
    let word = if finish.says.starts_with(word) { String::new() } else { format!("{word}: ") };
    let mut says =
        format!("{word}{} (exit {})\nrun: {}\n", finish.says, finish.exit, directory.display());
    if finish.outcome == RunOutcome::Interrupted && kind.outlives_process() {
        let id = directory.file_name().unwrap_or_default().to_string_lossy();
        says.push_str(&format!("next: switchback resume {id}\n"));
    }
    // Where the terminal is gone nobody reads it; the journal has it.
    let _ = super::print(says.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use crate::runbook::Core;
    use crate::units::Slot;

    fn snapshot() -> Snapshot {
        let text = "schema = 1\nservice = \"notes\"\n[slots]\nleft = \"http://127.0.0.1:1\"\n\
                    right = \"http://127.0.0.1:2\"\n[router]\nkind = \"command\"\n\
                    set = [\"set\", \"{left}\", \"{right}\"]\nget = [\"get\"]\n\
                    [health]\nreadiness = \"/readyz\"\n";
        let plan = plan::parse(text, "plan").unwrap_or_else(|faults| panic!("{faults}")).plan;
        let facts = RunFacts {
            run: String::new(),
            kind: Kind::Deploy,
            host: host(),
            began_unix_ms: 0,
            attended: true,
            last_rollback: None,
            last_end: None,
            tells_gates: true,
            drilled: None,
            record: Default::default(),
        };
        Core::new(plan, facts).snapshot()
    }

    #[test]
    fn an_engine_that_fails_while_users_may_be_on_green_ends_with_4() {
        assert_eq!(exit_of_a_failure(None, false), 1, "it never began");
        assert_eq!(exit_of_a_failure(None, true), 4, "nobody knows what was before");
        let mut last = snapshot();
        assert_eq!(exit_of_a_failure(Some(&last), false), 1, "nobody was Blue yet");
        last.blue = Some(Slot::First);
        let mut exit = |asked, read| {
            last.traffic.asked = asked;
            last.traffic.read = read;
            exit_of_a_failure(Some(&last), false)
        };
        let (zero, half) = (Some(Percent::ZERO), Percent::new(50));
        assert_eq!(exit(None, zero), 1);
        assert_eq!(exit(zero, zero), 1);
        assert_eq!(exit(half, half), 4);
        assert_eq!(exit(half, zero), 4, "the write may have landed since");
        assert_eq!(exit(zero, None), 4, "the router cannot be read");
    }
}
