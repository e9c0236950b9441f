//! Which backend and which servers are the plan's two slots.
//!
//! They are found by their addresses, so that a short plan is enough. Where that leaves a choice
//! (two backends with the same servers) or nothing, we do not guess: the fault says what is
//! there and which keys of the plan settle it.

use super::info;
use super::stat::Table;
use super::state::{self, Server};
use super::wire::{self, Address};
use crate::plan::SlotPlan;
use crate::runbook::readback::{Fault, FaultKind};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout_at};

/// As many servers as a message can name and still be read.
const NAMED: usize = 8;

/// What the plan says about the servers.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The slots' names.
    pub names: [String; 2],
    places: [Place; 2],
    backend: Option<String>,
    servers: Option<[String; 2]>,
}

/// Host and port of a slot's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
}

impl Wanted {
    pub(super) fn new(
        slots: &[SlotPlan; 2],
        backend: Option<String>,
        servers: Option<[String; 2]>,
    ) -> Result<Self, Fault> {
        for name in backend.iter().chain(servers.iter().flatten()) {
            // Names go into a line where a semicolon begins the next command.
            if name.is_empty()
                || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c))
            {
                return Err(Fault::new(
                    FaultKind::Mismatch,
                    format!("{name:?} cannot be the name of a backend or server"),
                    "HAProxy's names have letters, digits and - _ . : only",
                ));
            }
        }
        let [first, second] = slots;
        Ok(Self {
            names: [first.name.clone(), second.name.clone()],
            places: [place(first)?, place(second)?],
            backend,
            servers,
        })
    }

    fn keys(&self) -> String {
        let [first, second] = &self.names;
        format!("servers = {{ {first} = \"...\", {second} = \"...\" }}")
    }
}

fn place(slot: &SlotPlan) -> Result<Place, Fault> {
    let url = reqwest::Url::parse(&slot.url).ok();
    let parts = url.as_ref().and_then(|u| Some((u.host_str()?, u.port_or_known_default()?)));
    let (host, port) = parts.ok_or_else(|| {
        Fault::new(
            FaultKind::Mismatch,
            format!("{:?} of slot {} has no host and port", slot.url, slot.name),
            "write it as http://host:port",
        )
    })?;
    Ok(Place { host: host.trim_matches(['[', ']']).to_owned(), port })
}

/// What was found, and is kept until it does not hold any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The backend.
    pub backend: String,
    /// Its server of each slot.
    pub servers: [String; 2],
    /// Where the configuration had them when they were found by their addresses.
    pub addresses: Option<[String; 2]>,
    /// The weights that the configuration gives them.
    pub config_weights: [u32; 2],
    /// The cookie by which users are bound to a server.
    pub cookie: Option<String>,
    /// Whether the backend has a stick table, which may bind users or only count them.
    pub table: bool,
    /// How the backend chooses among its servers, where HAProxy says so.
    pub algorithm: Option<String>,
    /// Whether the configuration makes each server a `backup`.
    pub backup: [bool; 2],
}

