//! `show servers state`: one row a server, with its address, weight and state.
//!
//! Columns are found by their names in the header line, never by position: their number changes
//! with HAProxy's version.

use crate::runbook::readback::{Fault, FaultKind};

/// A server as HAProxy reports it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Server {
    /// The backend it belongs to.
    pub backend: String,
    /// Its name there.
    pub name: String,
    /// Its resolved address, without the port.
    pub ip: String,
    /// The name that the configuration gives for it, if it is a name.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// 0 stopped, 1 starting, 2 running, 3 stopping.
    pub running: u32,
    /// Bits: somebody wants it out of service.
    pub admin: u32,
    /// The weight it has now, 0 to 256.
    pub weight: u32,
    /// The weight that the configuration gives it.
    pub config_weight: u32,
}

/// `admin`: set into maintenance by force, by inheritance, by configuration, for want of an
/// address.
const MAINTENANCE: u32 = 0x01 | 0x02 | 0x04 | 0x20;
/// `admin`: set to drain by force or by inheritance.
const DRAIN: u32 = 0x08 | 0x10;

impl Server {
    /// Whether HAProxy itself would send new requests here, if the weight allowed it.
    ///
    /// Where users are bound by a cookie it is we who put a slot without weight into
    /// maintenance, and checks stand still meanwhile: it is then not known.
    pub(super) fn is_up(&self, sticky: bool) -> Option<bool> {
        if sticky && self.weight == 0 && self.admin & MAINTENANCE != 0 {
            return None;
        }
        Some(matches!(self.running, 1 | 2) && self.admin & (MAINTENANCE | DRAIN) == 0)
    }

    /// Whether the configuration names it so.
    pub(super) fn is_named(&self, host: &str, port: u16) -> bool {
        self.port == port && self.host.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(host))
    }

    /// Where the configuration has it: by its name, if it has one, as the address of a name may
    /// change while everything is well.
    pub(super) fn place(&self) -> String {
        match &self.host {
            Some(host) => format!("{host}:{}", self.port),
            None => self.address(),
        }
    }

    /// Its address as people write it.
    pub(super) fn address(&self) -> String {
        if self.ip.contains(':') {
            format!("[{}]:{}", self.ip, self.port)
        } else {
            format!("{}:{}", self.ip, self.port)
        }
    }
}

/// Reads the reply to `show servers state`, with or without a backend's name.
pub(super) fn parse(reply: &str) -> Result<Vec<Server>, Fault> {
    if reply.starts_with("Can't find backend") {
        return Err(Fault::new(
            FaultKind::Mismatch,
            "the backend is not there any more",
            "HAProxy was reloaded with another configuration: see backend under [router]",
        ));
    }
    let garbage = |what: &str| {
        Fault::new(
            FaultKind::Garbage,
            format!("`show servers state`: {what}"),
            "is this HAProxy's `stats socket`? see address under [router]",
        )
    };
    let mut lines = reply.lines();
    if lines.next() != Some("1") {
        return Err(garbage("no format version 1"));
    }
    let header = lines.next().and_then(|line| line.strip_prefix("# "));
    let names: Vec<&str> = header.ok_or_else(|| garbage("no header line"))?.split(' ').collect();
    let column = |name: &str| {
        names.iter().position(|n| *n == name).ok_or_else(|| garbage(&format!("no column {name}")))
    };
    let columns = [
        "be_name",
        "srv_name",
        "srv_addr",
        "srv_port",
        "srv_op_state",
        "srv_admin_state",
        "srv_uweight",
        "srv_iweight",
        "srv_fqdn",
    ];
    let mut at = [0; 9];
    for (place, name) in at.iter_mut().zip(columns) {
        *place = column(name)?;
    }
    lines
        .filter(|line| !line.is_empty())
        .map(|line| row(line, &at).ok_or_else(|| garbage("a row that makes no sense")))
        .collect()
}

fn row(line: &str, at: &[usize; 9]) -> Option<Server> {
    let cells: Vec<&str> = line.split(' ').collect();
    let text = |i: usize| cells.get(at[i]).copied();
    let number = |i: usize| text(i)?.parse::<u32>().ok();
    Some(Server {
        backend: text(0)?.to_owned(),
        name: text(1)?.to_owned(),
        ip: text(2)?.to_owned(),
        port: text(3)?.parse().ok()?,
        running: number(4)?,
        admin: number(5)?,
        weight: number(6)?,
        config_weight: number(7)?,
        host: text(8).filter(|host| *host != "-").map(str::to_owned),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const REPLY: &str = "1\n\
        # be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight \
        srv_iweight srv_time_since_last_change srv_check_status srv_check_result \
        srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn \
        srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr \
        srv_agent_port\n\
        3 app 1 blue 127.0.0.1 2 0 90 1 1 8 2 0 6 0 0 0 - 19001 - 0 0 - - 0\n\
        3 app 2 green ::1 2 1 0 5 1 8 2 0 6 0 0 0 - 19002 - 0 0 - - 0\n\
        4 other 1 s 127.0.0.1 0 0 1 1 1 1 0 2 0 0 0 0 localhost 19003 - 0 0 - - 0\n";

    #[test]
    fn rows_are_read_by_the_names_of_their_columns() {
        let servers = parse(REPLY).unwrap();
        assert_eq!(servers.len(), 3);
        let [blue, green, other] = &servers[..] else { panic!() };
        assert_eq!(
            (blue.weight, blue.config_weight, blue.address()),
            (90, 1, "127.0.0.1:19001".into())
        );
        assert_eq!((green.name.as_str(), green.address()), ("green", "[::1]:19002".into()));
        assert_eq!(other.host.as_deref(), Some("localhost"));
    }

    #[test]
    fn a_server_in_maintenance_or_down_serves_nobody_whatever_its_weight() {
        let server =
            |running, admin, weight| Server { running, admin, weight, ..Server::default() };
        assert_eq!(server(2, 0, 100).is_up(false), Some(true));
        assert_eq!(server(2, 0, 0).is_up(false), Some(true), "weight is another thing");
        assert_eq!(server(0, 0, 100).is_up(false), Some(false), "down");
        assert_eq!(server(0, 1, 100).is_up(false), Some(false), "maintenance");
        assert_eq!(server(2, 8, 100).is_up(false), Some(false), "drain");
        assert_eq!(server(0, 1, 0).is_up(true), None, "our own maintenance");
        assert_eq!(server(0, 1, 100).is_up(true), Some(false), "somebody else's");
        assert_eq!(server(2, 0x40, 100).is_up(false), Some(true), "an address that was set");
    }

    #[test]
    fn a_backend_that_is_gone_is_a_mismatch_and_the_rest_is_garbage() {
        let kind = |text: &str| parse(text).unwrap_err().kind;
        assert_eq!(kind("Can't find backend.\n"), FaultKind::Mismatch);
        assert_eq!(kind("Permission denied\n"), FaultKind::Garbage);
        assert_eq!(kind("1\n# be_name srv_name\n"), FaultKind::Garbage);
        assert_eq!(kind(&REPLY.replace(" 19001 ", " x ")), FaultKind::Garbage);
        assert_eq!(kind(&REPLY[..REPLY.len() - 60]), FaultKind::Garbage);
    }
}
