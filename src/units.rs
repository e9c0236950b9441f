//! Quantities that could be confused, as types: milliseconds, percents, slots.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Whole milliseconds: a length of time, or an instant counted from the beginning of the run.
///
/// The run's clock is monotone and continues over a resume, so an instant is only meaningful
/// inside one run. Arithmetic saturates: a clock that misbehaves must not end the program.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// No time at all; also the instant at which the run began.
    pub const ZERO: Self = Self(0);

    /// This many seconds.
    pub const fn secs(secs: u64) -> Self {
        Self(secs * 1000)
    }

    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// How long after `earlier` this instant is; zero if it is not after it.
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Millis {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Millis {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Millis {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.since(other)
    }
}

impl From<Millis> for std::time::Duration {
    fn from(ms: Millis) -> Self {
        Self::from_millis(ms.0)
    }
}

/// Prints as people write durations: `250ms`, `30s`, `5m`, `1h30m`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0;
        if ms == 0 {
            return f.write_str("0s");
        }
        if !ms.is_multiple_of(1000) {
            return if ms < 1000 {
                write!(f, "{ms}ms")
            } else {
                let tenths = format!("{:.3}", ms as f64 / 1000.0);
                write!(f, "{}s", tenths.trim_end_matches('0'))
            };
        }
        let secs = ms / 1000;
        let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
        if h > 0 {
            write!(f, "{h}h")?;
        }
        if m > 0 {
            write!(f, "{m}m")?;
        }
        if s > 0 {
            write!(f, "{s}s")?;
        }
        Ok(())
    }
}

/// Reads what people write: parts of a number and a unit (`d`, `h`, `m`, `s`, `ms`), the larger
/// unit first. What [`Millis`] prints, it reads. The error is a fragment that names the cause.
impl std::str::FromStr for Millis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("it is empty".to_owned());
        }
        let (mut total, mut last) = (0_u64, u64::MAX);
        while !rest.is_empty() {
            let digits =
                rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            let (unit, after) = after.split_at(letters);
            let scale = match unit {
                "d" => 86_400_000,
                "h" => 3_600_000,
                "m" => 60_000,
                "s" => 1_000,
                "ms" => 1,
                "" => return Err("a unit is missing".to_owned()),
                other => return Err(format!("`{other}` is not a unit of time")),
            };
            if number.is_empty() {
                return Err(format!("a number is missing before `{unit}`"));
            }
            if scale >= last {
                return Err("the larger unit comes first, and each once".to_owned());
            }
            let ms = scaled(number, scale).ok_or_else(|| {
                format!("{number}{unit} is not a whole number of milliseconds, or far too long")
            })?;
            total = total.checked_add(ms).ok_or("it is far too long")?;
            (rest, last) = (after, scale);
        }
        Ok(Self(total))
    }
}

/// `number` times `scale` in whole numbers: decimals are exact or refused.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if number.ends_with('.') || whole.is_empty() || decimals.len() > 9 {
        return None;
    }
    let mut ms = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    if !decimals.is_empty() {
        let parts = 10_u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        let share = decimals.parse::<u64>().ok()?.checked_mul(scale)?;
        if !share.is_multiple_of(parts) {
            return None;
        }
        ms = ms.checked_add(share / parts)?;
    }
    Some(ms)
}

/// One of the plan's two slots, by its position in the plan file. Which of them is Blue is
/// decided at step 1 and not by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The slot that the plan names first.
    First,
    /// The slot that the plan names second.
    Second,
}

impl Slot {
    /// Both, in the plan's order.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The other slot.
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Position in arrays that hold one item a slot.
    pub const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// What a slot is in this run: Blue serves users when the run begins, Green is the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Serves users when the run begins; the way back.
    Blue,
    /// The candidate.
    Green,
}

impl Role {
    /// Both roles, Blue first.
    pub const BOTH: [Self; 2] = [Self::Blue, Self::Green];

    /// Position in arrays that hold one item a role.
    pub const fn index(self) -> usize {
        match self {
            Self::Blue => 0,
            Self::Green => 1,
        }
    }

    /// The other role.
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blue => "Blue",
            Self::Green => "Green",
        })
    }
}

/// A share in whole percent, 0 to 100.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(100);

    /// A percentage, or `None` above 100.
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 100 { Some(Self(value)) } else { None }
    }

    /// The number itself.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// What is left to 100.
    pub const fn rest(self) -> Self {
        Self(100 - self.0)
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;
    fn try_from(value: u8) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("{value} is more than 100 percent"))
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How the traffic is divided between the two slots. It cannot be wrong: one share is stored,
/// the other is what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Split {
    second: Percent,
}

impl Split {
    /// `percent` to `slot`, the rest to the other.
    pub const fn giving(slot: Slot, percent: Percent) -> Self {
        match slot {
            Slot::First => Self { second: percent.rest() },
            Slot::Second => Self { second: percent },
        }
    }

    /// Everything to `slot`.
    pub const fn all_to(slot: Slot) -> Self {
        Self::giving(slot, Percent::ALL)
    }

    /// What `slot` gets.
    pub const fn share(self, slot: Slot) -> Percent {
        match slot {
            Slot::First => self.second.rest(),
            Slot::Second => self.second,
        }
    }

    /// The slot that gets everything, if one does.
    pub fn sole(self) -> Option<Slot> {
        Slot::BOTH.into_iter().find(|&slot| self.share(slot) == Percent::ALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_people_write_them() {
        for (ms, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1_500, "1.5s"),
            (30_000, "30s"),
            (300_000, "5m"),
            (5_400_000, "1h30m"),
            (3_601_000, "1h1s"),
        ] {
            assert_eq!(Millis(ms).to_string(), text);
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("0s", 0),
            ("250ms", 250),
            ("1.5s", 1_500),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("1m0.25s", 60_250),
        ] {
            assert_eq!(text.parse(), Ok(Millis(ms)), "{text}");
        }
        for ms in [0, 1, 999, 1_000, 3_599_999, 3_600_000, 90_061_001] {
            assert_eq!(Millis(ms).to_string().parse(), Ok(Millis(ms)));
        }
        let no = [
            "",
            "30",
            "s",
            "5 m",
            "-5s",
            "1m1h",
            "1s1s",
            "1.5ms",
            "1.s",
            ".5s",
            "1..5s",
            "5min",
            "1e3s",
            "99999999999999999999s",
            "999999999999999999h",
        ];
        for text in no {
            assert!(text.parse::<Millis>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_split_always_sums_to_a_hundred() {
        for n in 0..=100 {
            let split = Split::giving(Slot::First, Percent::new(n).unwrap());
            assert_eq!(split.share(Slot::First).get() + split.share(Slot::Second).get(), 100);
            assert_eq!(split.share(Slot::First).get(), n);
        }
    }
}
