use super::*;
use std::time::Instant as Clock;

fn sh(script: &str) -> CommandSpec {
    CommandSpec::new(["sh", "-c", script].map(str::to_owned).to_vec(), Duration::from_secs(20))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn run_it(spec: &CommandSpec) -> (Ran, Vec<String>) {
    let mut lines = Vec::new();
    let ran = block_on(run(spec, |line| lines.push(line.as_str().to_owned()))).unwrap();
    (ran, lines)
}

/// Whether a process lives; one that has ended and was not yet reaped does not.
fn lives(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z")))
}

fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Clock::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "never came true: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn braces_are_filled_once_and_strangers_stay() {
    let argv = ["up", "web-{slot}", "{release}/{current}", "{a}{", "${slot}", "{{.Slot}}"];
    let argv = argv.map(str::to_owned);
    assert_eq!(
        expand(&argv, "left", Some("{current}"), Some("1")).unwrap(),
        ["up", "web-left", "{current}/1", "{a}{", "${slot}", "{{.Slot}}"]
    );
    let fault = expand(&argv, "left", None, Some("1")).unwrap_err();
    assert!(fault.hint.as_str().contains("--release"), "{}", fault.hint);
}

#[test]
fn both_outputs_come_in_order_and_the_environment_names_the_slot() {
    let argv =
        ["sh", "-c", "echo 1; echo 2 >&2; echo $SWITCHBACK_SLOT $SWITCHBACK_RELEASE; exit 3"];
    let argv = argv.map(str::to_owned);
    let timeout = Duration::from_secs(20);
    let spec = CommandSpec::for_slot(&argv, "left", Some("1.9"), None, timeout).unwrap();
    let (ran, lines) = run_it(&spec);
    assert_eq!(lines, ["1", "2", "left 1.9"]);
    assert_eq!(ran.end, End::Exit(3));
    assert_eq!(ran.tail.len(), 3);
}

#[test]
fn what_is_no_text_becomes_text() {
    let (ran, lines) = run_it(&sh(r"printf 'a\377\033[31mb\n'"));
    assert!(ran.end.is_good());
    assert_eq!(lines.len(), 1);
    assert!(!lines[0].contains('\u{1b}') && lines[0].starts_with('a'), "{lines:?}");
}

#[test]
fn a_private_key_of_several_lines_reaches_neither_screen_nor_journal() {
    let key =
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ==\n-----END PRIVATE KEY-----";
    for prefix in ["", "web-1  | ", "2026-11-23T10:00:00Z "] {
        let script: String =
            key.lines().map(|line| format!("echo '{prefix}{line}';")).collect::<String>();
        let (ran, lines) = run_it(&sh(&format!("echo before; {script} echo after")));
        let tail: Vec<&str> = ran.tail.iter().map(Clean::as_str).collect();
        let masked = format!("{prefix}[redacted:private_key]");
        assert_eq!(lines, ["before", &masked, "after"]);
        assert_eq!(tail, lines, "the record has the same");
    }
}

#[test]
fn a_million_lines_neither_block_the_command_nor_fill_the_screen() {
    let (ran, lines) = run_it(&sh("yes line | head -n 1000000; echo done"));
    assert!(ran.end.is_good());
    assert!(lines.len() < 100_000, "{}", lines.len());
    assert!(lines.iter().any(|line| line.ends_with("lines skipped)")));
    assert_eq!(ran.tail.last().unwrap().as_str(), "done");
}

#[test]
fn a_fork_that_holds_the_output_does_not_hold_us_and_lives_on_after_a_good_end() {
    let began = Clock::now();
    let (ran, lines) = run_it(&sh("sleep 30 & echo $!"));
    assert!(ran.end.is_good());
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(lives(&lines[0]), "what a deploy started must stay");
    let pid = Pid::from_raw(lines[0].parse().unwrap());
    nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
}

#[test]
fn a_command_that_fails_leaves_nobody_behind() {
    let (ran, lines) = run_it(&sh("sleep 30 & echo $!; exit 1"));
    assert_eq!(ran.end, End::Exit(1));
    soon("the child of a failed command ends", || !lives(&lines[0]));
}

#[test]
fn time_up_ends_the_whole_group_even_one_that_will_not_hear() {
    let spec = CommandSpec {
        timeout: Duration::from_millis(1_500),
        grace: Duration::from_millis(200),
        ..sh("trap '' TERM; sleep 30 & echo $!; while :; do sleep 1; done")
    };
    let (ran, lines) = run_it(&spec);
    assert_eq!(ran.end, End::TimedOut);
    assert!(ran.took < Millis::secs(10), "{}", ran.took);
    soon("the grandchild ends", || !lives(&lines[0]));
}

#[test]
fn time_up_asks_before_it_kills() {
    let spec = CommandSpec {
        timeout: Duration::from_millis(1_500),
        ..sh("trap 'echo tidy; exit 0' TERM; while :; do sleep 0.05; done")
    };
    let (ran, lines) = run_it(&spec);
    assert_eq!(ran.end, End::TimedOut);
    assert!(lines.iter().any(|line| line == "tidy"), "{lines:?}");
}

#[test]
fn dropping_the_future_kills_grandchildren_too() {
    let mut pids = Vec::new();
    block_on(async {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let spec = sh("(sleep 30 & echo $!; sleep 30) & echo $!; sleep 30");
        let task = tokio::spawn(async move {
            run(&spec, |line| sender.send(line.as_str().to_owned()).unwrap()).await
        });
        for _ in 0..2 {
            pids.push(receiver.recv().await.unwrap());
        }
        assert!(pids.iter().all(|pid| lives(pid)));
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    for pid in pids {
        soon("a grandchild ends", || !lives(&pid));
    }
}

#[test]
fn what_cannot_be_started_is_named_with_the_next_move() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    std::fs::write(&script, "echo hello\n").unwrap();
    let fault = |argv: &[&str]| {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let spec = CommandSpec::new(argv, Duration::from_secs(5));
        block_on(async { Running::start(&spec) }).unwrap_err()
    };
    for (fault, cause) in [
        (fault(&["no-such-program-here"]), "was not found"),
        (fault(&[script.to_str().unwrap()]), "may not be run"),
        (fault(&[]), "empty"),
    ] {
        assert_eq!(fault.kind, FaultKind::Local);
        assert!(fault.cause.as_str().contains(cause), "{fault}");
        assert!(!fault.hint.as_str().is_empty());
    }
}

#[test]
fn a_captured_command_keeps_its_outputs_apart_and_is_cut() {
    let printed = block_on(capture(&sh("echo warning >&2; printf 123456789"), 4)).unwrap();
    assert_eq!((printed.out.as_slice(), printed.cut), (b"1234".as_slice(), true));
    assert_eq!(printed.tail, [Clean::new("warning")]);
    assert!(printed.end.is_good());
}
