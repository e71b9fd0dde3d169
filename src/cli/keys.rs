//! `--keylog` and `--rsa-key`: secrets with which TLS opens, read before anything else.

use std::fs;
use std::path::PathBuf;

use super::Failure;
use crate::dissect::tls_open::keylog::KeyLog;
use crate::dissect::tls_open::keys::Keys;
use crate::dissect::tls_open::rsa::RsaKey;
use crate::policy::Limits;

/// Reads what was named.
pub(super) fn keys(logs: &[PathBuf], rsa: &[PathBuf], limits: &Limits) -> Result<Keys, Failure> {
    let mut log = KeyLog::default();
    for path in logs {
        log.read(&octets(path, "--keylog")?, limits.keylog_sessions);
    }
    let mut keys = Vec::new();
    for path in rsa {
        let key = RsaKey::read(&octets(path, "--rsa-key")?);
        keys.push(key.ok_or_else(|| {
            let name = path.display();
            Failure::new(format!("--rsa-key {name}: this is no RSA private key in PEM or DER"))
        })?);
    }
    Ok(Keys::given(log, keys))
}

fn octets(path: &PathBuf, option: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        Failure::new(format!("{option} {}: cannot be read: {error}", path.display()))
    })
}
