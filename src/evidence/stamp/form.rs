//! The one form in which a token is kept: so that a byte of it that was changed is seen.
//!
//! A reply of RFC 3161 is DER, of which the authority signs the time, the digest and little else.
//! Around that there is room: words beside the status, version numbers, names of algorithms, a name
//! for the certificate, attributes that nobody signs. Whoever changes those changes nothing that
//! `openssl ts -verify` would miss. Here each of them must be what follows from the rest, and
//! whatever has no business in a token is refused. What is left to choose says the same: whether
//! parameters that are nothing are written or not, and `rsaEncryption` or its longer name.
//!
//! Nothing is verified here but the form.

use sha2::{Digest, Sha256};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 2;
const BYTES: u8 = 4;
const OID: u8 = 6;
const TIME: u8 = 0x18;
const FIRST: u8 = 0xa0;
/// Deeper than this is no token.
const DEEPEST: u8 = 24;

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// Digests, what an ECDSA signature over one is called, and what an RSA signature is.
const DIGESTS: [(&[u8], &[u8], &[u8]); 3] = [
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c],
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d],
    ),
];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// What is wrong with a token.
pub type Odd = &'static str;

/// A token in its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The certificate whose key has signed it.
    pub signer: Certificate,
    /// The other certificates that it carries and whose digests are not signed with it.
    pub others: Vec<Certificate>,
    /// SHA-256 of the bytes that it is of.
    pub imprint: Vec<u8>,
    /// The authority's time as it is written: `20261123151136Z`, with a fraction or without.
    pub time: String,
}

/// A certificate that a token carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// All of it, as DER.
    pub der: Vec<u8>,
    /// Whose it is, as DER.
    pub subject: Vec<u8>,
    /// Who signed it, as DER.
    pub issuer: Vec<u8>,
    serial: Vec<u8>,
}

/// The reply as it is kept: the token, granted, without the authority's words.
pub fn kept(reply: &[u8]) -> Result<Vec<u8>, Odd> {
    let (_, token) = parts(reply)?;
    let body = [&[SEQUENCE, 3, INTEGER, 1, 0], token].concat();
    let mut out = vec![SEQUENCE];
    let length = u32::try_from(body.len()).map_err(|_| "it is too long")?.to_be_bytes();
    let digits = length.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<u8>>();
    if body.len() >= 0x80 {
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(4));
    }
    out.extend(digits);
    out.extend(body);
    Ok(out)
}

/// Reads a token that must be in its form.
pub fn read(reply: &[u8]) -> Result<Form, Odd> {
    let (status, token) = parts(reply)?;
    if status != [INTEGER, 1, 0] {
        return Err("beside the token it says what nobody has signed");
    }
    let mut content = Der(Der(token).only(SEQUENCE)?);
    if content.next(OID)?.body != SIGNED_DATA {
        return Err("there is no signed token");
    }
    let mut signed = Der(Der(content.last(FIRST)?).only(SEQUENCE)?);
    number(&mut signed, 3)?;
    let digest = algorithm(Der(signed.next(SET)?.body).only(SEQUENCE)?)?;
    let mut about = Der(signed.next(SEQUENCE)?.body);
    if about.next(OID)?.body != TST_INFO {
        return Err("what is signed is no time");
    }
    let (imprint, time) = info(Der(about.last(FIRST)?).only(BYTES)?)?;
    let mut certificates = Vec::new();
    let mut carried = Der(signed.next(FIRST)?.body);
    while !carried.0.is_empty() {
        certificates.push(certificate(carried.next(SEQUENCE)?.whole)?);
    }
    let mut signer = Der(Der(signed.last(SET)?).only(SEQUENCE)?);
    number(&mut signer, 1)?;
    let named = signer.next(SEQUENCE)?.body;
    if algorithm(signer.next(SEQUENCE)?.body)? != digest {
        return Err("it names two digests");
    }
    let attributes = signer.next(FIRST)?;
    strict(attributes.body, 0)?;
    signature(signer.next(SEQUENCE)?.body, digest)?;
    // After the signature come attributes that nobody signs.
    signer.last(BYTES)?;
    let by = certificates.iter().position(|of| [&of.issuer[..], &of.serial].concat() == named);
    let by = certificates.remove(by.ok_or("it does not carry its signer's certificate")?);
    let is_signed = |of: &Certificate| {
        let sha256 = Sha256::digest(&of.der);
        attributes.body.windows(sha256.len()).any(|bytes| bytes == &sha256[..])
    };
    certificates.retain(|of| !is_signed(of));
    Ok(Form { signer: by, others: certificates, imprint, time })
}

fn parts(reply: &[u8]) -> Result<(&[u8], &[u8]), Odd> {
    let mut reply = Der(Der(reply).only(SEQUENCE)?);
    let status = reply.next(SEQUENCE)?.body;
    let token = reply.0;
    reply.last(SEQUENCE)?;
    Ok((status, token))
}

fn number(der: &mut Der<'_>, expected: u8) -> Result<(), Odd> {
    if der.next(INTEGER)?.body == [expected] { Ok(()) } else { Err("it is of another version") }
}

/// The name of an algorithm whose parameters are nothing.
fn algorithm(body: &[u8]) -> Result<&[u8], Odd> {
    let mut der = Der(body);
    let name = der.next(OID)?.body;
    if der.0.is_empty() || der.0 == [5, 0] { Ok(name) } else { Err("an algorithm is odd") }
}

