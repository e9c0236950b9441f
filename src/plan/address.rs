//! Texts that name a place: URLs, paths, headers, sockets, variables.
//!
//! The same rule as in `value`: what was written becomes what is meant, or a complaint with a
//! hint. Nothing is looked up and nobody is asked.

use super::value::{Complaint, Read, Value, complain, one_line};

/// Reads a URL that can be asked: http or https, with a host, and nothing secret in it.
pub(super) fn url(text: &str) -> Result<reqwest::Url, Complaint> {
    const HINT: &str = "write it as \"http://127.0.0.1:8001\"";
    let url = match reqwest::Url::parse(text) {
        Ok(url) => url,
        Err(_) if !text.contains("://") => {
            return complain(
                "is not a URL",
                format!("write it with http:// in front: \"http://{text}\""),
            );
        }
        Err(why) => return complain(format!("is not a URL: {why}"), HINT),
    };
    if !matches!(url.scheme(), "http" | "https") {
        // `localhost:8001` parses as a URL of the scheme `localhost`.
        let hint = match text.contains("://") {
            true => HINT.to_owned(),
            false => format!("write it with http:// in front: \"http://{text}\""),
        };
        return complain("is not a URL of http or https", hint);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return complain(
            "holds a user name or password, which would be sealed with the plan",
            "name it in [secrets] and send it as a header",
        );
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return complain("holds a blank or a control character", HINT);
    }
    if url.port() == Some(0) {
        return complain("has port 0, and nothing listens there", HINT);
    }
    Ok(url)
}

pub(super) fn base(text: &str) -> Read {
    let url = url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return complain(
            "ends in `?` or `#`, and paths are put behind it",
            "end it with the port or a path",
        );
    }
    Ok(Value::Text(text.trim_end_matches('/').to_owned()))
}

/// Host and port of a base URL, so that two spellings of one address are seen to be one.
pub(super) fn host_and_port(base: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(base).ok()?;
    let host = match url.host_str()? {
        "localhost" | "[::1]" | "0.0.0.0" | "[::]" => "127.0.0.1",
        other => other.trim_end_matches('.'),
    };
    Some((host.to_owned(), url.port_or_known_default()?))
}

pub(super) fn path(text: &str) -> Read {
    if text.contains("://") {
        return complain(
            "is a whole URL",
            "write only the path, such as \"/readyz\": each slot's address is put before it",
        );
    }
    if !text.starts_with('/') {
        return complain(
            format!("is `{text}`, and a path begins with `/`"),
            format!("write \"/{text}\""),
        );
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '#') {
        return complain(
            "holds a blank, a control character or `#`",
            "encode it, such as %20 for a blank",
        );
    }
    one_line(text, 2048)
}

pub(super) fn pointer(text: &str) -> Read {
    if !text.starts_with('/') {
        return complain(
            format!("is `{text}`, and that is no JSON pointer"),
            format!("write \"/{}\"", text.replace('.', "/")),
        );
    }
    one_line(text, 512)
}

pub(super) fn header(text: &str) -> Read {
    match is_header_name(text) {
        true => Ok(Value::Text(text.to_owned())),
        false => complain("is not the name of a header", "write it as \"X-Slot\""),
    }
}

/// Whether a text can be the name of a header.
pub(super) fn is_header_name(text: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.len() <= 128 && text.chars().all(token)
}

pub(super) fn header_value(text: &str) -> Read {
    match text.chars().all(|c| c == '\t' || (c.is_ascii() && !c.is_control())) {
        true => Ok(Value::Text(text.to_owned())),
        false => {
            complain("holds what a header cannot carry", "write it in one line of plain ASCII")
        }
    }
}

pub(super) fn address(text: &str) -> Read {
    const HINT: &str =
        "write a socket's path, such as \"/run/haproxy/admin.sock\", or \"host:port\"";
    if text.contains("://") || text.contains('@') {
        return complain(format!("is `{text}`"), HINT);
    }
    if !text.contains('/') {
        let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        let port = port.and_then(|(_, port)| port.parse::<u16>().ok());
        if matches!(port, None | Some(0)) {
            return complain(format!("is `{text}`, neither a path nor host:port"), HINT);
        }
    }
    one_line(text, 4096)
}

pub(super) fn env(text: &str) -> Read {
    let bare = text.trim_start_matches('$').trim_matches(['{', '}']);
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match name(text) {
        true => Ok(Value::Text(text.to_owned())),
        // What stands here may be the secret itself: it is not repeated unless it was `$NAME`.
        false if text.starts_with('$') && name(bare) => {
            complain("is written with `$`", format!("write only the name: \"{bare}\""))
        }
        false => complain(
            "is not the name of a variable",
            "name the variable, such as \"PROBE_TOKEN\"; never the secret itself",
        ),
    }
}
