//! A request and what becomes of it.

use crate::lab::traffic::Arrival;
use crate::units::Millis;

/// How long a user waits for an answer.
pub const PATIENCE: Millis = Millis::secs(10);

/// Requests of nobody's are numbered from here, so that they never share a user's luck.
pub(super) const PROBES_FROM: u64 = 1 << 62;
/// So are those of a client that abuses the service.
pub(super) const ABUSE: u64 = 1 << 61;
/// Those of users who were sent to a bad place and look for a good one.
pub(super) const LOST: u64 = 1 << 60;
/// Those of users who try again hold the number of the attempt from this bit on.
pub(super) const ATTEMPT: u32 = 54;

/// A request to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its number; its luck hangs on it.
    pub(super) n: u64,
    /// Which of the scenario's routes, if it is one.
    pub(super) route: Option<usize>,
    /// Whether a user made it. Only users are counted.
    pub(super) user: bool,
}

impl Request {
    /// Whether a client makes it that abuses the service.
    pub(super) const fn abuses(&self) -> bool {
        self.user && self.n & ABUSE > 0
    }

    /// Whether its user was sent to a bad place before.
    pub(super) const fn is_lost(&self) -> bool {
        self.user && self.n & LOST > 0
    }

    /// How often its user has tried before.
    pub(super) const fn attempts(&self) -> u32 {
        ((self.n >> ATTEMPT) & 0xf) as u32
    }
}

impl From<Arrival> for Request {
    fn from(arrival: Arrival) -> Self {
        Self { n: arrival.n, route: Some(arrival.route), user: true }
    }
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is answered with this status.
    Answer(u16),
    /// It is never answered.
    Hang,
    /// Its connection is reset.
    Reset,
    /// Its answer begins, and the connection is closed before its end.
    Cut,
    /// Nothing listens.
    Refused,
}

/// What the database did to a request, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DbTimes {
    /// Waited for a connection.
    pub wait_us: u64,
    /// Its reads, with nothing in their way.
    pub read_us: u64,
    /// Waited for a lock.
    pub lock_us: u64,
}

/// How the body of an answer goes over the wire: in so many pieces, evenly over a time, which is
/// the last part of the request's whole time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Body {
    /// Its size, in bytes.
    pub bytes: u32,
    /// How much of it is sent before the connection is closed; all of it where nothing cuts it.
    pub sent: u32,
    /// In how many pieces; one at least.
    pub pieces: u32,
    /// From the first of them to the last, in microseconds.
    pub takes_us: u64,
}

/// What a request gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// How it ends.
    pub fate: Fate,
    /// When it ends, in microseconds after its arrival.
    pub latency_us: u64,
    /// Whether the database refused a connection on the way.
    pub db_refused: bool,
    /// What the database did on the way.
    pub db: DbTimes,
    /// How the answer's body goes over the wire.
    pub body: Body,
    /// Database reads that it needed.
    pub db_reads: f64,
    /// Whether the status is good and the answer leads nowhere.
    pub wrong: bool,
    /// Whether the user was logged out by it.
    pub session_lost: bool,
}

impl Served {
    pub(super) const fn end(fate: Fate, latency_us: u64) -> Self {
        Self {
            fate,
            latency_us,
            db_refused: false,
            db: DbTimes { wait_us: 0, read_us: 0, lock_us: 0 },
            body: Body { bytes: 0, sent: 0, pieces: 1, takes_us: 0 },
            db_reads: 0.0,
            wrong: false,
            session_lost: false,
        }
    }

    /// The text of the answer, before it is filled up to its size.
    pub const fn page(&self) -> &'static str {
        match self.fate {
            Fate::Answer(200..300) if self.wrong => "{\"orders\":null}",
            Fate::Answer(status) => page(status),
            // What is cut off began as a good answer.
            Fate::Cut => page(200),
            Fate::Hang | Fate::Reset | Fate::Refused => "",
        }
    }

    /// Whether a user would call it failed: 5xx, too late, or no answer.
    pub const fn failed(&self) -> bool {
        match self.fate {
            Fate::Answer(status) => status >= 500 || self.latency_us > PATIENCE.0 * 1000,
            Fate::Hang | Fate::Reset | Fate::Cut | Fate::Refused => true,
        }
    }
}

/// The body of an answer with this status, from any of the routes.
pub const fn page(status: u16) -> &'static str {
    match status {
        200..400 => {
            "{\"orders\":[{\"id\":1,\"sum\":\"12.50\"},{\"id\":2,\"sum\":\"8.00\"}],\"total\":2}"
        }
        400..500 => "{\"error\":\"there is no such order\"}",
        _ => "{\"error\":\"the service could not answer\"}",
    }
}
