//! Durations as people write them in a scenario: `250ms`, `6s`, `1m30s`, `1.5s`.

use crate::units::Millis;

/// Reads a duration; the error is a fragment that names the text and the next move.
pub fn span(text: &str) -> Result<Millis, String> {
    let wrong = || {
        format!("{text:?} is no duration: write a number and a unit, such as 250ms, 6s or 1m30s")
    };
    let mut total = 0.0;
    let mut rest = text;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let scale = match unit {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            _ => return Err(wrong()),
        };
        if number.is_sign_negative() {
            return Err(wrong());
        }
        total += number * scale;
        rest = tail;
    }
    Ok(Millis(total.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_as_it_prints() {
        for ms in [0, 250, 1_500, 6_000, 90_000, 3_601_000] {
            assert_eq!(span(&Millis(ms).to_string()), Ok(Millis(ms)));
        }
        for wrong in ["", "6", "s", "6 seconds", "-1s", "1s-1ms", "NaNs", "6d"] {
            assert!(span(wrong).is_err(), "{wrong:?}");
        }
    }
}
