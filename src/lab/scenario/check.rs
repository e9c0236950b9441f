//! What the types of a scenario cannot say: numbers out of bounds, and names that nothing bears.

use super::Scenario;
use super::answer::{Answer, Call, Opens};
use crate::lab::anchor::{Anchor, Moment};
use std::borrow::Cow;

/// What is wrong, with a text near it in the file, and the next move.
pub(super) struct Wrong {
    pub near: Cow<'static, str>,
    pub cause: String,
    pub hint: &'static str,
}

fn hold(
    good: bool,
    near: impl Into<Cow<'static, str>>,
    cause: String,
    hint: &'static str,
) -> Result<(), Wrong> {
    if good { Ok(()) } else { Err(Wrong { near: near.into(), cause, hint }) }
}

/// What the types of a scenario cannot say.
pub(super) fn scenario(scenario: &Scenario) -> Result<(), Wrong> {
    let (traffic, world, plan) = (&scenario.traffic, &scenario.world, &scenario.plan);
    let share = |x: f64| (0.0..=1.0).contains(&x);
    let rate = |x: f64| x > 0.0 && x <= 2_000.0;

    hold(
        scenario.schema == 1,
        "schema",
        format!("schema {} is not known", scenario.schema),
        "write schema = 1",
    )?;
    let shares: f64 = traffic.routes.iter().map(|route| route.share).sum();
    hold(
        (shares - 1.0).abs() < 0.001
            && traffic.routes.iter().all(|r| share(r.share) && r.db >= 0.0),
        "routes",
        format!("shares of the routes sum to {shares:.3}, or one is negative"),
        "let them sum to 1, and let `db` be 0 or more",
    )?;
    hold(
        traffic.routes.iter().all(|r| r.bytes.is_none_or(|bytes| bytes <= 10_000_000)),
        "bytes =",
        "an answer of more than ten million bytes".to_owned(),
        "let `bytes` be at most 10000000",
    )?;
    hold(
        rate(traffic.base_rps),
        "base_rps",
        format!("{} requests a second", traffic.base_rps),
        "use more than 0 and at most 2000",
    )?;
    hold(
        traffic.stages.iter().all(|stage| rate(stage.to) && stage.over.0 > 0),
        "stages",
        "a stage without time, or to a rate that cannot be".to_owned(),
        "let each take some time, to more than 0 and at most 2000 requests a second",
    )?;
    hold(
        traffic.p50_ms > 0.0 && traffic.p95_ms > traffic.p50_ms && traffic.p95_ms < 60_000.0,
        "p95_ms",
        format!("p50 {} ms and p95 {} ms", traffic.p50_ms, traffic.p95_ms),
        "let 0 < p50_ms < p95_ms < 60000",
    )?;
    hold(
        share(scenario.clock.jitter),
        "jitter",
        format!("jitter {}", scenario.clock.jitter),
        "write shares as 0.15 for 15 %",
    )?;
    hold(
        [world.cache.hit, world.cache.cacheable, world.db.share, traffic.noise]
            .into_iter()
            .all(share),
        "[world",
        "a share is outside 0 to 1".to_owned(),
        "write shares as 0.15 for 15 %",
    )?;
    hold(
        world.cache.hit * world.cache.cacheable < 0.995,
        "[world.cache]",
        "a warm cache leaves the database nothing to do".to_owned(),
        "let hit times cacheable be below 0.995",
    )?;
    hold(
        world.queue.in_per_s >= 0.0 && rate(world.queue.out_per_s),
        "[world.queue]",
        "a rate of jobs that cannot be".to_owned(),
        "let in_per_s be 0 or more, and out_per_s above 0 and at most 2000",
    )?;
    for release in [&world.blue, &world.green] {
        let sizes = [release.workers, release.threads, release.pool_per_worker];
        hold(
            sizes.iter().all(|size| (1..=1_000).contains(size)),
            "[world",
            format!("{sizes:?} workers, threads and connections"),
            "use 1 to 1000 of each",
        )?;
    }
    hold(
        plan.ramp.last() == Some(&100) && plan.ramp.is_sorted_by(|a, b| a < b) && plan.ramp[0] > 0,
        "ramp",
        format!("ramp {:?}", plan.ramp),
        "let it rise, and end at 100",
    )?;
    faults(scenario)?;
    story(scenario)
}

/// Faults among themselves, and what they name.
fn faults(scenario: &Scenario) -> Result<(), Wrong> {
    for (n, fault) in scenario.faults.iter().enumerate() {
        hold(
            scenario.faults[..n].iter().all(|other| other.id != fault.id),
            "[[fault]]",
            format!("two faults are called {:?}", fault.id),
            "give each its own id: its luck hangs on it",
        )?;
        if let Some(route) = &fault.route {
            hold(
                scenario.traffic.routes.iter().any(|known| known.path == *route),
                "route =",
                format!("no route is called {route:?}"),
                "use a path of [traffic] routes",
            )?;
        }
        if let Some(cohort) = &fault.cohort {
            hold(
                scenario.traffic.cohorts.iter().any(|known| known.name == *cohort),
                "cohort =",
                format!("no cohort is called {cohort:?}"),
                "use a name of [traffic] cohorts",
            )?;
        }
        if let Some(worker) = fault.worker {
            let workers = scenario.world.green.workers.max(scenario.world.blue.workers);
            hold(
                (1..=workers).contains(&worker),
                "worker =",
                format!("there is no worker {worker}"),
                "count workers from 1",
            )?;
        }
        moments(scenario, [Some(&fault.at), fault.or_by.as_ref(), fault.until.as_ref()])?;
        hold(
            fault.at.anchor != Anchor::Fault(fault.id.clone()),
            format!("\"{}\"", fault.at),
            format!("fault {:?} waits for itself", fault.id),
            "let it begin at another anchor",
        )?;
    }
    Ok(())
}

