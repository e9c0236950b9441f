//! Tampering, counted: `cargo bench --bench tamper -- 10000 [SEED]`.
//!
//! So many bundles are changed, each in a way that dice choose, and checked by the built-in check;
//! 500 of them by the script with stock tools as well. Missed is what ends with 0. At least a tenth
//! are whole rewrites, in which every digest is right. The bundle carries a recording, an approval
//! and tokens. Prints missed of tried, by way; ends with 1 where anything was missed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a bench that cannot go on shall fail"
)]

#[path = "../tests/support/authority.rs"]
#[allow(dead_code, reason = "of the authority's answers")]
mod authority;
#[path = "../tests/support/bundle.rs"]
#[allow(dead_code, reason = "of the place's parts")]
mod bundle;
#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/support/sim/plan.rs"]
#[allow(dead_code, reason = "of the plan's parts")]
mod fixture;
#[path = "../tests/support/tamper.rs"]
mod tamper;

use std::collections::BTreeMap;
use std::time::Instant;
use tamper::{Dice, Way, copy, tamper as tampered};

#[derive(Default)]
struct Tally {
    tried: u64,
    missed: u64,
    by_script: u64,
    missed_by_script: u64,
}

fn main() {
    if !figures::is_bench() {
        return;
    }
    let [wanted, seed] = figures::numbers([1_000, 7]);
    let scripted = 500.min(wanted);
    let (place, _authority, sealed) = tamper::sealed();
    let dir = place.home.path().join("tampered");
    let mut dice = Dice(seed);
    let mut tallies: BTreeMap<Way, Tally> = BTreeMap::new();
    let (mut done, mut whole, mut blind) = (0, 0, 0);
    let began = Instant::now();
    while done < wanted {
        copy(&sealed, &dir);
        let (way, Some(how)) = tampered(&place, &dir, &mut dice) else { continue };
        done += 1;
        whole += u64::from(way.is_whole_rewrite());
        let tally = tallies.entry(way).or_default();
        tally.tried += 1;
        let exit = place.verify(&dir).exit();
        // What is not whole is tampered with, and not only of an unknown author.
        if exit == 0 || (exit == 2 && !way.leaves_it_whole()) {
            tally.missed += 1;
            println!("MISSED ({exit}) {way:?}: {how}");
        }
        if done * scripted / wanted > (done - 1) * scripted / wanted {
            tally.by_script += 1;
            let (exit, said) = place.script(&dir, true);
            if exit == 0 && tamper::is_blind_there(&sealed, &dir) {
                blind += 1;
                println!("verify.sh says that it does not look there: {how}");
            } else if exit == 0 {
                tally.missed_by_script += 1;
                println!("MISSED by verify.sh ({exit}) {way:?}: {how}: {said}");
            }
        }
    }
    println!("seed {seed}, {:.0} s; {whole} whole rewrites", began.elapsed().as_secs_f64());
    println!("{blind} in bytes of a token that nobody has signed and verify.sh does not look at");
    println!("{:<18} {:>7} {:>7}   {:>9} {:>7}", "way", "tried", "missed", "verify.sh", "missed");
    let mut all = Tally::default();
    for (way, tally) in &tallies {
        row(&format!("{way:?}"), tally);
        all.tried += tally.tried;
        all.missed += tally.missed;
        all.by_script += tally.by_script;
        all.missed_by_script += tally.missed_by_script;
    }
    row("all", &all);
    std::process::exit(i32::from(all.missed + all.missed_by_script > 0));
}

fn row(name: &str, tally: &Tally) {
    let Tally { tried, missed, by_script, missed_by_script } = tally;
    println!("{name:<18} {tried:>7} {missed:>7}   {by_script:>9} {missed_by_script:>7}");
}
