//! One seed gives one story, and a story that fails is made smaller as long as it fails the same
//! way.

use super::fly::{Flown, Log, fly};
use super::story::{Story, compressed};
use super::weather::{self, Pace};
use crate::sim::{Broken, plan};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::time::{Duration, Instant};
use switchback::plan::Plan;

/// A failure is made smaller for no longer than this.
const SHRINKING: Duration = Duration::from_secs(20);

/// Makes stories of compressed plans.
pub struct Teller {
    stories: BoxedStrategy<Story>,
    plan: Plan,
}

/// A story that broke an invariant.
pub struct Failure {
    /// The seed that tells it.
    pub seed: u64,
    /// The smallest story that was found to break the same.
    pub story: Story,
    /// What it breaks.
    pub broken: Box<Broken>,
    /// What happened in it, and when.
    pub log: Log,
}

impl Default for Teller {
    fn default() -> Self {
        Self { stories: weather::story(Pace::Compressed).boxed(), plan: compressed(plan()) }
    }
}

impl Teller {
    /// Flies the story of a seed.
    ///
    /// # Errors
    /// The seed, where an invariant is broken.
    pub fn flies(&self, seed: u64) -> Result<Flown, u64> {
        let story = self.tree(seed).current();
        self.fly(&story, None).map_err(|_| seed)
    }

    /// The sentence that the story of a seed breaks.
    pub fn breaks(&self, seed: u64) -> Option<String> {
        let story = self.tree(seed).current();
        self.fly(&story, None).err().map(|broken| broken.says)
    }

    fn fly(&self, story: &Story, log: Option<&mut Log>) -> Result<Flown, Box<Broken>> {
        fly(story, &story.terms.of(self.plan.clone()), log)
    }

    fn tree(&self, seed: u64) -> impl ValueTree<Value = Story> + use<> {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &wide(seed));
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        match self.stories.new_tree(&mut runner) {
            Ok(tree) => tree,
            Err(reason) => panic!("no story: {reason}"),
        }
    }

    /// Makes the story of a seed as small as it can be and still break the same.
    pub fn shrinks(&self, seed: u64) -> Option<Failure> {
        let began = Instant::now();
        let mut tree = self.tree(seed);
        let mut best = (tree.current(), self.fly(&tree.current(), None).err()?);
        let says = best.1.says.clone();
        let mut goes_on = tree.simplify();
        while goes_on && began.elapsed() < SHRINKING {
            let story = tree.current();
            match self.fly(&story, None) {
                Err(broken) if broken.says == says => {
                    best = (story, broken);
                    goes_on = tree.simplify();
                }
                _ => goes_on = tree.complicate(),
            }
        }
        let mut log = Log::new();
        let _ = self.fly(&best.0, Some(&mut log));
        let (story, broken) = best;
        Some(Failure { seed, story, broken, log })
    }
}

/// A seed as wide as the generator wants it.
fn wide(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (n, eight) in bytes.chunks_exact_mut(8).enumerate() {
        let mut x = seed.wrapping_add((n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        eight.copy_from_slice(&(x ^ (x >> 31)).to_le_bytes());
    }
    bytes
}
