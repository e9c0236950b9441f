//! The parts of a score besides the call.

use super::call::{Ruling, Standing};
use super::{Flown, Part, PartName};
use crate::drill::harm::NIL;
use crate::drill::tape::{By, Deed};
use crate::drill::words;
use crate::lab::Errand;
use crate::lab::scenario::VerdictClass;
use crate::lab::scenario::answer::Call;
use crate::runbook::{RunOutcome, View};
use crate::signal::{Origin, Whose};
use crate::text;
use crate::units::Millis;

/// Where a decision says nothing of par and deadline.
const PAR: Millis = Millis::secs(20);
const DEADLINE: Millis = Millis::secs(75);
/// Needless holding costs a point for each of these.
const HOLD_POINT: u64 = 15_000;
/// Users are expected to be well again so long after the call, at par and at the deadline.
const MENDING: [Millis; 2] = [Millis::secs(15), Millis::secs(45)];
/// A soak that is shorter by so little was waited for.
const SLACK: Millis = Millis::secs(1);

fn part(name: PartName, points: f64, of: f64, says: String) -> Part {
    Part { name, points: points.clamp(0.0, of), of, says }
}

/// The most of users spared for who went back before anything could have told it and had not
/// looked at what would have.
const UNTOLD: f64 = 10.0;

/// Users spared, or, where there was next to nothing to spare, that nobody was moved in vain.
pub(super) fn users(flown: &Flown<'_>, ruling: &Ruling) -> Part {
    const OF: f64 = 20.0;
    let (points, says) = spared(flown, ruling, OF);
    if points > UNTOLD && went_back_untold(flown, ruling) {
        let says = format!("{says}; it was left before anything could have told it");
        return part(PartName::Users, UNTOLD, OF, says);
    }
    part(PartName::Users, points, OF, says)
}

fn spared(flown: &Flown<'_>, ruling: &Ruling, of: f64) -> (f64, String) {
    let harm = &flown.harm;
    if let Some(share) = harm.share() {
        let says = format!(
            "{} failed; {} had nothing been done, {} with the answer known",
            text::count(harm.yours.failed, "user"),
            harm.nothing.failed,
            harm.oracle.failed,
        );
        return (of * share, says);
    }
    if harm.spared() < -NIL {
        let says = format!(
            "{} failed, and {} had nothing been done",
            text::count(harm.yours.failed, "user"),
            harm.nothing.failed,
        );
        return (0.0, says);
    }
    if flown.scenario.drill.verdict != Some(VerdictClass::Good) {
        let nil = "next to nothing could be spared";
        return if ruling.is_right() {
            (of, format!("{nil}, whatever was done"))
        } else if ruling.is_partly_right() {
            (of / 2.0, format!("{nil}, and not all that was right was done"))
        } else {
            (0.0, format!("{nil}, and what was done was not right"))
        };
    }
    let Some(made) = flown.account.call else {
        return (0.0, "nothing was shipped, and nothing called".to_owned());
    };
    match (made.call, made.switched) {
        (Call::Rollback, true) => {
            (0.0, "a good release was taken from users who had it".to_owned())
        }
        (Call::Rollback, false) => {
            (8.0, "a good release was abandoned before anybody had it".to_owned())
        }
        _ if flown.tape.outcome != Some(RunOutcome::Kept) => {
            (of / 2.0, "a good release was left before it was shipped".to_owned())
        }
        _ => {
            let par = ruling.par.unwrap_or(Millis::secs(30));
            let needless = flown.account.held.since(par);
            let off = (needless.0 / HOLD_POINT).min(8) as f64;
            let says = if off > 0.0 {
                format!("a good release was shipped, after {needless} of holding past par")
            } else {
                "a good release was shipped, and nobody was hurt".to_owned()
            };
            (of - off, says)
        }
    }
}

/// Whether the run went back before any evidence, by somebody who had not looked at what the
/// scenario asks for.
fn went_back_untold(flown: &Flown<'_>, ruling: &Ruling) -> bool {
    let made = flown.account.call;
    let Some(made) = made.filter(|made| made.call == Call::Rollback && made.by == By::Operator)
    else {
        return false;
    };
    let told = [flown.account.evidence, ruling.opens].into_iter().flatten().min();
    let asked = ruling.decided(flown.answer).is_some_and(|made| !made.requires_viewed.is_empty());
    let knew = asked && ruling.standing == Standing::Right;
    !knew && (ruling.standing == Standing::Lucky || told.is_none_or(|told| made.at < told))
}

/// Something that the runbook asks for: its points, whether it was done, and the words for both.
/// What was never due counts for nobody.
struct Asked {
    points: f64,
    due: bool,
    done: bool,
    kept: &'static str,
    missed: &'static str,
}

