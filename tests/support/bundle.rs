//! A sealed run for stories about bundles: flown in simulated time through the cockpit's own core,
//! journalled, recorded, declared and signed as a real one, by a key that was made for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};
use switchback::clean::Mask;
use switchback::evidence::approve::{self, VALID, approve};
use switchback::evidence::declare::{Declaration, declare};
use switchback::evidence::previous::Previous;
use switchback::evidence::recorder::{Recorder, Spec};
use switchback::evidence::seal::{NotSealed, Sealed, Sealing, seal};
use switchback::evidence::sign::{Asking, signer};
use switchback::evidence::signers::Signers;
use switchback::evidence::slate::{Closing, Opening};
use switchback::evidence::verify::{Asked, Verified, verify};
use switchback::journal::{Closed, Entry, Noted, Opened, Writer};
use switchback::plan::{self, Plan};
use switchback::runbook::{Kind, RunFacts};
use switchback::sim::pilot::fly;
use switchback::sim::{Flight, Health, History, World};
use switchback::units::{Millis, Percent};
use tempfile::TempDir;

/// Who signs.
pub const WHO: &str = "operator@example.org";
/// Who approves.
pub const SECOND: &str = "second@example.org";
/// The run's id.
pub const RUN: &str = "20261123T142207Z-7f3a";
/// When it was flown, in milliseconds since 1970.
const NOON: i64 = 1_795_443_727_000;

/// A home with a run and the keys of two people.
pub struct Place {
    /// It goes away with this.
    pub home: TempDir,
    /// The plan of the run.
    pub plan: Plan,
    began: OnceLock<i64>,
}

/// Memory where there is some, as thousands of bundles are written.
fn home() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Runs a tool to its end.
pub fn run(words: &[&str], dir: &Path) -> Output {
    Command::new(words[0])
        .args(&words[1..])
        .current_dir(dir)
        .output()
        .unwrap_or_else(|e| panic!("{}: {e}", words[0]))
}

/// What is signed with which key.
pub fn sign(key: &Path, purpose: &str, file: &Path) {
    let (key, file) = (key.to_str().unwrap(), file.to_str().unwrap());
    let _ = fs::remove_file(format!("{file}.sig"));
    let ran =
        run(&["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", purpose, file], Path::new("."));
    assert!(ran.status.success(), "{ran:?}");
}

impl Place {
    /// Keys, a signers file that knows the first, and nothing flown yet.
    pub fn new(mut plan: Plan) -> Self {
        let home = home();
        for key in ["ours", "theirs"] {
            let ran = run(
                &["ssh-keygen", "-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", key],
                home.path(),
            );
            assert!(ran.status.success(), "{ran:?}");
        }
        let public = fs::read_to_string(home.path().join("ours.pub")).unwrap();
        let public: Vec<&str> = public.split(' ').take(2).collect();
        let purposes = "evidence@switchback,declaration@switchback";
        let line = format!("{WHO} namespaces=\"{purposes}\" {}\n", public.join(" "));
        fs::write(home.path().join("signers"), line).unwrap();
        plan.evidence.key = Some(home.path().join("ours").display().to_string());
        plan.evidence.identity = Some(WHO.to_owned());
        plan.ramp = vec![Percent::ALL];
        (plan.ramp_hold, plan.soak) = (Millis::secs(5), Millis::secs(1));
        (plan.watch, plan.warm) = (Millis::secs(10), Millis::secs(5));
        fs::create_dir_all(home.path().join(RUN).join("logs")).unwrap();
        fs::write(home.path().join(RUN).join("logs/deploy.log"), "the new version is there\n")
            .unwrap();
        Self { home, plan, began: OnceLock::new() }
    }

    /// Writes the plan's file, and reads what it means.
    pub fn written(&self) -> Plan {
        let text = plan::effective(&self.plan);
        fs::write(self.run_dir().join("plan.toml"), &text).unwrap();
        plan::parse(&text, "plan.toml").unwrap_or_else(|faults| panic!("{faults}")).plan
    }

