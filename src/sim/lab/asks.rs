//! Our own requests to the lab's slots, answered by the model and read as a prober reads what
//! comes over HTTP: by the plan's components, pointers, statuses and patience.

use crate::adapter::source::body::{self, Components};
use crate::adapter::source::{HealthCheck, ProbeAnswer};
use crate::clean::Clean;
use crate::lab::World;
use crate::lab::world::{Fate, Life, Readiness};
use crate::plan::{Plan, ProbePlan, ReleaseSource, Signal, SignalSource};
use crate::units::{Millis, Slot};

/// The header in which the lab's services name their release.
const VERSION: &str = "x-version";

/// Asks as the plan says.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    liveness: bool,
    /// Whether the plan asks for the deep check.
    deep: bool,
    timeout: Millis,
    require: Vec<String>,
    optional: Vec<String>,
    release: Option<ReleaseSource>,
    db_errors: Option<String>,
    queue_depth: Option<String>,
    probes: Vec<ProbePlan>,
}

impl Asker {
    pub fn new(plan: &Plan) -> Self {
        let pointer = |signal| match plan.signals.get(&signal) {
            Some(SignalSource::Readiness(pointer)) => Some(pointer.clone()),
            _ => None,
        };
        Self {
            liveness: plan.health.liveness.is_some(),
            deep: plan.health.readiness.ends_with("?deep"),
            timeout: plan.health.timeout,
            require: plan.health.require.clone(),
            optional: plan.health.optional.clone(),
            release: plan.identity.release.clone(),
            db_errors: pointer(Signal::DbErrors),
            queue_depth: pointer(Signal::QueueDepth),
            probes: plan.probes.clone(),
        }
    }

    /// How many requests the plan has.
    pub fn questions(&self) -> usize {
        self.probes.len()
    }

    fn too_late(&self) -> (Clean, u64) {
        let why = Clean::new(&format!("no answer within {} ms", self.timeout.0));
        (why, self.timeout.0 * 1000)
    }

    /// What a slot says about its health, and after how many microseconds.
    pub fn check(&self, world: &mut World, slot: Slot, at: Millis) -> (HealthCheck, u64) {
        let asked = if self.deep { World::deep_readiness } else { World::readiness };
        let Some(readiness) = asked(world, slot, at) else {
            let check = HealthCheck {
                live: self.liveness.then_some(false),
                why: Some(Clean::new("connection refused")),
                ..HealthCheck::default()
            };
            return (check, 0);
        };
        let live = self.liveness.then(|| world.life(slot, at) != Life::Absent);
        if readiness.latency_us > self.timeout.0 * 1000 {
            let (why, took_us) = self.too_late();
            return (HealthCheck { live, why: Some(why), ..HealthCheck::default() }, took_us);
        }
        let took_us = readiness.latency_us;
        (self.read(&readiness, live), took_us)
    }

    fn read(&self, readiness: &Readiness, live: Option<bool>) -> HealthCheck {
        let status = if readiness.ready() { 200 } else { 503 };
        let Components { bad, degraded } = self.components(readiness);
        let why = match (status, bad) {
            (200, bad) => bad,
            (_, Some(bad)) => Some(Clean::new(&format!("status {status}, {bad}"))),
            (_, None) => Some(Clean::new(&format!("status {status}"))),
        };
        HealthCheck {
            live,
            ready: why.is_none(),
            why,
            degraded,
            latency_ms: Some(readiness.latency_us as f64 / 1000.0),
            status: Some(status),
            release: self.release(&readiness.version, |at| text_at(readiness, at)),
            // A lab's service names its version and no artefact.
            artefact: None,
            db_errors: count_at(readiness, self.db_errors.as_deref()),
            queue_depth: count_at(readiness, self.queue_depth.as_deref()),
        }
    }

    /// Components that are well need no words, and so no JSON to look for them in.
    fn components(&self, readiness: &Readiness) -> Components {
        let word = |name: &String| readiness.components.get(name.as_str()).map(AsRef::as_ref);
        let well = self.require.iter().all(|name| word(name) == Some("ok"))
            && self.optional.iter().all(|name| word(name).is_none_or(|word| word == "ok"));
        if well {
            return Components::default();
        }
        let json = serde_json::to_value(readiness);
        let json = json.as_ref().map_err(|_| "the body is no JSON");
        body::components(json, &self.require, &self.optional)
    }

    fn release(&self, version: &str, in_body: impl FnOnce(&str) -> Option<Clean>) -> Option<Clean> {
        match self.release.as_ref()? {
            ReleaseSource::Header(name) => {
                name.eq_ignore_ascii_case(VERSION).then(|| body::short(version)).flatten()
            }
            ReleaseSource::Json(pointer) => in_body(pointer),
        }
    }

    /// What a slot answers to the plan's request of this number, and after how many
    /// microseconds; nothing where the plan has none.
    pub fn probe(
        &self,
        world: &mut World,
        slot: Slot,
        n: usize,
        at: Millis,
    ) -> Option<(ProbeAnswer, u64)> {
        let probe = self.probes.get(n)?;
        let request = world.probe(world.route_at(&probe.path));
        let served = world.serve(slot, &request, at);
        let silent = |why| ProbeAnswer { why: Some(why), ..ProbeAnswer::default() };
        if served.fate == Fate::Hang || served.latency_us > self.timeout.0 * 1000 {
            let (why, took_us) = self.too_late();
            return Some((silent(why), took_us));
        }
        let status = match served.fate {
            Fate::Answer(status) => status,
            Fate::Reset => {
                return Some((silent(Clean::new("connection reset")), served.latency_us));
            }
            Fate::Cut => {
                return Some((silent(Clean::new("the body was cut off")), served.latency_us));
            }
            Fate::Refused | Fate::Hang => {
                return Some((silent(Clean::new("connection refused")), served.latency_us));
            }
        };
        let why = if status == probe.expect {
            let missing = probe.contains.as_ref().filter(|text| !served.page().contains(*text));
            missing.map(|text| format!("{text:?} is not in the body"))
        } else {
            Some(format!("status {status}, {} expected", probe.expect))
        };
        let answer = ProbeAnswer {
            ok: why.is_none(),
            status: Some(status),
            why: why.map(|why| Clean::new(&why)),
            latency_ms: Some(served.latency_us as f64 / 1000.0),
            slot: None,
            release: self.release(world.version(slot), |_| None),
            artefact: None,
        };
        Some((answer, served.latency_us))
    }
}

/// A count in a readiness body. The usual ones are found without writing the body down.
fn count_at(readiness: &Readiness, pointer: Option<&str>) -> Option<u64> {
    match pointer? {
        "/db/errors" => Some(readiness.db.errors),
        "/db/connections" => Some(readiness.db.connections),
        "/queue/depth" => Some(readiness.queue.depth),
        pointer => body::count_at(&serde_json::to_value(readiness).ok()?, pointer),
    }
}

fn text_at(readiness: &Readiness, pointer: &str) -> Option<Clean> {
    match pointer {
        "/version" => body::short(&readiness.version),
        pointer => body::text_at(&serde_json::to_value(readiness).ok()?, pointer),
    }
}
