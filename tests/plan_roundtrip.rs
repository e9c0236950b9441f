//! Any plan, printed in full, reads back as itself: whatever stands in its texts.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use switchback::plan::*;
use switchback::units::{Millis, Percent};

/// One line of text, with whatever makes quoting hard.
fn text() -> impl Strategy<Value = String> {
    "[a-z\"'\\\\#=\\[\\]{}|`äß✓ ]{1,12}".prop_map(|text| format!("x{}y", text.replace('{', "{ ")))
}

fn bare() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,8}x"
}

fn span(least: u64, most: u64) -> impl Strategy<Value = Millis> {
    prop_oneof![least..=most, (least.div_ceil(1000)..=most / 1000).prop_map(|secs| secs * 1000)]
        .prop_map(Millis)
}

fn argv() -> impl Strategy<Value = Vec<String>> {
    (
        text(),
        vec(prop_oneof![text(), Just("web-{slot}".to_owned()), Just("a\nb\t".to_owned())], 0..4),
    )
        .prop_map(|(program, rest)| std::iter::once(program).chain(rest).collect())
}

fn headers() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> {
    btree_map("[A-Z][a-z.!-]{0,6}", "[ -z]{0,12}", 0..3)
}

fn router() -> impl Strategy<Value = RouterKind> {
    prop_oneof![
        (option::of(text()), option::of((bare(), bare())), option::of(text())).prop_map(
            |(backend, servers, state_file)| RouterKind::Haproxy {
                address: "/run/haproxy/admin.sock".to_owned(),
                backend,
                servers: servers.map(|(a, b)| [format!("{a}1"), format!("{b}2")]),
                state_file,
            }
        ),
        Just(RouterKind::Lab { address: "127.0.0.1:9000".to_owned() }),
        Just(RouterKind::Command {
            set: ["split", "{left}", "{right}"].map(str::to_owned).to_vec(),
            get: vec!["split".to_owned()],
        }),
    ]
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    vec((any::<bool>(), any::<bool>(), 1_u32..=500, 5_u64..=600), 6).prop_map(|choices| {
        let mut limits = default_limits();
        for (limit, (declared, literal, n, secs)) in limits.iter_mut().zip(choices) {
            if declared {
                limit.declared = true;
                limit.literal = literal;
                limit.hold = Millis::secs(secs);
                limit.above = match limit.above {
                    Bound::Percent(_) => Bound::Percent(f64::from(n) / 10.0),
                    Bound::Millis(_) => Bound::Millis(f64::from(n)),
                    Bound::Count(_) => Bound::Count(f64::from(n) / 4.0),
                };
            }
        }
        limits.to_vec()
    })
}

/// Changes a plan in many places at once; the strategies are independent of one another.
fn plans() -> impl Strategy<Value = Plan> {
    let first = (text(), router(), option::of(text()), option::of("[0-9.]{1,9}"), 0_u8..4);
    let times = vec(span(1_000, 3_600_000), 9);
    let rest = (
        headers(),
        vec((bare(), 100_u16..=599, option::of(text()), headers()), 0..3),
        vec(1_u8..100, 0..4),
        limits(),
        btree_map(0_usize..6, argv(), 0..6),
        btree_map(bare(), (text(), any::<bool>()), 0..3),
        btree_map(bare(), any::<bool>(), 0..4),
    );
    (first, times, rest).prop_map(|(first, times, rest)| {
        let (service, kind, note, next, migration) = first;
        let (headers, probes, mut ramp, limits, commands, secrets, components) = rest;
        let base = include_str!("fixtures/plans/good/short.toml");
        let mut plan = parse(base, "short").unwrap_or_else(|faults| panic!("{faults}")).plan;
        plan.service = service;
        plan.release.next = next;
        plan.release.migration =
            [Migration::Undeclared, Migration::None, Migration::Expand, Migration::Irreversible]
                [usize::from(migration)];
        plan.release.change = note.iter().map(|note| ("reason".to_owned(), note.clone())).collect();
        plan.evidence.marking = note;
        plan.identity.artefact =
            (migration == 1).then(|| ReleaseSource::Header("X-Artefact".to_owned()));
        plan.identity.release = (migration == 2).then(|| ReleaseSource::Json("/a/b".to_owned()));
        plan.router.kind = kind;
        plan.health.hold = times[0];
        plan.health.deadline = times[0] + times[1];
        plan.health.headers = headers;
        for (name, required) in components {
            let list = if required { &mut plan.health.require } else { &mut plan.health.optional };
            list.push(name);
        }
        plan.probes = probes
            .into_iter()
            .map(|(path, expect, contains, headers)| ProbePlan {
                path: format!("/{path}"),
                expect,
                contains,
                headers,
            })
            .collect();
        ramp.sort_unstable();
        ramp.dedup();
        ramp.push(100);
        plan.ramp = ramp.into_iter().filter_map(Percent::new).collect();
        (plan.ramp_hold, plan.soak, plan.watch) = (times[2], times[3], times[4]);
        (plan.warm, plan.drain) = (times[5], times[6]);
        plan.on_trip = OnTrip { ask: migration == 1, countdown: times[7], shared_hold: times[8] };
        plan.limits = limits;
        plan.signals = [
            (Signal::DbErrors, SignalSource::None),
            (Signal::QueueDepth, SignalSource::Readiness("/q".to_owned())),
        ]
        .into_iter()
        .skip(usize::from(migration % 3))
        .collect();
        plan.commands.argv =
            commands.into_iter().map(|(n, argv)| (CommandName::ALL[n], argv)).collect();
        plan.secrets = secrets
            .into_iter()
            .map(|(name, (from, file))| {
                let source =
                    if file { SecretSource::File(from) } else { SecretSource::Env("HOME".into()) };
                (name, source)
            })
            .collect();
        plan
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_printed_in_full_reads_back_as_itself(plan in plans()) {
        let text = effective(&plan);
        let again = match parse(&text, "effective") {
            Ok(loaded) => Plan { digest: plan.digest.clone(), ..loaded.plan },
            Err(faults) => return Err(TestCaseError::fail(format!("{faults}\n{text}"))),
        };
        prop_assert_eq!(&again, &plan, "{}", text);
        prop_assert!(runbook_md(&plan).contains("## 8 Keep Blue warm"));
        let carried: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap_or_default())
            .map_err(|why| TestCaseError::fail(why.to_string()))?;
        prop_assert_eq!(carried, plan);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z\\[\\]{}=\"'.,#0-9% \n-]{0,200}") {
        let _ = parse(&text, "any").map_err(|faults| faults.to_string());
    }
}
