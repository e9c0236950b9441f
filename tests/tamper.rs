//! Tampering: whatever is changed in a bundle after it was sealed, neither check verifies it.
//!
//! Each time with another seed, which is printed: `TAMPER_SEED=N cargo test --test tamper`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on shall fail")]

#[path = "support/authority.rs"]
#[allow(dead_code, reason = "of the authority's answers")]
mod authority;
#[path = "support/bundle.rs"]
#[allow(dead_code, reason = "of the place's parts")]
mod bundle;
#[path = "support/sim/plan.rs"]
#[allow(dead_code, reason = "of the plan's parts")]
mod fixture;
#[path = "support/tamper.rs"]
#[allow(dead_code, reason = "the bench counts more of it")]
mod tamper;

use tamper::{Dice, copy, tamper as tampered};

fn seed() -> u64 {
    let given = std::env::var("TAMPER_SEED").ok().and_then(|seed| seed.parse().ok());
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = given.unwrap_or(clock.as_nanos() as u64);
    println!("seed: TAMPER_SEED={seed}");
    seed
}

#[test]
fn six_hundred_tampered_bundles_do_not_verify_and_sixty_not_by_the_script() {
    let seed = seed();
    let (place, _authority, sealed) = tamper::sealed();
    let dir = place.home.path().join("tampered");
    let mut dice = Dice(seed);
    let mut done = 0;
    while done < 600 {
        copy(&sealed, &dir);
        let (way, Some(how)) = tampered(&place, &dir, &mut dice) else { continue };
        done += 1;
        let told = place.verify(&dir);
        assert_ne!(told.exit(), 0, "{way:?} {how} is missed (number {done})");
        if !way.leaves_it_whole() {
            assert_eq!(told.exit(), 1, "{way:?} {how}: {:?}", told.checks);
        }
        if done % 10 == 0 {
            let (exit, said) = place.script(&dir, true);
            let blind = tamper::is_blind_there(&sealed, &dir);
            assert!([1, 2].contains(&exit) || blind, "{way:?} {how}: {exit} {said}");
        }
    }
}
