//! What a stranger reads: reports of runs that were kept, went back, were abandoned or cut off.
//! Each is rendered from its journal alone and must say what happened, hold nothing that acts, and
//! come out the same twice.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

#[path = "support/sim/plan.rs"]
mod fixture;
#[path = "report/flown.rs"]
mod flown;

use flown::{Flown, Story, policy_hash};
use std::path::PathBuf;
use std::process::Command;
use switchback::clean::Clean;
use switchback::evidence::report::{self, PLAYER, Page};
use switchback::journal::{ClockState, Declared, Signer, Token};
use switchback::runbook::snapshot::Stamp;
use switchback::runbook::{Kind, RunOutcome};
use switchback::sim::{Health, World};
use switchback::units::Millis;

fn kept() -> Flown {
    Story::default().scenario("plain-sailing", 101, |_| {})
}

fn went_back() -> Flown {
    Story::default().scenario("wall-of-red", 401, |plan| {
        plan.evidence.marking = Some("CUI".to_owned());
        let change = [("reason", "faster export"), ("reference", "OPS-118")];
        plan.release.change =
            change.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    })
}

fn abandoned() -> Flown {
    let mut world = World::default();
    world.slots[1].after_deploy = Health::Failing(50);
    Story::default().fly(fixture::plan(), world)
}

/// A page, of which every tag is closed.
fn html(page: &Page) -> String {
    let html = report::html(page);
    well_formed(&html);
    html
}

/// What stands between two marks of a page.
fn part<'h>(html: &'h str, from: &str, to: &str) -> &'h str {
    let begins = html.find(from).unwrap_or_else(|| panic!("no {from}")) + from.len();
    let length = html[begins..].find(to).unwrap_or_else(|| panic!("no {to} after {from}"));
    &html[begins..begins + length]
}

/// The page as a person reads it: no script, no style, no tags.
fn read_aloud(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let name: String = rest[1..].chars().take_while(char::is_ascii_alphabetic).collect();
        let to = match name.as_str() {
            "script" | "style" | "svg" => format!("</{name}>"),
            _ => ">".to_owned(),
        };
        rest = &rest[rest.find(&to).unwrap() + to.len()..];
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between `<` and `>`, but for what scripts and styles hold.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let tag = &rest[..rest.find('>').unwrap()];
        tags.push(tag);
        for name in ["script", "style"] {
            if tag.starts_with(name) {
                rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
            }
        }
    }
    tags
}

/// Every tag that is opened is closed, in order, and every attribute stands in quotes.
fn well_formed(html: &str) {
    const EMPTY: [&str; 4] = ["meta", "br", "link", "img"];
    let mut open: Vec<String> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>").unwrap();
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a loose > in {:?}", &rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
            continue;
        }
        let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        assert!(!name.is_empty(), "what tag is <{tag}>?");
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        assert!(!tag.contains('\''.to_string().as_str()) || name == "meta", "<{tag}>");
        if tag.ends_with('/') || EMPTY.contains(&name.as_str()) {
            continue;
        }
        if name == "script" || name == "style" {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
            continue;
        }
        open.push(name);
    }
    assert_eq!(open, Vec::<String>::new());
}

// ---- the account ----

#[test]
fn the_account_of_a_kept_run_says_what_happened_and_nothing_else() {
    let flown = kept();
    let account = flown.account();
    assert_eq!((account.outcome, account.exit), (Some(RunOutcome::Kept), Some(0)));
    assert!(account.users.counted && account.users.green.1 > 100, "{:?}", account.users);
    assert!(account.back.is_none() && account.trips.is_empty());
    assert_eq!(account.switches.last().map(|(_, green)| *green), Some(100));
    let first = account.first_change.unwrap();
    let deployed = account.timeline.iter().find(|m| m.text.starts_with("deploy runs")).unwrap();
    assert_eq!(first, deployed.at, "the first change is the deploy");
    // Every moment is a line of the journal, in its order, and marked ones are in the recording.
    assert!(account.timeline.windows(2).all(|two| two[0].seq < two[1].seq));
    let marked = account.timeline.iter().filter(|moment| moment.cast.is_some()).count();
    assert!(marked > 10, "{marked}");
    for moment in &account.timeline {
        if let Some((0, second)) = moment.cast {
            assert!((second - moment.at.0 as f64 / 1e3).abs() < 1e-9, "{moment:?}");
        }
    }
    // Those without a mark as well, but for what stands outside of the recording.
    assert!(account.timeline.len() - marked < 5, "{marked} of {}", account.timeline.len());
    let differs = account.compared.iter().filter(|row| row.same == Some(false)).count();
    assert_eq!(differs, 0, "{:#?}", account.compared);
}

