//! What calls agreed on about security, for rules on streams: a stream ends when its call may have been
//! forgotten. Kept for the calls that negotiated lately.

use super::lately::Lately;
use super::negotiation::NegotiationSeen;
use crate::correlate::exchange::{Notes, Reply};
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
    by_call: Lately<RecordKey, Agreement>,
}

impl Agreements {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { by_call: Lately::new(limits.calls / 4) }
    }

    /// What the call agreed on, if it did.
    pub(super) fn of(&self, call: RecordKey) -> Option<Agreement> {
        self.by_call.get(&call)
    }

    /// Calls that were forgotten for want of room.
    pub(super) const fn evicted(&self) -> u64 {
        self.by_call.evicted()
    }

    /// Takes in one exchange.
    pub(super) fn note(&mut self, seen: &NegotiationSeen<'_>) {
        let exchange = seen.exchange;
        let answer = match &exchange.reply {
            Reply::Answer(answer) => Some(answer),
            Reply::Acceptance { .. } => None,
            Reply::Refusal { .. } | Reply::Silence => return,
        };
        let known = self.of(exchange.call);
        let mut agreement = known.unwrap_or(Agreement {
            at: seen.at,
            accepted: None,
            secure: false,
            keyed: false,
            sdes: false,
            unencrypted: false,
            levels: false,
        });
        if exchange.accepts && agreement.accepted.is_none() {
            agreement.accepted = Some(seen.at.time);
        }
        if let Some(answer) = answer.filter(|_| !exchange.repeats) {
            let media = || seen.answered.iter().filter(|media| media.accepted());
            let levels =
                |of: Option<&super::negotiation::MediaSeen<'_>>| of.is_none_or(|of| of.levels);
            agreement.at = seen.at;
            agreement.secure = answer.notes.has(Notes::SECURE);
            agreement.keyed = answer.notes.has(Notes::KEYED);
            agreement.sdes = media().any(|media| !media.cryptos.is_empty());
            agreement.unencrypted = media().flat_map(|media| &media.cryptos).any(is_unencrypted);
            agreement.levels =
                seen.answers().any(|(offered, of)| of.accepted() && of.levels && levels(offered));
        }
        self.by_call.put(exchange.call, agreement);
    }
}

/// Whether a line asks for SRTP without encryption (RFC 4568 §6.3.2), or names a suite that has none.
pub(super) fn is_unencrypted(crypto: &overhear_parsers::sdp::Crypto<'_>) -> bool {
    let asked = crypto.session_parameters().any(|word| word == b"UNENCRYPTED_SRTP");
    asked || crypto.suite.starts_with(b"NULL_")
}
