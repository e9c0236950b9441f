//! The whole file as it is written, before it is taken apart into the scenario and its answer.

use super::answer::{Answer, BotBands, Critical, DebriefSpec, Decision, HarmSpec, Truth};
use super::{
    ClockSpec, DrillSpec, EvidenceSpec, InjectSpec, OfferSpec, PlanSpec, Scenario, SteadySpec,
    StorySpec, TrafficSpec, WorldSpec,
};
use crate::lab::fault::{FaultKind, FaultSpec};
use serde::Deserialize;

/// Every table that a scenario file may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    schema: u32,
    drill: DrillSpec,
    #[serde(default)]
    story: StorySpec,
    #[serde(default)]
    clock: ClockSpec,
    #[serde(default)]
    world: WorldSpec,
    #[serde(default)]
    traffic: TrafficSpec,
    #[serde(default)]
    steady_state: SteadySpec,
    #[serde(default)]
    plan: PlanSpec,
    #[serde(default, rename = "fault")]
    faults: Vec<FaultSpec>,
    #[serde(default, rename = "inject")]
    injects: Vec<InjectSpec>,
    #[serde(default, rename = "offer")]
    offers: Vec<OfferSpec>,
    #[serde(default)]
    evidence: Vec<EvidenceSpec>,
    #[serde(default)]
    answer: Truth,
    #[serde(default, rename = "decision")]
    decisions: Vec<Decision>,
    #[serde(default)]
    critical: Vec<Critical>,
    #[serde(default)]
    harm: HarmSpec,
    #[serde(default)]
    bots: BotBands,
    #[serde(default)]
    debrief: DebriefSpec,
}

impl File {
    /// The two parts of it.
    pub fn apart(self) -> (Scenario, Answer) {
        let mut drill = self.drill;
        if drill.codename.is_empty() {
            drill.codename = drill.id.to_uppercase();
        }
        // Swapped labels name the slot that does not serve.
        let swaps = |fault: &FaultSpec| matches!(fault.kind, FaultKind::LabelSwap { .. });
        let mut world = self.world;
        if self.faults.iter().any(swaps) {
            world.live = world.live.other();
        }
        // How users count slow answers is part of the world, which never reads the answer.
        let traffic = TrafficSpec { slow_over: self.harm.slow_over, ..self.traffic };
        let scenario = Scenario {
            schema: self.schema,
            drill,
            story: self.story,
            clock: self.clock,
            world,
            traffic,
            steady_state: self.steady_state,
            plan: self.plan,
            faults: self.faults,
            injects: self.injects,
            offers: self.offers,
            evidence: self.evidence,
        };
        let answer = Answer {
            truth: self.answer,
            decisions: self.decisions,
            critical: self.critical,
            harm: self.harm,
            bots: self.bots,
            debrief: self.debrief,
        };
        (scenario, answer)
    }
}
