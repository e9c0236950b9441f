//! What must be true of every run, whatever happens: each invariant is a sentence and how it is
//! checked. They are the promises to the person at the keyboard, and to whoever reads the journal.
//!
//! [`Watching`] checks them after each step of a core, beside a [`Witness`] who knows only what
//! happened and what was asked of the world. A snapshot is taken only where something moved.
//! What can only be said of a whole run is checked by whoever flew it ([`of_the_end`]).

use super::witness::{Asked, Back, Place, STALE, Witness, ms, told};
use switchback::plan::{Bound, CommandName, Limit, Signal};
use switchback::runbook::{
    Act, Answer, Barrier, CheckState, Command, Core, Effect, EffectId, Event, Finish, GateState,
    Record, RunFacts, RunOutcome, Snapshot, Step,
};
use switchback::signal::{Origin, Verdict};
use switchback::sim::Watcher;
use switchback::units::{Millis, Role, Slot, Split};

/// Whether it holds, and if not, what was seen.
type Held = Result<(), String>;

/// Something that must always be so.
pub struct Invariant {
    /// The sentence.
    pub says: &'static str,
    check: fn(&Look<'_>) -> Held,
}

const fn always(says: &'static str, check: fn(&Look<'_>) -> Held) -> Invariant {
    Invariant { says, check }
}

/// What must hold after each step.
pub const INVARIANTS: &[Invariant] = &[
    // Towards Green.
    always(
        "Nothing moves towards Green without an open gate and a yes to the question that named \
         that share.",
        a_move_was_asked_for,
    ),
    always(
        "A write towards Green is repeated at most twice, as it was answered, and only while no \
         limit on Green is over.",
        a_move_is_repeated_as_it_was,
    ),
    always("Nothing moves towards Green while the run is held.", no_move_while_held),
    always(
        "Nothing moves towards Green while the journal cannot be written.",
        no_move_without_a_journal,
    ),
    always("Nothing moves towards Green after the way back has begun.", no_move_after_going_back),
    always(
        "Nothing moves towards Green while a limit on it is tripping, has tripped, or both slots \
         suffer.",
        no_move_over_a_limit,
    ),
    always(
        "Users are moved in the steps of the plan's ramp, each after the soak or hold before it \
         has passed whole.",
        moves_follow_the_ramp,
    ),
    always(
        "A write that is no way back waits until its intent is on disk, and until the split \
         stands that was read before it.",
        a_write_looks_before,
    ),
    always(
        "What is written without a yes is the split that stands already.",
        what_nobody_answered_moves_nobody,
    ),
    always(
        "What leads towards Green is not even asked while the run is held, goes back, or has a \
         gate that is not open.",
        forward_questions_need_an_open_gate,
    ),
    always(
        "A gate that is open has no check that is bad, waiting or unknown.",
        an_open_gate_has_good_checks,
    ),
    always(
        "An open gate is true: the journal is written, Blue is ready, and the router reads what \
         was asked.",
        an_open_gate_is_true,
    ),
    always(
        "No command of the operator's runs before its intent is on disk, nor two at a time.",
        commands_wait_for_the_journal,
    ),
    // The way back.
    always("The key that goes back writes Blue at once, in every state.", the_key_works),
    always(
        "The way back waits for no disk, looks at nothing first, and sends everybody to Blue.",
        the_way_back_waits_for_nothing,
    ),
    always(
        "No write and no command towards Green survives the beginning of the way back.",
        nothing_survives_going_back,
    ),
    always(
        "A way back that is not there yet is being written, or will be within a second.",
        the_way_back_goes_on,
    ),
    always(
        "Where the second look finds the split moved, Blue is written again at once.",
        the_second_look_writes_again,
    ),
    always(
        "No command of the operator's, and no migration, runs after the way back has begun.",
        no_command_after_going_back,
    ),
    always(
        "An answer to an act that was cancelled or given up changes nothing.",
        late_answers_change_nothing,
    ),
    always(
        "No way back begins by itself without a limit that has tripped, a deadline, the end of a \
         rehearsal, or nobody at the keyboard.",
        a_way_back_has_its_reason,
    ),
    always(
        "That a limit has tripped is asked about only where one has.",
        a_trip_is_asked_about_as_it_is,
    ),
    always(
        "No way back begins by itself because of what both slots suffer.",
        both_slots_suffering_is_no_reason,
    ),
    always(
        "Traffic never goes back by itself to a Blue that is not known to be well.",
        never_by_itself_to_an_unwell_blue,
    ),
    // What the limits say.
    always(
        "The counts of a verdict are those that were measured in its hold, of users or of probes.",
        counts_are_what_was_measured,
    ),
    always(
        "What counts against a limit's tolerance has failed in its hold, and its tolerance is no \
         less than the limit allows.",
        the_tolerance_is_a_contract,
    ),
    always(
        "A limit trips only where what was measured in its hold is above it.",
        a_trip_is_above_the_limit,
    ),
    always(
        "A rate does not trip at its first look, nor a literal limit before its hold is over.",
        a_trip_has_lasted,
    ),
    always(
        "What Blue normally does is frozen when the first user is moved.",
        blues_record_is_frozen,
    ),
    // The screen.
    always(
        "The split on the screen is what the router said last, not longer than five seconds ago.",
        the_split_is_what_was_read,
    ),
    always("A share in the headline is the share that was read.", the_headline_is_what_was_read),
    always(
        "BACK ON BLUE is said only while the router was last read at Blue.",
        back_is_said_where_it_was_read,
    ),
    always("A way back that is not there yet says so, loudly.", going_back_is_loud),
    always("KEPT is said only in step 8.", kept_is_step_eight),
    always(
        "WELL is said only of a Green that was judged and found within its limits.",
        well_is_judged,
    ),
    always(
        "Where the screen offers the next step no question is open, and the key does something.",
        next_does_something,
    ),
    always("The screen always says what is going on.", there_is_a_headline),
    // Who else writes, and who is measured.
    always(
        "A split that somebody else has set is adopted: it is said, the run is held, no gate is \
         open, and no next step is offered.",
        others_are_adopted,
    ),
    always("Blue is the slot that served everybody when the run began.", blue_served_everybody),
    always(
        "Both slots are probed at the plan's rate from the soak to the end of the watch.",
        both_slots_are_probed,
    ),
    // Questions.
    always(
        "A yes counts only for the question that is shown, by its number.",
        an_answer_names_its_question,
    ),
    always("A question is answered at most once.", a_question_is_answered_once),
    // Ends.
    always("A run ends once, and nothing follows.", the_end_is_the_end),
    always("The exit code is true to what the router says.", the_exit_code_is_true),
    always(
        "A run is called back only after the router was read once more, when every earlier write \
         had run out of time.",
        back_means_read_twice,
    ),
    always(
        "Green's last logs are captured before a way back ends, and Green is never stopped.",
        green_is_captured,
    ),
    always(
        "Green is kept only after a watch of its declared length, with as many users as would have \
         shown a bad release, or by an answer.",
        kept_after_a_watch,
    ),
    always(
        "Blue is stopped only by its typed word, and contracting comes only after that.",
        blue_is_stopped_on_purpose,
    ),
    // Time.
    always("Time never goes back, and never stands still.", time_goes_on),
    always(
        "Until the end there is a next moment, and it lies ahead; afterwards there is none.",
        the_next_moment_lies_ahead,
    ),
];

