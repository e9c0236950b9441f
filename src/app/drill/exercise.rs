//! The record of a drill as an exercise, made of its debrief, for the bundle: what was to be shown,
//! by which criteria, what was measured, and what follows.
//!
//! It says the same as the debrief on the screen, in the form that an evaluator knows.

use super::Sortie;
use super::kept::{Carried, Kept};
use crate::app::Failure;
use crate::app::hangar::family_words;
use crate::clean::Clean;
use crate::drill::account::Account;
use crate::drill::due::Due;
use crate::drill::history::{self, HistoryLine};
use crate::drill::score::{CLEAN, PASS};
use crate::evidence::exercise::{
    self, Action, Exercise, LIMITS, Measure, Point, Review, Said, Scenario, TYPE,
};
use crate::evidence::names;
use crate::journal::list::Link;
use crate::journal::{self, Run};
use crate::runbook::Kind;
use crate::text;
use crate::units::Millis;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const DAY_MS: i64 = 86_400_000;

/// A flight that was debriefed.
pub struct Debriefed<'a> {
    /// What was flown.
    pub sortie: &'a Sortie,
    /// Its debrief, and what became of its check.
    pub kept: &'a Kept,
    /// What was measured.
    pub account: &'a Account,
    /// Its line in the history, and where that stands.
    pub line: (&'a HistoryLine, &'a Link),
    /// When it, or what stands for it, is due again.
    pub due: Option<Due>,
    /// Whether the operator was shown the debrief.
    pub shown: bool,
}

/// Writes it beside the journal, so that it goes into the bundle.
pub fn write(directory: &Path, told: &Debriefed<'_>) -> Result<(), Failure> {
    let failed = |why: String| {
        let cause = format!("the exercise's record in {} was not kept: {why}", directory.display());
        Failure::world(cause, "the run itself, its debrief and the history are whole")
    };
    let run = journal::read(directory).map_err(|fault| failed(fault.to_string()))?;
    let text = of(told, &run).text();
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let beside = directory.join(".exercise.new");
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, directory.join(names::EXERCISE))
    })();
    written.map_err(|error: std::io::Error| failed(error.to_string()))
}

fn of(told: &Debriefed<'_>, run: &Run) -> Exercise {
    let (debrief, (line, link)) = (&told.kept.debrief, told.line);
    let (facts, score) = (&run.opened.facts, &debrief.score);
    let clean = |text: &str| Clean::new(text);
    let day = |ms: i64| Clean::new(text::utc(ms).get(..10).unwrap_or_default());
    let operator = run.opened.operator.clone();
    let mut observations = vec![clean(&format!("What went right: {}", debrief.well))];
    observations.extend(
        debrief
            .focus
            .as_ref()
            .map(|focus| clean(&format!("To work on ({}): {}", focus.loss.word(), focus.says))),
    );
    observations.extend(debrief.needless.as_deref().map(clean));
    observations.push(clean(&format!("The lesson: {}", debrief.lesson)));
    Exercise {
        kind: Kind::Drill,
        host: facts.host.clone(),
        run: facts.run.clone(),
        marking: run.opened.plan.evidence.marking.as_deref().map(clean),
        what: TYPE.to_owned(),
        plan_sha256: run.opened.plan_sha256.clone(),
        program: run.opened.program.clone(),
        scenario: scenario(told),
        objective: clean(
            "fly the release through the eight steps of the runbook; call it right (go on, hold, go \
             back, or declare another act) in its step and in its time; hurt as few users as can be",
        ),
        pass: clean(&format!(
            "{PASS} of 100 points and nothing grave ({CLEAN} is clean), by version {} of the scoring",
            score.version
        )),
        result: clean(&format!("{} of 100, {}", score.total, score.grade.word())),
        passed: line.is_practice().then(|| score.grade.passed()),
        measures: measures(told),
        timeline: timeline(told),
        account: said(told),
        observations,
        deviations: deviations(told),
        corrective_actions: actions(told, operator.as_ref(), &day(line.ended_unix_ms)),
        review: Review {
            reviewer: operator.clone().filter(|_| told.shown),
            by_the_operator: told.shown,
            at: told.shown.then(|| day(crate::engine::clock::unix_ms())),
        },
        operator,
        next_due: told.due.as_ref().map(|due| {
            let when = day(due.day.saturating_mul(DAY_MS));
            clean(&format!("{when}: {}", due.scenario))
        }),
        history: Some(exercise::HistoryLine {
            sha256: link.sha256.clone(),
            previous: link.previous.clone(),
        }),
        limits: LIMITS.to_owned(),
    }
}

