//! Arithmetic of shares: all of it through one `libm`, so that a verdict is the same bit for bit
//! on every machine.

/// No share that stands in a logarithm is larger than this.
pub const MOST: f64 = 0.999;

/// `k ln x`, where nothing times anything is nothing.
pub fn times_ln(k: f64, x: f64) -> f64 {
    if k == 0.0 { 0.0 } else { k * libm::log(x) }
}

/// Wilson's upper bound of a share, one-sided, z = 1.645; `n` is above 0.
pub fn wilson_upper(k: u64, n: u64) -> f64 {
    let (k, n, z) = (k.min(n) as f64, n as f64, 1.645);
    let p = k / n;
    let spread = z * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    (p + z * z / (2.0 * n) + spread) / (1.0 + z * z / n)
}

/// How much likelier the share `q` makes `k` of `n` than the share `b` does, as a logarithm.
pub fn ln_ratio(k: u64, n: u64, q: f64, b: f64) -> f64 {
    let (q, b) = (q.min(MOST), b.min(MOST));
    let (bad, good) = (k.min(n) as f64, n.saturating_sub(k) as f64);
    times_ln(bad, q / b) + times_ln(good, (1.0 - q) / (1.0 - b))
}

/// How many requests it takes until a release at five times the limit would have shown:
/// `ln(1200) / KL(min(5X, 0.5) || b)`. `x` is the limit, `b` Blue's normal share, both 0 to 1.
pub fn requests_needed(x: f64, b: f64) -> u64 {
    let bad = (5.0 * x).min(0.5);
    let kl = times_ln(bad, bad / b) + times_ln(1.0 - bad, (1.0 - bad) / (1.0 - b));
    if kl <= 0.0 { u64::MAX } else { libm::ceil(libm::log(1200.0) / kl) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_four_requests_would_have_shown_a_bad_release_at_two_percent() {
        assert_eq!(requests_needed(0.02, 0.002), 24);
        assert!(requests_needed(0.02, 0.02) > 80, "a sick Blue makes it harder to tell");
    }

    #[test]
    fn wilson_says_little_of_few_and_much_of_many() {
        assert!((wilson_upper(0, 10) - 0.2130).abs() < 0.001);
        assert!((wilson_upper(10, 10_000) - 0.0016).abs() < 0.0002);
    }

    #[test]
    fn nothing_speaks_for_neither_share() {
        assert_eq!(ln_ratio(0, 0, 0.5, 0.01), 0.0);
        assert!(ln_ratio(5, 10, 0.5, 0.01) > 0.0);
        assert!(ln_ratio(0, 10, 0.5, 0.01) < 0.0);
    }
}