// ---- what is checked ----

/// One step, with what was known before it and what there is now.
pub struct Look<'a> {
    /// What the witness knows: what happened, but not yet what followed.
    know: &'a Witness,
    event: &'a Event,
    effects: &'a [Effect],
    /// How it looked before, where a key was pressed or a write was answered.
    before: Option<&'a Snapshot>,
    /// How it looks now, where something moved.
    after: Option<&'a Snapshot>,
    /// How it looked before an answer that came too late, and how it looks now.
    late: Option<(&'a Snapshot, &'a Snapshot)>,
    next_due: Option<Millis>,
    over: bool,
    /// Whether the core knows of any weight on Green.
    green_had_weight: bool,
}

/// A write towards Green, or of the standing split.
struct Write {
    id: EffectId,
    after: Barrier,
    split: Split,
    expect: Option<Split>,
    green: u8,
}

impl<'a> Look<'a> {
    fn acts(&self) -> impl Iterator<Item = (EffectId, Barrier, &'a Act)> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Act { id, after, act } => Some((*id, *after, act)),
            _ => None,
        })
    }

    fn records(&self) -> impl Iterator<Item = &'a Record> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Record(record) => Some(record),
            _ => None,
        })
    }

    /// Which slot is Blue, as soon as this step has said so.
    fn blue(&self) -> Option<Slot> {
        let said = || {
            self.records().find_map(|record| match record {
                Record::Blue { slot, .. } => Some(*slot),
                _ => None,
            })
        };
        self.know.blue.or_else(said)
    }

    fn green_of(&self, split: Split) -> Option<u8> {
        self.blue().map(|blue| split.share(blue.other()).get())
    }

    /// Writes that are no way back.
    fn writes(&self) -> impl Iterator<Item = Write> {
        self.acts().filter_map(|(id, after, act)| match act {
            Act::SetRouter { split, rollback: false, expect, .. } => {
                let green = self.green_of(*split)?;
                Some(Write { id, after, split: *split, expect: *expect, green })
            }
            _ => None,
        })
    }

    /// Writes that move users towards Green.
    fn moves(&self) -> impl Iterator<Item = Write> {
        self.writes().filter(|write| write.green > 0)
    }

    fn backs(&self) -> impl Iterator<Item = (EffectId, Barrier, &'a Act)> {
        self.acts().filter(|(_, _, act)| matches!(act, Act::SetRouter { rollback: true, .. }))
    }

    fn runs(&self) -> impl Iterator<Item = (CommandName, Barrier)> {
        self.acts().filter_map(|(_, after, act)| match act {
            Act::Run { command, .. } => Some((*command, after)),
            _ => None,
        })
    }

    fn finish(&self) -> Option<&'a Finish> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Finish(finish) => Some(finish),
            _ => None,
        })
    }

    fn enters(&self, step: Step) -> bool {
        self.records().any(|record| *record == Record::StepEntered { step })
    }

    /// Why the way back begins in this step, if it does so without the operator's word.
    fn goes_back_by_itself(&self) -> Option<&'a str> {
        let by_hand = matches!(
            self.event,
            Event::Command(Command::Rollback | Command::Answer { .. } | Command::Hold)
        );
        self.records().filter(|_| !by_hand).find_map(|record| match record {
            Record::RollbackStarted { why, .. } => Some(why.as_str()),
            _ => None,
        })
    }

    fn going_back(&self) -> bool {
        self.know.back.is_some()
    }

    fn before(&self) -> Result<&'a Snapshot, String> {
        self.before.ok_or_else(|| "neither a key nor an answer was there".to_owned())
    }
}

fn ensure(so: bool, else_say: impl FnOnce() -> String) -> Held {
    if so { Ok(()) } else { Err(else_say()) }
}

// ---- towards Green ----

fn a_move_was_asked_for(look: &Look<'_>) -> Held {
    for write in look.moves().filter(|write| write.id.attempt == 1) {
        let before = look.before()?;
        ensure(before.gate == GateState::Open, || format!("gate {:?}", before.gate))?;
        let asked = before.question.as_ref().ok_or("no question was open")?;
        let title = format!("Send {} % of users to Green?", write.green);
        ensure(asked.title == title, || format!("the question was `{}`", asked.title))?;
        let yes = matches!(
            look.event,
            Event::Command(Command::Answer { question, answer: Answer::Yes })
                if *question == asked.number
        );
        ensure(yes, || format!("question {} was not answered with yes", asked.number))?;
    }
    Ok(())
}

