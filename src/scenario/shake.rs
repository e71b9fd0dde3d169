//! The messages of a handshake as `tls` and `dtls` steps write them (RFC 8446 §4, RFC 5246 §7.4): what is
//! offered, what is chosen, and what goes wrong, as the text asks. Nothing is really encrypted.

use overhear_parsers::tls::{Suite, registry};

use super::args::Args;
use super::certificate;
use super::rng::Rng;
use super::text::Statement;
use super::value;

/// A handshake to be made.
#[derive(Clone, Debug)]
pub(super) struct Shake {
    pub dtls: bool,
    /// The version chosen.
    pub version: u16,
    offer: Vec<u16>,
    suite: &'static Suite,
    /// What the server says it chose: the suite's number, or another.
    suite_number: u16,
    suites: Vec<u16>,
    group: u16,
    groups: Vec<u16>,
    signatures: Vec<u16>,
    signature: u16,
    sni: String,
    alpn: Option<String>,
    client: String,
    server: String,
    prime: usize,
    common: bool,
    /// The server's certificate, which the client sends too, and those behind the server's.
    certificate: Vec<u8>,
    chain: Vec<Vec<u8>>,
    ask: bool,
    with: &'static str,
    /// Who sends which alert instead of going on.
    pub alert: Option<(bool, u8)>,
    /// `finish`, `reset`, `close` or `silence`.
    pub end: &'static str,
    /// How long the server thinks.
    pub pause: i64,
    /// The client sends data right behind its hello.
    pub early: bool,
    /// The client asks for more than it brings, in a heartbeat behind its hello.
    pub heartbleed: bool,
    resume: bool,
    compression: u8,
    sentinel: &'static str,
    lifetime: Option<u32>,
    srtp: u16,
    client_random: Vec<u8>,
    session: Vec<u8>,
}

/// A message: its type and its body.
pub(super) type Message = (u8, Vec<u8>);

const VERSIONS: [(&str, u16); 6] = [
    ("1.3", 0x0304),
    ("1.2", 0x0303),
    ("1.1", 0x0302),
    ("1.0", 0x0301),
    ("ssl3", 0x0300),
    ("ssl2", 2),
];
const DTLS_VERSIONS: [(&str, u16); 3] = [("1.3", 0xfefc), ("1.2", 0xfefd), ("1.0", 0xfeff)];

fn version(text: &str, dtls: bool) -> Result<u16, String> {
    let known = if dtls { &DTLS_VERSIONS[..] } else { &VERSIONS };
    let found = known.iter().find(|(name, _)| *name == text);
    found.map(|(_, code)| *code).ok_or_else(|| format!("`{text}` is not a version known here"))
}

fn suite(text: &str) -> Result<&'static Suite, String> {
    registry::suite_by_name(text).ok_or_else(|| format!("`{text}` is not a cipher suite"))
}

fn list<T>(text: &str, each: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',').filter(|word| !word.is_empty()).map(each).collect()
}

fn group(text: &str) -> Result<u16, String> {
    registry::group_by_name(text).ok_or_else(|| format!("`{text}` is not a group"))
}

fn scheme(text: &str) -> Result<u16, String> {
    registry::signature_by_name(text).ok_or_else(|| format!("`{text}` is not a signature scheme"))
}

