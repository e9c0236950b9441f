//! The table of everything that a plan can say.
//!
//! One row a key: where it stands, what it holds, what it is when nobody says it, and what it
//! means. The reader, the errors, the JSON Schema and `check --effective` are all made from these
//! rows, so they cannot disagree. What must fit between keys (two slots, an ascending ramp, one
//! limit a signal) is not here: see `build`.
//!
//! In a path, `*` stands for a name of the operator's own and `[]` for one of many.

use crate::units::Millis;

/// The version of the format that this program reads and writes.
pub(super) const SCHEMA: i64 = 1;

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Where it stands, such as `health.readiness`.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it is when nobody says it.
    pub need: Need,
    /// The kinds of router that it is for; empty for all.
    pub only: &'static [&'static str],
    /// What it means, in one line.
    pub doc: &'static str,
}

/// What a key is when nobody says it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// It has to be said.
    Must,
    /// This, as it would be written (without the quotes).
    Or(&'static str),
    /// Nothing.
    May,
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// The format's version.
    Schema,
    /// One line of text.
    Text,
    /// Any text, to be found in an answer.
    Needle,
    /// A version name, as it goes into commands: no blanks.
    Release,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A length of time within these bounds.
    Span(Millis, Millis),
    /// A whole number within these bounds.
    Count(u32, u32),
    /// The value of a limit; its unit depends on the signal.
    Bound,
    /// Ascending percents, the last 100.
    Ramp,
    /// `http://host:port`, perhaps with a path that others are put behind.
    Base,
    /// A whole URL.
    Url,
    /// The path of a request.
    Path,
    /// A JSON pointer.
    Pointer,
    /// The name of a header.
    Header,
    /// The value of a header; it may name secrets in braces.
    HeaderValue,
    /// A file.
    File,
    /// A socket's path, or `host:port`.
    Address,
    /// The name of an environment variable.
    Env,
    /// A command as a list of words.
    Argv,
    /// A list of names.
    Names,
    /// Yes or no.
    Flag,
}

use Kind::{
    Address, Argv, Base, Bound, Count, Env, File, Flag, Header, HeaderValue, Names, Needle, Path,
    Pointer, Ramp, Release, Schema, Span, Text, Url, Word,
};
use Need::{May, Must, Or};

const NONE: Millis = Millis::ZERO;
const BEAT: Millis = Millis(50);
const SECOND: Millis = Millis::secs(1);
const MINUTE: Millis = Millis::secs(60);
const HOUR: Millis = Millis::secs(3600);
const DAY: Millis = Millis::secs(86_400);
const MONTH: Millis = Millis::secs(31 * 86_400);

const HAPROXY: &[&str] = &["haproxy"];
const SOCKETS: &[&str] = &["haproxy", "lab"];
const COMMAND: &[&str] = &["command"];

/// The kinds of router that a plan can name.
pub(super) const ROUTERS: &[&str] = &["haproxy", "lab", "command"];

const SIGNALS: &[&str] =
    &["error_rate", "client_error_rate", "latency_p95", "health", "db_errors", "queue_depth"];

const fn key(path: &'static str, kind: Kind, need: Need, doc: &'static str) -> Key {
    Key { path, kind, need, only: &[], doc }
}

impl Key {
    const fn only(mut self, kinds: &'static [&'static str]) -> Self {
        self.only = kinds;
        self
    }
}