fn a_move_is_repeated_as_it_was(look: &Look<'_>) -> Held {
    for write in look.moves().filter(|write| write.id.attempt > 1) {
        let EffectId { n, attempt } = write.id;
        ensure(attempt <= 3, || format!("attempt {attempt}"))?;
        let last = (EffectId { n, attempt: attempt - 1 }, write.split);
        ensure(look.know.moves.contains(&last), || format!("attempt {attempt} of nothing"))?;
        for limit in &look.before()?.limits {
            let over = matches!(limit.verdict, Verdict::Tripped | Verdict::Tripping);
            ensure(!over, || limit.line())?;
        }
    }
    Ok(())
}

fn no_move_while_held(look: &Look<'_>) -> Held {
    for write in look.moves() {
        let pressed = *look.event == Event::Command(Command::Hold);
        let held = look.before()?.held != pressed;
        ensure(!held, || format!("{} % while held", write.green))?;
    }
    Ok(())
}

fn no_move_without_a_journal(look: &Look<'_>) -> Held {
    let moves = look.moves().count();
    ensure(moves == 0 || !look.know.journal_down, || "the journal is down".to_owned())
}

fn no_move_after_going_back(look: &Look<'_>) -> Held {
    let mut going_back = look.going_back();
    for (id, _, act) in look.acts() {
        match act {
            Act::SetRouter { rollback: true, .. } => going_back = true,
            Act::SetRouter { split, rollback: false, .. } if going_back => {
                return Err(format!("{split:?} as {id:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn no_move_over_a_limit(look: &Look<'_>) -> Held {
    for _ in look.moves() {
        let before = look.before()?;
        for limit in before.limits.iter().filter(|_| before.limits_on == Role::Green) {
            let over =
                matches!(limit.verdict, Verdict::Tripped | Verdict::Tripping | Verdict::Shared);
            ensure(!over, || limit.line())?;
        }
    }
    Ok(())
}

fn moves_follow_the_ramp(look: &Look<'_>) -> Held {
    for write in look.moves().filter(|write| write.id.attempt == 1) {
        let plan = &look.know.plan;
        let place = plan.ramp.iter().position(|share| share.get() == write.green);
        let place = place.ok_or_else(|| format!("{} % is no step of the ramp", write.green))?;
        let (stands, since) = look.know.stands.unwrap_or((0, 0));
        let (before, since, wait) = match place.checked_sub(1) {
            None => (0, look.know.soaked_since, ms(plan.soak)),
            Some(before) => (plan.ramp[before].get(), since, ms(plan.ramp_hold)),
        };
        ensure(stands == before, || format!("{} % after {stands} %", write.green))?;
        let waited = look.know.now - since;
        let whole = waited >= wait || look.know.earned == Some(before);
        ensure(whole, || format!("{} % after {waited} of {wait} ms", write.green))?;
    }
    Ok(())
}

fn a_write_looks_before(look: &Look<'_>) -> Held {
    for Write { id, after, expect, .. } in look.writes() {
        ensure(after == Barrier::Journal, || format!("{id:?} waits for {after:?}"))?;
        let expect = expect.ok_or_else(|| format!("{id:?} would go over anybody's"))?;
        let read = look.know.split();
        ensure(id.attempt > 1 || read == Some(expect), || format!("{expect:?}, read {read:?}"))?;
    }
    Ok(())
}

fn what_nobody_answered_moves_nobody(look: &Look<'_>) -> Held {
    for write in look.writes().filter(|write| write.green == 0) {
        ensure(write.expect == Some(write.split), || format!("over {:?}", write.expect))?;
        let step = look.know.step;
        ensure(step == Some(Step::Confirm), || format!("in {step:?}"))?;
    }
    Ok(())
}

fn forward_questions_need_an_open_gate(look: &Look<'_>) -> Held {
    for record in look.records() {
        let Record::Asked { words, .. } = record else { continue };
        let words = words.as_str();
        if !words.starts_with("Send ") && !words.starts_with("Deploy ") {
            continue;
        }
        let before = look.before()?;
        ensure(before.gate == GateState::Open, || format!("`{words}`, gate {:?}", before.gate))?;
        ensure(!before.held, || format!("`{words}` while held"))?;
        ensure(!look.going_back(), || format!("`{words}` on the way back"))?;
    }
    Ok(())
}

fn an_open_gate_has_good_checks(look: &Look<'_>) -> Held {
    let Some(after) = look.after.filter(|after| after.gate == GateState::Open) else {
        return Ok(());
    };
    let bad = after
        .checks
        .iter()
        .find(|check| !matches!(check.state, CheckState::Good | CheckState::NotDeclared));
    bad.map_or(Ok(()), |check| Err(format!("{:?}: {}", check.state, check.says)))
}

fn an_open_gate_is_true(look: &Look<'_>) -> Held {
    let Some(after) = look.after.filter(|after| after.gate == GateState::Open) else {
        return Ok(());
    };
    if after.rollback.is_some() || after.finish.is_some() {
        return Ok(());
    }
    let know = look.know;
    ensure(!know.journal_down, || "the journal is down".to_owned())?;
    if after.step == Step::Warm {
        let green = know.split().and_then(|split| know.green(split));
        return ensure(green == Some(100), || format!("{green:?} % on Green"));
    }
    ensure(know.ready(Role::Blue) == Some(true), || "Blue is not ready".to_owned())?;
    if !matches!(after.step, Step::Deploy | Step::Readiness) {
        let read = know.split().and_then(|split| know.green(split));
        let asked = after.traffic.asked.map(|asked| asked.get());
        ensure(read.is_some() && read == asked, || format!("read {read:?}, asked {asked:?}"))?;
    }
    let green = !matches!(after.step, Step::Confirm | Step::Deploy);
    ensure(!green || know.ready(Role::Green) == Some(true), || "Green is not ready".to_owned())
}

fn commands_wait_for_the_journal(look: &Look<'_>) -> Held {
    let mut running = 0;
    if look.runs().next().is_some() {
        let is_run = |act: &Act| matches!(act, Act::Run { .. });
        let cancelled = |id: &EffectId| look.effects.contains(&Effect::Cancel(*id));
        let flying = look.know.in_flight.iter();
        running = flying.filter(|(id, asked)| is_run(&asked.act) && !cancelled(id)).count();
    }
    for (command, after) in look.runs() {
        ensure(after == Barrier::Journal, || format!("{} at once", command.key()))?;
        running += 1;
    }
    ensure(running <= 1, || format!("{running} run"))
}

// ---- the way back ----

fn the_key_works(look: &Look<'_>) -> Held {
    let Event::Command(Command::Rollback) = look.event else { return Ok(()) };
    let before = look.before()?;
    let over = before.finish.is_some() || look.know.stopped || before.blue.is_none();
    if over || before.rollback.is_some() {
        return Ok(());
    }
    // A release that cannot be undone asks once more: the only exception.
    let risky = look.know.asks("Go back all the same?")
        || look.records().any(|record| {
            matches!(record, Record::Asked { words, .. } if words.as_str() == "Go back all the same?")
        });
    let irreversible =
        look.know.plan.release.migration == switchback::plan::Migration::Irreversible;
    let asks = risky && irreversible && look.know.green_had_weight;
    ensure(asks || look.backs().next().is_some(), || "nothing was written".to_owned())
}

fn the_way_back_waits_for_nothing(look: &Look<'_>) -> Held {
    for (id, after, act) in look.backs() {
        let Act::SetRouter { split, expect, .. } = act else { continue };
        ensure(after == Barrier::Nothing, || format!("{id:?} waits for {after:?}"))?;
        ensure(expect.is_none(), || format!("{id:?} looks first"))?;
        let sole = split.sole();
        ensure(sole.is_some() && sole == look.blue(), || format!("{id:?} writes {split:?}"))?;
    }
    Ok(())
}

fn nothing_survives_going_back(look: &Look<'_>) -> Held {
    if look.backs().next().is_none() {
        return Ok(());
    }
    let mut towards: Vec<EffectId> = Vec::new();
    let is_towards =
        |act: &Act| matches!(act, Act::SetRouter { rollback: false, .. } | Act::Run { .. });
    let flying = look.know.in_flight.iter().filter(|(_, asked)| is_towards(&asked.act));
    towards.extend(flying.map(|(id, _)| *id));
    for effect in look.effects {
        match effect {
            Effect::Cancel(id) => towards.retain(|flying| flying != id),
            Effect::Act { id, act, .. } if is_towards(act) => towards.push(*id),
            Effect::Act { act: Act::SetRouter { rollback: true, .. }, .. } => {
                ensure(towards.is_empty(), || format!("{towards:?} is still in flight"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn the_way_back_goes_on(look: &Look<'_>) -> Held {
    let Some(Back { idle_since: Some(since), there: None, .. }) = look.know.back else {
        return Ok(());
    };
    let writes = look.backs().next().is_some() || look.over || look.know.finished;
    // A machine that slept through the pause writes with its first step.
    let waited = look.know.now - since;
    ensure(writes || waited <= 1_100, || format!("nothing was written for {waited} ms"))
}

fn the_second_look_writes_again(look: &Look<'_>) -> Held {
    let Some(asked) = look.know.answered.as_ref().filter(|asked| asked.act == Act::ReadRouter)
    else {
        return Ok(());
    };
    let looked = look.know.back.as_ref().and_then(|back| back.second_look) == Some(asked.at);
    let moved = looked && !look.know.reads_blue() && !look.over;
    let is_back = |act: &Act| matches!(act, Act::SetRouter { rollback: true, .. });
    let writing = look.know.in_flight.values().any(|asked| is_back(&asked.act));
    ensure(!moved || writing || look.backs().next().is_some(), || {
        format!("{:?}", look.know.split())
    })
}

fn no_command_after_going_back(look: &Look<'_>) -> Held {
    let mut going_back = look.going_back();
    for (_, _, act) in look.acts() {
        match act {
            Act::SetRouter { rollback: true, .. } => going_back = true,
            Act::Run { command, .. } if going_back => return Err(command.key().to_owned()),
            _ => {}
        }
    }
    Ok(())
}

fn late_answers_change_nothing(look: &Look<'_>) -> Held {
    let Some((before, after)) = look.late else { return Ok(()) };
    ensure(look.effects.is_empty(), || format!("{:?}", look.effects))?;
    ensure(before == after, || format!("it was believed: {:?}", after.headline))
}

/// How the question begins whose countdown ends in the way back.
const TRIPPED: &str = "A limit has tripped";

fn tripped(screen: &Snapshot) -> bool {
    screen.limits.iter().any(|limit| limit.verdict == Verdict::Tripped)
}

fn a_trip_is_asked_about_as_it_is(look: &Look<'_>) -> Held {
    let asks = look
        .records()
        .any(|record| matches!(record, Record::Asked { words, .. } if words.as_str() == TRIPPED));
    let Some(after) = look.after.filter(|_| asks) else { return Ok(()) };
    ensure(tripped(after), || "no limit has".to_owned())
}

/// How a way back begins that was what the run was flown for.
const TURNS: &str = "the hold is over, and this is a rehearsal";

fn a_way_back_has_its_reason(look: &Look<'_>) -> Held {
    let Some(why) = look.goes_back_by_itself() else { return Ok(()) };
    let know = look.know;
    let Some(after) = look.after else { return Ok(()) };
    let since_entered = know.step.and_then(|step| know.entered[step as usize]).unwrap_or(0);
    let deadline = ms(know.plan.health.deadline);
    let on_time = || know.now - since_entered >= deadline;
    let before_users = matches!(know.step, Some(Step::Deploy | Step::Readiness));
    // What has tripped is judged afresh where somebody else sends users: it was asked about then,
    // and the end of its countdown, or a Blue that is well again, is the answer.
    let asked = know.asks(TRIPPED) || know.asks("Go back to Blue all the same?");
    let so = if why.contains(" tripped on Green: ") || why.starts_with("a limit tripped") {
        asked || tripped(after)
    } else if why.starts_with("Green was ready and fell back") {
        before_users
    } else if why.starts_with("Green was not ready") || why.starts_with("Green did not answer") {
        before_users && on_time()
    } else if why.starts_with("the gate of step") {
        let stood = know.not_open_since.is_some_and(|since| know.now - since >= deadline);
        // What was decided in time may have waited for Blue since, and slept meanwhile.
        !know.attended && (stood || why.ends_with("Blue is ready again"))
    } else if why.starts_with(TURNS) {
        let held = know.stands.is_some_and(|(_, at)| know.now - at >= ms(know.plan.ramp_hold));
        know.plan.turns_back() && held
    } else if why.starts_with("the watch ended unproven") {
        matches!(know.step, Some(Step::Decide))
    } else if why.starts_with("The watch ended unproven") {
        !know.attended || know.plan.unproven == switchback::plan::Unproven::Rollback
    } else {
        // A hold that nobody ends, a write or a command that failed.
        !know.attended
    };
    ensure(so, || why.to_owned())
}

fn both_slots_suffering_is_no_reason(look: &Look<'_>) -> Held {
    let (Some(why), Some(after)) = (look.goes_back_by_itself(), look.after) else { return Ok(()) };
    let says = |verdict| after.limits.iter().any(|limit| limit.verdict == verdict);
    // A rehearsal ends by the clock, whoever suffers.
    let by_clock = why.starts_with("The watch") || why.starts_with(TURNS);
    let judged = after.limits_on == Role::Green && !by_clock;
    ensure(!judged || says(Verdict::Tripped) || !says(Verdict::Shared), || why.to_owned())
}

fn never_by_itself_to_an_unwell_blue(look: &Look<'_>) -> Held {
    let Some(why) = look.goes_back_by_itself() else { return Ok(()) };
    // Where Blue serves everybody already, nobody is sent anywhere.
    let all_there = !look.green_had_weight || look.know.reads_blue();
    let well = look.know.blue_is_well() || all_there;
    ensure(well, || format!("{why}; Blue: {:?}", look.know.ready(Role::Blue)))
}

// ---- what the limits say ----

/// Whose requests a judgement of Green is made of.
fn origin(limit: &switchback::signal::Judgement) -> Origin {
    let probes = limit.probes || limit.signal() == Signal::Health;
    if probes { Origin::Probes } else { Origin::Users }
}

fn counts_are_what_was_measured(look: &Look<'_>) -> Held {
    let Some(after) = look.after else { return Ok(()) };
    let Some(at) = after.limits_at.map(ms).filter(|_| after.limits_on == Role::Green) else {
        return Ok(());
    };
    for limit in &after.limits {
        let hold = ms(limit.limit.hold);
        // What has tripped keeps the numbers that it tripped on.
        if limit.verdict == Verdict::Tripped {
            continue;
        }
        // Young phases count from their first second.
        if at < look.know.judged_from + hold + 1_000 {
            continue;
        }
        let from = origin(limit);
        let measured = look.know.measured(limit.signal(), Role::Green, from, hold, at);
        if let Some((bad, of)) = measured {
            let (bad, of, says) = (bad.min(of), of, (limit.bad, limit.of));
            ensure(says == (bad, of), || {
                format!("{bad} of {of} of {from:?}, judged at {at}: {}", limit.line())
            })?;
        }
    }
    Ok(())
}

fn share(limit: &Limit) -> Option<f64> {
    match (limit.signal, limit.above) {
        (Signal::ErrorRate | Signal::Health, Bound::Percent(percent)) => Some(percent / 100.0),
        _ => None,
    }
}

fn the_tolerance_is_a_contract(look: &Look<'_>) -> Held {
    let Some(after) = look.after.filter(|after| after.limits_on == Role::Green) else {
        return Ok(());
    };
    // What has tripped, and what was not heard, keeps what it said.
    let said = [Verdict::Tripped, Verdict::Stale, Verdict::Unknown];
    for limit in after.limits.iter().filter(|limit| !said.contains(&limit.verdict)) {
        let (Some(x), Some(used)) = (share(&limit.limit), limit.used) else { continue };
        let Some(tolerance) = limit.tolerance else { continue };
        ensure(used <= limit.bad as f64, || format!("{used} used: {}", limit.line()))?;
        let least = x * limit.of as f64 - 1e-9;
        ensure(tolerance >= least, || format!("{tolerance} of {least}: {}", limit.line()))?;
    }
    Ok(())
}

/// Rates that have tripped on Green in this step.
fn trips<'a>(look: &Look<'a>) -> impl Iterator<Item = (&'a switchback::signal::Judgement, f64)> {
    look.records().filter_map(|record| match record {
        Record::Verdict { role: Role::Green, judgement } => {
            let tripped = judgement.verdict == Verdict::Tripped;
            Some((judgement, share(&judgement.limit)?)).filter(|_| tripped)
        }
        _ => None,
    })
}

fn a_trip_is_above_the_limit(look: &Look<'_>) -> Held {
    for (limit, x) in trips(look) {
        let (bad, of) = (limit.bad, limit.of);
        ensure(of > 0, || limit.line())?;
        let above = bad as f64 > x * of as f64;
        // The plain reading looks at every window by itself.
        ensure(above || limit.limit.literal, || limit.line())?;
    }
    Ok(())
}

fn a_trip_has_lasted(look: &Look<'_>) -> Held {
    for (limit, _) in trips(look) {
        let (over, hold) = (ms(limit.over_for), ms(limit.limit.hold));
        let wanted = if limit.limit.literal { hold.saturating_sub(5_000) } else { 5_000 };
        ensure(over >= wanted, || format!("after {over} ms of {wanted}: {}", limit.line()))?;
    }
    Ok(())
}

fn blues_record_is_frozen(look: &Look<'_>) -> Held {
    let Some(after) = look.after.filter(|after| after.limits_on == Role::Green) else {
        return Ok(());
    };
    for limit in after.limits.iter().filter(|limit| share(&limit.limit).is_some()) {
        if let (Some(was), Some(is)) = (look.know.normals.get(&limit.signal()), limit.normal) {
            ensure(*was == is, || format!("was {was} %, is {is} %: {}", limit.line()))?;
        }
    }
    Ok(())
}

// ---- the screen ----

/// How it looks now, while the run goes on.
fn on_screen<'a>(look: &Look<'a>) -> Option<&'a Snapshot> {
    look.after.filter(|after| after.finish.is_none())
}

fn the_split_is_what_was_read(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look) else { return Ok(()) };
    let (Some(shown), Some(word)) = (after.traffic.read, look.know.word) else {
        return ensure(after.traffic.read.is_none(), || "nothing was read".to_owned());
    };
    let read = word.split.and_then(|split| look.green_of(split));
    ensure(Some(shown.get()) == read, || format!("shows {shown}, read {read:?}"))?;
    let age = look.know.now - word.at;
    ensure(age <= STALE, || format!("read {age} ms ago"))
}

fn the_headline_is_what_was_read(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look) else { return Ok(()) };
    let state = &after.headline.state;
    let words = state.split(" AT ").nth(1).and_then(|words| words.split(' ').next());
    if let Some(shown) = words.and_then(|word| word.parse::<u8>().ok()) {
        let read = after.traffic.read.map(|read| read.get());
        ensure(read == Some(shown), || format!("`{state}`, read {read:?}"))?;
    }
    Ok(())
}

fn back_is_said_where_it_was_read(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look) else { return Ok(()) };
    let state = &after.headline.state;
    if state.contains("BACK ON BLUE") || state.contains("ALL ON BLUE") {
        ensure(look.know.reads_blue(), || format!("`{state}`, read {:?}", look.know.split()))?;
        let verified = after.rollback.as_ref().is_some_and(|back| back.verified);
        ensure(verified, || format!("`{state}`"))?;
    }
    let stamps = look.records().any(|record| {
        use switchback::runbook::snapshot::Stamp;
        matches!(record, Record::Stamped { stamp: Stamp::RouterAtBlue, after_us: Some(_), .. })
    });
    ensure(!stamps || look.know.reads_blue(), || format!("stamped: {:?}", look.know.split()))
}

fn going_back_is_loud(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look) else { return Ok(()) };
    let Some(back) = &after.rollback else { return Ok(()) };
    let state = &after.headline.state;
    if back.verified {
        return Ok(());
    }
    let says = if back.abandoned { "ABANDONING GREEN" } else { "ROLLING BACK" };
    ensure(state == says, || format!("`{state}`"))?;
    ensure(back.trouble.is_none() || after.alarm.is_some(), || format!("{:?}", back.trouble))
}

fn kept_is_step_eight(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look) else { return Ok(()) };
    let kept = after.headline.state.contains("KEPT");
    ensure(!kept || after.step == Step::Warm, || format!("in {:?}", after.step))
}

fn well_is_judged(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look).filter(|after| after.headline.going == "WELL") else {
        return Ok(());
    };
    ensure(after.limits_on == Role::Green, || "nobody looked at Green".to_owned())?;
    let errors = after.limits.iter().find(|limit| limit.signal() == Signal::ErrorRate);
    let verdict = errors.map(|errors| errors.verdict);
    ensure(verdict == Some(Verdict::Ok), || format!("errors: {verdict:?}"))
}

fn next_does_something(look: &Look<'_>) -> Held {
    if let Some(after) = on_screen(look).filter(|after| after.next_open) {
        ensure(after.question.is_none(), || "under a question".to_owned())?;
    }
    let Some(before) = look.before.filter(|before| before.next_open) else { return Ok(()) };
    let pressed = *look.event == Event::Command(Command::Next);
    let silent = before.finish.is_none() && look.effects.is_empty();
    // Leaving as soon as it may be is said later.
    ensure(!pressed || !silent, || "nothing followed".to_owned())
}

fn there_is_a_headline(look: &Look<'_>) -> Held {
    let Some(after) = look.after else { return Ok(()) };
    let head = &after.headline;
    ensure(!head.state.is_empty(), || format!("{head:?}"))
}

// ---- who else writes, and who is measured ----

fn others_are_adopted(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look).filter(|after| after.rollback.is_none()) else {
        return Ok(());
    };
    let Event::Read(readback) = look.event else { return Ok(()) };
    let (Some(read), Some(asked)) =
        (readback.split().and_then(|split| look.know.green(split)), after.traffic.asked)
    else {
        return Ok(());
    };
    // Until a write has been read back, what stands is what was.
    let is_move = |act: &Act| matches!(act, Act::SetRouter { rollback: false, .. });
    let writing = look.know.in_flight.values().any(|asked| is_move(&asked.act))
        || after.headline.state.contains("PICKED UP");
    if writing || read == asked.get() {
        return Ok(());
    }
    ensure(after.traffic.moved_by_others, || format!("read {read} %, asked {asked}: not said"))?;
    ensure(after.held || look.know.adopted, || "the run is not held".to_owned())?;
    ensure(after.gate != GateState::Open, || "the gate is open".to_owned())?;
    let goes_on = after.next_open && after.step != Step::Confirm;
    ensure(!goes_on, || "the next step is offered".to_owned())
}

fn blue_served_everybody(look: &Look<'_>) -> Held {
    for record in look.records() {
        if let Record::Blue { slot, .. } = record {
            let sole = look.know.split().and_then(Split::sole);
            ensure(sole == Some(*slot), || format!("{slot:?}, read {:?}", look.know.split()))?;
        }
    }
    Ok(())
}

fn both_slots_are_probed(look: &Look<'_>) -> Held {
    let Some(after) = on_screen(look).filter(|after| after.rollback.is_none()) else {
        return Ok(());
    };
    let close = matches!(after.step, Step::Soak | Step::Switch | Step::Watch | Step::Decide);
    let said = look.effects.iter().rev().find_map(|effect| match effect {
        Effect::Observe(regime) => Some(*regime),
        _ => None,
    });
    let Some(regime) = said.or(look.know.regime).filter(|_| close) else { return Ok(()) };
    let plan = &look.know.plan;
    let every = plan.probe_every.min(plan.health.every);
    let so = regime.green && regime.every == every && Some(regime.blue) == after.blue;
    ensure(so, || format!("{regime:?} in {:?}", after.step))
}

// ---- questions ----

fn an_answer_names_its_question(look: &Look<'_>) -> Held {
    let Event::Command(Command::Answer { question, .. }) = look.event else { return Ok(()) };
    let shown = look.before()?.question.as_ref().map(|shown| shown.number);
    for record in look.records() {
        let Record::Answered { question: answered, how } = record else { continue };
        let how = how.as_str();
        if how == "withdrawn" || how.ends_with("(the time was up)") {
            continue;
        }
        let so = answered == question && shown == Some(*answered);
        ensure(so, || format!("{question} was said, {answered} answered, {shown:?} shown"))?;
    }
    Ok(())
}

fn a_question_is_answered_once(look: &Look<'_>) -> Held {
    let mut answered = Vec::new();
    for record in look.records() {
        let Record::Answered { question, .. } = record else { continue };
        let asked = look.records().any(
            |record| matches!(record, Record::Asked { question: asked, .. } if asked == question),
        );
        let open = look.know.questions.get(question).is_some_and(|(_, open)| *open);
        let once = (open || asked) && !answered.contains(question);
        ensure(once, || format!("question {question}"))?;
        answered.push(*question);
    }
    Ok(())
}

// ---- ends ----

fn the_end_is_the_end(look: &Look<'_>) -> Held {
    ensure(!look.know.finished || look.effects.is_empty(), || format!("{:?}", look.effects))?;
    let ends = look.effects.iter().filter(|effect| matches!(effect, Effect::Finish(_))).count();
    ensure(ends <= 1, || "it ended twice".to_owned())?;
    let last = matches!(look.effects.last(), Some(Effect::Finish(_)));
    ensure(ends == 0 || last, || "something follows the end".to_owned())
}

fn the_exit_code_is_true(look: &Look<'_>) -> Held {
    let Some(Finish { outcome, exit, says }) = look.finish() else { return Ok(()) };
    let know = look.know;
    let at_blue = know.reads_blue();
    let untouched = know.blue.is_none() && know.writes_until == 0;
    let so = match (exit, outcome) {
        (0, RunOutcome::Kept) => know.entered[Step::Warm as usize].is_some(),
        (0, RunOutcome::Interrupted) => at_blue || (untouched && know.word.is_none()),
        (1, RunOutcome::Failed) => untouched,
        (3, RunOutcome::RolledBack) => at_blue,
        // A rehearsal, which was to go back: users were on Green, and are not any more.
        (0, RunOutcome::RolledBack) => at_blue && know.green_had_weight && know.plan.turns_back(),
        (4, RunOutcome::Interrupted) => !at_blue || look.going_back(),
        (5, RunOutcome::Abandoned) => at_blue && !know.green_had_weight,
        _ => false,
    };
    ensure(so, || format!("exit {exit}, `{says}`, router {:?}", know.split()))
}

/// Whether it is said that all users are back, or never left.
fn went_back(finish: &Finish) -> bool {
    matches!(finish.outcome, RunOutcome::RolledBack | RunOutcome::Abandoned)
}

fn back_means_read_twice(look: &Look<'_>) -> Held {
    let back = look.finish().filter(|finish| went_back(finish));
    let (Some(finish), Some(going)) = (back, &look.know.back) else {
        return ensure(back.is_none(), || "nothing went back".to_owned());
    };
    let until = look.know.writes_until;
    let looked = going.second_look.is_some_and(|at| at >= until);
    ensure(looked, || {
        let second = going.second_look.map(told);
        format!("`{}`: looked at {second:?}, a write had until {}", finish.says, told(until))
    })?;
    ensure(going.there.is_some(), || format!("`{}`, and not there", finish.says))
}

fn green_is_captured(look: &Look<'_>) -> Held {
    if look.finish().is_some_and(went_back) {
        let captured = look.know.back.as_ref().is_some_and(|back| back.captured);
        ensure(captured, || "its logs are lost".to_owned())?;
    }
    for (_, _, act) in look.acts() {
        if let Act::Run { command: CommandName::Stop, slot, .. } = act {
            ensure(Some(*slot) == look.know.blue, || "Green would be stopped".to_owned())?;
        }
    }
    Ok(())
}

fn kept_after_a_watch(look: &Look<'_>) -> Held {
    if !look.enters(Step::Warm) {
        return Ok(());
    }
    let know = look.know;
    let (stands, since) = know.stands.unwrap_or((0, 0));
    ensure(stands == 100, || format!("{stands} % stood"))?;
    let (watched, of) = (know.now - since, ms(know.plan.watch));
    ensure(watched >= of, || format!("watched {watched} of {of} ms"))?;
    let by_answer =
        matches!(look.event, Event::Command(Command::Answer { answer: Answer::Yes, .. }))
            && know.asks("The watch ended unproven");
    let Some(after) = look.after.filter(|_| !by_answer) else { return Ok(()) };
    for limit in &after.limits {
        let read = !matches!(limit.verdict, Verdict::Stale | Verdict::Unknown);
        ensure(read, || limit.line())?;
        if limit.signal() == Signal::ErrorRate {
            let needed = limit.needed.unwrap_or(1);
            let enough = know.green_users >= needed;
            ensure(enough, || format!("{} of {needed} users", know.green_users))?;
        }
    }
    Ok(())
}

fn blue_is_stopped_on_purpose(look: &Look<'_>) -> Held {
    for (command, _) in look.runs() {
        match command {
            CommandName::Stop => {
                let typed = matches!(
                    look.event,
                    Event::Command(Command::Answer { answer: Answer::Typed(word), .. })
                        if word.as_str() == look.know.plan.service
                );
                ensure(typed, || "nobody typed the word".to_owned())?;
            }
            CommandName::Contract => {
                ensure(look.know.stopped, || "Blue was not stopped".to_owned())?;
            }
            _ => {}
        }
    }
    Ok(())
}

// ---- time ----

fn time_goes_on(look: &Look<'_>) -> Held {
    let steps = look.know.steps_at_once;
    ensure(steps < 2_000, || format!("{steps} steps at one instant"))?;
    let Some(after) = look.after.filter(|after| after.finish.is_none()) else { return Ok(()) };
    ensure(after.at.0 == look.know.now, || format!("it is {} for the core", told(after.at.0)))
}

fn the_next_moment_lies_ahead(look: &Look<'_>) -> Held {
    match look.next_due {
        Some(due) => ensure(due.0 > look.know.now, || told(due.0)),
        None => ensure(look.over, || "nothing is due, and nothing is over".to_owned()),
    }
}

// ---- who looks ----

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The invariant's sentence.
    pub says: String,
    /// What was seen instead.
    pub seen: String,
    /// When, in milliseconds since the run began.
    pub at: u64,
    /// After what.
    pub after: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { says, seen, at, after } = self;
        write!(f, "{says}\n  at {}: {seen}\n  after {after}", told(*at))
    }
}