#[test]
fn users_are_summed_from_when_blue_is_known() {
    let flown = went_back();
    let account = flown.account();
    let sum = |role: switchback::signal::Whose| {
        let users = account.samples.iter().filter(|sample| {
            sample.from == switchback::signal::Origin::Users && sample.role == role
        });
        users.fold((0, 0), |(failed, all), s| {
            (failed + s.failed.unwrap_or(0), all + s.requests.unwrap_or(0))
        })
    };
    assert_eq!(account.users.green, sum(switchback::signal::Whose::Green));
    assert!(account.users.green.0 > 0, "the release was bad: {:?}", account.users);
    assert!(account.users.blue.1 <= sum(switchback::signal::Whose::Blue).1);
}

// ---- what the page says ----

#[test]
fn a_kept_run_is_told_with_its_verdict_first() {
    let page = kept().page();
    let told = read_aloud(&html(&page));
    assert!(told.contains("DEPLOY of") && told.contains("KEPT"), "{told}");
    assert!(told.contains("not taken"), "the four stamps are there all the same");
    for stamp in Stamp::ALL {
        assert!(told.contains(stamp.words()), "{}", stamp.words());
    }
    let (verdict, next) = (told.find("KEPT").unwrap(), told.find("Next: check it").unwrap());
    let planned = told.find("What Planned Actual").unwrap();
    assert!(verdict < next && next < planned, "verdict, then what to do, then the rest");
    let users = page.account.users;
    let failed = format!("{} of {} on Green", users.green.0, users.green.1);
    assert!(told.contains(&failed), "{failed}: {told}");
    assert!(told.contains("impact not declared") && told.contains("commit not declared"));
    assert!(told.contains("op@example.org") && told.contains("SHA256:mVPwvezndPv"));
    assert!(told.contains("operator&#39;s word") && told.contains("approver = deployer"));
    assert!(told.contains("not compliance advice") && told.contains("Does not show"));
    assert!(!told.contains("undefined") && !told.contains("NaN"));
}

#[test]
fn a_run_that_went_back_says_so_on_every_page_and_its_differences_first() {
    let page = went_back().page();
    let html = html(&page);
    assert!(html.contains("<title>CUI · BACK ON BLUE · DEPLOY · "), "{}", &html[..900]);
    assert_eq!(html.matches("<p class=\"marking\">CUI</p>").count(), 2, "top and bottom");
    assert!(html.contains("@bottom-left{content:\"DEPLOY 20261115T120000Z-7f3a on vps-1\""));
    assert!(html.contains("@top-center{content:\"CUI\""));
    let table = part(&html, "<caption>Planned against actual", "</table>");
    let (last, first) = (table.rfind("≠ differs").unwrap(), table.find("= as planned").unwrap());
    assert!(last < first, "differences first");
    let stamps = part(&html, "<caption>The four stamps", "</table>");
    for (stamp, after, _) in &page.account.back.as_ref().unwrap().stamps {
        assert!(stamps.contains(stamp.words()));
        let us = after.map(switchback::text::micros);
        assert!(us.is_none_or(|us| stamps.contains(&us)), "{stamps}");
    }
    let told = read_aloud(&html);
    let users = page.account.users;
    let failed = format!("Users failed {} of {}", users.green.0 + users.blue.0, {
        users.green.1 + users.blue.1
    });
    assert!(told.contains(&failed), "{failed}: {told}");
    assert!(html.contains("class=\"trip\""), "the trip is marked in its plot");
    assert!(html.contains("class=\"goback\""));
    assert!(told.contains("faster export") && told.contains("impact not declared"));
}

#[test]
fn an_abandoned_run_moved_nobody() {
    let flown = abandoned();
    let page = flown.page();
    assert_eq!(page.account.outcome, Some(RunOutcome::Abandoned));
    let told = read_aloud(&html(&page));
    assert!(told.contains("ABANDONED No user was ever sent to Green"), "{told}");
    assert!(told.contains("no user was ever on Green"), "why there is no stamp");
}

#[test]
fn a_run_that_was_cut_off_is_told_as_such_with_what_is_known() {
    let story = Story { dies_at: Some(Millis::secs(40)), ..Story::default() };
    let flown = story.scenario("plain-sailing", 101, |_| {});
    let page = flown.page();
    assert_eq!((page.account.outcome, page.account.exit), (None, None));
    let told = read_aloud(&html(&page));
    assert!(told.contains("CUT OFF") && told.contains("the run did not"), "{told}");
    assert!(told.contains("was not closed: its end may be missing"), "{told}");
}

