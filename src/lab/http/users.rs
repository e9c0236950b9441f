//! The users: one task lets them arrive when the model says, whether or not anybody answers, and
//! each asks over one of a few kept connections. They see what users see, and count it.

use super::service::USER;
use super::site::{Site, prompt};
use crate::lab::world::{Arrival, PATIENCE};
use crate::signal::Histogram;
use crate::units::Millis;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// Users who may wait at once; who comes then finds no room.
const ROOM: usize = 512;
/// Kept connections to the front.
const KEPT: usize = 64;

/// So much later than the proxy users give up: it is the proxy who says that a slot is late.
const SPARE: Millis = Millis::secs(2);

/// What users saw at their end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// Users who came.
    pub sent: u64,
    /// Users who got an answer of any kind.
    pub answered: u64,
    /// Of those who came: answered with 5xx, too late, or not at all, or found no room.
    pub failed: u64,
    /// Answered with 4xx.
    pub client_errors: u64,
    /// How long users waited for their answers, in milliseconds.
    pub took_ms: Histogram,
    /// How much longer answers took than the model had decided, in milliseconds: what the
    /// sockets, the timers and the host add.
    pub overhead_ms: Histogram,
}

struct Users {
    site: Rc<Site>,
    front: SocketAddr,
    host: HeaderValue,
    paths: Vec<Uri>,
    kept: RefCell<Vec<SendRequest<Empty<Bytes>>>>,
    waiting: Cell<usize>,
    seen: Rc<RefCell<Seen>>,
}

/// Lets users come from now on; what they see is counted in what is answered.
pub(super) fn begin(site: Rc<Site>, front: SocketAddr) -> Rc<RefCell<Seen>> {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let paths = {
        let world = site.world.borrow();
        let routes = &world.scenario().traffic.routes;
        routes.iter().map(|route| route.path.parse().unwrap_or_default()).collect()
    };
    let host = HeaderValue::from_str(&front.to_string())
        .unwrap_or_else(|_| HeaderValue::from_static("localhost"));
    let users = Rc::new(Users {
        site,
        front,
        host,
        paths,
        kept: RefCell::default(),
        waiting: Cell::new(0),
        seen: seen.clone(),
    });
    tokio::task::spawn_local(arrive(users));
    seen
}

async fn arrive(users: Rc<Users>) {
    loop {
        let next = users.site.world.borrow().next_arrival();
        sleep_until(users.site.instant(next)).await;
        let now = users.site.now();
        let arrivals: Vec<_> = users.site.world.borrow_mut().arrivals_until(now).collect();
        for arrival in arrivals {
            let mut seen = users.seen.borrow_mut();
            seen.sent += 1;
            if users.waiting.get() >= ROOM {
                seen.failed += 1;
                users.site.world.borrow_mut().lose();
                continue;
            }
            users.waiting.set(users.waiting.get() + 1);
            tokio::task::spawn_local(visit(users.clone(), arrival));
        }
    }
}

/// One user, from the question to the answer or to the end of patience.
async fn visit(users: Rc<Users>, arrival: Arrival) {
    let begun = Instant::now();
    let status = timeout((PATIENCE + SPARE).into(), users.ask(arrival)).await.ok().flatten();
    users.waiting.set(users.waiting.get() - 1);
    let mut seen = users.seen.borrow_mut();
    let Some(status) = status else {
        seen.failed += 1;
        return;
    };
    seen.answered += 1;
    seen.failed += u64::from(status.is_server_error());
    seen.client_errors += u64::from(status.is_client_error());
    let told_us = users.site.told(arrival.n).get();
    let took_us = begun.elapsed().as_micros() as u64;
    seen.took_ms.record(took_us as f64 / 1000.0);
    seen.overhead_ms.record(took_us.saturating_sub(told_us) as f64 / 1000.0);
}

impl Users {
    async fn ask(&self, arrival: Arrival) -> Option<StatusCode> {
        loop {
            let kept = self.kept.borrow_mut().pop();
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.connect().await?,
            };
            if sender.ready().await.is_err() {
                continue;
            }
            let mut request = Request::new(Empty::new());
            *request.uri_mut() = self.paths.get(arrival.route)?.clone();
            request.headers_mut().insert(HOST, self.host.clone());
            request.headers_mut().insert(USER, HeaderValue::from(arrival.n));
            let answer = sender.send_request(request).await.ok()?;
            let status = answer.status();
            let mut body = answer.into_body();
            while let Some(frame) = body.frame().await {
                frame.ok()?;
            }
            let mut kept = self.kept.borrow_mut();
            if kept.len() < KEPT && !sender.is_closed() {
                kept.push(sender);
            }
            return Some(status);
        }
    }

    async fn connect(&self) -> Option<SendRequest<Empty<Bytes>>> {
        let stream = TcpStream::connect(self.front).await.ok()?;
        prompt(&stream);
        let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        // How it ends is seen by whoever waits for an answer on it.
        tokio::task::spawn_local(async move { drop(connection.await) });
        Some(sender)
    }
}
