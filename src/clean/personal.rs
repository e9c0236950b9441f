//! What is personal in other people's text: client addresses, query strings, e-mail addresses and
//! cookies.
//!
//! A service's log says who its users are, and a bundle is shown to strangers. These rules are for
//! text that came from outside alone ([`Clean::foreign`](super::Clean::foreign), the lines of a
//! command): our own sentences, and the addresses that the plan names, are what an operator needs
//! to read. They err towards hiding, but for what a log is full of and names nobody: loopback and
//! unspecified addresses, times, versions behind `v` or `version`, hardware addresses, paths of
//! modules, units of systemd, versions of packages.
//!
//! Everything here looks at one position of a text that has its stand-ins; it replaces nothing and
//! counts nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which rule has found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Personal {
    Address,
    Query,
    Email,
    Cookie,
}

/// Names of rules, in the order of [`Personal`].
pub(super) const NAMES: [&str; 4] = ["client_address", "query", "email", "cookie"];

/// A quick look: whether anything could be found in this text at all.
pub(super) fn may_match(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut dots, mut colons) = (0_u32, 0_u32);
    for (i, &b) in bytes.iter().enumerate() {
        match b {
            b'@' | b'?' | b'=' => return true,
            b'%' if bytes[i..].starts_with(b"%40") => return true,
            b'.' => dots += 1,
            b':' => colons += 1,
            _ => {}
        }
    }
    dots >= 3 || colons >= 7 || colons >= 2 && text.contains("::")
}

/// What is to be done with the text at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// So many bytes are to be hidden.
    Hide(usize, Personal),
    /// So many bytes belong together, and may be read.
    Leave(usize),
}

/// What begins right at `i`, if anything does.
pub(super) fn at(text: &str, i: usize, known: &[IpAddr]) -> Option<Found> {
    let hide = |length: Option<usize>, rule| length.map(|length| Found::Hide(length, rule));
    let found =
        hide(query(text, i), Personal::Query).or_else(|| hide(cookie(text, i), Personal::Cookie));
    // Our own words are passed over, but for what hides behind one.
    if found.is_some() || is_ours(&text[i..]) {
        return found;
    }
    hide(email(text, i), Personal::Email).or_else(|| {
        let (length, address) = address(text, i)?;
        let shown = is_nobody(address) || known.contains(&address);
        Some(if shown { Found::Leave(length) } else { Found::Hide(length, Personal::Address) })
    })
}

/// All addresses that a text names.
pub(super) fn addresses(text: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < text.len() {
        let next = match address(text, i) {
            Some((length, address)) => {
                found.push(address);
                length
            }
            None => text[i..].chars().next().map_or(1, char::len_utf8),
        };
        i += next;
    }
    found
}

