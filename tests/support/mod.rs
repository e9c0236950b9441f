//! Real parts for tests: an HAProxy with two services behind it, on ports that the system gives;
//! users; and the built program, in a terminal of its own or without one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub mod cockpit;
pub mod haproxy;
pub mod lines;
pub mod place;
pub mod service;
pub mod site;
pub mod users;

/// A socket that is bound and never listens: whoever connects is refused, and nobody else gets its
/// port while it lives. (A port that was let go may be another test's a moment later.)
pub fn deaf() -> tokio::net::TcpSocket {
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind(([127, 0, 0, 1], 0).into()).unwrap();
    deaf
}