/// Moments that hang on a fault need that fault.
fn moments<'a>(
    scenario: &Scenario,
    moments: impl IntoIterator<Item = Option<&'a Moment>>,
) -> Result<(), Wrong> {
    for moment in moments.into_iter().flatten() {
        if let Anchor::Fault(id) = &moment.anchor {
            hold(
                scenario.faults.iter().any(|fault| fault.id == *id),
                format!("\"fault:{id}"),
                format!("no fault is called {id:?}"),
                "use the id of one of the [[fault]] tables",
            )?;
        }
    }
    Ok(())
}

/// What people are told.
fn story(scenario: &Scenario) -> Result<(), Wrong> {
    let drill = &scenario.drill;
    hold(
        (1..=4).contains(&drill.level),
        "level",
        format!("level {}", drill.level),
        "use 1 (recruit) to 4 (expert)",
    )?;
    let steps = drill.runbook_steps.iter().chain(scenario.evidence.iter().map(|e| &e.step));
    for step in steps {
        hold(
            (1..=8).contains(step),
            "step",
            format!("step {step} of the runbook"),
            "the runbook has steps 1 to 8",
        )?;
    }
    moments(scenario, scenario.injects.iter().map(|inject| Some(&inject.at)))?;
    moments(scenario, scenario.offers.iter().map(|offer| Some(&offer.at)))?;
    let plan = &scenario.plan;
    hold(
        ["none", "expand", "irreversible"].contains(&plan.migration.as_str()),
        "migration",
        format!("migration {:?}", plan.migration),
        "write none, expand or irreversible",
    )?;
    hold(
        ["rollback", "ask"].contains(&plan.on_trip.as_str()),
        "on_trip",
        format!("on_trip {:?}", plan.on_trip),
        "write rollback or ask",
    )
}

/// What the types of an answer cannot say.
pub(super) fn answer(scenario: &Scenario, answer: &Answer) -> Result<(), Wrong> {
    moments(scenario, [answer.truth.onset.as_ref()])?;
    let items: Vec<_> = scenario.evidence.iter().map(|evidence| evidence.item.as_str()).collect();
    for (n, decision) in answer.decisions.iter().enumerate() {
        let id = &decision.id;
        hold(
            answer.decisions[..n].iter().all(|other| other.id != *id),
            "[[decision]]",
            format!("two decisions are called {id:?}"),
            "give each its own id",
        )?;
        hold(
            (decision.call == Call::Declare) == decision.declares.is_some(),
            format!("id = \"{id}\""),
            format!("decision {id:?} declares something, or nothing, against its call"),
            "use `declares` with call = \"declare\", and only there",
        )?;
        hold(
            (0.0..=1.0).contains(&decision.credit)
                && decision.steps.iter().all(|s| (1..=8).contains(s)),
            format!("id = \"{id}\""),
            format!("decision {id:?} has a credit or a step that cannot be"),
            "let credit be 0 to 1, and steps 1 to 8",
        )?;
        if let (Some(par), Some(deadline)) = (decision.par, decision.deadline) {
            hold(
                par <= deadline,
                format!("id = \"{id}\""),
                format!("decision {id:?} has its par {par} after its deadline {deadline}"),
                "let the deadline be the later one",
            )?;
        }
        if let Some(then) = &decision.then {
            hold(
                answer.decisions.iter().any(|other| other.id == *then && other.id != *id),
                format!("then = \"{then}\""),
                format!("no other decision is called {then:?}"),
                "use the id of one of the [[decision]] tables",
            )?;
        }
        for item in &decision.requires_viewed {
            hold(
                items.contains(&item.as_str()),
                "requires_viewed",
                format!("no evidence is called {item:?}"),
                "use the item of one of the [[evidence]] tables",
            )?;
        }
        moments(scenario, [decision.given.as_ref(), decision.without.as_ref()])?;
        if let Opens::At(moment) = &decision.opens {
            moments(scenario, [Some(moment)])?;
        }
    }
    for critical in &answer.critical {
        let all = [Some(&critical.when), critical.during.as_ref(), critical.unless.as_ref()];
        moments(scenario, all)?;
    }
    moments(scenario, answer.debrief.markers.iter().map(|marker| Some(&marker.at)))?;
    for (bot, band) in answer.bots.named() {
        hold(
            band.is_none_or(|[low, high]| low <= high && high <= 100),
            format!("{bot} ="),
            format!("the band of {bot} is {band:?}"),
            "write two scores from 0 to 100, the lower one first",
        )?;
    }
    Ok(())
}
