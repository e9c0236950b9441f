//! Asking a slot, or the front door, over HTTP: is it alive, is it ready, does it answer as the
//! plan expects.
//!
//! Whoever answers is not trusted. An answer has the plan's timeout from the first byte sent to
//! the last byte read, at most 64 KiB of a body are read before the connection is closed, no
//! redirect is followed, no proxy of the environment is used, and every text goes through
//! [`Clean`]. There is no retry: a slot that resets every tenth connection is a slot that fails
//! every tenth request. Idle connections are given up early, before the other side does.

use super::body::{self, Components};
use crate::clean::{self, Clean, LineSplitter};
use crate::plan::{HealthPlan, IdentityPlan, Plan, ReleaseSource, Signal, SignalSource, fill};
use crate::runbook::readback::{Fault, FaultKind};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

/// As much of a body as is read.
const LONGEST_BODY: usize = 64 << 10;
/// Many servers close a connection that was idle for five seconds, some after two.
const IDLE: Duration = Duration::from_millis(1_500);

/// One check of liveness and readiness.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HealthCheck {
    /// Whether it lives, where the plan says how to ask.
    pub live: Option<bool>,
    /// Whether it is ready: 2xx, and every required component good.
    pub ready: bool,
    /// Why it is not ready or not alive, in a few words.
    pub why: Option<Clean>,
    /// Optional components that are not good, in a few words each.
    pub degraded: Vec<Clean>,
    /// Milliseconds to the whole readiness answer, if one came.
    pub latency_ms: Option<f64>,
    /// Its status, if one came.
    pub status: Option<u16>,
    /// The release it names, where the plan says how.
    pub release: Option<Clean>,
    /// The digest of the artefact it names, where the plan says how.
    pub artefact: Option<Clean>,
    /// Database errors since the service began to count.
    pub db_errors: Option<u64>,
    /// Jobs that wait.
    pub queue_depth: Option<u64>,
}

/// The answer to one synthetic request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProbeAnswer {
    /// Whether it was what the plan expects.
    pub ok: bool,
    /// Its status; nothing where no answer came.
    pub status: Option<u16>,
    /// Why it was not ok, in a few words.
    pub why: Option<Clean>,
    /// Milliseconds to the whole answer, if one came.
    pub latency_ms: Option<f64>,
    /// The slot it names, where the plan says how.
    pub slot: Option<Clean>,
    /// The release it names in a header, where the plan says how.
    pub release: Option<Clean>,
    /// The digest of the artefact it names in a header, where the plan says how.
    pub artefact: Option<Clean>,
}

impl ProbeAnswer {
    /// Whether it was a 4xx that the plan did not expect.
    pub fn is_client_error(&self) -> bool {
        !self.ok && self.status.is_some_and(|status| (400..500).contains(&status))
    }

    /// Whether it counts as a failed request of a user: 5xx, or no answer.
    pub fn is_server_error(&self) -> bool {
        self.status.is_none_or(|status| status >= 500)
    }
}

/// A synthetic request, ready to be sent.
#[derive(Debug, Clone)]
pub struct Question {
    url: String,
    headers: HeaderMap,
    expect: Option<u16>,
    contains: Option<String>,
}

/// Asks one slot, or the front door.
#[derive(Debug, Clone)]
pub struct Prober {
    client: reqwest::Client,
    timeout: Duration,
    liveness: Option<String>,
    readiness: String,
    headers: HeaderMap,
    require: Vec<String>,
    optional: Vec<String>,
    slot_header: Option<String>,
    release: Option<ReleaseSource>,
    artefact: Option<ReleaseSource>,
    db_errors: Option<String>,
    queue_depth: Option<String>,
    questions: Vec<Question>,
    knock: Question,
}

/// An answer as it came.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    cut: bool,
    latency_ms: f64,
}