impl Found {
    /// The rows of the two servers, if they still are what they were.
    pub(super) fn rows<'a>(
        &self,
        servers: &'a [Server],
        wanted: &Wanted,
    ) -> Result<[&'a Server; 2], Fault> {
        let row = |i: usize| {
            let name = &self.servers[i];
            let server = servers
                .iter()
                .find(|s| s.backend == self.backend && &s.name == name)
                .ok_or_else(|| {
                    Fault::new(
                        FaultKind::Mismatch,
                        format!("server {}/{name} is not there any more", self.backend),
                        format!("see backend and {} under [router]", wanted.keys()),
                    )
                })?;
            match &self.addresses {
                Some(then) if then[i] != server.place() => Err(Fault::new(
                    FaultKind::Mismatch,
                    format!(
                        "server {}/{name} was at {} and is now at {}",
                        self.backend,
                        then[i],
                        server.place()
                    ),
                    "HAProxy was reconfigured: its servers are looked for again",
                )),
                _ => Ok(server),
            }
        };
        Ok([row(0)?, row(1)?])
    }

    /// The weight that stands for `percent` of this server. Algorithms that hash know only two,
    /// nothing and the configured one.
    pub(super) fn weight(&self, server: usize, percent: u8) -> u32 {
        let weighs = ["roundrobin", "leastconn", "random", "first"];
        let hashes = self.algorithm.as_ref().is_some_and(|name| !weighs.contains(&name.as_str()));
        match self.config_weights[server] {
            configured @ 1.. if percent == 100 && hashes => configured,
            _ => u32::from(percent),
        }
    }

    /// What the operator should know before the first write.
    pub(super) fn notes(&self) -> Vec<String> {
        let backend = &self.backend;
        let mut notes = Vec::new();
        if self.algorithm.as_deref() == Some("first") {
            notes.push(format!(
                "backend {backend} has `balance first`, which heeds no weight but 0: use \
                 `balance roundrobin`"
            ));
        }
        for (server, _) in self.servers.iter().zip(self.backup).filter(|(_, backup)| *backup) {
            notes.push(format!(
                "server {backend}/{server} is a `backup`, which gets traffic only where no other \
                 server can take it: remove the word from its line"
            ));
        }
        if let Some(cookie) = &self.cookie {
            notes.push(format!(
                "backend {backend} binds users to a slot by the cookie {cookie}: a slot at 0 % is \
                 put into maintenance so that they move too, and made ready again before it gets \
                 traffic"
            ));
        }
        if self.table {
            notes.push(format!(
                "backend {backend} has a stick table: if `stick on` uses it, users who are in it \
                 stay on a slot at 0 %"
            ));
        }
        notes
    }

    /// What a restart does where no state is kept.
    pub(super) fn without_state_file(&self, wanted: &Wanted) -> String {
        let [first, second] = &wanted.names;
        let [a, b] = self.config_weights;
        format!(
            "nothing is kept: without state_file under [router], a reload or restart of HAProxy \
             goes back to the weights of its configuration ({first} {a}, {second} {b})"
        )
    }
}

/// Asks HAProxy for all its servers and finds the plan's two among them.
pub(super) async fn discover(
    address: &Address,
    wanted: &Wanted,
    deadline: Instant,
) -> Result<Found, Fault> {
    let line = ["show servers state", "show info", "show stat -1 6 -1", "show table"];
    let replies = wire::ask(address, &line.map(str::to_owned), deadline).await?;
    info::parse(&replies[1])?.serving(address)?;
    let servers = state::parse(&replies[0])?;
    let mut at = [BTreeSet::new(), BTreeSet::new()];
    if wanted.servers.is_none() {
        for (ips, place) in at.iter_mut().zip(&wanted.places) {
            // Where HAProxy knows it by the same name nobody needs to be asked what that means.
            if !servers.iter().any(|server| server.is_named(&place.host, place.port)) {
                *ips = resolve(place, deadline).await?;
            }
        }
    }
    let mut found = choose(&servers, wanted, &at)?;
    let backend = &found.backend;
    if let Ok(table) = Table::parse(&replies[2]) {
        // Below `level operator` HAProxy leaves these out; writes are refused there anyhow.
        let said = |column| {
            let cell = table.cell(backend, "BACKEND", column);
            cell.filter(|cell| !cell.is_empty()).map(str::to_owned)
        };
        (found.cookie, found.algorithm) = (said("cookie"), said("algo"));
        let is_backup = |server: &String| table.cell(backend, server, "bck") == Some("1");
        found.backup = found.servers.each_ref().map(is_backup);
    }
    found.table = replies[3].contains(&format!("# table: {backend},"));
    Ok(found)
}

async fn resolve(place: &Place, deadline: Instant) -> Result<BTreeSet<IpAddr>, Fault> {
    if let Ok(ip) = place.host.parse() {
        return Ok([ip].into());
    }
    let unknown = |what: String| {
        Fault::new(
            FaultKind::Unreachable,
            format!("the slot's host {} was not resolved: {what}", place.host),
            "write the address as HAProxy has it, or name the servers under [router]",
        )
    };
    timeout_at(deadline, lookup_host((place.host.as_str(), place.port)))
        .await
        .map_err(|_| unknown("no answer in time".to_owned()))?
        .map(|found| found.map(|address| address.ip()).collect())
        .map_err(|error| unknown(error.to_string()))
}

