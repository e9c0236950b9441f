//! The weighted proxy: a reverse proxy as lean as it can be. It asks the world's balance which
//! slot is next, forwards over connections that it keeps, names the slot in `X-Slot`, and counts
//! what it sees. It never tries another slot, and never the same request twice once it was sent.

use super::service::USER;
use super::site::{Site, prompt};
use crate::lab::scenario::SLOT_NAMES;
use crate::lab::wire::SlotState;
use crate::lab::world::PATIENCE;
use crate::units::Slot;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONNECTION, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

const SLOT: HeaderName = HeaderName::from_static("x-slot");
/// Kept connections to each service.
const KEPT: usize = 64;

type Answer = Response<Full<Bytes>>;

struct Proxy {
    site: Rc<Site>,
    /// Connections that wait for the next request.
    kept: [RefCell<Vec<SendRequest<Incoming>>>; 2],
}

/// A request that was sent to a slot and waits; it stops waiting when this is dropped, also where
/// the user has gone.
struct InFlight<'a> {
    site: &'a Site,
    slot: Slot,
}

impl<'a> InFlight<'a> {
    fn new(site: &'a Site, slot: Slot) -> Self {
        let this = Self { site, slot };
        this.count(|counts| counts.in_flight += 1);
        this
    }

    fn count(&self, change: impl FnOnce(&mut SlotState)) {
        change(&mut self.site.counts.borrow_mut()[self.slot.index()]);
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        // A request is counted when it has ended, together with its answer: counted when it was
        // sent, the seconds would hold requests whose answers are still to come.
        self.count(|counts| {
            counts.in_flight -= 1;
            counts.requests += 1;
        });
    }
}

/// Serves users until its task ends.
pub(super) async fn serve(site: Rc<Site>, listener: TcpListener) {
    let proxy = Rc::new(Proxy { site, kept: Default::default() });
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files for a moment, or the peer has gone.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        prompt(&stream);
        let proxy = proxy.clone();
        let answers = service_fn(move |request| {
            let proxy = proxy.clone();
            async move { Ok::<_, Infallible>(proxy.forward(request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), answers);
        // How a user's connection ends is the user's affair.
        tokio::task::spawn_local(async move { drop(connection.await) });
    }
}

impl Proxy {
    async fn forward(&self, mut request: Request<Incoming>) -> Answer {
        let begun = Instant::now();
        let user = request.headers().get(USER).cloned();
        let chosen = {
            let mut world = self.site.world.borrow_mut();
            match number(user.as_ref()) {
                Some(user) => world.route_of(user),
                None => world.route(),
            }
        };
        let Some(slot) = chosen else {
            if user.is_some() {
                self.site.world.borrow_mut().lose();
            }
            return excuse(StatusCode::SERVICE_UNAVAILABLE, b"{\"error\":\"no slot has weight\"}");
        };
        for hop in [CONNECTION, TRANSFER_ENCODING, UPGRADE] {
            request.headers_mut().remove(hop);
        }
        let in_flight = InFlight::new(&self.site, slot);
        let (mut answer, from_slot) = match timeout(PATIENCE.into(), self.ask(slot, request)).await
        {
            Ok(Ok(answer)) => (answer, true),
            Ok(Err(Silence::Refused)) => {
                self.site.user_refused(slot, user.as_ref());
                (excuse(StatusCode::BAD_GATEWAY, b"{\"error\":\"the slot refused\"}"), false)
            }
            Ok(Err(Silence::Cut)) => {
                (excuse(StatusCode::BAD_GATEWAY, b"{\"error\":\"the slot cut off\"}"), false)
            }
            Err(_) => {
                (excuse(StatusCode::GATEWAY_TIMEOUT, b"{\"error\":\"the slot is late\"}"), false)
            }
        };
        let took_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let status = answer.status();
        in_flight.count(|counts| {
            counts.failed += u64::from(status.is_server_error());
            counts.client_errors += u64::from(status.is_client_error());
            if from_slot {
                counts.latency_ms.record(took_ms);
            }
        });
        answer.headers_mut().insert(SLOT, HeaderValue::from_static(SLOT_NAMES[slot.index()]));
        answer
    }

    /// Sends a request to a slot and reads the whole answer.
    async fn ask(&self, slot: Slot, mut request: Request<Incoming>) -> Result<Answer, Silence> {
        loop {
            let kept = self.kept[slot.index()].borrow_mut().pop();
            let (mut sender, fresh) = match kept {
                Some(sender) => (sender, false),
                None => (self.connect(slot).await?, true),
            };
            if sender.ready().await.is_err() {
                continue;
            }
            let answer = match sender.try_send_request(request).await {
                Ok(answer) => answer,
                Err(mut error) => match error.take_message() {
                    // The service had closed a kept connection, and the request never left.
                    Some(unsent) if !fresh => {
                        request = unsent;
                        continue;
                    }
                    _ => return Err(Silence::Cut),
                },
            };
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|_| Silence::Cut)?.to_bytes();
            let mut kept = self.kept[slot.index()].borrow_mut();
            if kept.len() < KEPT && !sender.is_closed() {
                kept.push(sender);
            }
            return Ok(Response::from_parts(head, Full::new(body)));
        }
    }

    async fn connect(&self, slot: Slot) -> Result<SendRequest<Incoming>, Silence> {
        let stream =
            TcpStream::connect(self.site.address(slot)).await.map_err(|_| Silence::Refused)?;
        prompt(&stream);
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|_| Silence::Cut)?;
        // How it ends is seen by whoever waits for an answer on it.
        tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(sender)
    }
}

/// The number of the model's user who asks, if one does.
fn number(user: Option<&HeaderValue>) -> Option<u64> {
    user?.to_str().ok()?.parse().ok()
}

/// Why a slot gave no answer.
enum Silence {
    /// Nothing listens.
    Refused,
    /// The connection ended before the answer did.
    Cut,
}

fn excuse(status: StatusCode, body: &'static [u8]) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(body)));
    *answer.status_mut() = status;
    answer
}
