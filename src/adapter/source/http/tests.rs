use super::*;
use crate::plan::{
    CommandsPlan, DeadlineThen, EvidencePlan, OnTrip, ProbePlan, ReleasePlan, RouterKind,
    RouterPlan, SlotPlan, Unproven,
};
use crate::units::Millis;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A plan whose slots are both at `url`.
fn plan(url: &str) -> Plan {
    let slot = |name: &str| SlotPlan { name: name.to_owned(), url: url.to_owned() };
    let second = Millis::secs(1);
    Plan {
        service: "notes".into(),
        slots: [slot("left"), slot("right")],
        release: ReleasePlan::default(),
        identity: IdentityPlan {
            slot_header: Some("X-Slot".into()),
            release: Some(ReleaseSource::Json("/version".into())),
            artefact: Some(ReleaseSource::Json("/artefact".into())),
        },
        router: RouterPlan {
            kind: RouterKind::Command { set: Vec::new(), get: Vec::new() },
            front: None,
            timeout: second,
        },
        health: HealthPlan {
            liveness: None,
            readiness: "/readyz".into(),
            every: second,
            timeout: Millis::secs(20),
            hold: second,
            flaps: 0,
            deadline: second,
            deadline_then: DeadlineThen::Abandon,
            require: vec!["database".into()],
            optional: vec!["search".into()],
            headers: BTreeMap::new(),
        },
        probe_every: second,
        probes: Vec::new(),
        checks: Vec::new(),
        ramp: Vec::new(),
        ramp_hold: second,
        soak: second,
        watch: second,
        unproven: Unproven::Ask,
        warm: second,
        drain: second,
        limits: Vec::new(),
        on_trip: OnTrip { ask: false, countdown: second, shared_hold: second },
        signals: BTreeMap::from([
            (Signal::DbErrors, SignalSource::Readiness("/db/errors".into())),
            (Signal::QueueDepth, SignalSource::None),
        ]),
        commands: CommandsPlan::default(),
        evidence: EvidencePlan::default(),
        secrets: BTreeMap::new(),
        digest: String::new(),
    }
}

/// A service that does with each connection what it is told. It ends with the test's process.
fn service(behave: impl Fn(&mut TcpStream, &str) + Send + Sync + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, behave) = (stream.unwrap(), behave.clone());
            thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                behave(&mut stream, &String::from_utf8_lossy(&head));
            });
        }
    });
    url
}