/// Whether the work was done as the runbook says. What was due makes the whole twenty.
pub(super) fn procedure(flown: &Flown<'_>) -> Part {
    const OF: f64 = 20.0;
    let (tape, account) = (flown.tape, flown.account);
    let call_at = account.decide.unwrap_or(account.ended);
    let deployed = tape.did(|deed| *deed == Deed::Deploy).next().map(|did| did.at);
    let before = deployed.unwrap_or(call_at);
    let soaks = tape.steps[4].zip(tape.steps[3]).map(|(to, from)| to.since(from));
    let soaked = soaks.is_none_or(|soaked| soaked + SLACK >= flown.scenario.plan.soak);
    let green_there = tape.steps[2].filter(|at| *at < call_at);
    let effect = account.effect.unwrap_or(call_at).max(call_at);
    let stopped = tape.did(|deed| *deed == Deed::Decommission).next().map(|did| did.at);
    let warm = flown.scenario.plan.warm;
    let each = [
        Asked {
            points: 5.0,
            due: true,
            done: looks(flown, 1, |at, step| step == 1 && at <= before),
            kept: "the way back was looked at in step 1",
            missed: "step 1 was ticked unseen",
        },
        Asked {
            points: 4.0,
            due: soaks.is_some() || account.overrode,
            done: soaked && !account.overrode,
            kept: "soak and gates were kept",
            missed: if account.overrode {
                "a gate was passed that spoke against it"
            } else {
                "the soak was not waited for"
            },
        },
        Asked {
            points: 5.0,
            due: green_there.is_some(),
            done: looks(flown, 3, |at, _| {
                green_there.is_some_and(|there| at >= there) && at <= call_at
            }),
            kept: "the slots were compared before the call",
            missed: "the slots were not compared",
        },
        Asked {
            points: 4.0,
            due: true,
            done: account.call.is_some() && looks(flown, 1, |at, _| at > effect),
            kept: "the effect was verified",
            missed: "the effect was not looked at",
        },
        Asked {
            points: 2.0,
            due: stopped.is_some() || tape.steps[7].is_some_and(|_| !tape.is_back()),
            done: stopped.is_none_or(|at| tape.steps[7].is_some_and(|since| at >= since + warm)),
            kept: "Blue was kept warm",
            missed: "Blue was stopped before its time",
        },
    ];
    let due: Vec<&Asked> = each.iter().filter(|asked| asked.due).collect();
    let sum = |of: &dyn Fn(&Asked) -> bool| -> f64 {
        due.iter().filter(|asked| of(asked)).map(|asked| asked.points).sum()
    };
    let points = OF * sum(&|asked| asked.done) / sum(&|_| true).max(1.0);
    let missed: Vec<_> = due.iter().filter(|asked| !asked.done).map(|asked| asked.missed).collect();
    let says = if missed.is_empty() {
        due.iter().map(|asked| asked.kept).collect::<Vec<_>>().join("; ")
    } else {
        missed.join("; ")
    };
    part(PartName::Procedure, points, OF, says)
}

/// Whether something that tells was looked at: the limits, which stand there for both slots, or an
/// item that the scenario has for this step or a later one. In step 1 there are no slots to be
/// compared, and the limits count only where the scenario has no item for it.
fn looks(flown: &Flown<'_>, step: u8, which: impl Fn(Millis, u8) -> bool) -> bool {
    let items = &flown.scenario.evidence;
    let first = items.iter().any(|known| known.step == 1);
    flown.tape.deeds.iter().filter(|did| which(did.at, did.step)).any(|did| match &did.deed {
        Deed::LookAt(item) => items.iter().any(|known| known.item == *item && known.step >= step),
        Deed::Look(View::Limits) => did.step > 1 || !first,
        // Both slots apart, and everything that is measured; straight to one it is half of that.
        Deed::Errand(Errand::By(_) | Errand::Series) => true,
        Deed::Errand(Errand::Probe(_) | Errand::Recheck(_)) => step == 1,
        _ => false,
    })
}

/// Full up to par, in a straight line to nothing at the deadline.
fn by_time(took: Millis, par: Millis, deadline: Millis, of: f64) -> f64 {
    if took <= par {
        return of;
    }
    let over = took.since(par).0 as f64 / deadline.since(par).0.max(1) as f64;
    of * (1.0 - over.min(1.0))
}