impl Shake {
    /// Takes the options of a `tls` or a `dtls` step.
    #[allow(clippy::too_many_lines, reason = "one line an option")]
    pub(super) fn read(args: &mut Args<'_>, rng: &mut Rng, dtls: bool) -> Result<Self, String> {
        let usual = if dtls { "1.2" } else { "1.3" };
        let chosen = version(args.option("version").unwrap_or(usual), dtls)?;
        let tls13 = matches!(chosen, 0x0304 | 0xfefc);
        let offer = match args.option("offer") {
            Some(text) => list(text, |word| version(word, dtls))?,
            None if tls13 && !dtls => vec![0x0304, 0x0303],
            None => vec![chosen],
        };
        let usual = match chosen {
            0x0304 | 0xfefc => "TLS_AES_128_GCM_SHA256",
            0x0303 => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            0xfefd => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            _ => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        };
        let suite_chosen = suite(args.option("suite").unwrap_or(usual))?;
        let suites = match args.option("suites") {
            Some(text) => list(text, |word| suite(word).map(|suite| suite.id))?,
            None if chosen == 0x0304 => vec![0x1301, 0x1302, 0x1303, 0xc02f],
            None => vec![suite_chosen.id],
        };
        let group_chosen = group(args.option("group").unwrap_or("x25519"))?;
        let groups = match args.option("groups") {
            Some(text) => list(text, group)?,
            None if group_chosen == 0x1d => vec![0x1d, 0x17],
            None => vec![group_chosen],
        };
        let signatures = match args.option("signatures") {
            Some("none") => Vec::new(),
            Some(text) => list(text, scheme)?,
            // ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256.
            None => vec![0x0403, 0x0804, 0x0401],
        };
        let sni = args.option("sni").unwrap_or("sip.example.org").to_owned();
        let host = if sni == "none" { "sip.example.org".to_owned() } else { sni.clone() };
        let mut shake = Self {
            dtls,
            version: chosen,
            offer,
            suite: suite_chosen,
            suite_number: args.number("suite-number", suite_chosen.id)?,
            suites,
            group: group_chosen,
            groups,
            signatures,
            signature: scheme(args.option("signature").unwrap_or("rsa_pss_rsae_sha256"))?,
            alpn: args.option("alpn").map(str::to_owned),
            client: args.option("client").unwrap_or("ems,ri").to_owned(),
            server: args.option("server").unwrap_or("ems,ri").to_owned(),
            prime: args.number("prime", 2_048)?,
            common: args.flag("common-prime"),
            certificate: Vec::new(),
            chain: Vec::new(),
            ask: args.flag("ask"),
            with: args.choice("with", &["nothing", "empty", "certificate"])?,
            alert: None,
            end: args.choice("end", &["finish", "reset", "close", "silence"])?,
            pause: args.span("pause", 0)?,
            early: args.flag("early"),
            heartbleed: args.flag("heartbleed"),
            resume: args.flag("resume"),
            compression: args.number("compression", 0)?,
            sentinel: args.choice("sentinel", &["none", "1.3", "1.2"])?,
            lifetime: args.read("ticket", value::narrow)?,
            srtp: args.number("srtp", 1)?,
            client_random: rng.octets(32),
            session: if dtls { Vec::new() } else { rng.octets(32) },
            sni,
        };
        shake.alert = alert(args)?;
        shake.chain = certificate::chain(args, rng)?;
        shake.certificate = certificate::read(args, rng, &host)?;
        Ok(shake)
    }

    /// What a `tls` step without options makes.
    pub(super) fn usual(rng: &mut Rng) -> Result<Self, String> {
        let statement = Statement { line: 0, verb: "tls", rest: "", body: Vec::new() };
        Self::read(&mut Args::new(&statement)?, rng, false)
    }

    /// Whether TLS 1.3 was chosen.
    pub(super) const fn tls13(&self) -> bool {
        matches!(self.version, 0x0304 | 0xfefc)
    }

    /// The version that stands first in the hellos, and in records.
    pub(super) const fn legacy(&self) -> u16 {
        match self.version {
            0x0304 => 0x0303,
            0xfefc => 0xfefd,
            other => other,
        }
    }

