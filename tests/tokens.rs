//! A time authority's tokens: they are there if the bundle says so, and not a byte of them can be
//! changed unseen, by whoever has no certificate of the authority.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on shall fail")]

#[path = "support/authority.rs"]
#[allow(dead_code, reason = "of the authority's answers")]
mod authority;
#[path = "support/bundle.rs"]
#[allow(dead_code, reason = "of the place's parts")]
mod bundle;
#[path = "support/sim/plan.rs"]
#[allow(dead_code, reason = "of the plan's parts")]
mod fixture;
#[path = "support/tamper.rs"]
#[allow(dead_code, reason = "of the ways")]
mod tamper;

use authority::{Answers, Authority};
use bundle::{Place, sign};
use std::fs;
use std::path::{Path, PathBuf};
use switchback::evidence::signers::Signers;
use switchback::evidence::verify::{Asked, State, Verified, verify};
use tamper::copy;

fn dated() -> (Place, Authority) {
    let mut place = Place::new(fixture::plan());
    let authority = Authority::open(place.home.path());
    place.plan.evidence.tsa = Some(authority.url.clone());
    place.fly(&["\u{1b}[2J\u{1b}[1;1Hswitchback"], true);
    (place, authority)
}

fn said<'a>(told: &'a Verified, check: &str) -> (State, &'a str) {
    let found = told.checks.iter().find(|c| c.check == check);
    let found = found.unwrap_or_else(|| panic!("{check}: {:#?}", told.checks));
    (found.state, found.says.as_str())
}

const SEAL: &str = "time of the seal";

