//! A request and what becomes of it.

use crate::lab::traffic::Arrival;
use crate::units::Millis;

/// How long a user waits for an answer.
pub const PATIENCE: Millis = Millis::secs(10);

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
    /// Nothing listens.
    Refused,
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
    /// Database reads that it needed.
    pub db_reads: f64,
}

impl Served {
    pub(super) const fn end(fate: Fate, latency_us: u64) -> Self {
        Self { fate, latency_us, db_refused: false, db_reads: 0.0 }
    }

    /// Whether a user would call it failed: 5xx, too late, or no answer.
    pub const fn failed(&self) -> bool {
        match self.fate {
            Fate::Answer(status) => status >= 500 || self.latency_us > PATIENCE.0 * 1000,
            Fate::Hang | Fate::Reset | Fate::Refused => true,
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
