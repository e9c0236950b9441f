//! One limit a signal: the plan's, or else the default.

use super::{span, text};
use crate::plan::limits::{default_limits, misfit};
use crate::plan::value::Value;
use crate::plan::walk::Doc;
use crate::plan::{Limit, Signal};
use std::collections::BTreeMap;

pub(super) fn limits(doc: &mut Doc<'_>) -> Vec<Limit> {
    let mut limits = default_limits();
    let mut declared_at: BTreeMap<Signal, usize> = BTreeMap::new();
    for n in 0..doc.len("limit") {
        let path = |name: &str| format!("limit[{n}].{name}");
        let Some(signal) = text(doc, &path("signal")).as_deref().and_then(Signal::from_key) else {
            continue;
        };
        if let Some(&first) = declared_at.get(&signal) {
            let line = doc
                .place(&format!("limit[{first}].signal"))
                .map_or(0, |at| doc.source.place(at.start).0);
            let cause =
                format!("a second limit over {}; the first is in line {line}", signal.key());
            doc.fault(&path("signal"), &cause, "one limit a signal: keep the one that you mean");
            continue;
        }
        declared_at.insert(signal, n);
        let limit = &mut limits[signal as usize];
        limit.declared = true;
        limit.literal = text(doc, &path("judge")).as_deref() == Some("literal");
        limit.hold = span(doc, &path("for"));
        if let Some(Value::Bound(above)) = doc.get(&path("above")) {
            match misfit(signal, above) {
                Some((unit, hint)) => {
                    let cause =
                        format!("`above` of {} has to be {unit}, not {above}", signal.key());
                    doc.fault(&path("above"), &cause, hint);
                }
                None => limit.above = above,
            }
        }
    }
    limits.to_vec()
}