/// Looks at every step of a core and stops where an invariant does not hold.
#[derive(Debug)]
pub struct Watching {
    /// What is known from outside.
    pub witness: Witness,
    /// Whether whoever flies catches what is broken; else the test fails at once.
    pub caught: bool,
    before: Option<Snapshot>,
    late: Option<Snapshot>,
}

impl Watching {
    pub fn new(plan: &switchback::plan::Plan, facts: &RunFacts) -> Self {
        let witness = Witness::new(plan, facts);
        Self { witness, caught: false, before: None, late: None }
    }

    /// How many writes towards Green were seen: a test that means to see some can ask.
    pub fn moves(&self) -> usize {
        self.witness.moves.len()
    }

    fn stops(&self, broken: Broken) -> ! {
        if self.caught {
            std::panic::resume_unwind(Box::new(broken));
        }
        panic!("{broken}");
    }

    /// Whether it is worth looking at the screen after this.
    fn moved(&self, event: &Event, effects: &[Effect]) -> bool {
        match event {
            Event::Sample(_) | Event::Due => !effects.is_empty(),
            Event::Read(readback) => {
                let same = self.witness.word.is_some_and(|word| word.split == readback.split());
                !effects.is_empty() || !same || self.witness.now.is_multiple_of(3_000)
            }
            _ => true,
        }
    }
}