/// The plan's two servers among all of them.
fn choose(servers: &[Server], wanted: &Wanted, at: &[BTreeSet<IpAddr>; 2]) -> Result<Found, Fault> {
    let mismatch = |cause: String, hint: String| Err(Fault::new(FaultKind::Mismatch, cause, hint));
    let mut backends: BTreeMap<&str, Vec<&Server>> = BTreeMap::new();
    for server in servers {
        if wanted.backend.as_ref().is_none_or(|name| *name == server.backend) {
            backends.entry(&server.backend).or_default().push(server);
        }
    }
    if let (Some(name), true) = (&wanted.backend, backends.is_empty()) {
        let there: BTreeSet<&str> = servers.iter().map(|s| s.backend.as_str()).collect();
        let there: Vec<&str> = there.into_iter().take(NAMED).collect();
        return mismatch(
            format!("there is no backend {name}; there is {}", list(&there)),
            "correct backend under [router]".to_owned(),
        );
    }
    let is_slot = |server: &Server, i: usize| match &wanted.servers {
        Some(names) => names[i] == server.name,
        None => {
            let place = &wanted.places[i];
            let same_ip = server.ip.parse().is_ok_and(|ip| at[i].contains(&ip));
            server.is_named(&place.host, place.port) || (server.port == place.port && same_ip)
        }
    };
    let fitting: Vec<(&str, [Vec<&Server>; 2])> = backends
        .iter()
        .map(|(name, all)| {
            let of = |i| all.iter().copied().filter(|s| is_slot(s, i)).collect::<Vec<_>>();
            (*name, [of(0), of(1)])
        })
        .filter(|(_, [first, second])| !first.is_empty() && !second.is_empty())
        .collect();
    let (backend, [first, second]) = match &fitting[..] {
        [one] => one,
        [] => {
            let there: Vec<String> = backends
                .values()
                .flatten()
                .map(|s| format!("{}/{} at {}", s.backend, s.name, s.address()))
                .take(NAMED)
                .collect();
            let there: Vec<&str> = there.iter().map(String::as_str).collect();
            return mismatch(
                format!("no backend has both {}; there is {}", looked_for(wanted), list(&there)),
                format!("correct [slots], or set backend and {} under [router]", wanted.keys()),
            );
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| *name).take(NAMED).collect();
            return mismatch(
                format!("{} are in more than one backend: {}", looked_for(wanted), list(&names)),
                format!("set backend = \"{}\" (or another of them) under [router]", names[0]),
            );
        }
    };
    for (slot, all) in wanted.names.iter().zip([first, second]) {
        if all.len() > 1 {
            let names: Vec<&str> = all.iter().map(|s| s.name.as_str()).take(NAMED).collect();
            return mismatch(
                format!("backend {backend} has several servers for {slot}: {}", list(&names)),
                format!("set {} under [router]", wanted.keys()),
            );
        }
    }
    let pair = [first[0], second[0]];
    if pair[0].name == pair[1].name {
        return mismatch(
            format!("both slots are server {backend}/{}", pair[0].name),
            "the two slots need an address each: see [slots]".to_owned(),
        );
    }
    Ok(Found {
        backend: (*backend).to_owned(),
        servers: pair.map(|s| s.name.clone()),
        addresses: wanted.servers.is_none().then(|| pair.map(Server::place)),
        config_weights: pair.map(|s| s.config_weight),
        cookie: None,
        table: false,
        algorithm: None,
        backup: [false; 2],
    })
}

fn looked_for(wanted: &Wanted) -> String {
    let said = |i: usize| match &wanted.servers {
        Some(names) => format!("{} ({})", names[i], wanted.names[i]),
        None => {
            let Place { host, port } = &wanted.places[i];
            format!("{host}:{port} ({})", wanted.names[i])
        }
    };
    format!("{} and {}", said(0), said(1))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