fn answering(status: u16, headers: &'static str, body: &'static str) -> String {
    service(move |stream, _| {
        let length = body.len();
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {headers}\r\n{body}"
        );
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn check(plan: &Plan) -> HealthCheck {
    let prober = Prober::new(plan, &plan.slots[0].url, &BTreeMap::new()).unwrap();
    block_on(prober.check())
}

/// A check that has less patience.
fn hasty(url: &str) -> HealthCheck {
    let mut plan = plan(url);
    plan.health.timeout = Millis(300);
    check(&plan)
}

fn why(check: &HealthCheck) -> &str {
    check.why.as_ref().map_or("", Clean::as_str)
}

#[test]
fn a_ready_service_is_read_with_all_that_it_says() {
    let url = answering(
        200,
        "X-Slot: left\r\n",
        r#"{"version":"1.9.0","database":"ok","search":{"status":"slow"},"db":{"errors":12}}"#,
    );
    let check = check(&plan(&url));
    assert!(check.ready, "{check:?}");
    assert_eq!(check.live, None, "no liveness was declared");
    assert_eq!((check.status, check.db_errors, check.queue_depth), (Some(200), Some(12), None));
    assert_eq!(check.release.unwrap().as_str(), "1.9.0");
    assert_eq!(check.degraded, [Clean::new("search is slow")]);
    assert!(check.latency_ms.unwrap() > 0.0);
}

#[test]
fn a_component_that_is_missing_or_a_status_that_is_bad_is_not_ready() {
    let missing = check(&plan(&answering(200, "", r#"{"config":"ok"}"#)));
    assert!(!missing.ready);
    assert_eq!(why(&missing), "component database is not in the answer");
    let down = check(&plan(&answering(503, "", r#"{"database":"down"}"#)));
    assert_eq!(why(&down), "status 503, component database is down");
    let moved = check(&plan(&answering(302, "Location: /elsewhere\r\n", "")));
    assert_eq!(moved.status, Some(302), "redirects are answers, not invitations");
    assert!(!moved.ready);
}

#[test]
fn liveness_is_its_own_answer() {
    let url = service(|stream, head| {
        let status = if head.starts_with("GET /healthz") { 500 } else { 200 };
        let body = r#"{"database":"ok"}"#;
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    });
    let mut plan = plan(&url);
    plan.health.liveness = Some("/healthz".into());
    let check = check(&plan);
    assert_eq!((check.live, check.ready), (Some(false), true));
    assert_eq!(why(&check), "liveness: status 500");
}

#[test]
fn a_service_that_hangs_resets_or_is_gone_is_not_ready_and_says_how() {
    let hangs = hasty(&service(|_, _| thread::sleep(Duration::from_secs(60))));
    assert_eq!(why(&hangs), "no answer within 300 ms");
    let drips = hasty(&service(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    }));
    assert_eq!(why(&drips), "no answer within 300 ms");
    let closes = check(&plan(&service(|_, _| ())));
    assert!(!closes.ready && !why(&closes).is_empty(), "{closes:?}");
    let garbage = check(&plan(&service(|stream, _| {
        let _ = stream.write_all(b"\x1b[2J SSH-2.0\r\n\r\n");
    })));
    assert!(!garbage.ready && !why(&garbage).contains('\u{1b}'), "{garbage:?}");
    // Bound and never listening: no other test gets the port meanwhile, and it refuses.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = deaf.local_addr().unwrap();
    let gone = check(&plan(&format!("http://{port}")));
    assert_eq!(why(&gone), "connection refused");
    assert_eq!((gone.status, gone.latency_ms), (None, None));
}

#[test]
fn a_hundred_megabytes_are_not_read() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let url = service(move |stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
        let (chunk, mut sent) = (vec![b' '; 64 << 10], 0_usize);
        while sent < 100 << 20 && stream.write_all(&chunk).is_ok() {
            sent += chunk.len();
        }
        let _ = sender.send(sent);
    });
    let mut plan = plan(&url);
    let big = check(&plan);
    assert_eq!(why(&big), "component database unknown: the body is longer than 64 KiB");
    assert!(receiver.recv().unwrap() < 50 << 20, "the connection was not closed");
    plan.health.require.clear();
    assert!(check(&plan).ready, "nothing was required of the body");
}

#[test]
fn what_a_service_says_is_clean_and_short() {
    let body = "{\"database\":\"\u{1b}[2J\u{7}down\",\"version\":\"\\u001b]0;owned\"}";
    let plan = plan(&answering(200, "X-Slot: \u{e9}\u{9b}31mleft\r\n", body));
    let prober = Prober::new(&plan, &plan.slots[0].url, &BTreeMap::new()).unwrap();
    let (check, answer) = (check(&plan), block_on(prober.probe(prober.knock())));
    let all = format!("{:?} {:?} {:?}", check.why, check.release, answer.slot);
    assert!(!all.chars().any(char::is_control) && !all.contains("\\u{1b}"), "{all}");
}

#[test]
fn the_words_of_a_health_check_are_kept_as_they_came_but_clean() {
    let body = "{\"database\":\"down\",\n\"why\":\"\u{1b}[2Jgone\"}\n-----BEGIN PRIVATE KEY-----\n\
                MIIE\n-----END PRIVATE KEY-----\n";
    let mut plan = plan(&answering(503, "", body));
    plan.health.liveness = Some("/healthz".into());
    let prober = Prober::new(&plan, &plan.slots[0].url, &BTreeMap::new()).unwrap();
    let words = block_on(prober.words_of_health());
    let words: Vec<&str> = words.iter().map(Clean::as_str).collect();
    assert!(words[0].starts_with("GET /healthz: status 503 after "), "{words:?}");
    assert!(words[4].starts_with("GET /readyz: status 503 after "), "{words:?}");
    let said = ["{\"database\":\"down\",", "\"why\":\"␛[2Jgone\"}", "[redacted:private_key]"];
    assert_eq!(words[1..4], said);
    assert_eq!(words[5..], said);
    let nobody = Prober::new(&plan, "http://127.0.0.1:1", &BTreeMap::new()).unwrap();
    let words = block_on(nobody.words_of_health());
    assert_eq!(words[1].as_str(), "GET /readyz: connection refused");
}

#[test]
fn a_probe_is_ok_only_where_status_and_text_are_what_the_plan_expects() {
    let url = service(|stream, head| {
        let status = if head.contains("/gone") { 404 } else { 200 };
        let token = head.lines().any(|line| line.eq_ignore_ascii_case("authorization: Bearer t0p"));
        let body = if token { "total: 3" } else { "who are you" };
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nX-Slot: right\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
    });
    let mut plan = plan(&url);
    let probe = |path: &str, expect, contains: Option<&str>, token: bool| ProbePlan {
        path: path.into(),
        expect,
        contains: contains.map(str::to_owned),
        headers: if token {
            BTreeMap::from([("Authorization".into(), "Bearer {probe_token}".into())])
        } else {
            BTreeMap::new()
        },
    };
    plan.probes = vec![
        probe("/orders", 200, Some("total"), true),
        probe("/orders", 200, Some("total"), false),
        probe("/gone", 200, None, false),
        probe("/gone", 404, None, false),
    ];
    let secrets = BTreeMap::from([("probe_token".to_owned(), "t0p".to_owned())]);
    let prober = Prober::new(&plan, &url, &secrets).unwrap();
    let answers: Vec<_> = block_on(async {
        let mut answers = Vec::new();
        for question in prober.questions() {
            answers.push(prober.probe(question).await);
        }
        answers
    });
    let ok: Vec<bool> = answers.iter().map(|answer| answer.ok).collect();
    assert_eq!(ok, [true, false, false, true], "{answers:?}");
    assert_eq!(answers[1].why.as_ref().unwrap().as_str(), "\"total\" is not in the body");
    let client_errors: Vec<bool> = answers.iter().map(ProbeAnswer::is_client_error).collect();
    assert_eq!(client_errors, [false, false, true, false]);
    assert_eq!(answers[0].slot.as_ref().unwrap().as_str(), "right");
    assert!(!format!("{prober:?}").contains("t0p"), "secrets do not print");
    assert!(block_on(prober.probe(prober.knock())).ok);
}

#[test]
fn a_secret_that_cannot_be_a_header_is_refused_without_being_said() {
    let mut plan = plan("http://127.0.0.1:1");
    plan.health.headers = BTreeMap::from([("Authorization".into(), "Bearer {token}".into())]);
    let secrets = BTreeMap::from([("token".to_owned(), "s3cret\nline".to_owned())]);
    let fault = Prober::new(&plan, "http://127.0.0.1:1", &secrets).unwrap_err();
    assert!(fault.cause.as_str().contains("Authorization"));
    assert!(!format!("{fault:?}").contains("s3cret"));
}

#[test]
fn an_artefact_is_named_whole_and_what_is_personal_is_hidden() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let body = format!(
        r#"{{"version":"1.2.3.4","artefact":"{digest}","database":"ok","search":{{"status":"lost 203.0.113.9 of anna@example.org"}}}}"#
    );
    let plan = plan(&answering(200, "X-Slot: left\r\n", body.leak()));
    let check = check(&plan);
    assert_eq!(check.artefact.unwrap().as_str(), digest);
    assert_eq!(check.release.unwrap().as_str(), "1.2.3.4", "a version is nobody's address");
    let says = check.degraded[0].as_str();
    assert!(says.contains("[redacted:client_address]"), "{says}");
    assert!(!says.contains("anna") && !says.contains("203.0"), "{says}");
}
