//! What is called a secret where it stands: `DB_PASSWORD=hunter2`, `api_key: abcd`,
//! `"token":"abcd"`.
//!
//! A program that prints its environment prints secrets that no plan has named. A value whose name
//! ends like a secret's is hidden in other people's text; our own sentences and the plan are not
//! looked at. It errs towards hiding, but for what is plainly no secret: fewer than four
//! characters, `true` and its like, a path, a `{placeholder}`, stars, a mask of ours.
//!
//! Everything here looks at one position of a text that has its stand-ins; it replaces nothing and
//! counts nothing.

/// The name of the rule.
pub(super) const NAME: &str = "assignment";

/// How such names end, without `_` and `-`, in lower case.
const ENDS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "credentials",
];

/// The fewest characters of a value.
const FEWEST: usize = 4;

/// The most bytes that are looked at before a value.
const BEFORE: usize = 200;

/// No value that is longer is taken for a path, or for a placeholder.
const HARMLESS: usize = 256;

/// What may stand behind a value and not belong to it.
const BEHIND: [char; 9] = [',', ';', ')', ']', '}', '\'', '"', '\\', '…'];

/// A quick look: whether anything is called a secret in this text at all.
pub(super) fn may_match(text: &str) -> bool {
    text.match_indices([':', '=']).any(|(i, _)| is_named(near(&text[..i])).is_some())
}

/// The length of the secret that begins right at `i`, if one does; `ours` knows a mask of ours.
pub(super) fn at(text: &str, i: usize, ours: impl Fn(&str) -> bool) -> Option<usize> {
    let last = text[..i].bytes().next_back()?;
    if !matches!(last, b'=' | b':' | b'>' | b' ' | b'"' | b'\'' | b'`' | b'm') {
        return None;
    }
    let rest = &text[i..];
    // The value begins behind all that may stand before it.
    let opens = rest.trim_start_matches('\\').starts_with(['"', '\'', '`']);
    let arrow = last == b'=' && rest.starts_with('>');
    if opens || arrow || rest.starts_with(' ') || rest.starts_with("␛[") {
        return None;
    }
    let value = match before(near(&text[..i]))? {
        Dress::Quoted(quote, escapes) => quoted(rest, quote, escapes),
        Dress::Json => json(rest),
        Dress::Bare => bare(rest),
    };
    let secret = value.trim_end_matches(BEHIND);
    let harmless = value.len() < HARMLESS && is_harmless(value, &ours);
    (secret.chars().count() >= FEWEST && !harmless).then_some(secret.len())
}

/// The end of a text, which alone is looked at.
fn near(text: &str) -> &str {
    let from = (text.len().saturating_sub(BEFORE)..=text.len()).find(|&i| text.is_char_boundary(i));
    &text[from.unwrap_or(text.len())..]
}

/// Without spaces and colours at its end; says whether there were spaces.
fn without_noise(mut text: &str) -> (&str, bool) {
    let mut spaces = false;
    loop {
        let trimmed = text.trim_end_matches(' ');
        spaces |= trimmed.len() < text.len();
        text = trimmed;
        let colour = text.strip_suffix('m').and_then(|text| {
            let text =
                text.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ';' | ':'));
            text.strip_suffix("␛[")
        });
        match colour {
            Some(rest) => text = rest,
            None => return (text, spaces),
        }
    }
}

/// Whether what stands here is a secret's name, and if so whether it is in quotes.
fn is_named(text: &str) -> Option<bool> {
    let (text, _) = without_noise(text);
    let name = text.trim_end_matches(['"', '\'', '`', '\\']);
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let length = name.bytes().rev().take_while(|&b| part(b)).count();
    let plain: String = name[name.len() - length..]
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    ENDS.iter().any(|end| plain.ends_with(end)).then_some(name.len() < text.len())
}

/// How a value stands there.
enum Dress {
    /// In this quote, which is escaped so often.
    Quoted(char, usize),
    /// As JSON has numbers and words.
    Json,
    /// As shells have it.
    Bare,
}

