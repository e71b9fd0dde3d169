//! Challenges and credentials (RFC 3261 §22, RFC 7616, RFC 7617).
//!
//! A digest response has the length and the parameters of a real one; it is made of fixed octets,
//! not computed from a password.

use std::fmt::Write;

use super::args::Args;
use super::dialog::{Dialog, Request};
use super::rng::base64;

/// What a server asks for, and what the client says.
#[derive(Clone, Debug)]
pub(super) struct Auth {
    basic: bool,
    algorithms: Vec<String>,
    qop: String,
    /// 401 or 407.
    pub code: u16,
    realm: String,
    nonce: String,
}

impl Auth {
    /// Takes `auth=`, `algorithm=`, `qop=` and `challenge=`; `None` without `auth=`.
    pub(super) fn read(args: &mut Args<'_>, code: u16) -> Result<Option<Self>, String> {
        let scheme = args.choice("auth", &["none", "digest", "basic"])?;
        let algorithms = args.option("algorithm").unwrap_or("MD5");
        let qop = args.choice("qop", &["auth", "auth-int", "none"])?;
        let code = args.number("challenge", code)?;
        Ok((scheme != "none").then(|| Self {
            basic: scheme == "basic",
            algorithms: algorithms.split(',').map(str::to_owned).collect(),
            qop: qop.to_owned(),
            code,
            realm: "example.org".to_owned(),
            nonce: "5d3c0f7e9a1b2486".to_owned(),
        }))
    }

    const fn proxy(&self) -> bool {
        self.code == 407
    }

    /// The challenge lines: one for each algorithm, in the order given.
    pub(super) fn challenge(&self) -> Vec<String> {
        let name = if self.proxy() { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        if self.basic {
            return vec![format!("{name}: Basic realm=\"{}\"", self.realm)];
        }
        let one = |algorithm: &String| {
            let (algorithm, qop) = (self.algorithm(algorithm), self.qop("qop=\"", "\""));
            format!(
                "{name}: Digest realm=\"{}\", nonce=\"{}\"{algorithm}{qop}",
                self.realm, self.nonce
            )
        };
        self.algorithms.iter().map(one).collect()
    }

    /// The credentials for a request: those of the first algorithm.
    pub(super) fn credentials(&self, dialog: &mut Dialog, request: &Request) -> String {
        let name = if self.proxy() { "Proxy-Authorization" } else { "Authorization" };
        if self.basic {
            let pair = format!("{}:not-a-password", dialog.from);
            return format!("{name}: Basic {}", base64(pair.as_bytes()));
        }
        let algorithm = self.algorithms.first().map_or("MD5", String::as_str);
        let octets = if algorithm.starts_with("SHA") { 32 } else { 16 };
        let mut line = format!(
            "{name}: Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", \
             response=\"{}\"{}",
            dialog.from,
            self.realm,
            self.nonce,
            dialog.uri(request),
            dialog.rng.hex(octets),
            self.algorithm(algorithm),
        );
        if self.qop != "none" {
            let cnonce = dialog.rng.hex(4);
            line.push_str(&self.qop("qop=", ""));
            let _ = write!(line, ", nc=00000001, cnonce=\"{cnonce}\"");
        }
        line
    }

    /// `algorithm=none` leaves the parameter out, which means MD5 (RFC 7616 §3.3).
    #[expect(clippy::unused_self, reason = "reads as one of the parameters of this challenge")]
    fn algorithm(&self, name: &str) -> String {
        if name == "none" { String::new() } else { format!(", algorithm={name}") }
    }

    fn qop(&self, before: &str, after: &str) -> String {
        match self.qop.as_str() {
            "none" => String::new(),
            qop => format!(", {before}{qop}{after}"),
        }
    }
}