fn signature(body: &[u8], digest: &[u8]) -> Result<(), Odd> {
    let name = algorithm(body)?;
    let known = DIGESTS.iter().find(|(of, ..)| *of == digest);
    let (_, ecdsa, rsa) = known.ok_or("its digest is not one of SHA-256 to SHA-512")?;
    let fits = name == RSA || name == *rsa || (name == *ecdsa && body.len() == name.len() + 2);
    fits.then_some(()).ok_or("its signature is neither ECDSA nor RSA over its digest")
}

/// Digest and time of what is signed.
fn info(bytes: &[u8]) -> Result<(Vec<u8>, String), Odd> {
    let mut der = Der(Der(bytes).only(SEQUENCE)?);
    der.next(INTEGER)?;
    der.next(OID)?;
    let mut imprint = Der(der.next(SEQUENCE)?.body);
    if algorithm(imprint.next(SEQUENCE)?.body)? != DIGESTS[0].0 {
        return Err("it is not of a SHA-256");
    }
    let imprint = imprint.last(BYTES)?.to_vec();
    der.next(INTEGER)?;
    let time = std::str::from_utf8(der.next(TIME)?.body).map_err(|_| "its time is no text")?;
    Ok((imprint, time.to_owned()))
}

fn certificate(whole: &[u8]) -> Result<Certificate, Odd> {
    let mut signed = Der(Der(Der(whole).only(SEQUENCE)?).next(SEQUENCE)?.body);
    if signed.0.first() == Some(&FIRST) {
        signed.next(FIRST)?;
    }
    let serial = signed.next(INTEGER)?.whole.to_vec();
    signed.next(SEQUENCE)?;
    let issuer = signed.next(SEQUENCE)?.whole.to_vec();
    signed.next(SEQUENCE)?;
    let subject = signed.next(SEQUENCE)?.whole.to_vec();
    Ok(Certificate { der: whole.to_vec(), subject, issuer, serial })
}

/// Everything in here must be written as DER writes it, for a reader would write it anew before it
/// looks at the signature.
fn strict(bytes: &[u8], depth: u8) -> Result<(), Odd> {
    let mut der = Der(bytes);
    while let Some(tag) = der.0.first().copied() {
        let body = der.next(tag)?.body;
        let holds_more = tag & 0x20 != 0;
        if tag & 0xc0 == 0 && holds_more != matches!(tag & 0x1f, 16 | 17) {
            return Err("it is not written in the one way");
        }
        if holds_more {
            if depth == DEEPEST {
                return Err("it goes too deep");
            }
            strict(body, depth + 1)?;
        }
    }
    Ok(())
}

/// One value.
#[derive(Clone, Copy)]
struct Value<'a> {
    whole: &'a [u8],
    body: &'a [u8],
}

/// What is still to be read.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value, which must be of this kind.
    fn next(&mut self, tag: u8) -> Result<Value<'a>, Odd> {
        const SHORT: Odd = "it ends too early";
        let all = self.0;
        let [found, length, rest @ ..] = all else { return Err(SHORT) };
        if *found != tag || tag & 0x1f == 0x1f {
            return Err("it is not built as a token is");
        }
        let (length, body) = match usize::from(*length) {
            short @ 0..0x80 => (short, rest),
            long => {
                let digits = rest.get(..(long & 0x7f).min(4)).ok_or(SHORT)?;
                let length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
                let shortest = match digits.len() {
                    1 => length >= 0x80,
                    2 => length >= 1 << 8,
                    3 => length >= 1 << 16,
                    _ => return Err("it is too long"),
                };
                if !shortest {
                    return Err("a length is not written in the one way");
                }
                (length, rest.get(digits.len()..).unwrap_or_default())
            }
        };
        let (body, after) = body.split_at_checked(length).ok_or(SHORT)?;
        self.0 = after;
        let whole = all.get(..all.len() - after.len()).unwrap_or_default();
        Ok(Value { whole, body })
    }

    /// The body of the last value: nothing may follow.
    fn last(&mut self, tag: u8) -> Result<&'a [u8], Odd> {
        let body = self.next(tag)?.body;
        if self.0.is_empty() { Ok(body) } else { Err("there is more than a token") }
    }

    /// The same, where there is no other.
    fn only(mut self, tag: u8) -> Result<&'a [u8], Odd> {
        self.last(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_no_token_is_read_as_one() {
        for bytes in [
            &b""[..],
            b"0",
            b"\x30\x00",
            b"\x30\x80\x00\x00",
            b"\x30\x81\x05\x30\x03\x02\x01\x00",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x05\x30\x03\x02\x01\x02",
            b"<html>",
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
            assert!(kept(bytes).is_err(), "{bytes:?}");
        }
        let deep: Vec<u8> = [0x30, 0x80].repeat(10_000);
        assert!(read(&deep).is_err());
    }

    #[test]
    fn the_words_of_an_authority_beside_its_token_are_not_kept() {
        // A status of 1 with words, and a token of 130 bytes.
        let token = [&[0x30, 0x81, 0x82][..], &[0; 130]].concat();
        let status = b"\x30\x09\x02\x01\x01\x30\x04\x0c\x02ok";
        let body = [&status[..], &token].concat();
        let reply = [&[0x30, 0x81, u8::try_from(body.len()).unwrap()], &body[..]].concat();
        let kept = kept(&reply).unwrap();
        assert_eq!(kept[..8], [0x30, 0x81, 138, 0x30, 3, 2, 1, 0]);
        assert_eq!(kept[8..], token);
    }
}