#[test]
fn a_run_that_was_killed_and_picked_up_says_on_page_one_what_nobody_watched() {
    let story = Story { killed: Some((Millis::secs(40), 9_000)), ..Story::default() };
    let flown = story.scenario("plain-sailing", 101, |_| {});
    let page = flown.page();
    let account = &page.account;
    let [cut] = account.cuts[..] else { panic!("{:?}", account.cuts) };
    assert!(!cut.left && cut.to >= cut.from + Millis::secs(9), "{cut:?}");
    let green = cut.green.unwrap();
    let says = format!(
        "cut off {} to {} at {green} %, nobody watched",
        switchback::text::time_of_day(account.unix_ms(cut.from)),
        switchback::text::time_of_day(account.unix_ms(cut.to)),
    );
    let html = html(&page);
    let first = read_aloud(part(&html, "<header", "</header>"));
    assert!(first.contains(&says), "{says}: {first}");
    assert!(first.contains("nobody counted while nobody watched"), "{first}");
    let text = report::markdown(&page);
    assert!(text.split("## ").next().unwrap().contains(&says), "{text}");
    let watched = account.compared.iter().find(|row| row.what == "watched").unwrap();
    assert_eq!(watched.same, Some(false));
    // What was held or watched while nobody was there does not count.
    let over: Vec<_> = account
        .compared
        .iter()
        .filter(|row| row.actual.as_ref().is_some_and(|a| a.as_str().contains("nobody watched ")))
        .collect();
    assert!(!over.is_empty(), "{:#?}", account.compared);
    let told = read_aloud(&html);
    assert!(!told.contains("Every input of the run is in the journal"), "{told}");
    assert!(told.contains("What was masked is not known for the time before"), "{told}");
    assert!(told.contains("no marks of masking stand in the journal"), "{told}");
}

#[test]
fn a_page_that_was_cut_off_says_where_users_were_last_first() {
    let story = Story { dies_at: Some(Millis::secs(40)), ..Story::default() };
    let page = story.scenario("plain-sailing", 101, |_| {}).page();
    let (at, green) = page.account.last_read.unwrap();
    let at = switchback::text::utc(page.account.unix_ms(at));
    let told = read_aloud(&html(&page));
    let said = format!("CUT OFF The router last read {green} % on Green, at {at}.");
    assert!(told.contains(&said), "{said}: {told}");
    assert!(told.contains(" until the cut ") && told.contains("; the run did not"), "{told}");
    assert!(!told.contains("until not ended"));
    assert!(told.contains("Every input is there until the journal ends at"), "{told}");
}

#[test]
fn who_does_not_know_blue_from_green_is_told_where_users_are() {
    let told = |page: &Page| read_aloud(&html(page));
    let kept = kept().page();
    let says =
        format!("Users are on {} (Green, the new version).", kept.account.next.clone().unwrap());
    assert!(told(&kept).contains(&says), "{says}");
    let back = went_back().page();
    let before = back.account.current.clone().unwrap();
    let says = format!("Users are on {before} again (Blue, the version before)");
    assert!(told(&back).contains(&says), "{says}");
}

#[test]
fn what_was_left_out_is_said_on_page_one() {
    let mut page = kept().page();
    page.left_out = vec!["session.cast: whoever sealed asked for it".to_owned()];
    let says = "Left out of this bundle: session.cast: whoever sealed asked for it";
    let first = part(&html(&page), "<header", "</header>").to_owned();
    assert!(read_aloud(&first).contains(says), "{first}");
    let text = report::markdown(&page);
    let head = text.split("## ").next().unwrap().replace("**", "");
    assert!(head.contains(says), "{head}");
}

