//! A fault's table as it is written, and what is wrong with it: a kind gets the keys it needs and
//! no others.

use super::{Couple, FaultKind, FaultSpec, Shape, Target};
use crate::lab::anchor::Moment;
use crate::lab::scenario::millis;
use crate::units::Millis;
use serde::Deserialize;

/// The kinds by name.
#[derive(Debug, Clone, Copy, Deserialize)]
enum RawKind {
    #[serde(rename = "http.error")]
    HttpError,
    #[serde(rename = "http.latency")]
    HttpLatency,
    #[serde(rename = "http.hang")]
    HttpHang,
    #[serde(rename = "http.reset")]
    HttpReset,
    #[serde(rename = "cpu.burn")]
    CpuBurn,
    #[serde(rename = "cache.cold")]
    CacheCold,
    #[serde(rename = "db.slow")]
    DbSlow,
}

/// The keys of a fault's table, before it is known which of them its kind wants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFault {
    id: String,
    kind: RawKind,
    #[serde(default)]
    target: Target,
    at: Moment,
    #[serde(default, rename = "for", deserialize_with = "maybe_millis")]
    lasts: Option<Millis>,
    #[serde(default)]
    until: Option<Moment>,
    #[serde(default, deserialize_with = "millis")]
    ramp: Millis,
    #[serde(default)]
    shape: Shape,
    #[serde(default)]
    couple: Couple,
    #[serde(default)]
    share: Option<f64>,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    route: Option<String>,
}

fn maybe_millis<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Millis>, D::Error> {
    millis(d).map(Some)
}

/// Takes a number that a kind must have, within bounds.
fn need(taken: Option<f64>, key: &str, low: f64, high: f64) -> Result<f64, String> {
    let value = taken.ok_or_else(|| format!("a fault of this kind needs `{key}`"))?;
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(format!("`{key}` = {value} is outside {low} to {high}"))
    }
}

impl TryFrom<RawFault> for FaultSpec {
    type Error = String;
    fn try_from(mut raw: RawFault) -> Result<Self, String> {
        let mut share = || need(raw.share.take(), "share", 0.0, 1.0);
        let kind = match raw.kind {
            RawKind::HttpError => {
                let status = raw.status.take().unwrap_or(500);
                if !(400..600).contains(&status) {
                    return Err(format!("`status` = {status} is outside 400 to 599"));
                }
                FaultKind::HttpError { share: share()?, status, route: raw.route.take() }
            }
            RawKind::HttpHang => FaultKind::HttpHang { share: share()?, route: raw.route.take() },
            RawKind::HttpReset => FaultKind::HttpReset { share: share()?, route: raw.route.take() },
            RawKind::HttpLatency => {
                let factor = need(raw.value.take(), "value", 0.1, 1_000.0)?;
                FaultKind::HttpLatency { factor, route: raw.route.take() }
            }
            RawKind::CpuBurn => {
                FaultKind::CpuBurn { share: need(raw.value.take(), "value", 0.0, 0.98)? }
            }
            RawKind::CacheCold => {
                FaultKind::CacheCold { hit: need(raw.value.take(), "value", 0.0, 1.0)? }
            }
            RawKind::DbSlow => {
                FaultKind::DbSlow { factor: need(raw.value.take(), "value", 0.1, 1_000.0)? }
            }
        };
        let left = [
            ("share", raw.share.is_some()),
            ("value", raw.value.is_some()),
            ("status", raw.status.is_some()),
            ("route", raw.route.is_some()),
        ];
        if let Some((key, _)) = left.into_iter().find(|(_, given)| *given) {
            return Err(format!("a fault of this kind has no `{key}`"));
        }
        if raw.shape == Shape::Decay && raw.lasts.is_none() {
            return Err("a fault that decays needs `for`".to_owned());
        }
        Ok(Self {
            id: raw.id,
            kind,
            target: raw.target,
            at: raw.at,
            lasts: raw.lasts,
            until: raw.until,
            ramp: raw.ramp,
            shape: raw.shape,
            couple: raw.couple,
        })
    }
}
