//! The headers that place a message in its transaction and dialog (RFC 3261 §12.2.2, §17.1.3),
//! picked out in one pass over the header spans. Values stay bytes and are not judged.

use std::hash::{BuildHasher, Hasher};

use overhear_parsers::sip::{HeaderName, Message, Method, NameAddr};

use crate::model::addr::STABLE;

/// One message, as far as correlation reads every message.
pub(super) struct View<'a> {
    /// The message itself.
    pub(super) message: Message<'a>,
    /// A request rather than a response.
    pub(super) request: bool,
    /// The request's method; a response's is that of its `CSeq`.
    pub(super) method: Method,
    /// The status code; 0 for a request.
    pub(super) status: u16,
    /// Call-ID.
    pub(super) call_id: &'a [u8],
    /// Its hash.
    pub(super) call_id_hash: u64,
    /// Hash of Call-ID and From tag.
    pub(super) from_hash: u64,
    /// From tag; empty without one (RFC 2543).
    pub(super) from_tag: &'a [u8],
    /// To tag; empty without one.
    pub(super) to_tag: &'a [u8],
    /// `CSeq` number.
    pub(super) cseq: u32,
    /// The first Via value, as written.
    pub(super) via: &'a [u8],
    from: &'a [u8],
    to: &'a [u8],
}

impl<'a> View<'a> {
    /// Reads `message`; `None` without a Call-ID, and for a response without a readable `CSeq`: such a
    /// message belongs nowhere. The `CSeq` number of a request without one is taken as 0.
    pub(super) fn of(message: &Message<'a>) -> Option<Self> {
        let (mut call_id, mut from, mut to) = (None, None, None);
        let mut via = None;
        for header in message.spans {
            let place = match header.name {
                HeaderName::CallId => &mut call_id,
                HeaderName::From => &mut from,
                HeaderName::To => &mut to,
                HeaderName::Via => &mut via,
                _ => continue,
            };
            if place.is_none() {
                *place = Some(header.value(message.octets));
            }
        }
        let call_id = call_id.filter(|call_id| !call_id.is_empty())?;
        let status = message.status();
        let (cseq, method) = match (message.cseq(), status) {
            (Some((cseq, method, _)), Some(_)) => (cseq, method),
            (cseq, None) => (cseq.map_or(0, |(cseq, _, _)| cseq), message.method()),
            (None, Some(_)) => return None,
        };
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        let call_id_hash = hash(call_id);
        let from_tag = tag(from);
        Some(Self {
            message: *message,
            request: status.is_none(),
            method,
            status: status.unwrap_or_default(),
            call_id,
            call_id_hash,
            from_hash: hash_on(call_id_hash, from_tag),
            from_tag,
            to_tag: tag(to),
            cseq,
            via: via.unwrap_or_default(),
            from,
            to,
        })
    }

    /// The From header.
    pub(super) fn from(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.from)
    }

    /// The To header.
    pub(super) fn to(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse(self.to)
    }

    /// An INVITE outside a dialog.
    pub(super) fn is_initial_invite(&self) -> bool {
        self.request && self.method == Method::Invite && self.to_tag.is_empty()
    }

    /// A final response.
    pub(super) fn is_final(&self) -> bool {
        self.status >= 200
    }

    /// A 2xx.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The stable hash of octets.
pub(super) fn hash(octets: &[u8]) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write(octets);
    hasher.finish()
}

/// `seed` and the octets in one hash.
pub(super) fn hash_on(seed: u64, octets: &[u8]) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(seed);
    hasher.write(octets);
    hasher.finish()
}

/// `seed` and a number in one hash.
pub(super) fn hash_number(seed: u64, number: u64) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(seed);
    hasher.write_u64(number);
    hasher.finish()
}

/// The tag parameter of a From or To value; empty without one.
fn tag(value: &[u8]) -> &[u8] {
    // Nearly always `<...>;tag=...` and nothing after it: no need to take the address apart.
    let plain = || {
        let equals = value.iter().rposition(|&octet| !is_tag_octet(octet))?;
        let (before, tag) = value.split_at_checked(equals.checked_add(1)?)?;
        (!tag.is_empty() && before.ends_with(b">;tag=")).then_some(tag)
    };
    plain().unwrap_or_else(|| {
        NameAddr::parse(value).and_then(|address| address.tag()).unwrap_or_default()
    })
}

/// Octets of a token (RFC 3261 §25.1) that occur in tags, and that nobody reads as anything else.
const fn is_tag_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_to_a_tag_and_the_long_one_agree() {
        for (value, expected) in [
            ("<sip:a@b>;tag=1-x.2", "1-x.2"),
            ("\"A <x>;tag=9\" <sip:a@b>;tag=1", "1"),
            ("<sip:a@b>;x=\">;tag=2\";tag=1", "1"),
            ("<sip:a@b>;tag=1;x=y", "1"),
            ("<sip:a@b>; tag = 1", "1"),
            ("sip:a@b;tag=1", "1"),
            ("<sip:a@b;tag=1>", ""),
            ("<sip:a@b>;tag=", ""),
            ("", ""),
        ] {
            assert_eq!(tag(value.as_bytes()), expected.as_bytes(), "{value}");
        }
    }
}