    pub(super) fn client_hello(&self, rng: &mut Rng, cookie: &[u8]) -> Result<Message, String> {
        let mut extensions = Vec::new();
        if self.sni != "none" {
            let mut name = value::length16(self.sni.len().saturating_add(3))?.to_vec();
            name.push(0);
            name.extend(value::length16(self.sni.len())?);
            name.extend(self.sni.as_bytes());
            extensions.extend(extension(0, &name)?);
        }
        extensions.extend(extension(10, &codes16(&self.groups)?)?);
        if !self.signatures.is_empty() {
            extensions.extend(extension(13, &codes16(&self.signatures)?)?);
        }
        if let Some(alpn) = &self.alpn {
            extensions.extend(extension(16, &protocol(alpn)?)?);
        }
        extensions.extend(words(&self.client)?);
        if self.dtls && self.srtp != 0 {
            // SRTP_AEAD_AES_128_GCM and SRTP_AES128_CM_HMAC_SHA1_80.
            extensions.extend(extension(14, &[0, 4, 0, 7, 0, 1, 0])?);
        }
        if self.offer.iter().any(|version| matches!(version, 0x0304 | 0xfefc)) {
            let mut list = vec![u8::try_from(self.offer.len() * 2).unwrap_or_default()];
            list.extend(codes(&self.offer));
            extensions.extend(extension(43, &list)?);
            let first = self.groups.first().copied().unwrap_or(0x1d);
            let mut share = value::length16(36)?.to_vec();
            share.extend(first.to_be_bytes());
            share.extend(value::length16(32)?);
            share.extend(rng.octets(32));
            extensions.extend(extension(51, &share)?);
        }
        let highest = self.offer.iter().copied().map(|version| match version {
            0x0304 => 0x0303,
            0xfefc => 0xfefd,
            other => other,
        });
        let highest = if self.dtls { highest.min() } else { highest.max() };
        let mut body = highest.unwrap_or(0x0303).to_be_bytes().to_vec();
        body.extend(&self.client_random);
        body.extend(vector8(&self.session));
        if self.dtls {
            body.extend(vector8(cookie));
        }
        body.extend(codes16(&self.suites)?);
        body.extend([1, 0]);
        body.extend(value::length16(extensions.len())?);
        body.extend(extensions);
        Ok((1, body))
    }

    fn server_hello(&self, rng: &mut Rng) -> Result<Message, String> {
        let mut extensions = words(&self.server)?;
        if self.tls13() {
            extensions.extend(extension(43, &self.version.to_be_bytes())?);
            if !self.server.contains("no-share") {
                let mut share = self.group.to_be_bytes().to_vec();
                share.extend(value::length16(32)?);
                share.extend(rng.octets(32));
                extensions.extend(extension(51, &share)?);
            }
        } else if self.dtls && self.srtp != 0 {
            let [high, low] = self.srtp.to_be_bytes();
            extensions.extend(extension(14, &[0, 2, high, low, 0])?);
        }
        if let Some(alpn) = self.alpn.as_ref().filter(|_| !self.tls13()) {
            extensions.extend(extension(16, &protocol(alpn)?)?);
        }
        let mut random = rng.octets(24);
        match self.sentinel {
            "1.3" => random.extend(b"DOWNGRD\x01"),
            "1.2" => random.extend(b"DOWNGRD\x00"),
            _ => random.extend(rng.octets(8)),
        }
        let mut body = self.legacy().to_be_bytes().to_vec();
        body.extend(random);
        body.extend(vector8(&self.session));
        body.extend(self.suite_number.to_be_bytes());
        body.push(self.compression);
        body.extend(value::length16(extensions.len())?);
        body.extend(extensions);
        Ok((2, body))
    }

    /// The server's messages in clear, from `ServerHello` to `ServerHelloDone`.
    pub(super) fn server_flight(&self, rng: &mut Rng) -> Result<Vec<Message>, String> {
        let mut flight = vec![self.server_hello(rng)?];
        if self.tls13() || self.resume {
            return Ok(flight);
        }
        let exchange = self.suite.exchange;
        if !self.suite.is_anonymous() && !exchange.contains("PSK") {
            flight.push((11, chain(std::iter::once(&self.certificate).chain(&self.chain))?));
        }
        if exchange.starts_with("ECDHE")
            || exchange.starts_with("DHE")
            || exchange.starts_with("DH_anon")
        {
            flight.push((12, self.key_exchange(rng)?));
        }
        if self.ask {
            flight.push((13, vec![1, 1, 0, 2, 4, 1, 0, 0]));
        }
        flight.push((14, Vec::new()));
        Ok(flight)
    }

