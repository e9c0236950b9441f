//! A router that is driven by two commands of the operator's: `set` writes the split, `get`
//! prints it as `left=90 right=10`, with the slots' names.
//!
//! What `get` prints is the truth, so it is read strictly: both names, no other, whole percents
//! that sum to 100. A line that is nearly right is garbage, with the line that was expected as
//! the hint. Both commands together have the router's timeout; dropping the future kills the
//! process group that is running.

use crate::adapter::command::{CommandSpec, Printed, capture};
use crate::clean::Clean;
use crate::plan::{Plan, RouterKind, fill};
use crate::runbook::event::End;
use crate::runbook::readback::{Fault, FaultKind, NodeOutcome, NodeRead, NodeState, Readback};
use crate::units::{Slot, Split};
use std::time::{Duration, Instant};

/// More than the line that `get` prints can ever be.
const LONGEST_ANSWER: usize = 4 << 10;

/// Two commands.
#[derive(Debug, Clone)]
pub struct CommandRouter {
    names: [String; 2],
    set: Vec<String>,
    get: Vec<String>,
    timeout: Duration,
}

impl CommandRouter {
    /// The commands that the plan names. Neither is run yet.
    pub fn of_plan(plan: &Plan) -> Result<Self, Fault> {
        let RouterKind::Command { set, get } = &plan.router.kind else {
            return Err(Fault::new(
                FaultKind::Local,
                "the plan's router is no pair of commands",
                "set kind = \"command\" under [router]",
            ));
        };
        Ok(Self {
            names: plan.slots.clone().map(|slot| slot.name),
            set: set.clone(),
            get: get.clone(),
            timeout: plan.router.timeout.into(),
        })
    }

    /// Runs `get`.
    pub async fn read(&mut self) -> Readback {
        let began = Instant::now();
        let state = self.ask(began).await;
        self.readback(state, began)
    }

    /// Runs `set`, then `get`.
    pub async fn set(&mut self, split: Split) -> Readback {
        let began = Instant::now();
        let state = match self.write(split, began).await {
            Ok(()) => self.ask(began).await,
            Err(fault) => Err(fault),
        };
        self.readback(state, began)
    }

    /// Whether the split survives a restart is the commands' own affair, and we say so.
    pub fn persist() -> Clean {
        Clean::new("nothing to keep: what survives a restart is up to the router's own commands")
    }

    /// The argv of `get`: two plans that ask the same question share a router.
    pub fn identity(&self) -> String {
        format!("command {:?}", self.get)
    }

    fn readback(&self, state: Result<NodeState, Fault>, began: Instant) -> Readback {
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let node = Clean::new(self.get.first().map_or("", String::as_str));
        let outcome = match state {
            Ok(state) => NodeOutcome::State(state),
            Err(fault) => NodeOutcome::Fault(fault),
        };
        Readback { nodes: vec![NodeRead { node, outcome }], took_us }
    }

    async fn write(&self, split: Split, began: Instant) -> Result<(), Fault> {
        let shares = Slot::BOTH.map(|slot| split.share(slot).to_string());
        let share = |name: &str| {
            let at = self.names.iter().position(|known| known == name)?;
            Some(shares[at].as_str())
        };
        let argv = self.set.iter().map(|word| fill(word, share)).collect();
        self.run("set", argv, began).await.map(|_| ())
    }

    async fn ask(&self, began: Instant) -> Result<NodeState, Fault> {
        let printed = self.run("get", self.get.clone(), began).await?;
        let weights = parse(&printed, &self.names)?;
        Ok(NodeState { weights, up: [None; 2], worker: None })
    }

    async fn run(&self, what: &str, argv: Vec<String>, began: Instant) -> Result<Printed, Fault> {
        let left = self.timeout.saturating_sub(began.elapsed());
        // No grace: a switch that has hung must be out of the way of the next one.
        let spec = CommandSpec { grace: Duration::ZERO, ..CommandSpec::new(argv, left) };
        let printed = capture(&spec, LONGEST_ANSWER).await?;
        if printed.end.is_good() {
            return Ok(printed);
        }
        let kind = match printed.end {
            End::TimedOut => FaultKind::TimedOut,
            _ => FaultKind::Refused,
        };
        let last = printed.tail.iter().rev().find(|line| !line.as_str().trim().is_empty());
        let said = last.map(|line| format!(": {line}")).unwrap_or_default();
        let hint = match kind {
            FaultKind::TimedOut => "its process group was killed; see timeout under [router]",
            _ => "run it by hand to see why",
        };
        Err(Fault::new(kind, format!("the router's {what} command {}{said}", printed.end), hint))
    }
}