#[test]
fn page_one_says_what_each_row_rests_on() {
    let mut page = kept().page();
    let approver = Signer { identity: Clean::new("olga@example.org"), ..flown::signer() };
    let declared = page.account.declared.as_mut().unwrap();
    declared.approved = Some(approver);
    page.account.approved_at = Some(Clean::new("2026-11-14T09:30:00Z"));
    let told = |page: &Page| read_aloud(part(&html(page), "<dl class=\"facts\">", "</dl>"));
    let rows = told(&page);
    assert!(rows.contains("Approved by olga@example.org as the key&#39;s holder says"), "{rows}");
    assert!(rows.contains("at 2026-11-14 09:30:00 UTC by the clock of their host"), "{rows}");
    assert!(rows.contains("Signed by SHA256:mVPwvezndPv"), "{rows}");
    assert_eq!(rows.matches("key signed, name claimed").count(), 2, "{rows}");
    assert!(!rows.contains("proven"), "nobody has proven a time: {rows}");
    page.account.declared.as_mut().unwrap().approved = None;
    let rows = told(&page);
    assert!(rows.contains("Approved by nobody but the deployer approver = deployer"), "{rows}");
}

#[test]
fn an_unsigned_chain_is_not_said_to_show_what_was_changed() {
    let mut page = kept().page();
    let told = read_aloud(&html(&page));
    assert!(told.contains("no line was changed, added or removed since that signature"), "{told}");
    page.signed = None;
    let told = read_aloud(&html(&page));
    assert!(told.contains("it shows only that they fit each other"), "{told}");
    assert!(!told.contains("no line was changed"), "{told}");
}

#[test]
fn only_what_tripped_before_the_way_back_is_a_cause_of_it() {
    let mut page = went_back().page();
    let account = &mut page.account;
    let back = account.back.as_ref().unwrap().at;
    assert!(account.trips.iter().all(|(at, ..)| *at <= back) && !account.trips.is_empty());
    account.later_trips =
        vec![(back + Millis::secs(5), account.trips[0].1, account.trips[0].2.clone())];
    assert!(read_aloud(&html(&page)).contains("no cause of it"));
}

#[test]
fn an_answer_that_never_came_has_no_time() {
    let mut page = went_back().page();
    let back = page.account.back.as_mut().unwrap();
    back.stamps.retain(|(stamp, ..)| *stamp != Stamp::LastFromGreen);
    let says = Clean::new("last answer from Green: none since the way back began");
    back.stamps.push((Stamp::LastFromGreen, Some(0), says));
    let html = html(&page);
    let stamps = read_aloud(part(&html, "<caption>The four stamps", "</table>"));
    assert!(stamps.contains("last answer from Green none last answer from Green: none since"));
    assert!(!stamps.contains("0.0 ms"), "{stamps}");
}

#[test]
fn a_drill_says_that_it_is_one_wherever_somebody_may_begin_to_read() {
    let mut story = Story::default();
    story.facts.kind = Kind::Drill;
    let page = story.scenario("plain-sailing", 101, |_| {}).page();
    let html = html(&page);
    let told = read_aloud(&html);
    assert!(part(&html, "<title>", "</title>").contains(" · DRILL · "));
    assert!(told.contains("DRILL of") && told.contains("are not real"));
    assert!(told.contains("does not show that production can be rolled back"));
    assert!(part(&html, "<footer>", "</footer>").contains("DRILL"));
    assert!(part(&html, "@bottom-left{", "}").contains("DRILL"));
    assert!(report::markdown(&page).contains("DRILL of"));
}

#[test]
fn a_token_proves_that_the_declaration_came_first_or_that_it_did_not() {
    let told = |time: &str| {
        let token = Token { time: time.to_owned(), authority: Clean::new("tsa.example.org") };
        let declared = Declared { token: Some(token), ..Declared::default() };
        let mut page = kept().page();
        page.account.declared = Some(declared);
        read_aloud(&html(&page))
    };
    assert!(told("2026-11-15T12:00:00Z").contains("proven at 2026-11-15T12:00:00Z"));
    let late = told("2026-11-15T13:00:00Z");
    assert!(!late.contains("proven at 2026") && late.contains("AFTER the first change"), "{late}");
    assert!(!told("yesterday").contains("proven at yesterday"));
}

#[test]
fn what_is_weak_about_the_evidence_is_said() {
    let mut page = kept().page();
    page.signed = None;
    page.account.declared = Some(Declared {
        unsigned: Some(Clean::new("the key asks for a passphrase")),
        clock: ClockState::Free,
        ..Declared::default()
    });
    page.account.users = Default::default();
    page.account.missing_inputs = 3;
    page.account.redacted = [("token".to_owned(), 7)].into();
    page.casts.clear();
    page.account.recordings[0].present = false;
    page.left_out = vec!["session.cast: a secret was found 12.4 s into it, row 7".to_owned()];
    page.account.outside = vec![Clean::new("changed outside Switchback: right ran 1.8.1")];
    let html = html(&page);
    let told = read_aloud(&html);
    for said in [
        "Signed by unsigned the key asks for a passphrase",
        "Users failed nobody counted",
        "NOT synchronised",
        "3 inputs are missing",
        "token 7 ×",
        "session.cast is not in the bundle",
        "a secret was found 12.4 s into it, row 7",
        "right ran 1.8.1",
        "Nobody signed this bundle",
    ] {
        assert!(told.contains(said), "`{said}` is not in: {told}");
    }
    assert!(!told.contains("ssh-keygen"), "there is no signature to check");
    assert!(!html.contains("AsciinemaPlayer="), "without a recording there is no player");
    assert!(html.len() < 200_000, "{}", html.len());
}