/// How a secret's value that begins behind this is dressed; nothing where none begins.
fn before(text: &str) -> Option<Dress> {
    let (text, apart) = without_noise(text);
    let unquoted = text.trim_end_matches(['"', '\'', '`', '\\']);
    let mut quotes = text[unquoted.len()..].chars().filter(|c| *c != '\\');
    let escapes = text[unquoted.len()..].chars().take_while(|c| *c == '\\').count();
    let (first, second) = (quotes.next(), quotes.next());
    let is_empty = first.is_some() && first == second && quotes.next().is_none();
    // An empty value, behind which something else begins.
    if is_empty && apart {
        return None;
    }
    let quote = first.filter(|_| !is_empty);
    let (text, far) = without_noise(unquoted);
    let apart = apart || far;
    let arrow = text.strip_suffix("=>").or_else(|| text.strip_suffix(":="));
    let (good, json) = if let Some(name) = arrow {
        (is_named(name).is_some(), false)
    } else if let Some(name) = text.strip_suffix('=') {
        // `password= next=5` has no value.
        let good = !apart || quote.is_some() || name.ends_with(' ');
        (good && is_named(name).is_some(), false)
    } else {
        let in_quotes = is_named(text.strip_suffix(':')?)?;
        (apart || in_quotes || quote.is_some(), in_quotes)
    };
    let dress = match quote {
        Some(quote) => Dress::Quoted(quote, escapes),
        None if json => Dress::Json,
        None => Dress::Bare,
    };
    good.then_some(dress)
}

/// Up to the quote that closes it, or all that is there.
fn quoted(rest: &str, quote: char, escapes: usize) -> &str {
    let closes = |&(i, _): &(usize, &str)| {
        let escaped = rest[..i].bytes().rev().take_while(|&b| b == b'\\').count();
        escaped <= escapes
    };
    let end = rest.match_indices(quote).find(closes).map_or(rest.len(), |(i, _)| i);
    &rest[..end]
}

/// Up to what goes on in an object or a list, or a space. A mask has brackets of its own.
fn json(rest: &str) -> &str {
    let mask =
        if rest.starts_with("[redacted:") { rest.find(']').map_or(0, |end| end + 1) } else { 0 };
    let end = rest[mask..].find([',', '}', ']', ' ', '␊']);
    end.map_or(rest, |end| &rest[..mask + end])
}

/// Up to a space, a line's end, or a quote behind which a list goes on.
fn bare(rest: &str) -> &str {
    let end = rest.char_indices().find(|&(i, c)| match c {
        '"' | '\'' => rest[i + 1..].starts_with([',', '}', ']', ')', ':']),
        c => c.is_whitespace() || matches!(c, '␀'..='␡'),
    });
    end.map_or(rest, |(i, _)| &rest[..i])
}

/// Whether a value is plainly no secret.
fn is_harmless(value: &str, ours: &impl Fn(&str) -> bool) -> bool {
    let value = value.trim_end_matches([',', ';', '"', '\'', '\\']);
    let word = value.to_ascii_lowercase();
    let word = word.trim_end_matches(['.', ')', ']', '}', '>']);
    let word = word.trim_start_matches(['(', '[', '<']).trim_end_matches('.');
    let first = value.chars().next().unwrap_or(' ');
    ours(value)
        || matches!(word, "true" | "false" | "null" | "none" | "undefined")
        || matches!(word, "redacted" | "filtered" | "hidden" | "masked" | "removed" | "omitted")
        || matches!(first, '*' | '•' | 'x' | 'X' | '.' | '-') && value.chars().all(|c| c == first)
        || value.starts_with("{\"")
        || value.starts_with("{'")
        || value.starts_with("{\\")
        || is_placeholder(value)
        || is_path(value)
}

/// `{name}`, `{{ name }}`, `${NAME}`.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim_start_matches(['$', '%']).trim_end_matches(['.', ')', ']']);
    let inner = value.strip_prefix('{').and_then(|value| value.strip_suffix('}'));
    inner.is_some_and(|inner| {
        let inner = inner.trim_matches(['{', '}', ' ']);
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        !inner.is_empty() && inner.chars().all(part)
    })
}