/// The weights in what `get` printed.
fn parse(printed: &Printed, names: &[String; 2]) -> Result<[u32; 2], Fault> {
    let [first, second] = names;
    let garbage = |what: String| {
        Fault::new(
            FaultKind::Garbage,
            format!("the router's get command {what}"),
            format!("it must print one line such as {first}=90 {second}=10, in whole percent"),
        )
    };
    if printed.cut {
        return Err(garbage(format!("printed more than {LONGEST_ANSWER} bytes")));
    }
    let text = std::str::from_utf8(&printed.out)
        .map_err(|_| garbage("printed what is no text".to_owned()))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(garbage("printed nothing".to_owned()));
    }
    let shown: String = text.chars().take(60).collect();
    let mut shares = [None; 2];
    for word in text.split_whitespace() {
        let pair = word.split_once('=');
        let Some((name, value)) = pair else {
            return Err(garbage(format!("printed {shown:?}")));
        };
        let Some(at) = names.iter().position(|known| known == name) else {
            return Err(garbage(format!("printed {shown:?}: there is no slot {name:?}")));
        };
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let share = value.parse::<u32>().ok().filter(|share| digits && *share <= 100);
        let Some(share) = share else {
            return Err(garbage(format!("printed {shown:?}: {value:?} is no whole percent")));
        };
        if shares[at].replace(share).is_some() {
            return Err(garbage(format!("printed {shown:?}: {name} twice")));
        }
    }
    match shares {
        [Some(a), Some(b)] if a + b == 100 => Ok([a, b]),
        [Some(a), Some(b)] => Err(garbage(format!("printed {shown:?}: the sum is {}", a + b))),
        [None, _] => Err(garbage(format!("printed {shown:?}: {first} is missing"))),
        [_, None] => Err(garbage(format!("printed {shown:?}: {second} is missing"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Percent;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn sh(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    fn router(set: &str, get: &str) -> CommandRouter {
        CommandRouter {
            names: ["left".to_owned(), "right".to_owned()],
            set: sh(set),
            get: sh(get),
            timeout: Duration::from_secs(10),
        }
    }

    fn fault(readback: &Readback) -> &Fault {
        readback.first_fault().unwrap().1
    }

    #[test]
    fn a_switch_that_is_a_file_is_set_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("split");
        let file = file.to_str().unwrap();
        let mut router = router(&format!("echo left={{left}} right={{right}} > {file}"), "");
        router.get = vec!["cat".to_owned(), file.to_owned()];
        let split = Split::giving(Slot::Second, Percent::new(10).unwrap());
        let readback = block_on(router.set(split));
        assert_eq!(readback.split(), Some(split));
        assert_eq!(block_on(router.read()).split(), Some(split));
    }

    #[test]
    fn warnings_on_standard_error_do_not_hurt_and_order_does_not_matter() {
        let mut router = router("", "echo deprecated >&2; echo right=100 left=0");
        assert_eq!(block_on(router.read()).split(), Some(Split::all_to(Slot::Second)));
    }

    #[test]
    fn what_is_nearly_right_is_garbage() {
        for (get, cause) in [
            ("true", "nothing"),
            ("echo left=90", "right is missing"),
            ("echo left=90 right=20", "sum is 110"),
            ("echo left=90 right=10 left=90", "twice"),
            ("echo left=90 middle=10", "no slot"),
            ("echo left=+90 right=10", "no whole percent"),
            ("echo left=99.5 right=0.5", "no whole percent"),
            ("echo left=200 right=10", "no whole percent"),
            ("echo all is well", "all is well"),
            (r"printf 'left=\377'", "no text"),
            ("yes left=90", "more than"),
        ] {
            // `yes` never ends by itself: it has to be stopped by its time.
            let get = if get.starts_with("yes") { "yes left=90 | head -c 100000" } else { get };
            let readback = block_on(router("", get).read());
            let fault = fault(&readback);
            assert_eq!(fault.kind, FaultKind::Garbage, "{get}");
            assert!(fault.cause.as_str().contains(cause), "{get}: {fault}");
            assert!(fault.hint.as_str().contains("left=90 right=10"));
        }
    }

    #[test]
    fn a_command_that_says_no_is_quoted_and_get_is_not_asked() {
        let split = Split::all_to(Slot::First);
        let readback = block_on(router("echo locked by ops >&2; exit 4", "exit 9").set(split));
        let fault = fault(&readback);
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.cause.as_str().contains("set command ended with status 4: locked by ops"));
    }

    #[test]
    fn a_command_that_hangs_is_killed_in_time() {
        let mut router = router("", "sleep 30");
        router.timeout = Duration::from_millis(200);
        let readback = block_on(router.read());
        assert_eq!(fault(&readback).kind, FaultKind::TimedOut);
        assert!(readback.took_us < 10_000_000);
    }
}
