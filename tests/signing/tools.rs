//! Keys, signatures and a time authority, all made with the real tools in a directory of the test.

use crate::authority::{maybe, tool};
use base64::Engine as _;
use sha2::{Digest, Sha256, Sha512};
use std::fs;
use std::path::{Path, PathBuf};

/// A key of a kind, with a passphrase or none.
pub fn key(dir: &Path, name: &str, kind: &[&str], passphrase: &str) -> PathBuf {
    let mut line = vec!["ssh-keygen", "-q", "-N", passphrase, "-C", "olga@example.org", "-f", name];
    line.extend(kind);
    tool(dir, &line);
    dir.join(name)
}

pub const P256: [&str; 4] = ["-t", "ecdsa", "-b", "256"];

pub fn public(key: &Path) -> String {
    let text = fs::read_to_string(format!("{}.pub", key.display())).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// What `ssh-keygen -Y verify` says.
pub fn stock(
    dir: &Path,
    signers: &str,
    name: &str,
    purpose: &str,
    sig: &[u8],
    message: &[u8],
    at: &str,
) -> bool {
    fs::write(dir.join("stock.signers"), signers).unwrap();
    fs::write(dir.join("stock.sig"), sig).unwrap();
    let at = format!("verify-time={at}");
    let line = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-O",
        &at,
        "-f",
        "stock.signers",
        "-I",
        name,
        "-n",
        purpose,
        "-s",
        "stock.sig",
    ];
    maybe(dir, &line, message).status.success()
}

/// A token's signature, made by hand of what a token would sign: no token is at hand in a test.
pub fn by_token(dir: &Path, kind: &str, purpose: &str, message: &[u8]) -> (String, Vec<u8>) {
    let string = |bytes: &[u8]| {
        let mut out = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        out.extend(bytes);
        out
    };
    let mut signed = b"SSHSIG".to_vec();
    for part in [purpose.as_bytes(), b"", b"sha512", &Sha512::digest(message)] {
        signed.extend(string(part));
    }
    let trailer = [1_u8, 0, 0, 0, 7];
    let mut of_token = Sha256::digest(b"ssh:").to_vec();
    of_token.extend(trailer);
    of_token.extend(Sha256::digest(&signed));
    fs::write(dir.join("of-token"), of_token).unwrap();
    let ed25519 = kind.starts_with("sk-ssh-ed25519");
    let make: &[&str] = if ed25519 {
        &["openssl", "genpkey", "-algorithm", "ed25519", "-out", "token.pem"]
    } else {
        &[
            "openssl",
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "token.pem",
        ]
    };
    tool(dir, make);
    let der = tool(dir, &["openssl", "pkey", "-in", "token.pem", "-pubout", "-outform", "DER"]);
    let (mut key, mut raw) = (string(kind.as_bytes()), Vec::new());
    if ed25519 {
        key.extend(string(&der.stdout[der.stdout.len() - 32..]));
        let line =
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "token.pem", "-in", "of-token"];
        raw.extend(tool(dir, &line).stdout);
    } else {
        key.extend(string(b"nistp256"));
        key.extend(string(&der.stdout[der.stdout.len() - 65..]));
        let line = ["openssl", "dgst", "-sha256", "-sign", "token.pem", "of-token"];
        let der = tool(dir, &line).stdout;
        // SEQUENCE { INTEGER r, INTEGER s }: both are short, and already as ssh writes them.
        let r = &der[4..4 + usize::from(der[3])];
        let s = &der[4 + r.len() + 2..];
        raw.extend(string(r));
        raw.extend(string(s));
    }
    key.extend(string(b"ssh:"));
    let mut sig = string(kind.as_bytes());
    sig.extend(string(&raw));
    sig.extend(trailer);
    let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
    for part in [&key[..], purpose.as_bytes(), b"", b"sha512", &sig] {
        blob.extend(string(part));
    }
    let engine = base64::engine::general_purpose::STANDARD;
    (format!("{kind} {}", engine.encode(&key)), armour(&blob))
}

/// A blob as ssh-keygen writes it.
pub fn armour(blob: &[u8]) -> Vec<u8> {
    let text = base64::engine::general_purpose::STANDARD.encode(blob);
    let mut out = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    for line in text.as_bytes().chunks(70) {
        out.push_str(std::str::from_utf8(line).unwrap());
        out.push('\n');
    }
    out.push_str("-----END SSH SIGNATURE-----\n");
    out.into_bytes()
}
