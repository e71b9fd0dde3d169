//! What clients of TLS and DTLS offer: few lists, however many clients there are.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::fingerprints::Offers;
use crate::model::code_point::{CipherSuite, Group, Scheme, Version};
use crate::model::tls_peer::{OfferCount, TlsOfferRecord};

/// Different offers told apart; those of further kinds are not listed.
const ALL: usize = 4_096;

/// Different offers kept of a peer; a client has one or two, a server sees those of its clients.
const OF_A_PEER: usize = 16;

/// All offers, by the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct AllOffers {
    known: Vec<(Arc<Offers>, u64)>,
    by_hash: HashMap<u64, u32, FixedState>,
    evicted: u64,
}

impl AllOffers {
    /// Notes an offer and gives its number; `None` where there is no room.
    pub(super) fn note(&mut self, offers: &Arc<Offers>) -> Option<u32> {
        let number = match self.by_hash.get(&offers.hash) {
            Some(number) => *number,
            None if self.known.len() < ALL => {
                let number = u32::try_from(self.known.len()).ok()?;
                self.known.push((Arc::clone(offers), 0));
                self.by_hash.insert(offers.hash, number);
                number
            }
            None => {
                self.evicted = self.evicted.saturating_add(1);
                return None;
            }
        };
        let (_, count) = self.known.get_mut(usize::try_from(number).ok()?)?;
        *count = count.saturating_add(1);
        Some(number)
    }

    /// Handshakes whose offers are not listed.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// All of them with names.
    pub(super) fn finish(&self) -> Vec<TlsOfferRecord> {
        let named = |codes: &[u16], name: fn(u16) -> String| {
            codes.iter().map(|code| name(*code)).collect::<Vec<String>>()
        };
        let record = |(offers, handshakes): &(Arc<Offers>, u64)| TlsOfferRecord {
            versions: named(&offers.versions, |code| Version(code).to_string()),
            ciphers: named(&offers.suites, |code| CipherSuite(code).to_string()),
            groups: named(&offers.groups, |code| Group(code).to_string()),
            signature_algorithms: named(&offers.signatures, |code| Scheme(code).to_string()),
            handshakes: *handshakes,
        };
        self.known.iter().map(record).collect()
    }
}

/// Those of one peer.
#[derive(Debug, Default)]
pub(super) struct PeerOffers(Vec<OfferCount>);

impl PeerOffers {
    /// Notes the offer of this number, in vain or not.
    pub(super) fn note(&mut self, offer: u32, in_vain: bool) {
        let known = self.0.iter().position(|known| known.offer == offer);
        if known.is_none() && self.0.len() < OF_A_PEER {
            self.0.push(OfferCount { offer, handshakes: 0, refused: 0 });
        }
        let place = known.unwrap_or(self.0.len().saturating_sub(1));
        if let Some(count) = self.0.get_mut(place).filter(|count| count.offer == offer) {
            count.handshakes = count.handshakes.saturating_add(1);
            count.refused = count.refused.saturating_add(u32::from(in_vain));
        }
    }

    /// By number.
    pub(super) fn counts(&self) -> Vec<OfferCount> {
        let mut counts = self.0.clone();
        counts.sort_by_key(|count| count.offer);
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(suite: u16) -> Arc<Offers> {
        Arc::new(Offers { suites: [suite].into(), hash: suite.into(), ..Offers::default() })
    }

    #[test]
    fn equal_offers_are_one() {
        let mut all = AllOffers::default();
        let numbers = [0x1301, 0xc02f, 0x1301].map(|suite| all.note(&offers(suite)));
        assert_eq!(numbers, [Some(0), Some(1), Some(0)]);
        let listed = all.finish();
        assert_eq!(
            (listed[0].handshakes, &*listed[0].ciphers),
            (2, &["TLS_AES_128_GCM_SHA256".to_owned()][..])
        );
        for suite in 0..5_000 {
            all.note(&offers(suite));
        }
        assert_eq!((all.finish().len(), all.evicted() > 0), (4_096, true));
    }

    #[test]
    fn a_peer_keeps_the_first_few() {
        let mut peer = PeerOffers::default();
        (0..40).for_each(|offer| peer.note(offer / 2, offer % 2 == 0));
        let counts = peer.counts();
        assert_eq!(counts.len(), 16);
        assert_eq!(counts[3], OfferCount { offer: 3, handshakes: 2, refused: 1 });
    }
}
