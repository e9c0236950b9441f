//! How keys are called when people are told about them, and which one they may have meant.

/// The known word that a mistyped one is nearest to, if one is near enough to be meant.
pub(super) fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    known
        .iter()
        .filter(|&&known| known != "*")
        .map(|&known| (strsim::damerau_levenshtein(&word, known), known))
        .filter(|&(distance, known)| {
            let allowed = (length.max(known.len()) / 3).max(1);
            let prefix = length >= 3 && (known.starts_with(&word) || word.starts_with(known));
            distance <= allowed || prefix
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

/// The known word that begins alike and sounds alike: a guess for `redy`, not for `zebra`.
pub(super) fn alike<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let start: String = word.chars().take(2).collect();
    if word.len() > 64 {
        return None;
    }
    known
        .iter()
        .filter(|known| start.chars().count() == 2 && known.starts_with(&start))
        .map(|&known| (strsim::jaro(word, known), known))
        .filter(|&(score, _)| score >= 0.65)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// A table as its head is written: `[health]`, `[[limit]] 2`, `health.deadline`.
pub(super) fn shown(table: &str) -> String {
    match table.split_once('[') {
        Some((list, rest)) => {
            let (n, inner) = rest.split_once(']').unwrap_or((rest, ""));
            match n.parse::<usize>() {
                Ok(n) => format!("[[{list}]] {}{inner}", n + 1),
                Err(_) => format!("[[{list}]]{inner}"),
            }
        }
        None => format!("[{table}]"),
    }
}

/// A key as people find it: `` `health.hold` ``, `` `above` of [[limit]] 3 ``.
pub(super) fn said(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((table, name)) if table.contains('[') => format!("`{name}` of {}", shown(table)),
        _ => format!("`{path}`"),
    }
}

/// What a key could look like, for the keys that people have to write and forget.
pub(super) fn example(pattern: &str) -> Option<&'static str> {
    Some(match pattern {
        "schema" => "1",
        "service" => "\"notes\"",
        "router.kind" => "\"haproxy\"",
        "router.address" => "\"/run/haproxy/admin.sock\"",
        "router.set" => "[\"./split\", \"set\", \"{left}\", \"{right}\"]",
        "router.get" => "[\"./split\", \"get\"]",
        "health.readiness" => "\"/readyz\"",
        "health.deadline" => "{ after = \"5m\", then = \"abandon\" }",
        "identity.slot" => "{ header = \"X-Slot\" }",
        "identity.release" => "{ header = \"X-Version\" }",
        "identity.artefact" => "{ header = \"X-Artefact\" }",
        "probe[].path" => "\"/orders\"",
        "check[].text" => "\"the sum of two pools against the database's limit\"",
        "limit[].signal" => "\"error_rate\"",
        "limit[].above" => "\"2%\"",
        "limit[].for" => "\"2m\"",
        "secrets.*" => "{ env = \"NAME\" }",
        _ => return None,
    })
}
