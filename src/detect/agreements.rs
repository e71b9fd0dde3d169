//! What calls agreed on about security, for rules on streams: a stream ends when its call may have been
//! forgotten. Kept for the calls that negotiated lately.

use super::lately::Lately;
use super::negotiation::{MediaLine, NegotiationSeen};
use crate::correlate::exchange::{Notes, Reply, Statement};
use crate::model::evidence::FrameRef;
use crate::model::id::RecordKey;
use crate::model::time::Ts;
use crate::policy::Limits;

/// Name of the table in `evicted`.
pub(super) const TABLE: &str = "agreements";

/// What a call agreed on about security.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The message that decided.
    pub at: FrameRef,
    /// When the call was accepted; `None` while it was not.
    pub accepted: Option<Ts>,
    /// An answer accepted a secure profile.
    pub secure: bool,
    /// An answer accepted DTLS-SRTP: a secure profile over TLS, with a fingerprint.
    pub dtls: bool,
    /// An answer has a keying attribute.
    pub keyed: bool,
    /// An answer has `a=crypto`.
    pub sdes: bool,
    /// Media without encryption was agreed on: `UNENCRYPTED_SRTP`, or a suite without a cipher.
    pub unencrypted: bool,
    /// Audio levels in header extensions that SRTP does not encrypt.
    pub levels: bool,
}

/// The agreements of calls that negotiated lately.
#[derive(Debug)]
pub(super) struct Agreements {
    /// With the pair of peers that agreed last.
    by_call: Lately<RecordKey, (Agreement, u64)>,
}

impl Agreements {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { by_call: Lately::new(limits.calls / 4) }
    }

    /// What the call agreed on, if it did.
    pub(super) fn of(&self, call: RecordKey) -> Option<Agreement> {
        self.by_call.get(&call).map(|(agreement, _)| agreement)
    }

    /// Calls that were forgotten for want of room.
    pub(super) const fn evicted(&self) -> u64 {
        self.by_call.evicted()
    }

    /// Takes in one exchange.
    pub(super) fn note(&mut self, seen: &NegotiationSeen<'_>) {
        let exchange = seen.exchange;
        if matches!(exchange.reply, Reply::Refusal { .. } | Reply::Silence) {
            return;
        }
        let known = self.by_call.get(&exchange.call);
        let pair = seen.pair.hash64();
        let (mut agreement, agreed_by) = known.unwrap_or((Agreement::at(seen.at), pair));
        if exchange.accepts && agreement.accepted.is_none() {
            agreement.accepted = Some(seen.at.time);
        }
        if let Some(answer) = exchange.answer().filter(|_| !exchange.repeats) {
            let answered = Agreement::of(seen, answer);
            // On another hop of the call something else may have been agreed on; on the same one this
            // takes the place of what was.
            let before = if agreed_by == pair { Agreement::at(seen.at) } else { agreement };
            agreement = answered.or(&before, agreement.accepted);
        }
        self.by_call.put(exchange.call, (agreement, pair));
    }
}

impl Agreement {
    /// Nothing is agreed on.
    const fn at(at: FrameRef) -> Self {
        Self {
            at,
            accepted: None,
            secure: false,
            dtls: false,
            keyed: false,
            sdes: false,
            unencrypted: false,
            levels: false,
        }
    }

    /// What an answer agrees on.
    fn of(seen: &NegotiationSeen<'_>, answer: &Statement) -> Self {
        let media = || seen.answered.iter().filter(|media| media.accepted());
        let leveled = |(offered, answered): (Option<&MediaLine<'_>>, &MediaLine<'_>)| {
            answered.accepted() && answered.levels && offered.is_none_or(|of| of.levels)
        };
        Self {
            secure: answer.notes.has(Notes::SECURE),
            dtls: media().any(|media| media.dtls() && !media.fingerprints.is_empty()),
            keyed: answer.notes.has(Notes::KEYED),
            sdes: media().any(|media| !media.cryptos.is_empty()),
            unencrypted: media().flat_map(|media| &media.cryptos).any(is_unencrypted),
            levels: seen.answers().any(leveled),
            ..Self::at(seen.at)
        }
    }

    /// What was agreed on here or there.
    const fn or(self, other: &Self, accepted: Option<Ts>) -> Self {
        Self {
            at: self.at,
            accepted,
            secure: self.secure || other.secure,
            dtls: self.dtls || other.dtls,
            keyed: self.keyed || other.keyed,
            sdes: self.sdes || other.sdes,
            unencrypted: self.unencrypted || other.unencrypted,
            levels: self.levels || other.levels,
        }
    }
}

/// Whether a line asks for SRTP without encryption (RFC 4568 §6.3.2), or names a suite that has none.
pub(super) fn is_unencrypted(crypto: &overhear_parsers::sdp::Crypto<'_>) -> bool {
    let asked = crypto.session_parameters().any(|word| word == b"UNENCRYPTED_SRTP");
    asked || crypto.suite.starts_with(b"NULL_")
}
