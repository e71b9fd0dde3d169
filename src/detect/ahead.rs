//! A SIP message that is about to come, as far as rules look up what they know of its pair before it does:
//! their tables are larger than any cache, and a core can wait for many lines at a time.

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

impl Coming {
    /// One from `src` to `dst`.
    #[inline]
    pub(super) fn new(src: Addr, dst: Addr, response: bool) -> Self {
        let (asks, answers) = if response { (dst, src) } else { (src, dst) };
        Self { pair: Subject::pair(src, dst), asks, answers }
    }
}
