//! What signals are called for people. Scenarios, their answers and plans name them as a machine
//! would; no screen does.

/// Signals that can be named, for people and as a scenario's answer names them.
pub const SIGNALS: [(&str, &str); 31] = [
    ("errors on Green", "green.error_rate"),
    ("errors on Blue", "blue.error_rate"),
    ("latency on Green", "green.latency_p95"),
    ("latency on Blue", "blue.latency_p95"),
    ("4xx on Green", "green.client_error_rate"),
    ("readiness", "readiness"),
    ("the deep check", "deep"),
    ("probes", "probes"),
    ("requests a second", "requests"),
    ("in flight", "in_flight"),
    ("database errors", "db_errors"),
    ("database connections", "db_connections"),
    ("queue depth", "queue_depth"),
    ("oldest job", "queue_oldest"),
    ("jobs", "jobs"),
    ("done twice", "duplicates"),
    ("cache", "cache"),
    ("memory", "memory"),
    ("disk", "disk"),
    ("sockets", "sockets"),
    ("one of the workers", "workers"),
    ("clients", "clients"),
    ("schema", "schema"),
    ("certificate", "certificate"),
    ("configuration", "configuration"),
    ("artefact", "artefact"),
    ("size of the artefact", "artefact_size"),
    ("redeploy check", "redeploy_check"),
    ("the slots themselves", "slots"),
    ("the router's read-back", "router_readback"),
    ("age of the samples", "sample_age"),
];

/// What a signal is called. One with a slot that has no name of its own is that of the signal, with
/// the slot's; one that nobody has named loses its underscores.
pub fn signal(name: &str) -> String {
    let known = |name: &str| SIGNALS.iter().find(|(_, own)| *own == name).map(|(words, _)| *words);
    if let Some(words) = known(name) {
        return words.to_owned();
    }
    let Some((slot, bare)) = name.split_once('.') else { return name.replace('_', " ") };
    let slot = match slot {
        "green" => "Green",
        "blue" => "Blue",
        other => other,
    };
    let words = match (bare, known(bare)) {
        (_, Some(words)) => words.to_owned(),
        ("error_rate", None) => "errors".to_owned(),
        ("client_error_rate", None) => "4xx".to_owned(),
        (bare, None) if bare.starts_with("latency") => "latency".to_owned(),
        (bare, None) => bare.replace('_', " "),
    };
    format!("{words} on {slot}")
}

/// What several are called, any of which would do.
pub fn signals(names: &[String]) -> String {
    let words: Vec<String> = names.iter().map(|name| signal(name)).collect();
    words.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::scenario;

    #[test]
    fn no_signal_of_the_catalogue_is_shown_as_a_machine_names_it() {
        for name in scenario::builtin() {
            for told in scenario::load_answer(name).unwrap().truth.telling_signal {
                let words = signal(&told);
                assert!(!words.contains(['_', '.']), "{name}: {told} is called {words:?}");
            }
        }
        assert_eq!(signal("green.queue_depth"), "queue depth on Green");
        assert_eq!(signal("blue.client_error_rate"), "4xx on Blue");
        let both = ["green.error_rate", "deep"].map(str::to_owned);
        assert_eq!(signals(&both), "errors on Green or the deep check");
    }
}
