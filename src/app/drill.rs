//! A drill: the same program over the lab. From here on nothing knows that it is one, but for
//! the word in each frame.

use super::flight::begin;
use super::{Failure, watcher};
use crate::cli::Global;
use crate::lab::{self, Lab, scenario};
use crate::plan;
use crate::runbook::Kind;
use std::collections::BTreeMap;

/// Flies a drill.
pub fn drill(global: &Global, name: &str, seed: Option<u64>) -> Result<u8, Failure> {
    let watcher = watcher(global)?;
    let scenario =
        scenario::load(name).map_err(|fault| Failure::usage(&fault.cause, &fault.hint))?;
    let seed = seed.unwrap_or_else(|| scenario.default_seed());
    let mut lab = Lab::start(&scenario, seed)?;
    let text = lab.plan_toml();
    let loaded = plan::parse(&text, "the lab's plan")?;
    let (kind, text) = (Kind::Drill, text.as_bytes());
    let exit = begin(global, watcher, kind, &loaded.plan, text, None, BTreeMap::new());
    lab.stop();
    exit
}

/// What the lab's own commands do: an act on the lab, over its control endpoint.
pub fn act(address: &str, words: &[String]) -> Result<u8, Failure> {
    lab::act(address, words, &mut std::io::stdout().lock())?;
    Ok(0)
}
