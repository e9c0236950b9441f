//! The operator's TOML file: what can be said, what it means, and what is wrong with it.
mod types;
pub use types::*;

#[cfg(test)]
pub mod fixture;
