//! Certificates for the scenarios: well-formed (RFC 5280 §4.1), with the flaws that a text asks for, and
//! never valid: keys and signatures are random octets.

use super::args::Args;
use super::rng::Rng;
use super::value;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 2;
const BITS: u8 = 3;
const OCTETS: u8 = 4;
const OID: u8 = 6;

/// What to write into a certificate.
struct Content<'a> {
    subject: &'a str,
    issuer: &'a str,
    /// From and until.
    validity: [&'a str; 2],
    key: &'a str,
    exponent: u32,
    sign: &'a str,
    names: &'a str,
    usage: Option<&'a str>,
    /// A public authority issues it.
    public: bool,
}

/// Takes `chain=SUBJECT/ISSUER,...`: the certificates that a server sends behind its own.
pub(super) fn chain(args: &mut Args<'_>, rng: &mut Rng) -> Result<Vec<Vec<u8>>, String> {
    let Some(text) = args.option("chain") else { return Ok(Vec::new()) };
    let each = |word: &str| {
        let (subject, issuer) =
            word.split_once('/').ok_or_else(|| format!("chain: `{word}` is not SUBJECT/ISSUER"))?;
        let content = Content { subject, issuer, names: "none", ..Content::usual() };
        make(&content, rng)
    };
    text.split(',').map(each).collect()
}

/// Takes the options of a certificate and makes it, in DER.
pub(super) fn read(args: &mut Args<'_>, rng: &mut Rng, host: &str) -> Result<Vec<u8>, String> {
    let usual = Content::usual();
    let usual_names = format!("DNS:{host}");
    let [from, until] = usual.validity;
    let content = Content {
        subject: args.option("subject").unwrap_or(host),
        issuer: args.option("issuer").unwrap_or(usual.issuer),
        validity: [args.option("from").unwrap_or(from), args.option("until").unwrap_or(until)],
        key: args.option("key").unwrap_or(usual.key),
        exponent: args.number("exponent", usual.exponent)?,
        sign: args.choice("sign", &["sha256", "sha1", "md5", "ecdsa-sha256", "ecdsa-sha512"])?,
        names: args.option("san").unwrap_or(&usual_names),
        usage: args.option("usage"),
        public: args.flag("public"),
    };
    make(&content, rng)
}

impl Content<'_> {
    const fn usual() -> Self {
        Self {
            subject: "",
            issuer: "Example CA",
            validity: ["2025-10-01T00:00:00Z", "2026-10-01T00:00:00Z"],
            key: "rsa-2048",
            exponent: 65_537,
            sign: "sha256",
            names: "none",
            usage: None,
            public: false,
        }
    }
}

/// Makes a certificate in DER.
fn make(content: &Content<'_>, rng: &mut Rng) -> Result<Vec<u8>, String> {
    let [from, until] = content.validity;
    let (sign, validity) = (algorithm(content.sign), [time(from)?, time(until)?]);
    let body = [
        tlv(0xa0, &tlv(INTEGER, &[2])),
        tlv(INTEGER, &[&[1][..], &rng.octets(8)].concat()),
        sign.clone(),
        name(content.issuer),
        tlv(SEQUENCE, &validity.concat()),
        name(content.subject),
        public_key(content.key, content.exponent, rng)?,
        extensions(content)?,
    ];
    let signature = [&[0][..], &rng.octets(256)].concat();
    let parts = [tlv(SEQUENCE, &body.concat()), sign, tlv(BITS, &signature)];
    Ok(tlv(SEQUENCE, &parts.concat()))
}

/// A value behind its tag and its length (X.690 §8.1).
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    match length {
        [0, low @ ..0x80] => out.push(low),
        [0, low] => out.extend([0x81, low]),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend(content);
    out
}

/// An algorithm without parameters that matter.
fn algorithm(name: &str) -> Vec<u8> {
    const RSA: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
    const ECDSA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
    let id = match name {
        "md5" => [&RSA[..], &[4]].concat(),
        "sha1" => [&RSA[..], &[5]].concat(),
        "ecdsa-sha256" => [&ECDSA[..], &[2]].concat(),
        "ecdsa-sha512" => [&ECDSA[..], &[4]].concat(),
        _ => [&RSA[..], &[11]].concat(),
    };
    tlv(SEQUENCE, &[tlv(OID, &id), vec![5, 0]].concat())
}