impl Watcher for Watching {
    fn comes(&mut self, now: Millis, event: &Event, core: &mut Core) {
        // A key, and the end of a write: its answer, or its being given up.
        let ends = |(id, asked): (&EffectId, &Asked)| match &asked.act {
            Act::SetRouter { rollback: false, timeout, .. } => {
                let answered = matches!(event, Event::Done { effect, .. } if effect == id);
                answered || now.0 > asked.at + timeout.0
            }
            _ => false,
        };
        let key = matches!(event, Event::Command(_));
        let counts = key || self.witness.in_flight.iter().any(ends);
        self.before = counts.then(|| core.snapshot());
    }

    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core) {
        let moved = self.moved(event, effects) || self.late.is_some();
        self.witness.hears(now.0, event);
        let after = moved.then(|| core.snapshot());
        let late = self.late.take();
        let look = Look {
            know: &self.witness,
            event,
            effects,
            before: self.before.as_ref(),
            after: after.as_ref(),
            late: late.as_ref().zip(after.as_ref()),
            next_due: core.next_due(),
            over: core.finish().is_some(),
            green_had_weight: core.green_had_weight(),
        };
        for Invariant { says, check } in INVARIANTS {
            if let Err(seen) = check(&look) {
                let after = format!("{event:?}");
                self.stops(Broken { says: (*says).to_owned(), seen, at: now.0, after });
            }
        }
        self.witness.sees(effects);
        if let Some(after) = &after {
            self.witness.looks(after);
        }
    }

    fn answers_late(&mut self, _: Millis, _: &Event, core: &mut Core) {
        self.witness.places.reach(Place::LateAnswer);
        self.late = Some(core.snapshot());
    }

    fn process_died(&mut self) {
        self.witness.process_died();
    }
}
