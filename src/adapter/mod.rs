//! The ports to the world: routers, sources and commands.
pub mod command;
pub mod router;
pub mod source;
