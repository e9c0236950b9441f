//! Whether what was seen can be luck.
//!
//! Money is bet against "Green is no worse than Blue normally is", on six sizes of worse at once.
//! Where Green is no worse, nobody multiplies their money by 100 but once in a hundred watches,
//! however often they look (Ville's inequality). Half of the money is staked at the start; the
//! other half is put in evenly over the watch, so that a fault that begins late is not hidden
//! behind the good time before it.

use super::share::MOST;
use crate::units::Millis;

/// How many times worse than the limit, in odds.
const WORSE: [f64; 6] = [1.5, 3.0, 8.0, 25.0, 100.0, 1000.0];
/// Money that is staked at the start; as much is put in later.
const HALF: f64 = 0.5;
/// Proved at one in so many.
pub const PROOF: f64 = 100.0;
const LN_LEAST: f64 = -700.0;
/// `ln 1e12`: one bet's money never counts for more.
const LN_MOST: f64 = 27.631_021_115_928_547;

/// What one failure and one good answer are worth to each of the bets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stakes {
    failure: [f64; 6],
    good: [f64; 6],
}

impl Stakes {
    /// Bets that Green is worse than `x` against its being no worse than `b`; shares, 0 to 1.
    pub fn new(x: f64, b: f64) -> Self {
        let share = |m: f64| {
            let odds = m * x / (1.0 - x);
            (odds / (1.0 + odds)).min(MOST)
        };
        Self {
            failure: WORSE.map(|m| libm::log(share(m) / b)),
            good: WORSE.map(|m| libm::log((1.0 - share(m)) / (1.0 - b))),
        }
    }
}

/// The bets, and what they are worth.
#[derive(Debug, Clone)]
pub struct Evidence {
    ln_money: [f64; 6],
    /// The same, not as a logarithm.
    money: [f64; 6],
    spent: f64,
    worth: f64,
    /// When it was proved last, and what it was worth then.
    proved: Option<(Millis, f64)>,
}

impl Default for Evidence {
    fn default() -> Self {
        let each = libm::log(HALF / WORSE.len() as f64);
        Self {
            ln_money: [each; 6],
            money: [libm::exp(each); 6],
            spent: 0.0,
            worth: 1.0,
            proved: None,
        }
    }
}

impl Evidence {
    /// Takes so many failures and good answers into account, whole or in part, and puts the
    /// share `w` of the money in. Without either nothing is said, and nothing changes.
    pub fn learn(&mut self, now: Millis, failures: f64, good: f64, w: f64, stakes: &Stakes) {
        if failures + good <= 0.0 {
            return;
        }
        let mut worth = 0.0;
        for i in 0..WORSE.len() {
            let staked = libm::log(self.money[i] + w / WORSE.len() as f64);
            let won = failures * stakes.failure[i] + good * stakes.good[i];
            self.ln_money[i] = (staked + won).clamp(LN_LEAST, LN_MOST);
            self.money[i] = libm::exp(self.ln_money[i]);
            worth += self.money[i];
        }
        self.spent += w;
        self.worth = worth + (HALF - self.spent).max(0.0);
        if self.worth >= PROOF {
            self.proved = Some((now, self.worth));
        }
    }

    /// One in how many it would be luck.
    pub const fn worth(&self) -> f64 {
        self.worth
    }

    /// Whether it was proved within the last `hold`.
    pub fn is_proved(&self, now: Millis, hold: Millis) -> bool {
        self.proved.is_some_and(|(at, _)| now.since(at) <= hold)
    }

    /// One in how many it would be luck, at the time that it was proved as long as that counts.
    pub fn told(&self, now: Millis, hold: Millis) -> f64 {
        match self.proved {
            Some((at, worth)) if now.since(at) <= hold => worth.max(self.worth),
            _ => self.worth,
        }
    }
}

/// Seconds over which the first of several failures that come together counts whole.
const TOGETHER: usize = 5;

/// The same bets where failures come in lumps: of several that come together the first counts
/// whole, and the rest as much as lumps of Blue's usual size leave of them.
#[derive(Debug, Clone, Default)]
pub struct Lumped {
    evidence: Evidence,
    /// What counted at each of the evaluations of the last 25 s.
    counted: [f64; TOGETHER],
    at: usize,
}

impl Lumped {
    /// Takes `bad` of `of` into account, where failures come `c` at a time.
    pub fn learn(&mut self, now: Millis, bad: u64, of: u64, c: f64, w: f64, stakes: &Stakes) {
        let (k, n) = (bad as f64, of as f64);
        let before: f64 = self.counted.iter().sum();
        let failures = k.min((k / c).max(1.0 - before));
        self.counted[self.at] = failures;
        self.at = (self.at + 1) % TOGETHER;
        self.evidence.learn(now, failures, (n - k) / c, w, stakes);
    }

    /// What the bets say.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: f64 = 0.02;
    const B: f64 = 0.002;

    fn fed(seconds: impl Iterator<Item = (f64, f64)>, w: f64) -> Evidence {
        let (mut evidence, stakes) = (Evidence::default(), Stakes::new(X, B));
        for (i, (k, n)) in seconds.enumerate() {
            evidence.learn(Millis::secs(5 * (i as u64 + 1)), k, n - k, w, &stakes);
        }
        evidence
    }

    #[test]
    fn nothing_seen_is_worth_what_was_staked_and_changes_nothing() {
        let evidence = fed([(0.0, 0.0); 100].into_iter(), 0.01);
        assert_eq!(evidence.worth(), 1.0);
    }

    #[test]
    fn a_few_failures_of_few_prove_it_and_one_does_not() {
        assert!(fed([(1.0, 3.0)].into_iter(), 0.003).worth() < PROOF);
        assert!(fed([(2.0, 3.0)].into_iter(), 0.003).worth() > PROOF);
    }

    #[test]
    fn a_fault_that_begins_after_a_long_good_time_is_proved_almost_as_soon() {
        let good = std::iter::repeat_n((0.0, 50.0), 150);
        let bad = std::iter::repeat_n((10.0, 50.0), 2);
        assert!(fed(good.chain(bad), 0.5 / 180.0).worth() > PROOF);
    }

    #[test]
    fn what_was_proved_stays_so_for_the_hold_and_no_longer() {
        let evidence = fed([(40.0, 50.0)].into_iter(), 0.003);
        let hold = Millis::secs(120);
        assert!(evidence.is_proved(Millis::secs(125), hold));
        assert!(!evidence.is_proved(Millis::secs(126), hold));
    }

    #[test]
    fn seven_failures_of_one_session_count_little_more_than_one() {
        let stakes = Stakes::new(X, B);
        let mut lumped = Lumped::default();
        lumped.learn(Millis::secs(5), 4, 25, 7.0, 0.003, &stakes);
        lumped.learn(Millis::secs(10), 3, 25, 7.0, 0.003, &stakes);
        assert!(lumped.evidence().worth() < PROOF, "{}", lumped.evidence().worth());
        let plain = fed([(4.0, 25.0), (3.0, 25.0)].into_iter(), 0.003);
        assert!(plain.worth() > 1e4, "{}", plain.worth());
    }

    #[test]
    fn money_of_a_hopeless_bet_comes_back_within_one_stake() {
        let good = std::iter::repeat_n((0.0, 1e6), 200);
        let evidence = fed(good, 0.0);
        assert!(evidence.worth() >= HALF && evidence.worth().is_finite());
    }
}
