//! A real HAProxy, with a master and its workers, in a directory of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use switchback::plan::{
    CommandsPlan, DeadlineThen, EvidencePlan, HealthPlan, IdentityPlan, OnTrip, Plan, ReleasePlan,
    RouterKind, RouterPlan, SlotPlan, Unproven,
};
use switchback::units::Millis;

/// Waits until something is so, and says what never came.
pub fn soon(what: &str, is_so: impl FnMut() -> bool) {
    within(Duration::from_secs(15), what, is_so);
}

/// Waits until something is so, for so long.
pub fn within(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < patience, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An HAProxy that runs. Dropping it ends the master, and so its workers.
#[derive(Debug)]
pub struct Haproxy {
    master: Child,
    worker: std::sync::OnceLock<i32>,
    directory: tempfile::TempDir,
    /// Where users come in.
    pub front: String,
}

/// The sections of a usual configuration, to be changed by a test.
#[derive(Debug, Clone)]
pub struct Config {
    /// `level` of the stats socket.
    pub level: &'static str,
    /// Lines of `backend app` before its servers.
    pub app: &'static str,
    /// Weights that the configuration gives.
    pub weights: [u32; 2],
    /// What follows each server's address.
    pub server: &'static str,
    /// Anything more, such as another backend.
    pub more: String,
    /// Whether the state file is read at the start.
    pub state: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            level: "admin",
            app: "balance roundrobin",
            weights: [1, 1],
            server: "",
            more: String::new(),
            state: false,
        }
    }
}

impl Haproxy {
    /// Starts HAProxy in front of two services, and waits until it answers.
    ///
    /// # Panics
    /// Where HAProxy is not installed; the message names the command that installs it.
    pub fn start(config: &Config, slots: [String; 2]) -> Self {
        // Somebody else may take the port between the system's word and HAProxy's.
        (0..5)
            .find_map(|_| Self::try_start(config, &slots))
            .unwrap_or_else(|| panic!("no port stays free"))
    }