/// A name with a common name alone.
fn name(common: &str) -> Vec<u8> {
    let pair = [tlv(OID, &[0x55, 4, 3]), tlv(12, common.as_bytes())].concat();
    tlv(SEQUENCE, &tlv(0x31, &tlv(SEQUENCE, &pair)))
}

/// A moment as `GeneralizedTime`.
fn time(text: &str) -> Result<Vec<u8>, String> {
    value::moment(text)?;
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == 'Z').collect();
    Ok(tlv(24, digits.as_bytes()))
}

/// A public key: `rsa-2048`, `ec-256`, `ec-192`, `ed25519`.
fn public_key(kind: &str, exponent: u32, rng: &mut Rng) -> Result<Vec<u8>, String> {
    const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    const EC: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let (algorithm, key) = match kind {
        "ed25519" => (tlv(OID, &[0x2b, 0x65, 0x70]), rng.octets(32)),
        "ec-192" | "ec-256" => {
            let (last, octets) = if kind == "ec-192" { (1, 48) } else { (7, 64) };
            let curve = tlv(OID, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, last]);
            let point = [&[4][..], &rng.octets(octets)].concat();
            ([tlv(OID, &EC), curve].concat(), point)
        }
        _ => {
            let bits = kind.strip_prefix("rsa-").map(value::narrow::<usize>).transpose()?;
            let octets = bits.ok_or_else(|| format!("key: `{kind}` is not known"))? / 8;
            // A leading zero keeps the number positive, the next octet makes it as long as it says.
            let modulus = [&[0, 0x80][..], &rng.octets(octets.saturating_sub(1))].concat();
            let exponent = exponent.to_be_bytes();
            let skip = exponent.iter().take_while(|octet| **octet == 0).count().min(3);
            let exponent = exponent.get(skip..).unwrap_or_default();
            let pair = [tlv(INTEGER, &modulus), tlv(INTEGER, exponent)].concat();
            ([tlv(OID, &RSA), vec![5, 0]].concat(), tlv(SEQUENCE, &pair))
        }
    };
    let bits = tlv(BITS, &[&[0][..], &key].concat());
    Ok(tlv(SEQUENCE, &[tlv(SEQUENCE, &algorithm), bits].concat()))
}

/// `subjectAltName`, `extKeyUsage` and `certificatePolicies`, each if asked for.
fn extensions(content: &Content<'_>) -> Result<Vec<u8>, String> {
    let &Content { names, usage, public, .. } = content;
    let mut list = Vec::new();
    if names != "none" {
        let mut all = Vec::new();
        for name in names.split(',') {
            all.extend(match name.split_once(':') {
                Some(("DNS", host)) => tlv(0x82, host.as_bytes()),
                Some(("URI", uri)) => tlv(0x86, uri.as_bytes()),
                Some(("IP", address)) => match address.parse::<std::net::Ipv4Addr>() {
                    Ok(address) => tlv(0x87, &address.octets()),
                    Err(_) => return Err(format!("san: `{address}` is not an IPv4 address")),
                },
                _ => return Err(format!("san: `{name}` is not DNS:host, URI:uri or IP:address")),
            });
        }
        let value = tlv(OCTETS, &tlv(SEQUENCE, &all));
        list.extend(tlv(SEQUENCE, &[tlv(OID, &[0x55, 0x1d, 17]), value].concat()));
    }
    if let Some(usage) = usage {
        let purpose = match usage {
            "server" => 1,
            "client" => 2,
            "email" => 4,
            "sip" => 20,
            _ => return Err(format!("usage: `{usage}` is not server, client, email or sip")),
        };
        let id = tlv(OID, &[0x2b, 6, 1, 5, 5, 7, 3, purpose]);
        let value = tlv(OCTETS, &tlv(SEQUENCE, &id));
        list.extend(tlv(SEQUENCE, &[tlv(OID, &[0x55, 0x1d, 37]), value].concat()));
    }
    if public {
        // 2.23.140.1.2.1: the name was validated.
        let policy = tlv(SEQUENCE, &tlv(OID, &[0x67, 0x81, 0x0c, 1, 2, 1]));
        let value = tlv(OCTETS, &tlv(SEQUENCE, &policy));
        list.extend(tlv(SEQUENCE, &[tlv(OID, &[0x55, 0x1d, 32]), value].concat()));
    }
    Ok(if list.is_empty() { list } else { tlv(0xa3, &tlv(SEQUENCE, &list)) })
}
