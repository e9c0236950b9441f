//! A place to deploy to: a router, two services behind it, users in front of it, a plan for it,
//! and the built program with a home of its own.
//!
//! The router is an HAProxy, or a file that two shell commands write and read: the latter moves
//! nobody, and needs nothing to be installed.

use super::cockpit::Cockpit;
use super::haproxy::{Config, Haproxy, soon};
use super::lines::Lines;
use super::site::Site;
use super::users::Users;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use switchback::journal::{self, Run};
use switchback::runbook::snapshot::Stamp;
use switchback::runbook::{Core, Effect, Record};

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_switchback");
/// The screen that is home.
pub const HOME: (u16, u16) = (120, 36);

/// How a plan differs from the usual one of these stories.
#[derive(Debug, Clone)]
pub struct Terms {
    /// `[traffic] ramp`.
    pub ramp: &'static str,
    /// `[traffic] hold`.
    pub hold: &'static str,
    /// `[soak] for`.
    pub soak: &'static str,
    /// `[watch] for`.
    pub watch: &'static str,
    /// `[health] deadline`, after which Green is abandoned.
    pub deadline: &'static str,
    /// The deploy command, as a shell reads it; `$TELL` makes the service run the release.
    pub deploy: &'static str,
    /// Anything more, at the end.
    pub more: String,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            ramp: "[10, 50, 100]",
            hold: "1s",
            soak: "2s",
            watch: "3s",
            deadline: "8s",
            deploy: "$TELL; echo the new version is there",
            more: String::new(),
        }
    }
}

/// The place. Dropping it ends everything in it.
pub struct Place {
    /// Users, where they have been asked to come.
    pub users: Option<Users>,
    /// Blue, at first.
    pub left: Site,
    /// Green, at first.
    pub right: Site,
    /// The router, where it is one.
    haproxy: Option<Haproxy>,
    directory: tempfile::TempDir,
    deployer: Option<JoinHandle<()>>,
}

impl Place {
    /// All users on the left, and a plan for a deploy to the right.
    pub fn new(terms: &Terms) -> Self {
        Self::with(terms, &Config { weights: [100, 0], ..Config::default() })
    }

    /// A place with another HAProxy.
    pub fn with(terms: &Terms, config: &Config) -> Self {
        Self::build(terms, Some(config))
    }

    /// A place whose split is a file.
    pub fn of_files(terms: &Terms) -> Self {
        Self::build(terms, None)
    }

    fn build(terms: &Terms, config: Option<&Config>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (left, right) = (Site::start("1.0.0"), Site::start("0.9.0"));
        let haproxy = config.map(|config| Haproxy::start(config, [left.url(), right.url()]));
        fs::write(directory.path().join("split"), "left=100 right=0\n").unwrap();
        let fifo = directory.path().join("deploy");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // Open for writing too, so that it has no end when one deploy is over.
        let orders = File::options().read(true).write(true).open(&fifo).unwrap();
        let slots = [left.clone(), right.clone()];
        let deployer = std::thread::spawn(move || deploy_as_told(orders, &slots));
        let place = Self { users: None, left, right, haproxy, directory, deployer: Some(deployer) };
        let text = place.plan_text(terms);
        fs::write(place.plan(), text).unwrap();
        for dir in ["state", "runtime"] {
            fs::create_dir(place.path(dir)).unwrap();
        }
        place
    }

    /// So many users a second come in.
    pub fn with_users(mut self, per_second: u32) -> Self {
        self.users = Some(Users::come(&self.haproxy().front, per_second));
        self
    }

    /// The HAProxy.
    pub fn haproxy(&self) -> &Haproxy {
        self.haproxy.as_ref().unwrap()
    }

    /// The users.
    pub fn users(&self) -> &Users {
        self.users.as_ref().unwrap()
    }

    fn router_text(&self) -> String {
        match &self.haproxy {
            Some(haproxy) => format!(
                "kind = \"haproxy\"\naddress = \"{}\"\nfront = \"http://{}\"\ntimeout = \"1s\"",
                haproxy.socket().display(),
                haproxy.front
            ),
            None => {
                let split = self.path("split").display().to_string();
                format!(
                    "kind = \"command\"\n\
                     set = [\"/bin/sh\", \"-c\", \"echo left={{left}} right={{right}} > {split}\"]\n\
                     get = [\"cat\", \"{split}\"]\ntimeout = \"1s\""
                )
            }
        }
    }

