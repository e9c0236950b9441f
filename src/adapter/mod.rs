//! The ports to the world: routers, sources and commands.
pub mod router;
