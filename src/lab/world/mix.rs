//! Who comes more than was declared, or less: one cohort or one route, or everybody.

use crate::lab::fault::FaultSpec;
use crate::lab::scenario::TrafficSpec;

/// Shares of cohorts and of routes; nothing where they are as declared.
#[derive(Debug, Default)]
pub(super) struct Mix {
    pub cohorts: Vec<f64>,
    pub routes: Vec<f64>,
}

/// One share becomes so many times as much. Where it is a shift, the others become as much less;
/// otherwise more come in all: so many times as many.
fn moved(shares: &mut [f64], n: usize, times: f64, shift: bool) -> f64 {
    let old = shares[n];
    let new = if shift { (old * times).min(1.0) } else { old * times };
    let others: f64 = if shift { (1.0 - new) / (1.0 - old).max(f64::MIN_POSITIVE) } else { 1.0 };
    for (place, share) in shares.iter_mut().enumerate() {
        *share = if place == n { new } else { *share * others };
    }
    let all: f64 = shares.iter().sum();
    let whole = all.max(f64::MIN_POSITIVE);
    for share in shares.iter_mut() {
        *share /= whole;
    }
    if shift { 1.0 } else { all }
}

impl Mix {
    /// So many times as many come as a fault's keys say; says by how much all are more.
    pub fn moves(
        &mut self,
        traffic: &TrafficSpec,
        fault: &FaultSpec,
        times: f64,
        shift: bool,
    ) -> f64 {
        let mut factor = None;
        if let Some(n) = place(&fault.cohort, traffic.cohorts.iter().map(|c| &c.name)) {
            if self.cohorts.is_empty() {
                self.cohorts = traffic.cohorts.iter().map(|cohort| cohort.share).collect();
            }
            factor = Some(moved(&mut self.cohorts, n, times, shift));
        }
        if let Some(n) = place(&fault.route, traffic.routes.iter().map(|r| &r.path)) {
            if self.routes.is_empty() {
                self.routes = traffic.routes.iter().map(|route| route.share).collect();
            }
            let by = moved(&mut self.routes, n, times, shift);
            factor = Some(factor.unwrap_or(1.0) * by);
        }
        factor.unwrap_or(times)
    }
}

fn place<'a>(name: &Option<String>, mut all: impl Iterator<Item = &'a String>) -> Option<usize> {
    let name = name.as_ref()?;
    all.position(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_one_is_more_of_all_unless_it_is_a_shift() {
        let mut shares = [0.8, 0.2];
        assert!((moved(&mut shares, 1, 3.0, false) - 1.4).abs() < 1e-9);
        assert!((shares[1] - 0.6 / 1.4).abs() < 1e-9);
        let mut shares = [0.8, 0.2];
        assert_eq!(moved(&mut shares, 1, 3.0, true), 1.0);
        assert!((shares[0] - 0.4).abs() < 1e-9 && (shares[1] - 0.6).abs() < 1e-9);
    }
}