    fn identity_text(&self) -> &'static str {
        if self.haproxy.is_some() { "slot = { header = \"X-Slot\" }" } else { "" }
    }

    /// A file of the place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The plan's file.
    pub fn plan(&self) -> PathBuf {
        self.path("plan.toml")
    }

    /// The plan.
    pub fn plan_text(&self, terms: &Terms) -> String {
        let Terms { ramp, hold, soak, watch, deadline, deploy, more } = terms;
        let tell = format!(
            "echo $SWITCHBACK_SLOT $SWITCHBACK_RELEASE > {}",
            self.path("deploy").display()
        );
        let deploy = deploy.replace("$TELL", &tell);
        format!(
            r#"schema = 1
service = "notes"
[release]
current = "1.0.0"
next = "1.1.0"
migration = "none"
[slots]
left = "{left}"
right = "{right}"
[router]
{router}
[identity]
{identity}
release = {{ header = "X-Version" }}
[health]
readiness = "/readyz"
require = ["database"]
every = "200ms"
timeout = "1s"
hold = "1s"
deadline = {{ after = "{deadline}", then = "abandon" }}
flaps = 3
[probes]
every = "100ms"
[[probe]]
path = "/page"
[traffic]
ramp = {ramp}
hold = "{hold}"
[soak]
for = "{soak}"
[watch]
for = "{watch}"
[warm]
for = "30s"
[[limit]]
signal = "error_rate"
above = "2%"
for = "5s"
[commands]
deploy = ["/bin/sh", "-c", '''{deploy}''']
{more}"#,
            left = self.left.url(),
            right = self.right.url(),
            router = self.router_text(),
            identity = self.identity_text(),
        )
    }

    /// The environment of the program: its home is here, and nothing else is known to it.
    pub fn env(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.path(name).display().to_string();
        [
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", path("")),
            ("XDG_STATE_HOME", path("state")),
            ("XDG_RUNTIME_DIR", path("runtime")),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The program's command line; `PLAN` stands for the plan's file.
    pub fn argv(&self, args: &str) -> Vec<String> {
        let plan = self.plan().display().to_string();
        std::iter::once(PROGRAM.to_owned())
            .chain(args.split_whitespace().map(|word| word.replace("PLAN", &plan)))
            .collect()
    }

    /// The program in a terminal; `PLAN` stands for the plan's file.
    pub fn cockpit(&self, args: &str) -> Cockpit {
        Cockpit::open(&self.argv(args), &self.env(), HOME)
    }

    /// The program in a terminal, under a shell that does something first, or afterwards.
    pub fn cockpit_under_a_shell(&self, script: &str, args: &str) -> Cockpit {
        let shell = ["/bin/sh", "-c", script].map(str::to_owned);
        let argv: Vec<String> = shell.into_iter().chain(self.argv(args)).collect();
        Cockpit::open(&argv, &self.env(), HOME)
    }

    /// The program without a terminal.
    pub fn lines(&self, args: &str) -> Lines {
        let argv = self.argv(args);
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).env_clear().envs(self.env());
        Lines::start(command)
    }

    /// The program without a terminal, to its end: exit code and what it printed.
    pub fn run(&self, args: &str) -> (i32, String) {
        self.lines(args).end()
    }

    /// Weights of the two slots, as the router itself reports them.
    pub fn weights(&self) -> [u32; 2] {
        let Some(haproxy) = &self.haproxy else {
            let split = fs::read_to_string(self.path("split")).unwrap_or_default();
            let mut words = split.split_whitespace().map(|word| word.split('=').nth(1).unwrap());
            // While it is being written it is empty.
            return [(); 2].map(|()| words.next().map_or(0, |n| n.parse().unwrap()));
        };
        let table = haproxy.ask("show servers state").unwrap();
        ["app_a", "app_b"].map(|name| {
            let line = table.lines().find(|line| line.split(' ').nth(3) == Some(name)).unwrap();
            line.split(' ').nth(7).unwrap().parse().unwrap()
        })
    }

    /// Waits until the router reports these weights.
    pub fn soon_at(&self, weights: [u32; 2]) {
        soon(&format!("the router is at {weights:?}"), || self.weights() == weights);
    }

    /// Stops the router's process, or lets it go on.
    pub fn stop_router(&self, stop: bool) {
        let worker = self.haproxy().worker_pid();
        let signal = if stop { Signal::SIGSTOP } else { Signal::SIGCONT };
        kill(Pid::from_raw(worker), signal).unwrap();
    }

    /// Opens the cockpit and flies it to the question that would deploy.
    pub fn to_deploy(&self) -> Cockpit {
        let mut cockpit = self.cockpit("deploy PLAN");
        cockpit.expect("press space to deploy").key(" ").expect("Deploy 1.1.0 to right");
        cockpit
    }

    /// Opens the cockpit and flies it to the soak.
    pub fn to_soak(&self) -> Cockpit {
        let mut cockpit = self.to_deploy();
        cockpit.yes("Deploy 1.1.0 to right").expect("SOAKING");
        cockpit
    }

    /// Opens the cockpit and flies it until Green has the first share of the ramp.
    pub fn to_split(&self, percent: u32) -> Cockpit {
        let mut cockpit = self.to_soak();
        cockpit.send(percent).expect(&format!("HOLDING AT {percent} %"));
        self.soon_at([100 - percent, percent]);
        cockpit
    }

    /// Opens the cockpit and flies it into the watch.
    pub fn to_watch(&self) -> Cockpit {
        let mut cockpit = self.to_soak();
        cockpit.send(100).expect("WATCHING AT 100 %");
        self.soon_at([0, 100]);
        cockpit
    }

    /// Directories of all runs, oldest first.
    pub fn runs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("state/switchback/runs")) else {
            return Vec::new();
        };
        let mut runs: Vec<_> =
            entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        runs.sort();
        runs
    }

    /// The only run, read, with its chain verified, and lived again: every effect is the same.
    pub fn flown(&self) -> Run {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        flown(&runs[0])
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A story that failed may have left it stopped; it could not end.
        if let Some(haproxy) = &self.haproxy {
            let _ = kill(Pid::from_raw(haproxy.worker_pid()), Signal::SIGCONT);
        }
        self.users = None;
        if let Ok(mut orders) = File::options().write(true).open(self.path("deploy")) {
            let _ = orders.write_all(b"end\n");
        }
        if let Some(deployer) = self.deployer.take() {
            let _ = deployer.join();
        }
    }
}

