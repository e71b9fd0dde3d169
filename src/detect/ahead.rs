//! What rules will look up for SIP messages that are about to come, read ahead of several of them at
//! once: their tables are larger than any cache, and a core can wait for many lines at a time. Nothing here
//! changes anything, and what is returned means nothing.

use super::Detectors;
use super::rule::Interest;
use super::sink::Subject;
use crate::model::addr::Addr;

/// A message to come.
#[derive(Copy, Clone, Debug)]
pub struct Coming {
    /// The pair of peers.
    pub(super) pair: Subject,
    /// Who sends the request that this is, or that this answers.
    pub(super) asks: Addr,
    /// Who is to answer.
    pub(super) answers: Addr,
}

impl Detectors {
    /// Reads a little of what the rules that want every message will look up for one from `src` to
    /// `dst`, a response or not.
    #[inline]
    pub fn touch(&self, src: Addr, dst: Addr, response: bool) -> u64 {
        let (asks, answers) = if response { (dst, src) } else { (src, dst) };
        let coming = Coming { pair: Subject::pair(src, dst), asks, answers };
        let every = self.by_sip_kind.get(Interest::SIP.sip_kind()).into_iter().flatten();
        let rules = every.filter_map(|index| self.rules.get(*index));
        rules.fold(0, |all, rule| all ^ rule.touch(&coming))
    }
}
