//! How others decide, written anew from what their documentation and their code say they do.
//!
//! Each is the mechanism and not the program: what it does with one share over one window, how
//! often it looks, and how many times it must see the same. "Aligned" means that it is given the rule
//! that the operator declared. Who has them looks at three probes in a row, one in five seconds.

use switchback::odds::dice::{Dice, Purpose};
use switchback::odds::{Policy, Said};
use switchback::signal::{Origin, Sample, Whose};
use switchback::units::Millis;

/// Where the documentation's own example calls an answer slow, in milliseconds.
pub const DOC_SLOW_MS: f64 = 500.0;
/// Where the operator does.
const SLOW_MS: f64 = 325.0;

/// What a peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The share over the last two minutes, looked at every 5 s.
    Window,
    /// The share over the last minute has been too high for two minutes.
    For,
    /// The same window as the first, with at least 20 requests and Wilson's lower bound.
    Wilson,
    /// A failed check at every `interval` seconds; goes back at the run after the `threshold`th.
    Flagger {
        /// Seconds between two runs.
        interval: u64,
        /// Failed checks.
        threshold: u64,
        /// With the limits of its own documentation: 1 % errors, p99 of 500 ms.
        doc: bool,
    },
    /// A measurement a minute; goes back when more than three have failed.
    Argo,
    /// A minute's share too high, twice in a row; minutes without data are not looked at.
    CloudWatch,
}

/// All of them, with their names in the table.
pub const PEERS: [(&str, Rule); 7] = [
    ("naive window 2m", Rule::Window),
    ("naive 1m, for: 2m", Rule::For),
    ("n >= 20 and Wilson", Rule::Wilson),
    ("Flagger, aligned", Rule::Flagger { interval: 30, threshold: 2, doc: false }),
    ("Flagger, canary doc", Rule::Flagger { interval: 60, threshold: 10, doc: true }),
    ("Argo, aligned", Rule::Argo),
    ("CloudWatch 2 of 2", Rule::CloudWatch),
];

/// Requests, and of these failed, over the declared latency, over the documentation's.
type Counts = [u64; 4];

/// A peer at work on Green.
#[derive(Debug, Clone)]
pub struct Peer {
    rule: Rule,
    dice: Dice,
    switched: Option<Millis>,
    now: Counts,
    /// What had been counted at each multiple of 5 s since the switch.
    sums: Vec<Counts>,
    checks: (u64, u64),
    probes_in_a_row: u32,
    failed: u64,
    over_since: Option<u64>,
}

impl Peer {
    /// One that has seen nothing. The seed chooses which probe of five seconds it sends.
    pub fn new(rule: Rule, seed: u64) -> Self {
        Self {
            rule,
            dice: Dice::stream(seed, Purpose::Policy),
            switched: None,
            now: [0; 4],
            sums: Vec::new(),
            checks: (0, 0),
            probes_in_a_row: 0,
            failed: 0,
            over_since: None,
        }
    }

    /// What was counted in the last `secs` seconds.
    fn window(&self, secs: u64) -> Counts {
        let last = self.sums.len() - 1;
        let first = last.saturating_sub((secs / 5) as usize);
        std::array::from_fn(|i| self.sums[last][i] - self.sums[first][i])
    }

    fn goes_back(&mut self, t: u64) -> bool {
        match self.rule {
            Rule::Window => t >= 120 && over(self.window(120)) == Some(true),
            Rule::For => {
                if over(self.window(60)) != Some(true) {
                    self.over_since = None;
                    return false;
                }
                t - *self.over_since.get_or_insert(t) >= 120
            }
            Rule::Wilson => {
                let [n, failed, slow, _] = self.window(120);
                let above = |k, limit| wilson_lower(k, n) > limit;
                t >= 120 && n >= 20 && (above(failed, 0.02) || above(slow, 0.05))
            }
            Rule::Flagger { interval, threshold, doc } => {
                if !t.is_multiple_of(interval) {
                    return false;
                }
                // It goes back at the run after the one that failed too often.
                if self.failed >= threshold {
                    return true;
                }
                let counts = self.window(60);
                let bad = if doc { over_doc(counts) } else { over(counts) };
                // No data is a failed check.
                self.failed += u64::from(bad != Some(false));
                false
            }
            Rule::Argo => {
                if t.is_multiple_of(60) {
                    self.failed += u64::from(over(self.window(60)) != Some(false));
                }
                self.failed > 3
            }
            Rule::CloudWatch => {
                if t.is_multiple_of(60) {
                    match over(self.window(60)) {
                        Some(true) => self.failed += 1,
                        Some(false) => self.failed = 0,
                        None => {}
                    }
                }
                self.failed >= 2
            }
        }
    }

    /// Whether three probes in a row have failed, of one in five seconds.
    fn probes_say_no(&mut self) -> bool {
        let (checks, unready) = std::mem::take(&mut self.checks);
        if checks > 0 {
            let failed = self.dice.unit() < unready as f64 / checks as f64;
            self.probes_in_a_row = if failed { self.probes_in_a_row + 1 } else { 0 };
        }
        self.probes_in_a_row >= 3 && matches!(self.rule, Rule::Window | Rule::For | Rule::Wilson)
    }
}

impl Policy for Peer {
    fn switch(&mut self, at: Millis) {
        self.switched = Some(at);
        (self.now, self.checks) = ([0; 4], (0, 0));
        self.sums = vec![[0; 4]];
    }

    fn second(&mut self, samples: &[Sample]) {
        for sample in samples.iter().filter(|sample| sample.role == Whose::Green) {
            if sample.from == Origin::Probes {
                self.checks.0 += sample.checks.unwrap_or(0);
                self.checks.1 += sample.unready.unwrap_or(0);
                continue;
            }
            let slower = |ms| sample.latency_ms.as_ref().map_or(0, |times| times.over(ms));
            let counts = [
                sample.requests.unwrap_or(0),
                sample.failed.unwrap_or(0),
                slower(SLOW_MS),
                slower(DOC_SLOW_MS),
            ];
            self.now.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    fn decide(&mut self, now: Millis) -> Said {
        let Some(switched) = self.switched else { return Said::Nothing };
        self.sums.push(self.now);
        let t = now.since(switched).as_secs();
        let probes = self.probes_say_no();
        if self.goes_back(t) || probes { Said::GoBack } else { Said::Nothing }
    }
}

/// Whether a share is above the declared limits; nothing where there was no request.
fn over([n, failed, slow, _]: Counts) -> Option<bool> {
    (n > 0).then_some(failed as f64 > 0.02 * n as f64 || slow as f64 > 0.05 * n as f64)
}

/// The same for the limits of Flagger's documentation.
fn over_doc([n, failed, _, slow]: Counts) -> Option<bool> {
    (n > 0).then_some(failed as f64 > 0.01 * n as f64 || slow as f64 > 0.01 * n as f64)
}

/// Wilson's lower bound of a share, one-sided, z = 1.645.
fn wilson_lower(k: u64, n: u64) -> f64 {
    let (k, n, z) = (k as f64, n as f64, 1.645);
    let p = k / n;
    let spread = z * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    (p + z * z / (2.0 * n) - spread) / (1.0 + z * z / n)
}
