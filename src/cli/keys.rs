//! `--keylog` and `--rsa-key`: secrets with which TLS opens, and `--ca`: authorities that are trusted; read
//! before anything else.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use overhear_parsers::tls::certificate;

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

/// The name of a domain: labels of letters, digits and hyphens; no address, and no asterisk, which stands
/// for no domain of SIP (RFC 5922 §7.2).
pub(super) fn domain(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_name = name.contains('.') && name.split('.').all(is_label);
    if is_name && name.parse::<std::net::IpAddr>().is_err() {
        Ok(name.to_ascii_lowercase())
    } else {
        Err("this is no name of a domain, like example.org".to_owned())
    }
}

/// Reads the certificates of authorities, in files or in directories of files.
pub(super) fn anchors(paths: &[PathBuf]) -> Result<Arc<[Vec<u8>]>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        if path.is_dir() {
            for file in files(path)? {
                found.extend(certificate::in_file(&octets(&file, "--ca")?));
            }
        } else {
            found.extend(certificate::in_file(&octets(path, "--ca")?));
        }
        if found.len() == before {
            let name = path.display();
            return Err(Failure::new(format!("--ca {name}: there is no certificate in it")));
        }
    }
    Ok(found.into())
}

/// The files of a directory, by name.
fn files(path: &PathBuf) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(path).map_err(|error| {
        Failure::new(format!("--ca {}: cannot be read: {error}", path.display()))
    })?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn octets(path: &PathBuf, option: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        Failure::new(format!("{option} {}: cannot be read: {error}", path.display()))
    })
}