#[test]
fn the_text_for_a_pull_request_is_short_and_says_the_same() {
    let page = went_back().page();
    let text = report::markdown(&page);
    assert!(text.starts_with("**CUI**\n\n# BACK ON BLUE: DEPLOY of "), "{text}");
    let users = page.account.users;
    let failed = format!("{} of {}", users.green.0 + users.blue.0, users.green.1 + users.blue.1);
    assert!(text.contains(&format!("- users failed: **{failed}**")), "{text}");
    for stamp in Stamp::ALL {
        assert!(text.contains(&format!("| {} |", stamp.words())), "{}", stamp.words());
    }
    assert!(text.contains("| **differs** | outcome | kept | rolled back |"), "{text}");
    assert!(text.len() < 16_000, "{}", text.len());
    assert_eq!(text, report::markdown(&page));
}

// ---- what the page is ----

#[test]
fn the_same_run_gives_the_same_bytes() {
    let flown = went_back();
    assert_eq!(report::html(&flown.page()), report::html(&flown.page()));
}

#[test]
fn nothing_is_loaded_and_nothing_runs_but_what_the_policy_names() {
    let html = html(&went_back().page());
    let policy = part(&html, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{policy}");
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let parts: Vec<&str> =
            html.split(open).skip(1).map(|rest| rest.split(close).next().unwrap()).collect();
        assert_eq!(parts.len(), 2, "{open}");
        for part in parts {
            assert!(policy.contains(&policy_hash(part)), "{open}{}", &part[..40]);
        }
    }
    assert_eq!(policy.matches("'sha256-").count(), 4, "and names nothing else");
    // No attribute leads out of the page, none runs anything, and none is a style.
    for tag in tags(&html) {
        for attribute in ["src", "srcset", "action", "style", "background", "data"] {
            assert!(!tag.contains(&format!(" {attribute}=")), "<{tag}>");
        }
        // Outside of what is quoted no attribute begins with `on`.
        let bare: String = tag.split('"').step_by(2).collect();
        assert!(!bare.split(' ').any(|word| word.starts_with("on")), "<{tag}>");
        let leads = tag.split(" href=\"").nth(1);
        assert!(leads.is_none_or(|to| to.starts_with('#')), "<{tag}>");
    }
    for style in html.split("<style>").skip(1).map(|rest| rest.split("</style>").next().unwrap()) {
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn hostile_words_are_read_and_not_obeyed() {
    let evil = "</script></style><img src=x onerror=\"alert('1')\">--><!--\u{2028}";
    let mut page = kept().page();
    let account = &mut page.account;
    account.host = Clean::new(evil);
    account.service = Clean::new(evil);
    account.says = Clean::new(evil);
    account.marking = Some(Clean::new(evil));
    account.run = evil.to_owned();
    account.operator = Some(Clean::new(evil));
    account.change = [("reason".to_owned(), Clean::new(evil))].into();
    account.overrides = [(evil.to_owned(), Clean::new(evil))].into();
    account.outside = vec![Clean::new(evil)];
    account.redacted = [(evil.to_owned(), 1)].into();
    account.timeline[0].text = evil.to_owned();
    account.timeline[0].topic = evil.to_owned();
    account.gates[0].checks[0].says = evil.to_owned();
    account.compared[0].what = evil.to_owned();
    account.recordings[0].file = evil.to_owned();
    page.casts[0].0 = evil.to_owned();
    page.digests[0] = (evil.to_owned(), evil.to_owned());
    page.left_out = vec![evil.to_owned()];
    page.journal.extend_from_slice(evil.as_bytes());
    let row = &mut page.controls[0];
    for field in
        [&mut row.framework, &mut row.id, &mut row.name, &mut row.relevant, &mut row.not_shown]
    {
        evil.clone_into(field);
    }
    if let Some(signer) = &mut page.signed {
        signer.identity = Clean::new(evil);
        evil.clone_into(&mut signer.fingerprint);
        evil.clone_into(&mut signer.key);
    }
    let html = html(&page);
    assert_eq!(html.matches("<script").count(), 4, "casts, journal, player and ours");
    assert_eq!(html.matches("<style>").count(), 2);
    assert!(!html.contains("<img") && !html.contains("<!--"));
    let text = report::markdown(&page);
    assert!(!text.contains("<img") && !text.contains("</script>"), "{text}");
}

#[test]
fn without_its_recording_a_page_is_small() {
    let mut page = went_back().page();
    let casts = std::mem::take(&mut page.casts);
    let without = report::html(&page).len();
    assert!(without < 400_000, "{without}");
    page.casts = casts;
    page.casts[0].1.clear();
    let with_player = report::html(&page).len();
    assert!(with_player < 400_000 + page.journal.len(), "{with_player}");
}

#[test]
fn the_player_is_the_published_one() {
    use sha2::Digest as _;
    let told = include_str!("../src/evidence/report/player/README.md");
    for file in PLAYER {
        let digest: String =
            sha2::Sha256::digest(file.text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(told.contains(&format!("| `{}` | `{digest}` |", file.name)), "{}", file.name);
    }
    assert!(PLAYER[2].text.contains("Apache License"));
    assert!(!PLAYER[0].text.contains("</script"));
}

// ---- in a browser ----

/// Where the pictures go, if somebody wants to look at them.
fn pictures() -> Option<PathBuf> {
    std::env::var_os("REPORT_PICTURES").map(PathBuf::from)
}

/// `NODE_PATH` must lead to puppeteer-core.
#[test]
#[ignore = "needs chromium and node with puppeteer-core: npm install puppeteer-core"]
fn a_browser_without_a_network_opens_it_seeks_and_prints() {
    let flown = went_back();
    let page = flown.page();
    let file = flown.path().join("report.html");
    std::fs::write(&file, report::html(&page)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/report/browser.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(&file).arg(flown.path().join("journal.jsonl"));
    if let Some(pictures) = pictures() {
        std::fs::create_dir_all(&pictures).unwrap();
        command.arg(pictures);
    }
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    let complained = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}\n{complained}");
    println!("{said}");
}

/// What an evaluator waits for after an hour of deploying, at most.
const OPENS_IN: std::time::Duration = std::time::Duration::from_millis(1_500);

#[test]
#[ignore = "needs chromium and node with puppeteer-core: npm install puppeteer-core"]
fn the_report_of_an_hour_opens_in_a_second_and_a_half() {
    let flown = Story::default().scenario("plain-sailing", 101, |plan| {
        plan.watch = Millis::secs(3_500);
        plan.ramp_hold = Millis::secs(20);
    });
    let mut page = flown.page();
    assert!(page.account.last_at > Millis::secs(3_500));
    // Ten frames a second at 120x36, as a busy cockpit writes them.
    let (header, marks) = std::str::from_utf8(&page.casts[0].1).unwrap().split_once('\n').unwrap();
    let mut lines: Vec<(f64, String)> = marks
        .lines()
        .map(|line| {
            (serde_json::from_str::<(f64, String, String)>(line).unwrap().0, line.to_owned())
        })
        .collect();
    for tenth in 0..36_000_u32 {
        let at = f64::from(tenth) / 10.0;
        let row = tenth % 36 + 1;
        let frame = format!("\u{1b}[{row};4H\u{1b}[32m{at:>10.1} s {}\u{1b}[0m", "▂▃▅".repeat(20));
        lines.push((at, serde_json::json!([at, "o", frame]).to_string()));
    }
    lines.sort_by(|one, other| one.0.total_cmp(&other.0));
    let lines: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
    page.casts[0].1 = format!("{header}\n{}\n", lines.join("\n")).into_bytes();
    let began = std::time::Instant::now();
    let html = report::html(&page);
    let (made, cast) = (began.elapsed(), page.casts[0].1.len());
    let file = flown.path().join("report.html");
    std::fs::write(&file, &html).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/report/opens.mjs");
    // The quickest of some: others want the processor too.
    let out = Command::new("node").arg(script).arg(&file).arg("5").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8_lossy(&out.stdout);
    let quickest: f64 = said.trim().parse().unwrap();
    println!("{} bytes with {cast} of cast, made in {made:?}, opened in {quickest} ms", html.len());
    assert!(quickest < OPENS_IN.as_secs_f64() * 1e3, "{quickest} ms");
}
