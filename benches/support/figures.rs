//! The words in which every bench tells its figures: the value, the goal beside it, and whether it
//! was met. Nothing fails on a figure.
#![allow(dead_code, reason = "each bench uses its own part of this")]

/// Whether this is a bench. `cargo test --all-targets` starts benches too; they are no tests.
pub fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// The numbers on the command line, behind `--`; what is not said is `otherwise`.
pub fn numbers<const N: usize>(mut otherwise: [u64; N]) -> [u64; N] {
    let said = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    otherwise.iter_mut().zip(said).for_each(|(number, said)| *number = said);
    otherwise
}

/// The value that this share of the sorted values does not exceed.
pub fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values[(last as f64 * q).round() as usize]
}

/// Prints a figure with its goal, which it must not exceed. Nothing fails on it.
pub fn figure(what: &str, value: f64, unit: &str, goal: f64) {
    let word = if value <= goal { "met" } else { "falls short" };
    println!("  {what:<44} {value:>9.2} {unit:<8} at most {goal:<6.2} {word}");
}

/// Prints a figure that has no goal.
pub fn remark(what: &str, value: f64, unit: &str) {
    println!("  {what:<44} {value:>9.2} {unit}");
}