fn deploy_as_told(orders: File, slots: &[Site; 2]) {
    for line in BufReader::new(orders).lines() {
        let line = line.unwrap();
        let site = match line.split(' ').next() {
            Some("left") => &slots[0],
            Some("right") => &slots[1],
            _ => return,
        };
        site.deploy(line.split(' ').nth(1).unwrap_or_default());
    }
}

/// Reads a run, verifies its chain, and lives it again: replay equals live, byte for byte.
pub fn flown(directory: &Path) -> Run {
    let run = journal::read(directory).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(run.gaps.is_empty(), "{:?}", run.gaps);
    let mut core = Core::new(run.opened.plan.clone(), run.opened.facts.clone());
    let replayed = journal::replay(&run, |event, at| core.step(event, at))
        .unwrap_or_else(|difference| panic!("the replay is another run: {difference}"));
    assert_eq!(replayed.inputs, run.turns.len() as u64);
    assert!(replayed.effects > 0);
    run
}

/// The records of a run, one a line.
pub fn timeline(run: &Run) -> String {
    run.effects().fold(String::new(), |mut lines, (at, effect)| {
        if let Effect::Record(record) = effect {
            let _ = writeln!(lines, "{at} {record:?}");
        }
        lines
    })
}

/// The stamps of a run that were had.
pub fn stamps(run: &Run) -> usize {
    run.effects()
        .filter(|(_, effect)| match effect {
            Effect::Record(Record::Stamped { after_us, says, .. }) => {
                // That Green gave no answer any more is an answer too.
                after_us.is_some() || says.as_str().ends_with(Stamp::NONE_SINCE)
            }
            _ => false,
        })
        .count()
}