#[test]
fn a_dated_bundle_says_by_whose_word_and_with_the_authoritys_certificate_that_it_is_proven() {
    let (place, authority) = dated();
    let sealed = place.seal().unwrap();
    assert!(sealed.token.is_some() && sealed.no_token.is_none());
    let readme = fs::read_to_string(sealed.path.join("README.txt")).unwrap();
    assert!(readme.contains("stands beside it: SHA256SUMS.tsr"), "{readme}");
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{:#?}", told.checks);
    for check in [SEAL, "time of the declaration"] {
        let (state, says) = said(&told, check);
        assert_eq!(state, State::NotChecked);
        let own =
            "Z by its own certificate; whether that is an authority: not checked (--tsa-chain)";
        assert!(says.ends_with(own), "{says}");
    }
    let signers = Signers::read(&place.signers()).unwrap();
    let chain = authority.dir.join("tsa.pem");
    let asked = Asked { signers: Some(&signers), tsa_chain: Some(&chain), ..Asked::default() };
    let told = verify(&sealed.path, &asked);
    assert_eq!((told.exit(), said(&told, SEAL).0), (0, State::Ok), "{:#?}", told.checks);
    let (exit, says) = place.script(&sealed.path, true);
    assert!(exit == 0 && says.contains("SHA256SUMS.tsr fits SHA256SUMS.sig"), "{says}");
    assert!(says.contains("declaration.tsr fits declaration.json.sig"), "{says}");
}

#[test]
fn what_the_bundle_says_is_beside_it_cannot_be_removed_or_added() {
    let (place, _authority) = dated();
    let sealed = place.seal().unwrap();
    for file in ["SHA256SUMS.tsr", "SHA256SUMS.sig"] {
        let kept = fs::read(sealed.path.join(file)).unwrap();
        fs::remove_file(sealed.path.join(file)).unwrap();
        let told = place.verify(&sealed.path);
        assert_eq!(told.exit(), 1, "without {file}: {:#?}", told.checks);
        let (exit, says) = place.script(&sealed.path, true);
        assert_eq!(exit, 1, "without {file}: {says}");
        fs::write(sealed.path.join(file), kept).unwrap();
    }
    assert_eq!(place.verify(&sealed.path).exit(), 0);
}

#[test]
fn an_authority_that_cannot_be_had_at_the_seal_is_told_within_the_bundle() {
    let (place, authority) = dated();
    let dated = place.seal().unwrap();
    let token = fs::read(dated.path.join("SHA256SUMS.tsr")).unwrap();
    authority.answer(Answers::Status(503));
    let sealed = place.seal().unwrap();
    assert!(sealed.token.is_none() && sealed.signed.is_some(), "{sealed:?}");
    let why = sealed.no_token.unwrap();
    let readme = fs::read_to_string(sealed.path.join("README.txt")).unwrap();
    assert!(readme.contains(&format!("NOT DATED: no token: {why}")), "{readme}");
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{:#?}", told.checks);
    assert!(said(&told, SEAL).1.contains(why.as_str()));
    assert_eq!(place.script(&sealed.path, true).0, 0);
    // Another bundle's token is none of this one's.
    fs::write(sealed.path.join("SHA256SUMS.tsr"), token).unwrap();
    assert_eq!(place.verify(&sealed.path).exit(), 1);
    assert_eq!(place.script(&sealed.path, true).0, 1);
}

#[test]
fn another_bundles_token_does_not_fit_nor_does_an_authoritys_other_word() {
    let (place, authority) = dated();
    place.seal().unwrap();
    let sealed = place.seal_with(&switchback::clean::Mask::new([]), |how| how.now_unix_ms += 1);
    let sealed = sealed.unwrap();
    let older = sealed.older.clone().unwrap();
    let (own, other) = (sealed.path.join("SHA256SUMS.tsr"), older.join("SHA256SUMS.tsr"));
    let token = fs::read(&own).unwrap();
    fs::copy(&other, &own).unwrap();
    let told = place.verify(&sealed.path);
    assert_eq!((told.exit(), said(&told, SEAL).0), (1, State::Bad), "{:#?}", told.checks);
    assert_eq!(place.script(&sealed.path, true).0, 1);
    fs::write(&own, &token).unwrap();
    assert_eq!(place.verify(&sealed.path).exit(), 0);
    // The declaration's token is of the declaration, even if the operator lists another one.
    let asked = authority.asked.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(asked, 3, "one for the declaration, one for each seal");
    fs::copy(&other, sealed.path.join("declaration.tsr")).unwrap();
    tamper::relist(&sealed.path);
    sign(&place.key(), "evidence@switchback", &sealed.path.join("SHA256SUMS"));
    let told = place.verify(&sealed.path);
    assert_eq!(said(&told, "time of the declaration").0, State::Bad, "{:#?}", told.checks);
}

#[test]
fn a_key_whose_time_is_over_has_signed_when_an_authority_proves_it_and_not_otherwise() {
    let (place, authority) = dated();
    let sealed = place.seal().unwrap();
    let known = fs::read_to_string(place.signers()).unwrap();
    let signers = |before: &str| {
        let options = format!("namespaces=\"*\",valid-before=\"{before}\"");
        let at = known.find("namespaces=").unwrap();
        let key = known[at..].split_once(' ').unwrap().1;
        Signers::parse(&format!("{}{options} {key}", &known[..at])).unwrap()
    };
    let chain = authority.dir.join("tsa.pem");
    let now = chrono::Utc::now();
    let ask = |signers: &Signers, tsa_chain: Option<&Path>| {
        // A day on, in which the authority's own certificate is still good.
        let now_unix_s = now.timestamp() + 86_400;
        let asked = Asked { signers: Some(signers), tsa_chain, now_unix_s, run: None };
        verify(&sealed.path, &asked)
    };
    let over = signers(&(now + chrono::Duration::hours(1)).format("%Y%m%d%H%M%SZ").to_string());
    let told = ask(&over, None);
    let (_, says) = said(&told, "signature");
    assert_eq!(told.exit(), 2, "{:#?}", told.checks);
    assert!(says.contains("is not valid any more; ") && says.contains("--tsa-chain"), "{says}");
    let told = ask(&over, Some(&chain));
    let (_, says) = said(&told, "signature");
    assert_eq!(told.exit(), 0, "{:#?}", told.checks);
    assert!(says.contains("valid when it was signed, as a time authority proves"), "{says}");
    assert_eq!(said(&told, "declaration's signature").0, State::Ok, "{:#?}", told.checks);
    let long_over = signers("20200101Z");
    assert_eq!(ask(&long_over, Some(&chain)).exit(), 2, "nor was it valid then");
}

/// Where a byte of a token is changed, in every seventh place from `first` on.
fn changed(place: &Place, sealed: &Path, first: usize, flip: u8) {
    let dir: PathBuf = place.home.path().join("changed");
    copy(sealed, &dir);
    let path = dir.join("SHA256SUMS.tsr");
    let token = fs::read(&path).unwrap();
    for at in (first..token.len()).step_by(7) {
        let mut other = token.clone();
        other[at] ^= flip;
        fs::write(&path, &other).unwrap();
        let told = place.verify(&dir);
        assert_eq!(told.exit(), 1, "byte {at} ^ {flip}: {:#?}", told.checks);
    }
    for more in [&token[..token.len() - 1], &[&token[..], b"\0"].concat(), b""] {
        fs::write(&path, more).unwrap();
        assert_eq!(place.verify(&dir).exit(), 1, "{} bytes", more.len());
        assert_eq!(place.script(&dir, true).0, 1, "{} bytes", more.len());
    }
}

#[test]
fn not_a_byte_of_a_token_can_be_changed_unseen() {
    let (place, _authority) = dated();
    let sealed = place.seal().unwrap();
    // Other bytes each time, so that all of them have their turn.
    let first = usize::try_from(std::process::id()).unwrap() % 7;
    println!("every seventh from {first} on");
    changed(&place, &sealed.path, first, 1);
    // What `openssl ts -verify` takes for the same: the status, versions, names of algorithms, the
    // name of the certificate, kinds of values.
    let path = sealed.path.join("SHA256SUMS.tsr");
    let token = fs::read(&path).unwrap();
    let mut taken = Vec::new();
    for at in (0..token.len()).filter(|at| at % 7 == first) {
        let mut other = token.clone();
        other[at] ^= 0x20;
        fs::write(&path, &other).unwrap();
        if place.script(&sealed.path, true).0 == 0 {
            taken.push(at);
        }
    }
    let unsigned = tamper::unsigned_bytes(&token);
    assert!(taken.iter().all(|at| unsigned.contains(at)), "{taken:?} of {unsigned:?}");
    assert!(unsigned.len() < 80, "of {}: {unsigned:?}", token.len());
}
