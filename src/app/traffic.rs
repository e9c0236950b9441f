//! How many requests a second the users of a plan make, and where that is known from: as the
//! operator says, as the last runs saw, or as the router counts now.

use super::Failure;
use super::flight::{block_on, home};
use crate::adapter::router::{Router, SlotCounters};
use crate::cli::Global;
use crate::journal::SAMPLES;
use crate::plan::Plan;
use crate::runs::{self, RunSummary};
use crate::signal::{Histogram, Origin, Sample, Whose};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

/// So many of the last runs are looked at.
const RUNS: usize = 3;
/// Seconds that a run must have seen to say anything.
const SECONDS: usize = 30;
/// Between two readings of the router's counters.
const BETWEEN: Duration = Duration::from_secs(4);
/// What to do where nobody knows.
const SAY: &str = "say it: switchback odds --rps 2";

/// The users of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Requests a second.
    pub rps: f64,
    /// Where that is known from, in words.
    pub rps_from: String,
    /// Their p95 in milliseconds on Blue, where the last runs saw it.
    pub p95_ms: Option<f64>,
}

/// What is known of a plan's users; an error with the next move where nothing is.
pub fn of(global: &Global, plan: &Plan, said: Option<f64>) -> Result<Traffic, Failure> {
    let past = of_runs(global, plan);
    if let Some(rps) = said {
        let p95_ms = past.and_then(|past| past.p95_ms);
        return Ok(Traffic { rps, rps_from: "as --rps says".to_owned(), p95_ms });
    }
    match past {
        Some(past) => Ok(past),
        None => of_router(plan),
    }
}

/// What the last runs of this plan saw. Drills say nothing of it.
pub fn of_runs(global: &Global, plan: &Plan) -> Option<Traffic> {
    let home = home(global).ok()?;
    let ours = |run: &RunSummary| {
        run.kind.is_some_and(|kind| kind.outlives_process())
            && run.service.as_ref().is_some_and(|service| service.as_str() == plan.service)
    };
    let all = runs::list(&home.runs).ok()?;
    let mut seen = Past::default();
    let mut newest = None;
    for run in all.iter().rev().filter(|run| ours(run)).take(RUNS) {
        if seen.add(&run.path).is_some() {
            newest.get_or_insert(runs::short(&run.id).to_owned());
        }
    }
    (seen.seconds >= SECONDS).then(|| Traffic {
        rps: seen.requests as f64 / seen.seconds as f64,
        rps_from: format!("of the last runs, to {}", newest.unwrap_or_default()),
        p95_ms: seen.blue.quantile(0.95),
    })
}

/// What runs have seen of users.
#[derive(Default)]
struct Past {
    requests: u64,
    seconds: usize,
    blue: Histogram,
}

impl Past {
    /// Adds what a run saw; nothing where it saw no users.
    fn add(&mut self, run: &Path) -> Option<()> {
        let file = File::open(run.join(SAMPLES)).ok()?;
        let mut seconds = BTreeSet::new();
        for line in BufReader::new(file).lines() {
            // A line that is cut off, or a mark, is no sample.
            let Ok(sample) = serde_json::from_str::<Sample>(&line.ok()?) else { continue };
            let (Origin::Users, Some(requests)) = (sample.from, sample.requests) else { continue };
            seconds.insert(sample.at);
            self.requests += requests;
            if let (Whose::Blue, Some(times)) = (sample.role, &sample.latency_ms) {
                self.blue.merge(times);
            }
        }
        self.seconds += seconds.len();
        (!seconds.is_empty()).then_some(())
    }
}

/// What the router counts between two readings.
fn of_router(plan: &Plan) -> Result<Traffic, Failure> {
    let unknown = |why: String| {
        Failure::world(format!("how many requests a second users make is not known: {why}"), SAY)
    };
    let mut router = Router::of_plan(plan).map_err(|fault| unknown(fault.cause.to_string()))?;
    let counted = block_on(async {
        let first = router.stats().await;
        if let Some((node, fault)) = first.readback.first_fault() {
            return Err(format!("no run has seen any, and {node}: {}", fault.cause));
        }
        let Some(first) = first.slots else {
            return Err("no run has seen any, and this router counts none".to_owned());
        };
        let began = Instant::now();
        tokio::time::sleep(BETWEEN).await;
        let second = router.stats().await.slots;
        let second = second.ok_or("the router did not answer a second time")?;
        Ok((first, second, began.elapsed()))
    })?;
    let (first, second, between) = counted.map_err(unknown)?;
    let sum = |slots: &[SlotCounters; 2]| slots.iter().map(|slot| slot.requests).sum::<u64>();
    let requests = sum(&second).checked_sub(sum(&first)).filter(|requests| *requests > 0);
    let Some(requests) = requests else {
        let secs = between.as_secs();
        return Err(unknown(format!("no run has seen any, and the router none in {secs} s")));
    };
    Ok(Traffic {
        rps: requests as f64 / between.as_secs_f64(),
        rps_from: format!("as the router counts now, {requests} in {} s", between.as_secs()),
        p95_ms: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_both_slots_are_counted_by_the_second_and_probes_are_not() {
        let run = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        for second in 1..=60 {
            let at = second * 1_000;
            for (role, requests) in [("blue", 9), ("green", 3)] {
                lines += &format!(
                    "{{\"at\":{at},\"role\":\"{role}\",\"from\":\"users\",\
                     \"requests\":{requests},\"latency_ms\":{{\"80.0\":{requests}}},\"n\":1}}\n"
                );
            }
            lines += &format!(
                "{{\"at\":{at},\"role\":\"blue\",\"from\":\"probes\",\"requests\":4,\"n\":1}}\n"
            );
        }
        lines += "{\"at\":61000,\"n\":9,\"mark\":\"due\"}\n{\"at\":620";
        std::fs::write(run.path().join(SAMPLES), lines).unwrap();
        let mut past = Past::default();
        past.add(run.path()).unwrap();
        assert_eq!((past.requests, past.seconds), (720, 60));
        assert_eq!(past.blue.count(), 540);
        assert!(past.add(&run.path().join("nowhere")).is_none());
    }
}