/// Every key, in the order in which a plan is written.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("schema", Schema, Must, "version of this format"),
    key("service", Text, Must, "name of the service; decommissioning asks for it"),

    key("slots.*", Base, Must, "where a version runs; two slots, with names of your own"),

    key("release.current", Release, May, "what Blue runs; read from Blue if it can be"),
    key("release.next", Release, May, "what Green shall run"),
    key("release.migration", Word(&["none", "expand", "irreversible"]), May, "what the release does to the data, and so to the way back"),
    key("release.change.reason", Text, May, "why it is released"),
    key("release.change.reference", Text, May, "ticket or request it goes back to"),
    key("release.change.impact", Text, May, "what users may notice"),
    key("release.change.commit", Text, May, "commit it was built from"),
    key("release.change.artefact", Text, May, "digest of what is deployed"),

    key("identity.slot.header", Header, May, "response header that names the slot, set by the router"),
    key("identity.release.header", Header, May, "response header that names the release"),
    key("identity.release.json", Pointer, May, "where the readiness body names the release"),
    key("identity.artefact.header", Header, May, "response header that names the running artefact's digest"),
    key("identity.artefact.json", Pointer, May, "where the readiness body names that digest"),

    key("router.kind", Word(ROUTERS), Must, "which router"),
    key("router.address", Address, Must, "its control socket: a path, or host:port").only(SOCKETS),
    key("router.front", Base, May, "where users come in; the split is seen here"),
    key("router.backend", Text, May, "backend; found by the slots' addresses unless told").only(HAPROXY),
    key("router.servers.*", Text, May, "server of each slot; found by its address unless told").only(HAPROXY),
    key("router.state_file", File, May, "where the split is kept for a restart").only(HAPROXY),
    key("router.set", Argv, Must, "command that sets the split; {name} of each slot becomes its percent").only(COMMAND),
    key("router.get", Argv, Must, "command that prints the split with the slots' names: left=90 right=10").only(COMMAND),
    key("router.timeout", Span(BEAT, MINUTE), Or("1s"), "how long one read or write may take"),

    key("health.liveness", Path, May, "path that says whether the process lives"),
    key("health.readiness", Path, Must, "path that says whether it can serve"),
    key("health.every", Span(BEAT, HOUR), Or("1s"), "time between checks, outside soak, switch and watch"),
    key("health.timeout", Span(BEAT, HOUR), Or("2s"), "a check without an answer by then has failed"),
    key("health.hold", Span(NONE, DAY), Or("30s"), "how long readiness must hold without a break"),
    key("health.flaps", Count(0, 1000), Or("2"), "how many breaks are forgiven"),
    key("health.deadline.after", Span(SECOND, DAY), Or("5m"), "when to stop waiting for readiness"),
    key("health.deadline.then", Word(&["abandon", "ask"]), Or("abandon"), "what happens then"),
    key("health.require", Names, Or("[]"), "components of the readiness body that must be good"),
    key("health.optional", Names, Or("[]"), "components that may be degraded"),
    key("health.headers.*", HeaderValue, May, "header of each check; {name} of a secret is filled in"),

    key("probes.every", Span(BEAT, HOUR), Or("250ms"), "time between probes, from soak to the end of the watch"),

    key("probe[].path", Path, Must, "synthetic request: something that users touch"),
    key("probe[].expect", Count(100, 599), Or("200"), "status that counts as good"),
    key("probe[].contains", Needle, May, "text that a good body contains"),
    key("probe[].headers.*", HeaderValue, May, "header of the request; {name} of a secret is filled in"),

    key("traffic.ramp", Ramp, Or("[10, 50, 100]"), "Green's percent at each step; [100] is the hard switch"),
    key("traffic.hold", Span(NONE, DAY), Or("3m"), "how long each step but the last is held"),

    key("soak.for", Span(NONE, DAY), Or("5m"), "how long Green must stay well, unused"),

    key("watch.for", Span(SECOND, DAY), Or("12m"), "how long users must be well on Green"),
    key("watch.unproven", Word(&["ask", "extend", "rollback"]), Or("ask"), "what follows a watch that saw too little"),

    key("warm.for", Span(NONE, MONTH), Or("1h"), "how long Blue is kept for the way back"),
    key("warm.drain", Span(NONE, DAY), Or("30s"), "how long Blue's last requests may take, where nobody counts them"),

    key("limit[].signal", Word(SIGNALS), Must, "what is judged; one limit a signal"),
    key("limit[].above", Bound, Must, "above this: a share \"2%\", a latency \"500ms\", a queue 500"),
    key("limit[].for", Span(Millis::secs(5), DAY), Must, "for this long"),
    key("limit[].judge", Word(&["literal"]), May, "the plain reading: above it for all of the time"),

    key("on_trip.do", Word(&["rollback", "ask"]), Or("rollback"), "go back at once, or after a countdown that can be stopped"),
    key("on_trip.countdown", Span(NONE, HOUR), Or("30s"), "length of the countdown; it ends in rollback"),
    key("on_trip.shared_hold", Span(NONE, DAY), Or("10m"), "how long to hold when both slots suffer, before asking"),

    key("signals.db_errors", Word(&["none"]), May, "where database errors are read; \"none\" is shown as not declared"),
    key("signals.db_errors.readiness", Pointer, May, "where the readiness body counts database errors"),
    key("signals.queue_depth", Word(&["none"]), May, "where the queue is read; \"none\" is shown as not declared"),
    key("signals.queue_depth.readiness", Pointer, May, "where the readiness body says the queue's length"),

    key("check[].text", Text, Must, "something of your own to look at before step 1 passes"),
    key("check[].from", Text, May, "where it comes from, such as a drill and its day"),

    key("commands.redeploy_check", Argv, May, "proves that Blue can be deployed again; {slot} {release} {current} are filled in"),
    key("commands.migrate", Argv, May, "expands the schema, before the deploy"),
    key("commands.deploy", Argv, May, "deploys the release to Green; without it the operator does it"),
    key("commands.logs", Argv, May, "prints Green's last logs"),
    key("commands.stop", Argv, May, "stops a slot"),
    key("commands.contract", Argv, May, "contracts the schema, after Blue is decommissioned"),
    key("commands.timeout", Span(SECOND, DAY), Or("5m"), "how long a command may run"),

    key("evidence.key", File, May, "private key that signs the evidence"),
    key("evidence.identity", Text, May, "who signs"),
    key("evidence.marking", Text, May, "marking line, such as CUI"),
    key("evidence.tsa", Url, May, "RFC 3161 time authority"),
    key("evidence.require", Flag, Or("false"), "whether a deploy whose declaration cannot be signed does not begin"),

    key("secrets.*.env", Env, May, "environment variable that holds the secret"),
    key("secrets.*.file", File, May, "file that holds the secret"),
];

/// The row of a path as the table writes it.
pub(super) fn row(pattern: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == pattern)
}

/// Whether anything stands under this path.
pub(super) fn is_table(pattern: &str) -> bool {
    KEYS.iter().any(|key| under(key.path, pattern).is_some())
}

/// Whether this path is written with double brackets.
pub(super) fn is_list(pattern: &str) -> bool {
    is_table(&format!("{pattern}[]"))
}

/// The names that may stand directly in a table, in the order of the rows; `*` among them means
/// that any name may.
pub(super) fn names_in(table: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        if let Some(rest) = under(key.path, table) {
            let name = rest.split('.').next().unwrap_or(rest).trim_end_matches("[]");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The tables in which a name stands, to tell people where a misplaced key belongs.
pub(super) fn homes_of(name: &str) -> Vec<&'static str> {
    KEYS.iter()
        .filter_map(|key| key.path.rsplit_once('.'))
        .filter(|&(_, last)| last == name)
        .map(|(table, _)| table)
        .collect()
}

/// The table's path without the key's own name.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn under(path: &'static str, table: &str) -> Option<&'static str> {
    if table.is_empty() { Some(path) } else { path.strip_prefix(table)?.strip_prefix('.') }
}