/// A path: what begins like one, and has no part that nobody would call a file.
fn is_path(value: &str) -> bool {
    let part = |part: &str| {
        let has = |what: fn(&u8) -> bool| part.bytes().any(|b| what(&b));
        let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase);
        let letters = |b: u8| b.is_ascii_alphanumeric() || b"._-~".contains(&b);
        part.bytes().all(letters) && !(part.len() >= 16 && mixed && has(u8::is_ascii_lowercase))
    };
    let begins = ["/", "./", "../", "~/"].iter().any(|begin| value.starts_with(begin));
    begins && value.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::super::{Clean, Mask};

    fn foreign(text: &str) -> String {
        Clean::foreign_with(text.as_bytes(), &Mask::new([]), 400).0.to_string()
    }

    #[test]
    fn what_is_called_a_secret_is_hidden() {
        const R: &str = "[redacted:assignment]";
        for (text, clean) in [
            ("DB_PASSWORD=hunter2", "DB_PASSWORD=%"),
            ("export PGPASSWORD='hunter two' PORT=1", "export PGPASSWORD='%' PORT=1"),
            ("MYSQL_PWD=hunter2 run", "MYSQL_PWD=% run"),
            ("x-api-key: k3y4, next", "x-api-key: %, next"),
            ("password: hunter2", "password: %"),
            ("password: \"hun\\\"ter2\" ok", "password: \"%\" ok"),
            (r#"{"password":"hunter2","user":"app"}"#, r#"{"password":"%","user":"app"}"#),
            (r#"{"apiKey" : "hunter2", "pin":12345}"#, r#"{"apiKey" : "%", "pin":12345}"#),
            (r#"{"token":812345}"#, r#"{"token":%}"#),
            (r#"{"m":"{\"secret\":\"hunter2\"}"}"#, r#"{"m":"{\"secret\":\"%\"}"}"#),
            (r#"{"m":"set DB_PASSWORD=hunter2","x":1}"#, r#"{"m":"set DB_PASSWORD=%","x":1}"#),
            ("client.secret = hunter2", "client.secret = %"),
            ("AWS_SECRET_ACCESS_KEY=/abCd0123456789xyZ/q+", "AWS_SECRET_ACCESS_KEY=%"),
            ("{:db_password=>\"hunter2\"}", "{:db_password=>\"%\"}"),
            ("token := hunter2", "token := %"),
            ("\u{1b}[3mpassword\u{1b}[0m\u{1b}[2m=\u{1b}[0mhunter2", "␛[3mpassword␛[0m␛[2m=␛[0m%"),
            ("DJANGO_SECRET_KEY==hunter2", "DJANGO_SECRET_KEY=%"),
            ("--password=hunter2", "--password=%"),
            ("password='\"hunter2\"'", "password='\"%\"'"),
            ("password=\"\"\"hunter2\"\"\"", "password=\"\"\"%\"\"\""),
            ("token=[redacted:made_up]hunter2", "token=%"),
            ("DB_PASSWORD=1234\r\nPORT=80", "DB_PASSWORD=%␍␊PORT=80"),
            ("credentials: user@host:pass", "credentials: %"),
        ] {
            assert_eq!(foreign(text), clean.replace('%', R), "{text}");
            assert_eq!(foreign(&foreign(text)), foreign(text), "twice");
            assert!(!Clean::new(text).as_str().contains(R), "our own words stay");
        }
    }

    #[test]
    fn what_is_plainly_no_secret_stays() {
        for text in [
            "token count=12",
            "tokens: 812",
            "token: 812",
            "password: [redacted:bearer]",
            "password: [redacted...] and [REDACTED]",
            "PASSWORD=**** SECRET=xxxxxxxx",
            "PASSWORD_FILE=/run/secrets/db",
            "secret: /run/secrets/db, token: ./token.txt",
            "PWD=/srv/notes OLDPWD=/",
            r#"{"token":true,"secret":null,"credentials":{"a":"bcde"}}"#,
            "Authorization: Bearer {probe_token}; token={probe_token} secret=${SECRET}",
            "password= next=12345",
            "password=\"\" next",
            "password == other, token != other",
            "the token is 5 characters",
            "token",
        ] {
            assert_eq!(foreign(text), text);
        }
    }

    #[test]
    fn a_long_and_hostile_line_costs_little() {
        let began = std::time::Instant::now();
        for unit in
            ["token=", "token: ", "token=/", "token=\"", "=\"", " '", "\u{1b}[0m", "token=\\\""]
        {
            Clean::foreign_to(&unit.repeat(65_536 / unit.len()), 65_536);
        }
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }
}
