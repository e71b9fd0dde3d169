//! What can be off in a SIP message that is a SIP message all the same: one bit each. Parsing goes
//! on whatever is set here; which of them matters is decided by the rules, not by the parser.

use std::ops::{BitOr, BitOrAssign};

/// A set of oddities found in one message.
#[derive(Copy, Clone, PartialEq, Eq, Default, Hash, Debug)]
pub struct Anomalies(u64);

macro_rules! anomalies {
    ($($(#[$doc:meta])+ $bit:literal $constant:ident $name:literal;)+) => {
        impl Anomalies {
            $($(#[$doc])+ pub const $constant: Self = Self(1 << $bit);)+
            /// Bit number and printable name of every anomaly, in bit order.
            pub const NAMES: &'static [(u32, &'static str)] = &[$(($bit, $name)),+];
        }
    };
}

anomalies! {
    /// A header line ends in LF alone (RFC 3261 §7).
    0 BARE_LF "bare-lf";
    /// A CR inside a line, not followed by LF.
    1 BARE_CR "bare-cr";
    /// A header continues on the next line (RFC 3261 §7.3.1; legal, and often a disguise).
    2 FOLDED_HEADER "folded-header";
    /// White space between header name and colon (legal in RFC 3261, not in most parsers).
    3 SPACE_BEFORE_COLON "space-before-colon";
    /// A header line has no colon, or nothing before it.
    4 HEADER_WITHOUT_COLON "header-without-colon";
    /// A header name has octets that no token has (RFC 3261 §25.1).
    5 BAD_HEADER_NAME "bad-header-name";
    /// The header section ends without an empty line.
    6 NO_HEADER_END "no-header-end";
    /// A control octet other than HT, CR and LF in the header section.
    7 CONTROL_OCTET "control-octet";
    /// The header section is not UTF-8.
    8 NON_UTF8 "non-utf8";
    /// A stream message without Content-Length (RFC 3261 §18.3): taken as 0.
    9 CONTENT_LENGTH_MISSING "content-length-missing";
    /// Several Content-Length headers with the same value.
    10 CONTENT_LENGTH_DUPLICATE "content-length-duplicate";
    /// Several Content-Length headers that differ: the first one frames.
    11 CONTENT_LENGTH_DUPLICATE_DIFFERING "content-length-duplicate-differing";
    /// Content-Length is not `1*DIGIT`.
    12 CONTENT_LENGTH_BAD "content-length-bad";
    /// Content-Length says more octets than there are, or than the limit.
    13 CONTENT_LENGTH_TOO_LARGE "content-length-too-large";
    /// Octets follow the body that Content-Length ends.
    14 CONTENT_LENGTH_TOO_SMALL "content-length-too-small";
    /// The version is not `SIP/2.0`.
    15 BAD_VERSION "bad-version";
    /// More than one SP, a tab, or trailing space in the start line (RFC 3261 §7.1).
    16 EXTRA_SPACE_IN_START_LINE "extra-space-in-start-line";
    /// The status code is not three digits from 100 to 699.
    17 BAD_STATUS_CODE "bad-status-code";
    /// The Request-URI contains white space, quotes or angle brackets.
    18 BAD_REQUEST_URI "bad-request-uri";
    /// A known method not in upper case (methods are case-sensitive, RFC 3261 §7.1).
    19 METHOD_CASE "method-case";
    /// No Via.
    20 MISSING_VIA "missing-via";
    /// No From.
    21 MISSING_FROM "missing-from";
    /// No To.
    22 MISSING_TO "missing-to";
    /// No Call-ID.
    23 MISSING_CALL_ID "missing-call-id";
    /// No `CSeq`.
    24 MISSING_CSEQ "missing-cseq";
    /// From twice.
    25 DUPLICATE_FROM "duplicate-from";
    /// To twice.
    26 DUPLICATE_TO "duplicate-to";
    /// Call-ID twice.
    27 DUPLICATE_CALL_ID "duplicate-call-id";
    /// `CSeq` twice.
    28 DUPLICATE_CSEQ "duplicate-cseq";
    /// Max-Forwards twice.
    29 DUPLICATE_MAX_FORWARDS "duplicate-max-forwards";
    /// The method of `CSeq` is not that of the request line (RFC 3261 §8.1.1.5).
    30 CSEQ_METHOD_MISMATCH "cseq-method-mismatch";
    /// `CSeq` is not a number below 2^32 and a method.
    31 CSEQ_BAD "cseq-bad";
    /// CR or LF octets before the start line.
    32 LEADING_OCTETS "leading-octets";
    /// SP or HT before the start line.
    33 LEADING_WHITESPACE "leading-whitespace";
    /// More headers than the limit: the rest has no spans.
    34 TOO_MANY_HEADERS "too-many-headers";
    /// The octets after the body begin another SIP message.
    35 MESSAGE_AFTER_BODY "message-after-body";
    /// A line of the header section is a SIP start line.
    36 START_LINE_IN_HEADERS "start-line-in-headers";
    /// A Via value is not `sent-protocol LWS sent-by` (only with [`crate::sip::Message::inspect`]).
    37 BAD_VIA "bad-via";
    /// From is not a name-addr or addr-spec (only with [`crate::sip::Message::inspect`]).
    38 BAD_FROM "bad-from";
    /// To is not a name-addr or addr-spec (only with [`crate::sip::Message::inspect`]).
    39 BAD_TO "bad-to";
    /// A Contact is not a name-addr or addr-spec (only with [`crate::sip::Message::inspect`]).
    40 BAD_CONTACT "bad-contact";
    /// The Request-URI has a header part (only with [`crate::sip::Message::inspect`]).
    41 REQUEST_URI_WITH_HEADERS "request-uri-with-headers";
    /// Another header that may stand once came again; this and all below only with
    /// [`crate::sip::Message::inspect`].
    42 DUPLICATE_SINGLE "duplicate-single-header";
    /// A header came in its compact and in its long form (legal, RFC 4475 §3.1.1.7).
    43 COMPACT_AND_LONG "compact-and-long-form";
    /// Some header lines end in LF alone and some in CR LF.
    44 MIXED_LINE_ENDS "mixed-line-ends";
    /// NUL in the header section.
    45 NUL_OCTET "nul-octet";
    /// An octet above 127 in a header name, Call-ID, tag or branch.
    46 NON_ASCII_TOKEN "non-ascii-token";
    /// A header name that is a known one but for octets that no token has: some readers drop those.
    47 DISGUISED_HEADER "disguised-header";
    /// Angle brackets in a display name: some readers take the address there.
    48 ADDRESS_IN_DISPLAY "address-in-display-name";
    /// A SIP URI whose host or port can be read in two ways: `a@b@c`, an open bracket, IPv6 without
    /// brackets, a port that is none, an octet that no host has.
    49 AMBIGUOUS_URI "ambiguous-uri";
    /// An escaped delimiter in the user part: another URI when unescaped too early.
    50 ESCAPED_DELIMITER "escaped-delimiter-in-uri";
    /// An escaped CR or LF in a URI.
    51 ESCAPED_LINE_END "escaped-line-end-in-uri";
    /// An escaped NUL in a URI.
    52 ESCAPED_NUL "escaped-nul-in-uri";
    /// A Via with white space around its slashes.
    53 SPACED_VIA "spaced-via";
    /// The Via on top has no branch that names a transaction: none, or the magic cookie only.
    54 BRANCH_MISSING "branch-missing";
    /// A Via has two branches, or two Via values have the same.
    55 BRANCH_REPEATED "branch-repeated";
    /// The Via on top of a request says where it was received from: its sender cannot know.
    56 RECEIVED_IN_REQUEST "received-in-request";
    /// Date is no date, or not in GMT (RFC 3261 §20.17).
    57 BAD_DATE "bad-date";
    /// A Warning is not code, agent and text (RFC 3261 §20.43).
    58 BAD_WARNING "bad-warning";
    /// A number that is none or beyond its range: Max-Forwards, Expires, Min-Expires, Retry-After,
    /// Session-Expires, Min-SE, `RSeq`, or `expires` of a Contact.
    59 BAD_NUMBER "bad-number";
    /// A multipart body without boundary or end, or with parts after its end.
    60 BAD_MULTIPART "bad-multipart";
    /// More than one session description in the body.
    61 SEVERAL_DESCRIPTIONS "several-descriptions";
    /// A control octet behind a backslash, as quoted strings may have them (RFC 3261 §25.1).
    62 ESCAPED_CONTROL "escaped-control";
}

impl Anomalies {
    /// What RFC 3261 allows, odd as it looks.
    const LEGAL: Self = Self(
        Self::FOLDED_HEADER.0
            | Self::SPACE_BEFORE_COLON.0
            | Self::LEADING_OCTETS.0
            | Self::CONTENT_LENGTH_DUPLICATE.0
            | Self::COMPACT_AND_LONG.0
            | Self::ADDRESS_IN_DISPLAY.0
            | Self::ESCAPED_DELIMITER.0
            | Self::ESCAPED_NUL.0
            | Self::SPACED_VIA.0
            | Self::BRANCH_MISSING.0
            | Self::RECEIVED_IN_REQUEST.0
            | Self::SEVERAL_DESCRIPTIONS.0
            | Self::ESCAPED_CONTROL.0
            // Without a backslash it is a control octet, too.
            | Self::NUL_OCTET.0,
    );

    /// Whether something breaks a MUST of RFC 3261, and is not merely unusual.
    pub const fn is_malformed(self) -> bool {
        !self.without(Self::LEGAL).is_empty()
    }

    /// Nothing is off.
    pub const NONE: Self = Self(0);

    /// The set of these bits; bits without a name are kept.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// One bit per anomaly.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// True when nothing is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True when every anomaly of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of this set that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Adds `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// How many are set.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Bit number and name of every anomaly that is set, in bit order.
    pub fn iter(self) -> impl Iterator<Item = (u32, &'static str)> {
        Self::NAMES
            .iter()
            .copied()
            .filter(move |(bit, _)| self.0.checked_shr(*bit).unwrap_or(0) & 1 == 1)
    }
}

impl BitOr for Anomalies {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for Anomalies {
    fn bitor_assign(&mut self, other: Self) {
        self.insert(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_numbered_without_gaps_and_names_are_unique() {
        let names = Anomalies::NAMES;
        for (expected, (bit, name)) in (0_u32..).zip(names) {
            assert_eq!(expected, *bit);
            assert_eq!(names.iter().filter(|(_, other)| other == name).count(), 1);
        }
    }

    #[test]
    fn a_set_lists_its_members_in_bit_order() {
        let set = Anomalies::MISSING_VIA | Anomalies::BARE_LF;
        let names: Vec<_> = set.iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["bare-lf", "missing-via"]);
        assert!(set.contains(Anomalies::BARE_LF) && !set.contains(Anomalies::BARE_CR));
    }
}
