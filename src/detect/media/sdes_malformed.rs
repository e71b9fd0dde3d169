//! `MEDIA-SDES-MALFORMED`: an `a=crypto` line that must be refused (RFC 4568 §6.1, §7.1.2).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::speaker;
use super::super::small::{Report, Small};
use super::super::text::{printable, sentence};
use crate::model::finding::Severity;
use crate::policy::Policy;
use overhear_parsers::sdp::Crypto;

rule! {
    /// ## What it detects
    /// An `a=crypto` line in which something is wrong that decides about keys: the key is not as
    /// long as its suite asks for or no base64, the lifetime is longer than the suite allows,
    /// several keys have no MKI to tell them apart, the MKI is to take no octets or more than 128, or the
    /// keys of one line MKIs of different lengths, the tag is no number of 1 to 9 digits without
    /// leading zeros; or an answer with more than one line, or with a tag that was not offered.
    ///
    /// ## Why it matters
    /// Such a line must be refused. Products that take it may use a key that is padded, cut short
    /// or not the one that the other side uses: silence, or media that is weaker than it looks.
    ///
    /// ## Evidence
    /// The message with the tag of the line, and what is wrong with it. Keys are not shown.
    ///
    /// ## False positives
    /// Suites that are not known have no length to compare with. An answer whose offer was not
    /// captured is not compared.
    ///
    /// ## Fix
    /// Update or replace the product that writes the line.
    id: "MEDIA-SDES-MALFORMED",
    name: "media-sdes-malformed",
    title: "An SRTP key line breaks the rules for keys",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 4568 §6.1", "RFC 4568 §7.1.2", "RFC 6188"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "crypto line", "such lines must be refused").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (statement, media) in seen.media().filter(|(_, media)| media.accepted()) {
        for crypto in &media.cryptos {
            for fault in faults(crypto).into_iter().flatten() {
                report.within(statement).saw(Severity::Medium, || {
                    let suite = printable(crypto.suite, 48);
                    sentence!("{} with a line for {suite}: {fault}", speaker(statement))
                });
            }
        }
    }
    for (offered, answered) in seen.answers().filter(|(_, answered)| answered.accepted()) {
        let several = answered.cryptos.len() > 1;
        if several {
            report.saw(Severity::Medium, || "an answer with more than one crypto line".to_owned());
        }
        let Some(offered) = offered else { continue };
        let unasked = |of: &Crypto<'_>| !offered.cryptos.iter().any(|other| other.tag == of.tag);
        if !offered.cryptos.is_empty() && answered.cryptos.iter().any(unasked) {
            report.saw(Severity::Medium, || "an answer with a tag that was not offered".to_owned());
        }
    }
    for (statement, media) in seen.media() {
        let zero = |value: &[u8]| matches!(value, [b'0', b'0'..=b'9', ..]);
        if media.media.attributes(b"crypto").any(zero) {
            let what = || speaker(statement) + " with a tag that begins with zero";
            report.within(statement).saw(Severity::Medium, what);
        }
    }
}

/// What is wrong with one line.
fn faults(crypto: &Crypto<'_>) -> [Option<&'static str>; 5] {
    let several = crypto.keys().nth(1).is_some();
    let lifetime = |text: &[u8]| lifetime(text).is_none_or(|bits| bits > longest(crypto.suite));
    let wrong = [
        (crypto.tag.is_none(), "its tag is no number of 1 to 9 digits"),
        (!crypto.has_usable_key(), "its key is not as long as the suite asks for"),
        (crypto.keys().filter_map(|key| key.lifetime).any(lifetime), "its key lives too long"),
        (several && crypto.keys().any(|key| key.mki.is_none()), "several keys, and no MKI"),
        (!mki_fits(crypto), "the length of its MKI is not one of 1 to 128 octets"),
    ];
    wrong.map(|(wrong, what)| wrong.then_some(what))
}

/// Whether all MKIs of a line are to take the same number of octets, 1 to 128 (RFC 4568 §6.1).
fn mki_fits(crypto: &Crypto<'_>) -> bool {
    let octets = |length: &[u8]| std::str::from_utf8(length).ok()?.parse::<u8>().ok();
    let mut lengths = crypto.keys().filter_map(|key| key.mki).map(|(_, length)| octets(length));
    let Some(first) = lengths.next() else { return true };
    first.is_some_and(|length| (1..=128).contains(&length)) && lengths.all(|other| other == first)
}

/// Packets that a key may protect at most, as a power of two (RFC 3711 §9.2, RFC 6188 §2).
fn longest(suite: &[u8]) -> u32 {
    let longer: [&[u8]; 4] = [b"AES_192_", b"AES_256_", b"AES_CM_192_", b"AES_CM_256_"];
    if longer.iter().any(|name| suite.starts_with(name)) { 31 } else { 48 }
}

/// A lifetime, `2^n` or a number, as the power of two that it does not exceed; `None` if it is neither.
fn lifetime(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(power) = text.strip_prefix("2^") {
        return power.parse().ok();
    }
    let packets: u64 = text.parse().ok().filter(|packets| *packets > 0)?;
    Some(packets.checked_next_power_of_two()?.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_powers_or_numbers() {
        assert_eq!(lifetime(b"2^20"), Some(20));
        assert_eq!(lifetime(b"1048576"), Some(20));
        assert_eq!(lifetime(b"1048577"), Some(21));
        assert_eq!((lifetime(b"2^x"), lifetime(b"0"), lifetime(b"")), (None, None, None));
    }
}
