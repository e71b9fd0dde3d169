//! Which datagrams of DTLS greet (RFC 6347 §4.2): a `ClientHello` known again by its random, whole or in parts,
//! and messages of a handshake of which the hello was not seen.

use overhear_parsers::dtls::{ContentType, Fragment, Record};

use crate::model::addr::stable_hash;

/// What a datagram has of a `ClientHello`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Hello {
    /// A hash of its random.
    Random(u64),
    /// A part of it without the whole random.
    Part,
}

impl Hello {
    /// What of a `ClientHello` the datagram begins with.
    pub(super) fn of(payload: &[u8]) -> Option<Self> {
        let record = Record::read(payload)
            .filter(|record| record.content_type == ContentType::Handshake && record.epoch == 0)?;
        let (fragment, _) = Fragment::read(record.fragment)?;
        if fragment.kind != 1 {
            return None;
        }
        let random = fragment.body.get(2..34).filter(|_| fragment.offset == 0);
        Some(random.map_or(Self::Part, |random| Self::Random(hash_of(random))))
    }
}

/// Whether a datagram begins with a message of a handshake that is no hello of a client. What is encrypted
/// says nothing: connections are silent for so long that they are forgotten.
pub(super) fn is_answer(payload: &[u8]) -> bool {
    let record = Record::read(payload).filter(|record| record.epoch == 0);
    record.and_then(|record| record.handshake()).is_some_and(|kind| kind > 1)
}

/// A hash of the random of a `ClientHello`; 0 stands for none.
pub(super) fn hash_of(random: &[u8]) -> u64 {
    stable_hash(&random).max(1)
}