impl Prober {
    /// Asks `base_url` what the plan says. `secrets` are values by name, for the headers.
    pub fn new(
        plan: &Plan,
        base_url: &str,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Self, Fault> {
        let HealthPlan { liveness, readiness, timeout, require, optional, headers, .. } =
            &plan.health;
        let IdentityPlan { slot_header, release, artefact } = &plan.identity;
        let base = base_url.trim_end_matches('/');
        let pointer = |signal| match plan.signals.get(&signal) {
            Some(SignalSource::Readiness(pointer)) => Some(pointer.clone()),
            _ => None,
        };
        let questions = plan.probes.iter().map(|probe| {
            Ok(Question {
                url: format!("{base}{}", probe.path),
                headers: resolve(&probe.headers, secrets)?,
                expect: Some(probe.expect),
                contains: probe.contains.clone(),
            })
        });
        let timeout = Duration::from(*timeout);
        Ok(Self {
            client: client(timeout, base.starts_with("https:"))?,
            timeout,
            liveness: liveness.as_ref().map(|path| format!("{base}{path}")),
            readiness: format!("{base}{readiness}"),
            headers: resolve(headers, secrets)?,
            require: require.clone(),
            optional: optional.clone(),
            slot_header: slot_header.clone(),
            release: release.clone(),
            artefact: artefact.clone(),
            db_errors: pointer(Signal::DbErrors),
            queue_depth: pointer(Signal::QueueDepth),
            questions: questions.collect::<Result<_, Fault>>()?,
            knock: Question {
                url: format!("{base}/"),
                headers: HeaderMap::new(),
                expect: None,
                contains: None,
            },
        })
    }

    /// The plan's synthetic requests, in its order.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// A request to `/` that expects nothing but an answer below 500, for where the plan has no
    /// probes and it only matters who answers.
    pub const fn knock(&self) -> &Question {
        &self.knock
    }

    /// Liveness, where it is declared, and readiness, at the same time.
    pub async fn check(&self) -> HealthCheck {
        let live = async {
            match &self.liveness {
                Some(url) => Some(self.fetch(url, &self.headers).await),
                None => None,
            }
        };
        let (live, ready) = tokio::join!(live, self.fetch(&self.readiness, &self.headers));
        let mut check = match ready {
            Ok(answer) => self.readiness_of(&answer),
            Err(why) => HealthCheck { why: Some(why), ..HealthCheck::default() },
        };
        let live = live.map(|live| match live {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(Clean::new(&format!("liveness: status {}", answer.status))),
            Err(why) => Err(Clean::new(&format!("liveness: {why}"))),
        });
        check.live = live.as_ref().map(Result::is_ok);
        if let (None, Some(Err(why))) = (&check.why, live) {
            check.why = Some(why);
        }
        check
    }

    /// What liveness, where it is declared, and readiness say, in their own words: for each the
    /// path, how it answered, and its body, or why there was no answer.
    pub async fn words_of_health(&self) -> Vec<Clean> {
        let mut words = Vec::new();
        for url in self.liveness.iter().chain([&self.readiness]) {
            let path = reqwest::Url::parse(url).map_or_else(|_| url.clone(), |u| u.path().into());
            match self.fetch(url, &self.headers).await {
                Ok(Answer { status, body, cut, latency_ms, .. }) => {
                    let cut = if cut { ", of which this is the beginning" } else { "" };
                    words.push(Clean::new(&format!(
                        "GET {path}: status {status} after {latency_ms:.1} ms{cut}"
                    )));
                    // A body is often one long line.
                    let mut lines = LineSplitter::with(clean::installed(), LONGEST_BODY);
                    words.extend(lines.push(&body));
                    words.extend(lines.finish());
                }
                Err(why) => words.push(Clean::new(&format!("GET {path}: {why}"))),
            }
        }
        words
    }

    fn readiness_of(&self, answer: &Answer) -> HealthCheck {
        let json = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(json) => Ok(json),
            Err(_) if answer.cut => Err("the body is longer than 64 KiB"),
            Err(_) => Err("the body is no JSON"),
        };
        let Components { bad, degraded } =
            body::components(json.as_ref().map_err(|why| *why), &self.require, &self.optional);
        let good_status = (200..300).contains(&answer.status);
        let why = match (good_status, bad) {
            (true, bad) => bad,
            (false, Some(bad)) => Some(Clean::new(&format!("status {}, {bad}", answer.status))),
            (false, None) => Some(Clean::new(&format!("status {}", answer.status))),
        };
        let json = json.ok();
        let count = |pointer: &Option<String>| body::count_at(json.as_ref()?, pointer.as_ref()?);
        let release = match &self.release {
            Some(ReleaseSource::Json(at)) => json.as_ref().and_then(|j| body::text_at(j, at)),
            Some(ReleaseSource::Header(name)) => header(answer, name),
            None => None,
        };
        let artefact = match &self.artefact {
            Some(ReleaseSource::Json(at)) => json.as_ref().and_then(|j| body::digest_at(j, at)),
            Some(ReleaseSource::Header(name)) => digest(answer, name),
            None => None,
        };
        HealthCheck {
            live: None,
            ready: why.is_none(),
            why,
            degraded,
            latency_ms: Some(answer.latency_ms),
            status: Some(answer.status),
            release,
            artefact,
            db_errors: count(&self.db_errors),
            queue_depth: count(&self.queue_depth),
        }
    }

