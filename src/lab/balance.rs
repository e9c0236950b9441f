//! The proxy's choice between two slots: smooth and weighted, so that at 90/10 every tenth
//! request goes to the second slot, and not ten in a row out of a hundred.
//!
//! For a user the choice hangs on their number and the weights alone. Chosen in turns, one user
//! who comes a millisecond sooner or later than a write, or one of our own requests among them,
//! would send everybody who comes after to the other slot; and a drill on sockets would not be
//! the drill of the same seed on simulated time. Who is no user takes turns.

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

    /// Where the user of this number goes; nowhere if no slot has weight.
    pub fn of(&self, n: u64) -> Option<Slot> {
        let [first, second] = self.weights.map(u64::from);
        let total = first + second;
        let place = n.checked_rem(total)?;
        let owed = |places: u64| places * second / total;
        Some(if owed(place + 1) > owed(place) { Slot::Second } else { Slot::First })
    }

    /// Where the next request goes that no user made; nowhere if no slot has weight.
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
        let splits = [0, 1, 10, 33, 50, 99, 100];
        for (second, users) in splits.into_iter().flat_map(|s| [(s, true), (s, false)]) {
            let mut balance = Balance::new([100 - second, second]);
            let mut choices = Vec::new();
            for begins in [0_u64, 100, 200] {
                let mut choose = |n| if users { balance.of(begins + n) } else { balance.choose() };
                let round: Vec<_> = (0..100).filter_map(&mut choose).collect();
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
        assert_eq!(Balance::new([0, 0]).of(7), None);
    }

    #[test]
    fn who_else_came_does_not_change_where_a_user_goes() {
        let (mut busy, calm) = (Balance::new([75, 25]), Balance::new([75, 25]));
        for n in 1_000..1_200 {
            for _ in 0..n % 3 {
                busy.choose();
            }
            assert_eq!(busy.of(n), calm.of(n));
        }
    }
}
