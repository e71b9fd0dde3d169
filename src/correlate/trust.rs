//! Whether the certificates that a server sent lead to an authority that the user trusts, and whether
//! they are all there and in order (RFC 5280 §6.1, RFC 5246 §7.4.2). Names and signatures decide; times,
//! purposes and revocation are not looked at here.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::certificates::{Certificates, Known};
use crate::model::addr::stable_hash;

/// Distinct chains remembered; beyond that all are forgotten and walked again.
const REMEMBERED: usize = 4_096;

/// Certificates between a server's own and its authority; real chains have one or two.
const DEEP: usize = 8;

/// What is to be said of a chain.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Chain {
    /// It leads to an anchor; `None` when no anchors were given.
    pub anchored: Option<bool>,
    /// What is wrong with what was sent.
    pub fault: Option<Fault>,
}

/// What may be wrong with a chain.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A certificate does not certify the one before it.
    Order,
    /// The issuer of the last was not sent and is no anchor.
    Missing,
}

/// The authorities that the user named, and what they led to.
#[derive(Debug, Default)]
pub struct Anchors {
    anchors: Vec<Arc<Known>>,
    walked: HashMap<u64, Chain, FixedState>,
}

impl Anchors {
    /// From certificates in DER; what is none is left out.
    pub fn new(ders: &[Vec<u8>]) -> Self {
        let mut all = Certificates::default();
        let anchors = ders.iter().filter_map(|der| all.read(der)).collect();
        Self { anchors, walked: HashMap::default() }
    }

    /// Judges the certificates that a server sent, its own first.
    pub fn judge(&mut self, sent: &[Arc<Known>]) -> Chain {
        let [_, more @ ..] = sent else { return Chain::default() };
        if self.anchors.is_empty() {
            let order = !more.is_empty() && is_mixed_up(sent);
            return Chain { anchored: None, fault: order.then_some(Fault::Order) };
        }
        let names: Vec<&str> = sent.iter().map(|known| known.sha256.as_str()).collect();
        let hash = stable_hash(&names);
        if let Some(known) = self.walked.get(&hash) {
            return *known;
        }
        if self.walked.len() >= REMEMBERED {
            self.walked.clear();
        }
        let chain = self.walk(sent);
        self.walked.insert(hash, chain);
        chain
    }

    fn walk(&self, sent: &[Arc<Known>]) -> Chain {
        let order = is_mixed_up(sent).then_some(Fault::Order);
        let Some(mut at) = sent.first() else { return Chain::default() };
        for _ in 0..DEEP {
            let is_anchor =
                |anchor: &Arc<Known>| anchor.sha256 == at.sha256 || certifies(anchor, at);
            if self.anchors.iter().any(is_anchor) {
                return Chain { anchored: Some(true), fault: order };
            }
            let next = sent.iter().find(|other| !Arc::ptr_eq(other, at) && certifies(other, at));
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        let missing = (!at.says.names_itself).then_some(Fault::Missing);
        Chain { anchored: Some(false), fault: order.or(missing) }
    }
}

/// Whether one certificate does not certify the one before it, by its name.
fn is_mixed_up(sent: &[Arc<Known>]) -> bool {
    let pairs = sent.iter().zip(sent.iter().skip(1));
    pairs.into_iter().any(|(one, next)| one.says.issuer != next.says.subject)
}

fn certifies(issuer: &Known, of: &Known) -> bool {
    issuer.says.subject == of.says.issuer && of.is_signed_by(issuer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &[u8] = include_bytes!("../../parsers/src/tls/samples/ed25519.der");
    const RSA: &[u8] = include_bytes!("../../parsers/src/tls/samples/rsa1024_sha1.der");

    #[test]
    fn only_what_leads_to_an_anchor_is_trusted() {
        let mut all = Certificates::default();
        let (one, other) = (all.read(ED25519).unwrap(), all.read(RSA).unwrap());
        let mut anchors = Anchors::new(&[ED25519.to_vec(), b"no certificate".to_vec()]);
        let yes = anchors.judge(&[Arc::clone(&one)]);
        assert_eq!(yes, Chain { anchored: Some(true), fault: None });
        let no = anchors.judge(&[Arc::clone(&other)]);
        assert_eq!(no, Chain { anchored: Some(false), fault: None }, "a root of its own");
        let mixed = anchors.judge(&[other, one]);
        assert_eq!(mixed, Chain { anchored: Some(false), fault: Some(Fault::Order) });
        assert_eq!(anchors.judge(&[]), Chain::default());
    }

    #[test]
    fn without_anchors_only_the_order_is_judged() {
        let mut all = Certificates::default();
        let (one, other) = (all.read(ED25519).unwrap(), all.read(RSA).unwrap());
        let mut none = Anchors::default();
        assert_eq!(none.judge(&[Arc::clone(&one)]), Chain::default());
        assert_eq!(none.judge(&[one, other]).fault, Some(Fault::Order));
    }
}