/// Addresses that are no client's: of this machine, or of none.
fn is_nobody(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

/// Whether a word may begin here: behind nothing, behind what belongs to no word, or behind an
/// escape sequence or an escaped character, whose last letter is no part of what follows.
pub(super) fn begins(before: &str) -> bool {
    let Some(last) = before.chars().next_back() else { return true };
    if !last.is_alphanumeric() && last != '_' {
        return true;
    }
    let rest = &before[..before.len() - last.len_utf8()];
    if matches!(last, 'n' | 'r' | 't') && rest.ends_with('\\') {
        return true;
    }
    if last.is_ascii_alphabetic() {
        let parameters = |c: char| c.is_ascii_digit() || matches!(c, ';' | ':' | '?');
        let rest = rest.trim_end_matches(parameters);
        return rest.ends_with("␛[") || rest.ends_with("<U+009B>");
    }
    false
}

fn address(text: &str, i: usize) -> Option<(usize, IpAddr)> {
    match text.as_bytes().get(i)? {
        b'0'..=b'9' => {
            ipv6(text, i).or_else(|| ipv4(text, i).map(|(length, four)| (length, four.into())))
        }
        b'a'..=b'f' | b'A'..=b'F' | b':' => ipv6(text, i),
        _ => None,
    }
}

/// Four numbers of at most 255, neither within more of them nor behind the word for a version.
fn ipv4(text: &str, i: usize) -> Option<(usize, Ipv4Addr)> {
    let before = &text.as_bytes()[..i];
    let escaped = is_escape(before);
    let inside = match before {
        [.., digit, b'.'] => digit.is_ascii_digit(),
        [.., digit] => digit.is_ascii_digit() && !escaped,
        [] => false,
    };
    if inside || is_version(&text[..i]) {
        return None;
    }
    let rest = &text.as_bytes()[i..];
    let (mut at, mut octets) = (0, [0_u8; 4]);
    for (n, octet) in octets.iter_mut().enumerate() {
        if n > 0 {
            (rest.get(at) == Some(&b'.')).then_some(())?;
            at += 1;
        }
        let digits = rest[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        (1..=3).contains(&digits).then_some(())?;
        *octet = text[i + at..i + at + digits].parse().ok()?;
        at += digits;
    }
    let more = rest.get(at) == Some(&b'.') && rest.get(at + 1).is_some_and(u8::is_ascii_digit);
    (!more).then(|| (at, octets.into()))
}

fn is_version(before: &str) -> bool {
    let word = before.trim_end_matches([' ', '=', ':', '"', '\'']);
    let apart = before.len() - word.len();
    let lower = word.bytes().rev().take(8).map(|b| b.to_ascii_lowercase());
    let word: Vec<u8> = lower.collect::<Vec<_>>().into_iter().rev().collect();
    let ends = |name: &[u8]| {
        let letters = word.len().checked_sub(name.len() + 1).map(|at| word[at]);
        word.ends_with(name) && !letters.is_some_and(|b| b.is_ascii_alphanumeric())
    };
    apart <= 4 && (ends(b"version") || apart == 0 && ends(b"v"))
}

const fn hex(b: &u8) -> bool {
    b.is_ascii_hexdigit()
}

/// An IPv6 address, as long as it can be. Tried where a stretch of groups begins, and at each
/// group of one that is no address as a whole, as in `node:2001:db8::1`.
fn ipv6(text: &str, i: usize) -> Option<(usize, IpAddr)> {
    let belongs = |b: &&u8| hex(b) || **b == b':';
    let (before, rest) = (&text.as_bytes()[..i], &text.as_bytes()[i..]);
    let within_stretch = before.last() == Some(&b':');
    let foreign = before.last().is_some_and(|b| !b.is_ascii());
    if !within_stretch && !foreign && !begins(&text[..i]) && !is_escape(before) {
        return None;
    }
    let begun = before.iter().rev().take(STRETCH).take_while(belongs).count();
    let run = rest.iter().take(STRETCH).take_while(belongs).count();
    let (stretch, whole) = (&text[i..i + run], &text[i - begun..i + run]);
    let colons = stretch.bytes().filter(|&b| b == b':').count();
    // A path of modules has more than one `::`, and is no address anywhere.
    if colons < 2 || whole.matches("::").count() > 1 || whole.contains(":::") {
        return None;
    }
    if within_stretch && rest.first() == Some(&b':') {
        return None;
    }
    let (length, address) = with_ipv4(text, i, stretch).or_else(|| {
        let next = text[i + run..].chars().next();
        if next.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let parse = |text: &str| Some((text.len(), text.parse::<Ipv6Addr>().ok()?));
        // A colon may follow, as in `2001:db8::1: refused`.
        parse(stretch).or_else(|| parse(stretch.strip_suffix(':')?))
    })?;
    let groups = || text[i..i + length].split(':').filter(|group| !group.is_empty());
    let hardware = groups().count() == 8 && groups().all(|group| group.len() == 2);
    let digits = text[i..i + length].bytes().any(|b| b.is_ascii_digit());
    if hardware || groups().count() <= 2 && !digits && length > 2 {
        return None;
    }
    // A zone, as in `fe80::1%eth0`, says which card of a machine.
    let zone = text[i + length..].strip_prefix('%').map_or(0, |zone| {
        let length = zone.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if length > 0 { length + 1 } else { 0 }
    });
    Some((length + zone, address.into()))
}

/// More than the longest address.
const STRETCH: usize = 64;

/// An address whose last part is written as IPv4: `64:ff9b::192.0.2.1`.
fn with_ipv4(text: &str, i: usize, stretch: &str) -> Option<(usize, Ipv6Addr)> {
    let rest = &text[i..];
    rest[stretch.len()..].starts_with('.').then_some(())?;
    let last = stretch.rfind(':')? + 1;
    let four = rest[last..].bytes().take(STRETCH);
    let four = four.take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let whole = rest[..last + four].trim_end_matches('.');
    Some((whole.len(), whole.parse().ok()?))
}

/// Whether what comes right before is the end of `%3D` or `\\b`.
fn is_escape(before: &[u8]) -> bool {
    match before {
        [.., b'%', a, b] => hex(a) && hex(b),
        [.., b'\\', letter] => matches!(letter, b'b' | b'f' | b'n' | b'r' | b't'),
        _ => false,
    }
}

/// What no query holds, and what therefore ends one.
const fn ends_query(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`' | '…' | '␀'..='␡')
}

/// What follows a path and its `?`, up to what no query holds.
fn query(text: &str, i: usize) -> Option<usize> {
    const OURS: &str = "[redacted:query]";
    let path = text[..i].strip_suffix('?')?;
    let path = &path[path.rfind(|c| c == '?' || ends_query(c)).unwrap_or(0)..];
    let slash = path.find('/')?;
    // A whole path, or a whole address; where it is neither, what follows must look like a query.
    let starts = path[..slash]
        .chars()
        .next_back()
        .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_' | ']'));
    let rest = &text[i..];
    if !starts && !path.contains("://") && !rest.bytes().take(256).any(|b| b == b'=') {
        return None;
    }
    let rest = rest.find(ends_query).map_or(rest, |end| &rest[..end]);
    let query = rest.trim_end_matches([')', ']', '}', ',', '.', ';', ':', '\'', '\\', '!', '?']);
    // Our own word, of which the bracket was taken for the line's.
    let ours = query.len() + 1 == OURS.len() && rest.starts_with(OURS);
    (!query.is_empty() && !ours).then_some(query.len())
}

/// `local@domain.tld`, also with `%40`.
fn email(text: &str, i: usize) -> Option<usize> {
    let rest = &text[i..];
    let first = rest.chars().next()?;
    let word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    if !first.is_alphanumeric() && !matches!(first, '_' | '+' | '-' | '.' | '%') {
        return None;
    }
    let before = text[..i].chars().next_back();
    if before.is_some_and(|c| word(c) && !(c.is_ascii_alphabetic() && begins(&text[..i]))) {
        return None;
    }
    let run = rest.find(|c| !word(c)).unwrap_or(rest.len());
    let (name, at) = match rest[..run].find("%40") {
        Some(name) => (name, name + 3),
        None if rest[run..].starts_with('@') => (run, run + 1),
        None => return None,
    };
    // What a machine is cloned as is nobody's name.
    if name == 0 || rest[..name] == *"git" {
        return None;
    }
    let domain = &rest[at..];
    let domain = &domain[..domain
        .find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-'))
        .unwrap_or(domain.len())];
    let domain = domain.trim_end_matches(['.', '-']);
    let mut labels = domain.split('.');
    let (one, two) = (labels.next()?, labels.next()?);
    let last = domain.rsplit('.').next()?;
    let digit = |label: &str| label.bytes().next().is_some_and(|b| b.is_ascii_digit());
    let name_of_all = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic)
        || last.starts_with("xn--");
    let version = digit(one) && digit(two);
    let picture = one.len() == 2 && digit(one) && one.ends_with('x');
    let good = name_of_all && !version && !picture && !UNITS.contains(&last) && !one.is_empty();
    good.then_some(at + domain.len())
}

/// What comes last in the names of units of systemd, which hold an `@` too.
const UNITS: [&str; 11] = [
    "service",
    "socket",
    "target",
    "mount",
    "timer",
    "slice",
    "scope",
    "device",
    "path",
    "swap",
    "automount",
];

/// The value of a `Cookie` or `Set-Cookie` header, or of a pair that can only be a session.
fn cookie(text: &str, i: usize) -> Option<usize> {
    header_value(text, i).or_else(|| session(text, i))
}

fn header_value(text: &str, i: usize) -> Option<usize> {
    let (before, rest) = (&text[..i], &text[i..]);
    let first = rest.chars().next()?;
    // The value begins behind all that may stand before it.
    if matches!(first, ' ' | '"' | '\'' | '\\') || first == '[' && !is_ours(rest) {
        return None;
    }
    let name = before.trim_end_matches([' ', '"', '\'', '[', '\\']).strip_suffix(':')?;
    let name = name.trim_end_matches([' ', '"', '\'', '\\']).as_bytes();
    let start = name.len().checked_sub("cookie".len())?;
    if !name[start..].eq_ignore_ascii_case(b"cookie") {
        return None;
    }
    let opened = before.chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let list = before.trim_end_matches([' ', '"', '\'', '\\']).ends_with('[');
    let ends = |c: char| match (list, opened) {
        (true, _) => c == ']',
        (false, Some(quote)) => c == quote,
        (false, None) => matches!(c, '␀'..='␡'),
    };
    // Every cookie has a name and a value; words about cookies have none.
    let named =
        rest.char_indices().take(NAME).take_while(|(_, c)| !ends(*c)).any(|(_, c)| c == '=');
    let value = || rest.find(ends).map_or(rest, |end| &rest[..end]);
    named.then(|| value().trim_end_matches([' ', '"', '\'', '\\']).len())
}

/// The longest name of a cookie, in characters.
const NAME: usize = 128;

fn is_ours(rest: &str) -> bool {
    rest.starts_with("[redacted:")
}

/// The value behind `session=` and its like: long, and nothing that anybody would read.
fn session(text: &str, i: usize) -> Option<usize> {
    let name = text[..i].strip_suffix('=')?;
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let length = name.bytes().rev().take_while(|&b| part(b)).count();
    let name: String = name[name.len() - length..]
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let ends =
        ["session", "sessionid", "sessid", "connectsid"].iter().any(|end| name.ends_with(end));
    if !ends && !matches!(name.as_str(), "sid" | "csrftoken" | "xsrftoken" | "remembertoken") {
        return None;
    }
    let belongs = |b: u8| part(b) || matches!(b, b'%' | b'+' | b'/' | b'=' | b'~' | b':');
    let value = || text[i..].bytes().take_while(|&b| belongs(b));
    let beginning: Vec<u8> = value().take(64).collect();
    let has = |what: fn(&u8) -> bool| beginning.iter().any(what);
    let secret =
        has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    (beginning.len() >= 16 && secret).then(|| value().count())
}

#[cfg(test)]
mod tests {
    use super::super::{Clean, Mask};

    fn foreign(text: &str) -> String {
        let mask = Mask::new([]).leaving("[\"http://192.0.2.7:8080\", \"2001:db8::7\"]");
        Clean::foreign_with(text.as_bytes(), &mask, 400).0.to_string()
    }

    #[test]
    fn clients_are_hidden_and_their_requests_too() {
        for (text, clean) in [
            (
                r#"203.0.113.9 - - [23/Nov/2026:12:41:07 +0000] "GET /cart?user=7&x=a[]' HTTP/1.1" 200"#,
                r#"[redacted:client_address] - - [23/Nov/2026:12:41:07 +0000] "GET /cart?[redacted:query]]' HTTP/1.1" 200"#,
            ),
            ("from 203.0.113.9:4711.", "from [redacted:client_address]:4711."),
            ("[2001:db8::1]:443", "[[redacted:client_address]]:443"),
            ("2001:DB8:0:0:8:800:200C:417A said", "[redacted:client_address] said"),
            ("peer ::ffff:203.0.113.9 left", "peer [redacted:client_address] left"),
            ("client:2001:db8::1: refused", "client:[redacted:client_address]: refused"),
            (
                "node:2001:db8::1,fe80::1%eth0",
                "node:[redacted:client_address],[redacted:client_address]",
            ),
            ("\u{1b}[32mfe80::1\u{1b}[0m", "␛[32m[redacted:client_address]␛[0m"),
            (r"a\n2001:db8::1\n", r"a\n[redacted:client_address]\n"),
            (
                "ip%3D203.0.113.9%2010.1.2.3",
                "ip%3D[redacted:client_address]%20[redacted:client_address]",
            ),
            ("mail to Anna.B+x@mail.example.org!", "mail to [redacted:email]!"),
            ("u=anna%40example.org", "u=[redacted:email]"),
            ("jürgen@exämple.de wrote", "[redacted:email] wrote"),
            (
                "url=https://shop.example/x?q=a%20b#top, ok",
                "url=https://shop.example/x?[redacted:query], ok",
            ),
            (r#"{"path":"/x?y=\"1"}"#, r#"{"path":"/x?[redacted:query]\"1"}"#),
            ("GET api/users?id=3", "GET api/users?[redacted:query]"),
            ("Cookie: a=b; sid=c", "Cookie: [redacted:cookie]"),
            (
                r#""set-cookie":["a=b; Path=/","c=d"],"x":1"#,
                r#""set-cookie":["[redacted:cookie]"],"x":1"#,
            ),
            ("< Set-Cookie: a=b\r\nHost: x", "< Set-Cookie: [redacted:cookie]␍␊Host: x"),
            ("PHPSESSID=0123456789abcdef01", "PHPSESSID=[redacted:cookie]"),
        ] {
            assert_eq!(foreign(text), clean);
            assert_eq!(foreign(&foreign(text)), clean, "twice");
        }
    }

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        for text in [
            "2026-11-23T12:41:07.123Z INFO listening on 127.0.0.1:8080 and [::1]:8080",
            "bound to 0.0.0.0:80, [::]:80, 192.0.2.7:81 and 2001:db8::7",
            "postgres version 16.4.0.1 and v1.2.3.4, Version: 9.0.0.1",
            "1.2.3 10.20 1.2.3.4.5 999.1.1.1 OID 1.3.6.1.4.1.311",
            "mac 00:1b:44:11:3a:b7, eui 00:11:22:33:44:55:66:77, at 12:41:07",
            "key SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8 16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "thread 'a' panicked at a::b::c, core::f32::consts, std::fmt, db::pool, add::b and dead::beef",
            "Started getty@tty1.service; react@18.3.0-canary.x; logo@2x.png; git@github.com:acme/app.git",
            "is it ready? yes/no? both. Which one?",
            "session=7 sessions=12 sid=web cookie: none, no Cookie: at all",
            "user@host, @handle, a @ b.example",
            "took 12ms, 5.2 MB, 99.9 % of 1e9; x=1 y=2?",
        ] {
            assert_eq!(foreign(text), text);
        }
    }

    #[test]
    fn our_own_sentences_keep_their_addresses() {
        let text = "10.0.0.1:8080 answers /x?y=1 for anna@example.org";
        assert_eq!(Clean::new(text).as_str(), text);
    }

    #[test]
    fn long_and_hostile_lines_cost_little() {
        let began = std::time::Instant::now();
        for unit in [
            "?",
            "/?",
            "a/?",
            "a:",
            "::",
            "@",
            "a@",
            "1.",
            "1.1.1.1",
            "cookie:",
            "cookie: \"",
            "sid=",
            "sid=a",
            "[",
            " \"",
            "a1;",
            "%40",
            "aa%40",
        ] {
            let text = unit.repeat(65_536 / unit.len());
            super::super::Clean::foreign_to(&text, 65_536);
        }
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }
}