    fn try_start(config: &Config, slots: &[String; 2]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let front = format!("127.0.0.1:{port}");
        let path = |name: &str| directory.path().join(name).display().to_string();
        fs::write(path("haproxy.cfg"), text(config, &front, slots, &path)).unwrap();
        let master = Command::new("haproxy")
            .args(["-W", "-f", &path("haproxy.cfg")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(path("haproxy.log")).unwrap())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("haproxy does not start ({error}): apt-get install haproxy")
            });
        let worker = std::sync::OnceLock::new();
        let mut haproxy = Self { master, worker, directory, front };
        let mut ended = false;
        soon("haproxy answers on its socket", || {
            ended = haproxy.master.try_wait().unwrap().is_some();
            ended || haproxy.worker().is_some()
        });
        if ended {
            assert!(haproxy.log().contains("Address already in use"), "{}", haproxy.log());
            return None;
        }
        Some(haproxy)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("haproxy.log")).unwrap_or_default()
    }

    /// A file in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its runtime socket.
    pub fn socket(&self) -> PathBuf {
        self.path("adm.sock")
    }

    /// What the runtime API answers to a line, asked past our own adapter.
    pub fn ask(&self, line: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(self.socket())?;
        writeln!(stream, "{line}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The process that serves.
    pub fn worker(&self) -> Option<u64> {
        let info = self.ask("show info").ok()?;
        info.lines().find_map(|line| line.strip_prefix("Pid: ")?.parse().ok())
    }

    /// The process that serves, asked for while it answered, and known also while it does not.
    pub fn worker_pid(&self) -> i32 {
        if let Some(pid) = self.worker.get() {
            return *pid;
        }
        let pid = self.worker().unwrap().try_into().unwrap();
        *self.worker.get_or_init(|| pid)
    }

    /// Reads the configuration again, as an operator's reload does, and waits for the new worker.
    pub fn reload(&self) {
        let before = self.worker();
        // A worker answers before its master is ready: until then the signal would be ignored.
        soon("the master catches SIGUSR2", || self.master_catches(12));
        let pid = nix::unistd::Pid::from_raw(self.master.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGUSR2).unwrap();
        let began = Instant::now();
        while self.worker().is_none_or(|now| Some(now) == before) {
            assert!(began.elapsed() < Duration::from_secs(15), "no new worker: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn master_catches(&self, signal: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.master.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t"));
        let caught = u64::from_str_radix(caught.unwrap(), 16).unwrap();
        caught & (1 << (signal - 1)) != 0
    }

    /// Writes another configuration, for the next reload.
    pub fn configure(&self, config: &Config, slots: &[String; 2]) {
        let path = |name: &str| self.path(name).display().to_string();
        fs::write(self.path("haproxy.cfg"), text(config, &self.front, slots, &path)).unwrap();
    }

    /// One user: the name of the service that answered.
    pub fn user(&self) -> String {
        self.user_with("")
    }

    /// One user who sends a header line as well, and gets the whole answer.
    pub fn user_with(&self, header: &str) -> String {
        let mut stream = TcpStream::connect(&self.front).unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.rsplit("\r\n\r\n").next().unwrap_or_default().trim().to_owned()
    }

    /// How many of `n` users each of the two names served.
    pub fn users(&self, n: usize, names: [&str; 2]) -> [usize; 2] {
        let answers: Vec<String> = (0..n).map(|_| self.user()).collect();
        names.map(|name| answers.iter().filter(|answer| *answer == name).count())
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // The master passes SIGTERM on to its workers; killed, it would leave them.
        let pid = self.master.id().try_into().map(nix::unistd::Pid::from_raw);
        if let Ok(pid) = pid {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        }
        let _ = self.master.wait();
    }
}

fn text(
    config: &Config,
    front: &str,
    slots: &[String; 2],
    path: &dyn Fn(&str) -> String,
) -> String {
    let Config { level, app, weights: [a, b], server, more, state } = config;
    let [left, right] = slots.each_ref().map(|url| url.trim_start_matches("http://"));
    let (file, load) = if *state {
        let file = format!("server-state-file {}", path("servers.state"));
        (file, "load-server-state-from-file global")
    } else {
        (String::new(), "")
    };
    let socket = path("adm.sock");
    format!(
        "global
    nbthread 2
    stats socket {socket} mode 600 level {level} expose-fd listeners
    hard-stop-after 20s
    {file}
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    {load}
frontend fe
    bind {front}
    default_backend app
backend app
    {app}
    http-response set-header X-Slot %s
    server app_a {left} weight {a} cookie app_a {server}
    server app_b {right} weight {b} cookie app_b {server}
{more}
"
    )
}

/// A plan for this HAProxy.
pub fn plan(address: &str, slots: [String; 2]) -> Plan {
    let second = Millis::secs(1);
    let [left, right] = slots;
    Plan {
        service: "notes".into(),
        slots: [
            SlotPlan { name: "left".into(), url: left },
            SlotPlan { name: "right".into(), url: right },
        ],
        release: ReleasePlan::default(),
        identity: IdentityPlan::default(),
        router: RouterPlan {
            kind: RouterKind::Haproxy {
                address: address.to_owned(),
                backend: None,
                servers: None,
                state_file: None,
            },
            front: None,
            timeout: Millis::secs(2),
        },
        health: HealthPlan {
            liveness: None,
            readiness: "/".into(),
            every: second,
            timeout: second,
            hold: second,
            flaps: 0,
            deadline: second,
            deadline_then: DeadlineThen::Abandon,
            require: Vec::new(),
            optional: Vec::new(),
            headers: Default::default(),
        },
        probe_every: second,
        probes: Vec::new(),
        checks: Vec::new(),
        ramp: Vec::new(),
        ramp_hold: second,
        soak: second,
        watch: second,
        unproven: Unproven::Ask,
        warm: second,
        drain: second,
        limits: Vec::new(),
        on_trip: OnTrip { ask: false, countdown: second, shared_hold: second },
        signals: Default::default(),
        commands: CommandsPlan::default(),
        evidence: EvidencePlan::default(),
        secrets: Default::default(),
        digest: String::new(),
    }
}
