//! `show stat`: the counters, as CSV with more than a hundred columns that are found by name.
//!
//! A request that never got a connection to its server is counted in no column of answers: what
//! a slot was sent is `req_tot + econ + eresp`, and what failed is `hrsp_5xx + econ + eresp`. A
//! dead slot shows nowhere else.

use super::super::SlotCounters;
use crate::runbook::readback::{Fault, FaultKind};

/// A table with named columns.
pub(super) struct Table {
    names: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads the reply to `show stat`.
    pub(super) fn parse(reply: &str) -> Result<Self, Fault> {
        let Some(text) = reply.strip_prefix("# ") else {
            return Err(garbage("no header line"));
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let names = reader.headers().map_err(|error| garbage(&error.to_string()))?;
        let names = names.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<_, _>>();
        Ok(Self { names, rows: rows.map_err(|error| garbage(&error.to_string()))? })
    }

    /// The cell of this server (or `BACKEND`) in this column.
    pub(super) fn cell(&self, proxy: &str, server: &str, column: &str) -> Option<&str> {
        let at = |name: &str| self.names.iter().position(|n| n == name);
        let (px, sv, column) = (at("pxname")?, at("svname")?, at(column)?);
        let row = self.rows.iter().find(|r| r.get(px) == Some(proxy) && r.get(sv) == Some(server));
        row?.get(column)
    }
}

fn garbage(what: &str) -> Fault {
    Fault::new(
        FaultKind::Garbage,
        format!("`show stat`: {what}"),
        "is this HAProxy's `stats socket`? see address under [router]",
    )
}

/// The counters of the two servers.
pub(super) fn counters(
    reply: &str,
    backend: &str,
    servers: &[String; 2],
) -> Result<[SlotCounters; 2], Fault> {
    let table = Table::parse(reply)?;
    let of = |server: &str| {
        // An empty cell is a counter that this kind of proxy does not keep.
        let number = |column: &str| match table.cell(backend, server, column) {
            Some("") => Ok(0),
            Some(text) => text
                .parse::<u64>()
                .map_err(|_| garbage(&format!("{column} of {backend}/{server} is {text:?}"))),
            None => Err(garbage(&format!("no {column} of {backend}/{server}"))),
        };
        let lost = number("econ")? + number("eresp")?;
        let (requests, in_flight) = (number("req_tot")? + lost, number("scur")?);
        Ok(SlotCounters {
            requests,
            ended: requests.saturating_sub(in_flight),
            failed: number("hrsp_5xx")? + lost,
            client_errors: number("hrsp_4xx")?,
            in_flight,
            latency_ms: None,
        })
    };
    let [first, second] = servers;
    Ok([of(first)?, of(second)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = "# pxname,svname,scur,econ,eresp,hrsp_4xx,hrsp_5xx,req_tot,last_chk,\n\
        app,blue,3,0,0,4,1,100,\"OK, \"\"really\"\"\",\n\
        app,green,0,7,2,0,5,20,,\n";

    fn read(reply: &str) -> Result<[SlotCounters; 2], Fault> {
        counters(reply, "app", &["blue".into(), "green".into()])
    }

    #[test]
    fn a_dead_slot_shows_in_requests_and_in_failures() {
        let [blue, green] = read(REPLY).unwrap();
        assert_eq!(
            (blue.requests, blue.failed, blue.client_errors, blue.in_flight),
            (100, 1, 4, 3)
        );
        assert_eq!((green.requests, green.failed), (29, 14));
        assert_eq!(green.latency_ms, None, "an average is no histogram");
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_and_never_zero() {
        for broken in [
            "Permission denied\n".to_owned(),
            REPLY.replace("green", "grey"),
            REPLY.replace("econ", "acorn"),
            REPLY.replace(",20,", ",many,"),
        ] {
            assert_eq!(read(&broken).unwrap_err().kind, FaultKind::Garbage);
        }
    }
}