    /// One synthetic request.
    pub async fn probe(&self, question: &Question) -> ProbeAnswer {
        let answer = match self.fetch(&question.url, &question.headers).await {
            Ok(answer) => answer,
            Err(why) => return ProbeAnswer { why: Some(why), ..ProbeAnswer::default() },
        };
        let why = match (question.expect, &question.contains) {
            (Some(expect), _) if answer.status != expect => {
                Some(format!("status {}, {expect} expected", answer.status))
            }
            (None, _) if answer.status >= 500 => Some(format!("status {}", answer.status)),
            (_, Some(text)) if !contains(&answer.body, text.as_bytes()) => {
                let where_ = if answer.cut { "the first 64 KiB" } else { "the body" };
                Some(format!("{text:?} is not in {where_}"))
            }
            _ => None,
        };
        let release = match &self.release {
            Some(ReleaseSource::Header(name)) => header(&answer, name),
            _ => None,
        };
        let artefact = match &self.artefact {
            Some(ReleaseSource::Header(name)) => digest(&answer, name),
            _ => None,
        };
        ProbeAnswer {
            ok: why.is_none(),
            status: Some(answer.status),
            why: why.map(|why| Clean::new(&why)),
            latency_ms: Some(answer.latency_ms),
            slot: self.slot_header.as_ref().and_then(|name| header(&answer, name)),
            release,
            artefact,
        }
    }

    async fn fetch(&self, url: &str, headers: &HeaderMap) -> Result<Answer, Clean> {
        let began = Instant::now();
        let why = |error: reqwest::Error| self.words(&error);
        let request = self.client.get(url).headers(headers.clone());
        let mut response = request.send().await.map_err(why)?;
        let (mut body, mut cut) = (Vec::new(), false);
        while let Some(chunk) = response.chunk().await.map_err(why)? {
            let room = LONGEST_BODY - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                cut = true;
                break;
            }
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
            cut,
            latency_ms: began.elapsed().as_secs_f64() * 1_000.0,
        })
    }

    /// Why no answer came, in words for a person.
    fn words(&self, error: &reqwest::Error) -> Clean {
        let mut chain = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(cause) = next {
            chain.push(cause);
            next = cause.source();
        }
        if error.is_timeout() {
            let what = if error.is_connect() { "connection" } else { "answer" };
            return Clean::new(&format!("no {what} within {} ms", self.timeout.as_millis()));
        }
        let kind = chain.iter().find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
        let words = match kind {
            Some(io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
                "connection reset".to_owned()
            }
            Some(io::ErrorKind::UnexpectedEof) => "connection closed without an answer".to_owned(),
            _ => chain.last().map_or_else(String::new, ToString::to_string),
        };
        Clean::new(&words.chars().take(120).collect::<String>())
    }
}

fn header(answer: &Answer, name: &str) -> Option<Clean> {
    body::short(&String::from_utf8_lossy(answer.headers.get(name)?.as_bytes()))
}

fn digest(answer: &Answer, name: &str) -> Option<Clean> {
    body::digest(&String::from_utf8_lossy(answer.headers.get(name)?.as_bytes()))
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

/// Fills the names of secrets into header values. The values are marked as sensitive, so that
/// they do not show where a request is printed.
fn resolve(
    headers: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
) -> Result<HeaderMap, Fault> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bad = |what: &str| {
            // The value may hold a secret: it is not said.
            Fault::new(FaultKind::Local, format!("header {name}: {what}"), "see [secrets]")
        };
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad("this cannot be the name of a header"))?;
        let filled = fill(value, |name| secrets.get(name).map(String::as_str));
        let mut filled = HeaderValue::from_str(&filled)
            .map_err(|_| bad("its value holds what no header may hold, such as a line end"))?;
        filled.set_sensitive(true);
        map.insert(key, filled);
    }
    Ok(map)
}

fn client(timeout: Duration, tls: bool) -> Result<reqwest::Client, Fault> {
    // An error says that a provider is there already, which is all we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder();
    if !tls {
        // Without redirects no other scheme can follow: the system's certificates stay unread.
        builder = builder.tls_certs_only([]);
    }
    builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout)
        .timeout(timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(2)
        .user_agent(concat!("switchback/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            Fault::new(
                FaultKind::Local,
                format!("no HTTP client: {error}"),
                "are the system's root certificates installed (ca-certificates)?",
            )
        })
}

#[cfg(test)]
mod tests;