    fn key_exchange(&self, rng: &mut Rng) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        if self.suite.exchange.starts_with("ECDHE") {
            body.push(3);
            body.extend(self.group.to_be_bytes());
            body.extend(vector8(&rng.octets(32)));
        } else {
            let mut prime = vec![0xff; 8];
            prime.extend([0xc9, 0x0f, 0xda, 0xa2, 0x21, 0x68, 0xc2, 0x34]);
            if !self.common {
                prime = rng.octets(16);
                prime.insert(0, 0x80);
            }
            prime.resize(self.prime / 8, 0x5b);
            for part in [&prime[..], &[2], &[9; 32]] {
                body.extend(value::length16(part.len())?);
                body.extend(part);
            }
        }
        if !self.suite.is_anonymous() {
            if matches!(self.version, 0x0303 | 0xfefd) {
                body.extend(self.signature.to_be_bytes());
            }
            body.extend(value::length16(64)?);
            body.extend(rng.octets(64));
        }
        Ok(body)
    }

    /// The client's messages in clear behind the server's.
    pub(super) fn client_flight(&self, rng: &mut Rng) -> Result<Vec<Message>, String> {
        let mut flight = Vec::new();
        if self.tls13() || self.resume {
            return Ok(flight);
        }
        match self.with {
            "certificate" => flight.push((11, chain(std::iter::once(&self.certificate))?)),
            "empty" => flight.push((11, vec![0, 0, 0])),
            _ => {}
        }
        flight.push((16, vector8(&rng.octets(32))));
        if self.with == "certificate" {
            let mut body = self.signature.to_be_bytes().to_vec();
            body.extend(value::length16(64)?);
            body.extend(rng.octets(64));
            flight.push((15, body));
        }
        Ok(flight)
    }

    /// `NewSessionTicket`, if one is asked for.
    pub(super) fn ticket(&self) -> Option<Message> {
        let lifetime = self.lifetime?;
        Some((4, [&lifetime.to_be_bytes()[..], &[0, 4, 1, 2, 3, 4]].concat()))
    }
}

/// `alert=unknown_ca` or `alert=client:unknown_ca`; the server sends it unless the client is named.
fn alert(args: &mut Args<'_>) -> Result<Option<(bool, u8)>, String> {
    let Some(text) = args.option("alert") else { return Ok(None) };
    let (client, name) = match text.strip_prefix("client:") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let known = registry::alert_by_name(name).ok_or_else(|| format!("`{name}` is not an alert"))?;
    Ok(Some((client, known)))
}

/// An extension: type, length, body.
pub(super) fn extension(kind: u16, body: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = kind.to_be_bytes().to_vec();
    octets.extend(value::length16(body.len())?);
    octets.extend(body);
    Ok(octets)
}

/// Extensions by word.
fn words(text: &str) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    for word in text.split(',').filter(|word| !word.is_empty()) {
        all.extend(match word {
            "ems" => extension(23, &[])?,
            "ri" => extension(0xff01, &[0])?,
            "etm" => extension(22, &[])?,
            "heartbeat" => extension(15, &[1])?,
            "truncated-hmac" => extension(4, &[])?,
            "ticket" => extension(35, &[])?,
            // The ticket that `ticket=` gives.
            "old-ticket" => extension(35, &[1, 2, 3, 4])?,
            "grease" => extension(0x2a2a, &[])?,
            "early-data" => extension(42, &[])?,
            "psk" => extension(41, &[0, 0])?,
            "points" => extension(11, &[1, 0])?,
            "compressed-points" => extension(11, &[3, 0, 1, 2])?,
            "no-share" | "none" => Vec::new(),
            _ => return Err(format!("`{word}` is not an extension known here")),
        });
    }
    Ok(all)
}

fn protocol(name: &str) -> Result<Vec<u8>, String> {
    let mut list = value::length16(name.len().saturating_add(1))?.to_vec();
    list.extend(vector8(name.as_bytes()));
    Ok(list)
}

/// A Certificate message.
fn chain<'a>(ders: impl Iterator<Item = &'a Vec<u8>>) -> Result<Vec<u8>, String> {
    let mut list = Vec::new();
    for der in ders {
        list.push(0);
        list.extend(value::length16(der.len())?);
        list.extend(der);
    }
    let mut body = vec![0];
    body.extend(value::length16(list.len())?);
    body.extend(list);
    Ok(body)
}

fn vector8(content: &[u8]) -> Vec<u8> {
    let mut octets = vec![u8::try_from(content.len()).unwrap_or_default()];
    octets.extend(content);
    octets
}

fn codes(codes: &[u16]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.to_be_bytes()).collect()
}

fn codes16(list: &[u16]) -> Result<Vec<u8>, String> {
    let octets = codes(list);
    let mut out = value::length16(octets.len())?.to_vec();
    out.extend(octets);
    Ok(out)
}
