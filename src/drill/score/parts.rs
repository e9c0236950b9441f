//! The parts of a score besides the call.

use super::call::{Ruling, Standing};
use super::{Flown, Part, PartName};
use crate::drill::tape::{By, Deed};
use crate::drill::words;
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

fn part(name: PartName, points: f64, of: f64, says: String) -> Part {
    Part { name, points: points.clamp(0.0, of), of, says }
}

/// Users spared, or, where there was next to nothing to spare, that nobody was moved in vain.
pub(super) fn users(flown: &Flown<'_>, ruling: &Ruling) -> Part {
    const OF: f64 = 20.0;
    let harm = &flown.harm;
    if let Some(share) = harm.share() {
        let says = format!(
            "{} failed; {} had nothing been done, {} with the answer known",
            text::count(harm.yours.failed, "user"),
            harm.nothing.failed,
            harm.oracle.failed,
        );
        return part(PartName::Users, OF * share, OF, says);
    }
    let best = flown.answer.decisions.first();
    if best.is_some_and(|best| best.call != Call::Advance) {
        let says = "next to nothing could be spared, whatever was done";
        let points = if ruling.is_right() { OF } else { OF / 2.0 };
        return part(PartName::Users, points, OF, says.to_owned());
    }
    let Some(made) = flown.account.call else {
        return part(
            PartName::Users,
            0.0,
            OF,
            "nothing was shipped, and nothing called".to_owned(),
        );
    };
    match (made.call, made.switched) {
        (Call::Rollback, true) => {
            let says = "a good release was taken from users who had it";
            part(PartName::Users, 0.0, OF, says.to_owned())
        }
        (Call::Rollback, false) => {
            let says = "a good release was abandoned before anybody had it";
            part(PartName::Users, 8.0, OF, says.to_owned())
        }
        _ => {
            let par = best.and_then(|best| best.par).unwrap_or(Millis::secs(30));
            let needless = flown.account.held.since(par);
            let off = (needless.0 / HOLD_POINT).min(8) as f64;
            let says = if off > 0.0 {
                format!("a good release was shipped, after {needless} of holding past par")
            } else {
                "a good release was shipped, and nobody was hurt".to_owned()
            };
            part(PartName::Users, OF - off, OF, says)
        }
    }
}

/// Whether the work was done as the runbook says.
pub(super) fn procedure(flown: &Flown<'_>, ruling: &Ruling) -> Part {
    let (tape, account) = (flown.tape, flown.account);
    let call_at = account.decide.unwrap_or(account.ended);
    let deployed = tape.did(|deed| *deed == Deed::Deploy).next().map(|did| did.at);
    let before = deployed.unwrap_or(call_at);
    let ready_looked = account.looks.iter().any(|look| look.step == 1 && look.at <= before);
    let soaked = tape.steps[4].is_some() || ruling.is_right();
    let gates_kept = soaked && !account.overrode;
    let against_gates = if account.overrode {
        "a gate was passed that spoke against it"
    } else {
        "the soak was not waited for"
    };
    let green_there = tape.steps[2].or(deployed).unwrap_or(Millis::ZERO);
    let telling =
        tape.did(|deed| matches!(deed, Deed::Look(View::Limits | View::Cockpit) | Deed::LookAt(_)));
    let compared = {
        let mut telling = telling;
        telling.any(|did| did.at >= before.max(green_there) && did.at <= call_at)
    };
    let verified = match account.call.map(|made| (made.call, made.by)) {
        Some((Call::Rollback, _)) => tape.stamps[0].is_some() && account.outcome.is_some(),
        Some((Call::Advance, _)) => account.outcome == Some(RunOutcome::Kept),
        Some((Call::Hold | Call::Declare, _)) => {
            account.restore.is_some()
                || tape.did(|d| matches!(d, Deed::Look(_))).any(|did| did.at > call_at)
        }
        None => false,
    };
    let stopped = tape.did(|deed| *deed == Deed::Decommission).next().map(|did| did.at);
    let asked = flown.scenario.plan.warm;
    let warm = stopped.is_none_or(|at| tape.steps[7].is_some_and(|warm| at >= warm + asked));
    let each = [
        (ready_looked, 5.0, "the way back was looked at in step 1", "step 1 was ticked unseen"),
        (gates_kept, 4.0, "soak and gates were kept", against_gates),
        (compared, 5.0, "the slots were compared before the call", "the slots were not compared"),
        (verified, 4.0, "the effect was verified", "the effect was not verified"),
        (warm, 2.0, "Blue was kept warm", "Blue was stopped before its time"),
    ];
    let points = each.iter().filter(|(kept, ..)| *kept).map(|(_, points, ..)| points).sum();
    let missed: Vec<_> = each.iter().filter(|(kept, ..)| !kept).collect();
    let says = if missed.is_empty() {
        each.iter().map(|(_, _, kept, _)| *kept).collect::<Vec<_>>().join("; ")
    } else {
        missed.iter().map(|(_, _, _, not)| *not).collect::<Vec<_>>().join("; ")
    };
    part(PartName::Procedure, points, 20.0, says)
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
    let noticed = account.detect.map(|at| at.since(evidence));
    let called = ruling.at.filter(|_| right).map(|at| at.since(ruling.opens.unwrap_or(evidence)));
    let over = account.restore.filter(|_| right).map(|at| at.since(evidence));
    let points = noticed.map_or(0.0, |took| by_time(took, par, deadline, 4.0))
        + called.map_or(0.0, |took| by_time(took, par, deadline, 3.0))
        + over.map_or(0.0, |took| by_time(took, par + MENDING[0], deadline + MENDING[1], 3.0));
    let told = |took: Option<Millis>, what: &str| {
        took.map_or_else(|| format!("not {what}"), |took| format!("{what} after {}", tenths(took)))
    };
    let says = format!(
        "since the evidence was there: {}, {}, {}",
        told(noticed, "noticed"),
        told(called, "called"),
        told(over, "over"),
    );
    part(PartName::Timing, points, OF, says)
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
    if flown.tape.did(|deed| *deed == Deed::Pause).next().is_some() {
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

/// Whether a flight was ended before a call. Who holds, and is right, may leave.
pub(super) fn abandoned(flown: &Flown<'_>, ruling: &Ruling) -> bool {
    let left = matches!(flown.account.outcome, Some(RunOutcome::Interrupted | RunOutcome::Failed));
    let limit = flown.account.call.is_some_and(|made| made.by == By::Limit);
    left && !limit
        && matches!(ruling.standing, Standing::None | Standing::Wrong)
        && flown.account.call.is_none_or(|made| made.call != Call::Rollback)
}
