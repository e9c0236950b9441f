//! The proxy's control endpoint, on a port of its own: the state is read and the weights are set
//! here, and an operator's commands act through it on the slots.

use super::acts::{self, Lines};
use super::site::{Site, prompt};
use crate::lab::wire::SetWeights;
use crate::lab::world::Wrote;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// The most that a question may say, in bytes.
const LONGEST: usize = 4096;
/// The largest weight, as in routers that people know.
const HEAVIEST: u32 = 256;

type Answer = Response<Either<Full<Bytes>, Lines>>;

/// Serves until its task ends.
pub(super) async fn serve(site: Rc<Site>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files for a moment, or the peer has gone.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        prompt(&stream);
        let site = site.clone();
        let answers = service_fn(move |request| {
            let site = site.clone();
            async move { Ok::<_, Infallible>(answer(&site, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), answers);
        // How a connection ends is the caller's affair.
        tokio::task::spawn_local(async move { drop(connection.await) });
    }
}

async fn answer(site: &Rc<Site>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST).collect().await else {
        return say(StatusCode::PAYLOAD_TOO_LARGE, "the question is too long or was cut off");
    };
    let body = body.to_bytes();
    match (head.method, head.uri.path()) {
        (Method::GET, "/state") => {
            if site.world.borrow_mut().writes(site.now()) == Wrote::Mute {
                std::future::pending::<()>().await;
            }
            state(site)
        }
        // The site's own pages do not hang on the proxy: they answer where it is mute.
        (Method::GET, "/") => {
            let lines = site.world.borrow().series(site.now()).lines();
            say(StatusCode::OK, &format!("{}\n", lines.join("\n")))
        }
        (Method::GET, "/series") => json(&site.world.borrow().series(site.now())),
        (Method::PUT, "/weights") => match serde_json::from_slice::<SetWeights>(&body) {
            Ok(SetWeights { weights }) if weights.iter().all(|weight| *weight <= HEAVIEST) => {
                write(site, weights).await
            }
            Ok(_) => say(StatusCode::BAD_REQUEST, "a weight is above 256"),
            Err(error) => say(StatusCode::BAD_REQUEST, &format!("these are no weights: {error}")),
        },
        (Method::POST, "/act") => {
            let text = String::from_utf8_lossy(&body);
            let words: Vec<&str> = text.lines().collect();
            match acts::begin(site, &words) {
                Ok(lines) => Response::new(Either::Right(lines)),
                Err(why) => say(StatusCode::BAD_REQUEST, &why),
            }
        }
        (method, path) => say(StatusCode::NOT_FOUND, &format!("no {method} {path} here")),
    }
}

/// A write, as far as the proxy obeys.
async fn write(site: &Site, weights: [u32; 2]) -> Answer {
    let at = site.now();
    let wrote = site.world.borrow_mut().writes(at);
    match wrote {
        Wrote::Done => site.world.borrow_mut().set_weights(weights, at),
        Wrote::Partly(share) => {
            let mut world = site.world.borrow_mut();
            let weights = world.part_of_the_way(weights, share);
            world.set_weights(weights, at);
        }
        Wrote::Ignored => {}
        Wrote::Refused => {
            let status = site.world.borrow().refusal(at);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            return say(status, "set weight: permission denied");
        }
        Wrote::Mute => std::future::pending().await,
    }
    state(site)
}

fn state(site: &Site) -> Answer {
    json(&site.state())
}

fn json(what: &impl serde::Serialize) -> Answer {
    match serde_json::to_vec(what) {
        Ok(body) => Response::new(Either::Left(Full::new(Bytes::from(body)))),
        Err(error) => say(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn say(status: StatusCode, why: &str) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(Bytes::from(why.to_owned()))));
    *answer.status_mut() = status;
    answer
}