/// How soon it was noticed, called and over.
pub(super) fn timing(flown: &Flown<'_>, ruling: &Ruling) -> Part {
    const OF: f64 = 10.0;
    let account = flown.account;
    let (par, deadline) = (ruling.par.unwrap_or(PAR), ruling.deadline.unwrap_or(DEADLINE));
    let deadline = deadline.max(par + Millis(1));
    let right = ruling.is_right();
    if ruling.standing == Standing::Lucky {
        let says = "it was called before there was anything to time";
        return part(PartName::Timing, 0.0, OF, says.to_owned());
    }
    let Some(evidence) = account.evidence.filter(|_| account.onset.is_some()) else {
        let (points, says) = if right {
            (OF, "there was nothing to be found in time")
        } else {
            (0.0, "nothing called for what was done")
        };
        return part(PartName::Timing, points, OF, says.to_owned());
    };
    // Patience is no loss: who went on when it was right to, and no later, has lost nothing.
    if ruling.standing == Standing::Right && ends_with_going_on(flown, ruling) {
        let says = "it was gone on with when it was right to".to_owned();
        return part(PartName::Timing, OF, OF, says);
    }
    let noticed = account.detect.map(|at| at.since(evidence));
    // The call takes its time from when it was noticed, and not from before it was right.
    let from = account.detect.unwrap_or(evidence).max(evidence);
    let from = ruling.opens.map_or(from, |opens| from.max(opens));
    let called = ruling.at.filter(|_| right).map(|at| at.since(from));
    let over = account.restore.filter(|_| right).map(|at| at.since(evidence));
    let points = noticed.map_or(0.0, |took| by_time(took, par, deadline, 4.0))
        + called.map_or(0.0, |took| by_time(took, par, deadline, 3.0))
        + over.map_or(0.0, |took| by_time(took, par + MENDING[0], deadline + MENDING[1], 3.0));
    let told = |took: Option<Millis>, what: &str| {
        took.map_or_else(|| format!("not {what}"), |took| format!("{what} after {}", tenths(took)))
    };
    let says = format!(
        "since the evidence was there: {}, {}; {} from then",
        told(noticed, "noticed"),
        told(over, "over"),
        told(called, "called"),
    );
    part(PartName::Timing, points, OF, says)
}

/// Whether what was right was, at last, to go on.
fn ends_with_going_on(flown: &Flown<'_>, ruling: &Ruling) -> bool {
    let last = ruling.decided(flown.answer).and_then(|first| flown.answer.chain(first).pop());
    last.is_some_and(|decision| decision.call == Call::Advance)
}

/// In tenths of a second, for sentences.
pub(super) const fn tenths(took: Millis) -> Millis {
    Millis((took.0 + 50) / 100 * 100)
}

/// How well the operator knew how sure they could be: honesty pays best.
pub(super) fn calibration(flown: &Flown<'_>, ruling: &Ruling) -> Part {
    const OF: f64 = 10.0;
    let Some(sure) = flown.sure.confidence else {
        return part(PartName::Calibration, 0.0, OF, "how sure it was, was not said".to_owned());
    };
    let sure = if sure.is_finite() { sure.clamp(0.5, 1.0) } else { 0.5 };
    let outcome = f64::from(u8::from(ruling.is_right()));
    let squared = OF * (1.0 - (outcome - sure) * (outcome - sure));
    let telling = &flown.answer.truth.telling_signal;
    let named = flown.sure.telling.as_deref();
    // Where nothing tells it, there is nothing to name.
    let hit = telling.is_empty() || named.is_some_and(|named| names_one_of(named, telling));
    let how = if ruling.is_right() { "it was right" } else { "it was not" };
    let says = format!("{:.0} % sure, and {how}", sure * 100.0);
    if hit {
        return part(PartName::Calibration, squared, OF, says);
    }
    let says = format!("{says}; what told it was {}", words::signals(telling));
    part(PartName::Calibration, squared / 2.0, OF, says)
}

/// Whether a signal is one of these, with or without its slot.
fn names_one_of(named: &str, telling: &[String]) -> bool {
    let named = named.trim();
    telling.iter().any(|signal| {
        let bare = signal.split_once('.').map_or(signal.as_str(), |(_, bare)| bare);
        named == signal || named == bare
    })
}

/// Why a flight does not count, where it does not.
pub(super) fn void(flown: &Flown<'_>) -> Option<String> {
    // What has been called is called: a pause after it is nobody's advantage.
    let called = flown.account.decide.unwrap_or(Millis(u64::MAX));
    if flown.tape.did(|deed| *deed == Deed::Pause).any(|did| did.at < called) {
        return Some("the run was paused".to_owned());
    }
    if let Some(why) = &flown.truth.void {
        return Some(why.clone());
    }
    let steady = &flown.scenario.steady_state;
    let before = flown.tape.did(|d| *d == Deed::Deploy).next().map_or(flown.tape.ended, |d| d.at);
    let until = before.min(steady.hold.max(Millis::secs(10)));
    let [low, high] = steady.error_pct?;
    let of_users = flown.tape.samples.iter().filter(|sample| {
        sample.from == Origin::Users && sample.role == Whose::Blue && sample.at <= until
    });
    let (failed, asked) = of_users.fold((0, 0), |(failed, asked), sample| {
        (failed + sample.failed.unwrap_or(0), asked + sample.requests.unwrap_or(0))
    });
    // In a few seconds the least bad luck is many percent.
    let percent = failed as f64 * 100.0 / (asked.max(1)) as f64;
    let luck = 300.0 / asked.max(1) as f64;
    let unsteady = asked >= 100 && (percent > high + luck || percent + luck < low);
    unsteady.then(|| {
        format!("the lab was not steady: {failed} of {asked} users failed before anything began")
    })
}

/// Whether a flight was ended before a call. A wrong call is one.
pub(super) fn abandoned(flown: &Flown<'_>, ruling: &Ruling) -> bool {
    let left = matches!(flown.account.outcome, Some(RunOutcome::Interrupted | RunOutcome::Failed));
    left && ruling.standing == Standing::None
}