fn scenario(told: &Debriefed<'_>) -> Scenario {
    let (debrief, (line, _)) = (&told.kept.debrief, told.line);
    let drill = &told.sortie.course.scenario.drill;
    Scenario {
        id: Clean::new(&drill.id),
        title: Clean::new(&drill.title),
        sha256: line.file.clone(),
        seed: line.seed,
        level: drill.level,
        families: drill.family.iter().map(|family| Clean::new(family_words(*family))).collect(),
        blind: line.blind,
        spoiled: line.spoiled,
        standing: Clean::new(match line.standing {
            history::Standing::Cold => "cold: the first in thirty days",
            history::Standing::Rehearsal => "flown again within thirty days",
            history::Standing::Replay => "a replay: the same world as before",
        }),
        cause: Clean::new(&debrief.cause),
        sources: debrief
            .sources
            .iter()
            .map(|source| (Clean::new(&source.title), Clean::new(&source.url)))
            .collect(),
    }
}

fn measures(told: &Debriefed<'_>) -> Vec<Measure> {
    let debrief = &told.kept.debrief;
    let measure = |what: &str, criterion: String, measured: String, says: &str| Measure {
        what: Clean::new(what),
        criterion: Clean::new(&criterion),
        measured: Clean::new(&measured),
        says: Clean::new(says),
    };
    let mut all: Vec<Measure> = debrief
        .score
        .parts
        .iter()
        .map(|part| {
            let (of, points) = (format!("of {} points", part.of), format!("{:.1}", part.points));
            measure(part.name.words(), of, points, &part.says)
        })
        .collect();
    let failed = format!(
        "{} with the answer known, {} had nothing been done",
        debrief.oracle.failed, debrief.nothing.failed
    );
    let yours = debrief.yours.failed.to_string();
    all.push(measure("users who failed", failed, yours, "both others flown on the same seed"));
    let account = told.account;
    let between = |from: Option<Millis>, to: Option<Millis>| {
        to.zip(from).map_or("not measured".to_owned(), |(to, from)| to.since(from).to_string())
    };
    let par = debrief.score.ruling.par;
    let par = || par.map_or("no par".to_owned(), |par| format!("par {par}"));
    for (what, criterion, from, to, says) in [
        (
            "time to notice",
            par(),
            account.evidence,
            account.detect,
            "from when the operator's own figures told it to the first mark, hold or act",
        ),
        ("time to call", par(), account.evidence, account.decide, "from then to the call"),
        ("time to act", "no par".to_owned(), account.decide, account.effect, "call to effect"),
        (
            "time to restore",
            "no par".to_owned(),
            account.onset,
            account.restore,
            "from when users were first hurt to when none was any more",
        ),
    ] {
        all.push(measure(what, criterion, between(from, to), says));
    }
    all
}

fn timeline(told: &Debriefed<'_>) -> Vec<Point> {
    let strip = &told.kept.debrief.strip;
    let point = |true_in_lab: bool| {
        move |mark: &crate::drill::debrief::Mark| Point {
            at: mark.at,
            true_in_lab,
            what: Clean::new(&mark.text),
        }
    };
    let mut all: Vec<Point> = strip.truth.iter().map(point(true)).collect();
    all.extend(strip.seen.iter().map(point(false)));
    all.sort_by_key(|point| point.at);
    all
}

fn said(told: &Debriefed<'_>) -> Vec<Said> {
    let said = |asked: &str, said: &str| Said { asked: Clean::new(asked), said: Clean::new(said) };
    told.kept.debrief.account().map(|(asked, answer)| said(asked, answer)).collect()
}

fn deviations(told: &Debriefed<'_>) -> Vec<Clean> {
    let mut all = Vec::new();
    if told.account.overrode {
        all.push(Clean::new("users were moved on after a limit had tripped on Green"));
    }
    for grave in &told.kept.debrief.score.critical {
        all.push(Clean::new(&format!("at {}: {}", text::clock(grave.at), grave.says)));
    }
    all
}

fn actions(told: &Debriefed<'_>, owner: Option<&Clean>, today: &Clean) -> Vec<Action> {
    let Some(check) = &told.kept.debrief.carry_over else { return Vec::new() };
    let (closed_on, evidence) = match told.kept.carried {
        Carried::Yes => (Some(today.clone()), "it stands in the operator's own plan"),
        Carried::No => (Some(today.clone()), "the operator decided against it"),
        Carried::Open | Carried::Later => (None, "it was open when this was sealed"),
    };
    let now = crate::engine::clock::unix_ms();
    let open = told.kept.open(now).filter(|_| closed_on.is_none());
    let due = open.map(|open| text::utc(now + open.left.max(0) * DAY_MS));
    vec![Action {
        text: Clean::new(check),
        owner: owner.cloned(),
        due: due.map(|day| Clean::new(day.get(..10).unwrap_or_default())),
        closed_on,
        evidence: Clean::new(evidence),
    }]
}
