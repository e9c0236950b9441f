//! The proxy's choice between two slots: smooth and weighted, so that at 90/10 every tenth
//! request goes to the second slot, and not ten in a row out of a hundred.

use crate::units::Slot;

/// Weights, and how much each slot is owed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Balance {
    weights: [u32; 2],
    owed: [i64; 2],
}

impl Balance {
    pub const fn new(weights: [u32; 2]) -> Self {
        Self { weights, owed: [0; 2] }
    }

    pub const fn weights(&self) -> [u32; 2] {
        self.weights
    }

    /// Where the next request goes; nowhere if no slot has weight.
    pub fn choose(&mut self) -> Option<Slot> {
        let total = i64::from(self.weights[0]) + i64::from(self.weights[1]);
        if total == 0 {
            return None;
        }
        for (owed, weight) in self.owed.iter_mut().zip(self.weights) {
            *owed += i64::from(weight);
        }
        let slot = if self.owed[1] > self.owed[0] { Slot::Second } else { Slot::First };
        self.owed[slot.index()] -= total;
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hundred_choices_hold_the_split_exactly_and_spread_it() {
        for second in [0, 1, 10, 33, 50, 99, 100] {
            let mut balance = Balance::new([100 - second, second]);
            let mut choices = Vec::new();
            for _ in 0..3 {
                let round: Vec<_> = (0..100).filter_map(|_| balance.choose()).collect();
                let got = round.iter().filter(|slot| **slot == Slot::Second).count();
                assert_eq!(got, second as usize);
                choices.extend(round);
            }
            if second == 10 {
                let spread = choices
                    .chunks(10)
                    .all(|ten| ten.iter().filter(|slot| **slot == Slot::Second).count() == 1);
                assert!(spread, "one in each ten");
            }
        }
        assert_eq!(Balance::new([0, 0]).choose(), None);
    }
}
