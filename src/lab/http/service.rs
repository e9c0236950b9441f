//! A slot's service on its port: liveness, readiness and the scenario's routes, each answered as
//! the world decides, after as long as the world decides.

use super::body::Sliced;
use super::site::{Site, prompt};
use crate::lab::world::{Fate, Life, Readiness, Served, World};
use crate::units::Slot;
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Says which of the model's users asks, so that each gets their own luck.
pub(super) const USER: HeaderName = HeaderName::from_static("x-lab-user");
const VERSION: HeaderName = HeaderName::from_static("x-version");

/// Lets a slot's service listen.
pub(super) fn listen(site: &Rc<Site>, slot: Slot) -> io::Result<()> {
    site.listen(slot, |listener| tokio::task::spawn_local(serve(site.clone(), slot, listener)))?;
    site.log(slot, &format!("listening, version {}", site.world.borrow().version(slot)));
    Ok(())
}

/// Serves until it is aborted; every connection ends with it.
async fn serve(site: Rc<Site>, slot: Slot, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    prompt(&stream);
                    connections.spawn_local(connection(site.clone(), slot, stream));
                }
                // Out of files for a moment, or the peer has gone: neither ends the service.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(site: Rc<Site>, slot: Slot, stream: TcpStream) {
    let reset = Rc::new(Cell::new(false));
    let told_to_reset = reset.clone();
    let answers = service_fn(move |request| {
        let (site, reset) = (site.clone(), reset.clone());
        async move { answer(&site, slot, &request, &reset).await }
    });
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), answers);
    // How a connection ends is the other side's affair, unless the world wants a reset.
    let _ = (&mut connection).await;
    if told_to_reset.get() {
        let stream = connection.into_parts().io.into_inner();
        // Closing with nothing to wait for sends a reset.
        let _ = stream.set_zero_linger();
    }
}

/// The connection shall end without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was cut")
    }
}

impl std::error::Error for Cut {}

type Answer = Response<Either<Full<Bytes>, Sliced>>;

async fn answer(
    site: &Rc<Site>,
    slot: Slot,
    request: &Request<Incoming>,
    reset: &Cell<bool>,
) -> Result<Answer, Cut> {
    let arrived = Instant::now();
    let at = site.now();
    let path = request.uri().path();
    match path {
        "/healthz" => {
            // A process that has ended answers nothing, also where its port is still open.
            if site.world.borrow().life(slot, at) == Life::Absent {
                return Err(Cut);
            }
            let live = Bytes::from_static(b"{\"status\":\"live\"}");
            Ok(respond(site, slot, StatusCode::OK, live))
        }
        "/readyz" => {
            let deep = request.uri().query() == Some("deep");
            let asked = if deep { World::deep_readiness } else { World::readiness };
            let Some(readiness) = asked(&mut site.world.borrow_mut(), slot, at) else {
                return Err(Cut);
            };
            sleep_until(arrived + Duration::from_micros(readiness.latency_us)).await;
            Ok(ready(site, slot, &readiness))
        }
        _ => {
            let user = request.headers().get(USER).and_then(|n| n.to_str().ok()?.parse().ok());
            let served = {
                let mut world = site.world.borrow_mut();
                let route = world.route_at(path);
                let asked = match user {
                    Some(n) => world.user(n, route),
                    None => world.probe(route),
                };
                world.serve(slot, &asked, at)
            };
            if let Some(n) = user {
                site.told(n).set(served.latency_us);
            }
            // What never came as far as the service is not in its log.
            let unseen = user.is_some() && site.world.borrow().shakes_hands_badly(slot, at);
            if served.failed() && !unseen {
                site.log(
                    slot,
                    &format!("{} {path} after {} us", word(served.fate), served.latency_us),
                );
            }
            if served.fate == Fate::Hang {
                std::future::pending::<()>().await;
            }
            // A body of one piece goes at the end of its time, others begin when the work is done.
            let on_the_wire_us = if served.body.pieces > 1 { served.body.takes_us } else { 0 };
            let begins_us = served.latency_us.saturating_sub(on_the_wire_us);
            sleep_until(arrived + Duration::from_micros(begins_us)).await;
            match served.fate {
                Fate::Answer(status) => Ok(page(site, slot, status, &served)),
                // What is cut off began as a good answer.
                Fate::Cut => Ok(page(site, slot, 200, &served)),
                Fate::Reset => {
                    reset.set(true);
                    Err(Cut)
                }
                Fate::Hang | Fate::Refused => Err(Cut),
            }
        }
    }
}

const fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Answer(_) => "failed",
        Fate::Hang => "hung",
        Fate::Reset => "reset",
        Fate::Cut => "cut off",
        Fate::Refused => "refused",
    }
}

fn page(site: &Site, slot: Slot, status: u16, served: &Served) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (page, body) = (served.page(), served.body);
    let mut answer =
        if page.len() == body.bytes as usize && body.pieces <= 1 && body.sent == body.bytes {
            respond(site, slot, status, Bytes::from_static(page.as_bytes()))
        } else {
            respond(site, slot, status, Bytes::new())
                .map(|_| Either::Right(Sliced::new(page, body)))
        };
    if served.wrong && status.is_redirection() {
        answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/nowhere"));
    }
    answer
}

fn ready(site: &Site, slot: Slot, readiness: &Readiness) -> Answer {
    let status = if readiness.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // Plain maps of words and numbers: there is nothing in it that JSON could not say.
    let body = serde_json::to_vec(readiness).unwrap_or_default();
    respond(site, slot, status, Bytes::from(body))
}

fn respond(site: &Site, slot: Slot, status: StatusCode, body: Bytes) -> Answer {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(version) = HeaderValue::from_str(site.world.borrow().version(slot)) {
        headers.insert(VERSION, version);
    }
    response
}