    /// When it is flown, in milliseconds since 1970: at the time of a time authority that is asked.
    pub fn began(&self) -> i64 {
        *self.began.get_or_init(|| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            self.plan.evidence.tsa.as_ref().map_or(NOON, |_| now.as_millis() as i64)
        })
    }

    /// Lets a second person, whom the signers file knows as such, approve the plan.
    pub fn approve(&self) {
        let (home, plan_file) = (self.home.path(), self.home.path().join("plan.toml"));
        let plan = self.written();
        fs::copy(self.run_dir().join("plan.toml"), &plan_file).unwrap();
        let ran = run(&["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "second"], home);
        assert!(ran.status.success(), "{ran:?}");
        let key = home.join("second");
        let who = signer(&key, SECOND).unwrap();
        approve(&plan_file, &approve::of(&plan, who, self.began(), VALID), &key).unwrap();
        let public = fs::read_to_string(home.join("second.pub")).unwrap();
        let known = fs::read_to_string(self.signers()).unwrap();
        let line = format!("{SECOND} namespaces=\"approval@switchback\" {public}");
        fs::write(self.signers(), known + &line).unwrap();
    }

    /// The run's directory.
    pub fn run_dir(&self) -> PathBuf {
        self.home.path().join(RUN)
    }

    /// The key that the signers file knows.
    pub fn key(&self) -> PathBuf {
        self.home.path().join("ours")
    }

    /// A key that it does not know.
    pub fn other_key(&self) -> PathBuf {
        self.home.path().join("theirs")
    }

    /// Who may sign.
    pub fn signers(&self) -> PathBuf {
        self.home.path().join("signers")
    }

    /// Flies a run that meets trouble and goes back, and closes its journal if `ends`. `screens`
    /// are what the recorder is given to record.
    pub fn fly(&self, screens: &[&str], ends: bool) {
        let dir = self.run_dir();
        let (plan, began) = (self.written(), self.began());
        let facts = RunFacts {
            tells_gates: false,
            drilled: None,
            last_end: None,
            run: RUN.to_owned(),
            kind: Kind::Deploy,
            host: "vps-1".into(),
            began_unix_ms: began,
            attended: false,
            last_rollback: None,
            record: Default::default(),
        };
        let mut world = World::default();
        world.slots[1].after_deploy = Health::Failing(50);
        let mut flight: Flight<History> = Flight::new(plan.clone(), facts.clone(), world);
        fly(&mut flight, Millis::secs(3_600));
        let opened = Opened::new(facts, plan.clone(), "router");
        let what = Declaration::of(&opened, began);
        let plan_file = self.home.path().join("plan.toml");
        let declared = declare(&dir, &what, &plan.evidence, Some(&plan_file), Asking::Nobody);
        let (mut writer, _troubles) = Writer::create(&dir, opened.clone(), Millis::ZERO).unwrap();
        writer.notes().note(Noted::Declared(Box::new(declared.clone())));
        let opening = Opening {
            kind: opened.facts.kind,
            service: self.plan.service.as_str().into(),
            host: opened.facts.host.clone(),
            run: RUN.to_owned(),
            plan_sha256: opened.plan_sha256.clone(),
            signed: declared.signed.clone(),
            clock: declared.clock,
            marking: None,
            unix_ms: began,
        };
        let recorder = (!screens.is_empty()).then(|| {
            let (marks, notes) = (writer.marks(), writer.notes());
            Recorder::start(Spec { dir: dir.clone(), opening, marks, notes })
        });
        if let Some(recorder) = &recorder {
            recorder.resize(80, 24);
            screens.iter().for_each(|screen| recorder.frame(screen.as_bytes()));
        }
        for (n, step) in (1..).zip(&flight.watcher.steps) {
            writer.append(Entry::Input { n, event: step.event.clone() }, step.at);
            for effect in &step.effects {
                writer.append(Entry::Effect { n, effect: effect.clone() }, step.at);
            }
        }
        let finish = flight.finish().expect("it has ended").clone();
        if let Some(recorder) = &recorder {
            recorder.drawn(Millis(flight.now));
            let closing = Closing {
                outcome: finish.outcome,
                exit: finish.exit,
                says: finish.says.as_str().into(),
                head: writer.head(Duration::from_secs(5)),
            };
            recorder.close(closing, Duration::from_secs(5));
        }
        if ends {
            writer.append(Entry::Closed(Closed::now(&finish)), Millis(flight.now));
        }
        writer.close(Duration::from_secs(30)).unwrap();
    }

    /// Seals it, as somebody would who leaves nothing out.
    pub fn seal(&self) -> Result<Sealed, NotSealed> {
        self.seal_with(&Mask::new([]), |_| {})
    }

    /// Seals it otherwise.
    pub fn seal_with(
        &self,
        mask: &Mask,
        change: impl FnOnce(&mut Sealing<'_>),
    ) -> Result<Sealed, NotSealed> {
        let mut how = Sealing {
            previous: Previous::default(),
            leave_out: Vec::new(),
            without_recording: false,
            mask,
            asking: Asking::Nobody,
            now_unix_ms: self.began() + 60_000,
            program_sha256: None,
        };
        change(&mut how);
        seal(&self.run_dir(), &how)
    }

    /// What the built-in check says.
    pub fn verify(&self, bundle: &Path) -> Verified {
        let signers = Signers::read(&self.signers()).unwrap();
        self.verify_by(bundle, Some(&signers))
    }

    /// The same, with these signers.
    pub fn verify_by(&self, bundle: &Path, signers: Option<&Signers>) -> Verified {
        let now_unix_s = self.began() / 1_000 + 3_600;
        verify(bundle, &Asked { signers, now_unix_s, ..Asked::default() })
    }

    /// The exit code of the script, of our own copy of it.
    pub fn script(&self, bundle: &Path, with_signers: bool) -> (i32, String) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/evidence/verify.sh");
        let mut command = Command::new("dash");
        command.arg(script).arg(bundle);
        if with_signers {
            command.arg(self.signers()).arg(WHO);
        }
        let ran = command.output().expect("dash");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        (ran.status.code().unwrap(), said + &String::from_utf8_lossy(&ran.stderr))
    }
}
