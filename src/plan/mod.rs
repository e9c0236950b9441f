//! The operator's TOML file: what can be said, what it means, and what is wrong with it.
//!
//! [`load`] reads a file, [`parse`] a text. Both end in a [`Plan`] with every default filled in,
//! and warnings about what will hurt; or in [`Faults`], all of them, each with line, cause and
//! hint. The way goes through one table of keys (`keys`): the text is parsed into tables that
//! know their places, walked against that table (`walk`, `value`, `address`), and built into the plan
//! (`build`). The same rows print the plan in full ([`effective`]) and as a JSON Schema
//! ([`schema`]).
//!
//! Nothing here reaches the network or runs a command: a plan can be read and judged on a machine
//! that knows none of what it names. What depends on this machine and no more (variables, files,
//! programs on the path) is asked for by name: [`secrets`], [`commands_on_path`].

mod address;
mod build;
mod effective;
mod fault;
mod keys;
mod limits;
mod loaded;
mod on_path;
mod overrides;
mod placeholder;
mod rehearsal;
mod runbook_md;
mod schema;
pub mod secrets;
mod types;
mod value;
mod walk;
mod warn;
mod words;

pub use effective::effective;
pub use fault::{Excerpt, Faults, PlanFault, Severity};
pub use limits::default_limits;
pub use loaded::{Loaded, Places, load, parse};
pub use on_path::commands_on_path;
pub use overrides::Overrides;
pub use placeholder::{Placeholder, fill, placeholders};
pub use rehearsal::Rehearsal;
pub use runbook_md::runbook_md;
pub use schema::schema;
pub use types::*;
pub use value::quoted;
pub use warn::limits::{false_alarms, latency_against, limits_against, traffic};
pub use warn::{surroundings, warnings};

#[cfg(test)]
pub mod fixture;
