//! What the plots show: every measured second, in at most a few hundred columns.
//!
//! A column is a stretch of whole seconds. Users and probes are never summed, and what was not
//! measured leaves a gap, never a zero.

use super::super::Account;
use crate::plan::{Bound, Signal};
use crate::signal::{Histogram, Origin, Sample, Whose};
use crate::units::Millis;
use std::collections::BTreeMap;

/// The most columns of a plot.
const COLUMNS: u64 = 240;
/// The signals that are plotted, in the order of the page.
pub const SIGNALS: [Signal; 5] =
    [Signal::Health, Signal::ErrorRate, Signal::LatencyP95, Signal::DbErrors, Signal::QueueDepth];

/// One line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Whose.
    pub role: Whose,
    /// Who asked.
    pub from: Origin,
    /// The middle of a column in milliseconds of the run, and the value there.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// The greatest value.
    pub fn most(&self) -> f64 {
        self.points.iter().map(|(_, value)| *value).fold(0.0, f64::max)
    }
}

/// The length of one column.
pub fn column(account: &Account) -> Millis {
    let seconds = account.last_at.0.div_ceil(1_000).max(1);
    Millis::secs(seconds.div_ceil(COLUMNS))
}

/// What happened in one column.
#[derive(Debug, Default)]
struct Cell {
    bad: u64,
    of: u64,
    times: Histogram,
    most: Option<u64>,
    errors: Option<u64>,
    unready: u64,
    checks: u64,
}

type Cells = BTreeMap<(Whose, Origin), BTreeMap<u64, Cell>>;

/// The lines of each plot, in the order of [`SIGNALS`].
pub fn all(account: &Account) -> Vec<(Signal, Vec<Series>)> {
    let column = column(account).0.max(1);
    let mut cells = Cells::new();
    for sample in &account.samples {
        // A second ends at `at`: it belongs to the column in which it lies.
        let index = sample.at.0.saturating_sub(1) / column;
        let cell = cells.entry((sample.role, sample.from)).or_default().entry(index).or_default();
        cell.add(sample);
    }
    SIGNALS.into_iter().map(|signal| (signal, lines(signal, &cells, column))).collect()
}

impl Cell {
    fn add(&mut self, sample: &Sample) {
        self.bad = self.bad.saturating_add(sample.failed.unwrap_or(0));
        self.of = self.of.saturating_add(sample.requests.unwrap_or(0));
        if let Some(times) = &sample.latency_ms {
            self.times.merge(times);
        }
        if let Some(depth) = sample.queue_depth {
            self.most = Some(self.most.map_or(depth, |most| most.max(depth)));
        }
        if let Some(errors) = sample.db_errors {
            self.errors = Some(self.errors.unwrap_or(0).saturating_add(errors));
        }
        if sample.from == Origin::Probes
            && let Some((unready, checks)) = sample.readiness()
        {
            self.unready = self.unready.saturating_add(unready);
            self.checks = self.checks.saturating_add(checks);
        }
    }
}

fn share(bad: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| bad as f64 * 100.0 / of as f64)
}

fn lines(signal: Signal, cells: &Cells, column: u64) -> Vec<Series> {
    let mut lines = Vec::new();
    for ((role, from), of_one) in cells {
        let value = |index: u64, cell: &Cell| match signal {
            Signal::ErrorRate | Signal::ClientErrorRate => share(cell.bad, cell.of),
            Signal::LatencyP95 => cell.times.quantile(0.95),
            Signal::QueueDepth => cell.most.map(|depth| depth as f64),
            Signal::DbErrors => {
                let requests = requests(cells, *role, index);
                cell.errors.and_then(|errors| share(errors, requests))
            }
            Signal::Health => share(cell.unready, cell.checks),
        };
        let points: Vec<(f64, f64)> = of_one
            .iter()
            .filter_map(|(index, cell)| {
                let middle = (*index as f64 + 0.5) * column as f64;
                value(*index, cell).map(|value| (middle, value))
            })
            .collect();
        if !points.is_empty() {
            lines.push(Series { role: *role, from: *from, points });
        }
    }
    lines
}

/// Requests that errors of a gauge are a share of: users' where there were any, else probes'.
fn requests(cells: &Cells, role: Whose, index: u64) -> u64 {
    let roles = match role {
        Whose::Both => vec![Whose::Blue, Whose::Green],
        one => vec![one],
    };
    let sum = |from: Origin| -> u64 {
        let cell = |role: &Whose| cells.get(&(*role, from)).and_then(|cells| cells.get(&index));
        roles.iter().filter_map(cell).map(|cell| cell.of).sum()
    };
    match sum(Origin::Users) {
        0 => sum(Origin::Probes),
        users => users,
    }
}

/// The value of a limit, in the unit of its plot.
pub const fn bound(above: Bound) -> f64 {
    match above {
        Bound::Percent(value) | Bound::Millis(value) | Bound::Count(value) => value,
    }
}
