//! All secrets that hold from some place in the capture on: what the user gave before the first
//! frame, and what blocks of the capture added since.
//!
//! A value never changes and is cheap to copy, so that lanes share it without a lock; a block of
//! the capture makes a new one. Logs of blocks are merged like the runs of a sort, so that of
//! however many blocks there are only a few logs to look into.

use std::sync::Arc;

use super::keylog::{Kept, KeyLog, Random, SessionKeys};
use super::rsa::RsaKey;
use super::session::Session;

/// The secrets that hold.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    logs: Vec<Arc<KeyLog>>,
    rsa: Arc<[RsaKey]>,
    /// Of the logs that were given.
    lines: (u64, u64, u64),
    /// The sources are of a kind that can hold more.
    more_may_come: bool,
}

impl Keys {
    /// What the user gave.
    pub fn given(log: KeyLog, rsa: Vec<RsaKey>) -> Self {
        let lines = (log.lines().0, log.lines().1, log.excess());
        let logs = if log.is_empty() { Vec::new() } else { vec![Arc::new(log)] };
        Self { lines, logs, rsa: rsa.into(), more_may_come: false }
    }

    /// The same, where sources may hold blocks with secrets, or cannot.
    pub fn growing(&self, more_may_come: bool) -> Self {
        Self { more_may_come, ..self.clone() }
    }

    /// These and what a block adds, up to `cap` sessions a log.
    pub fn and(&self, block: &Arc<KeyLog>, cap: usize) -> Self {
        let mut logs = self.logs.clone();
        let mut last = Arc::clone(block);
        while let Some(before) = logs.pop_if(|before| before.len() / 2 <= last.len()) {
            let mut merged = KeyLog::default();
            merged.add(&before, cap);
            merged.add(&last, cap);
            last = Arc::new(merged);
        }
        logs.push(last);
        Self { logs, ..self.clone() }
    }

    /// Whether nothing can be opened and nothing will be: no key, and no source that may bring one.
    pub fn is_empty(&self) -> bool {
        !self.are_known() && !self.more_may_come
    }

    /// Lines of key logs, those that could not be read, and those for which there was no room.
    pub fn lines(&self) -> (u64, u64, u64) {
        self.lines
    }

    /// Whether there is any key.
    pub fn are_known(&self) -> bool {
        !self.logs.is_empty() || !self.rsa.is_empty()
    }

    /// Whether blocks with secrets may follow.
    pub const fn may_grow(&self) -> bool {
        self.more_may_come
    }

    /// Whether a `ClientKeyExchange` may be opened.
    pub fn have_premasters(&self) -> bool {
        !self.rsa.is_empty() || self.logs.iter().any(|log| log.has_premasters())
    }

    /// The secrets of the session whose ClientHello had this random.
    pub fn find(&self, random: &Random) -> Option<SessionKeys> {
        let mut found = self.logs.iter().filter_map(|log| log.find(random));
        let mut keys = found.next()?.clone();
        found.for_each(|more| keys.add(more));
        Some(keys)
    }

    /// The premaster secret of a session: what the log says of it, or what its `ClientKeyExchange` holds,
    /// of static RSA encrypted behind its length (RFC 5246 §7.4.7.1).
    pub fn premaster_of(&self, session: &Session, exchange: &[u8]) -> Option<Kept> {
        session.known_premaster().or_else(|| {
            let (_, encrypted) = exchange.split_first_chunk::<2>()?;
            self.premaster(encrypted)
        })
    }

    /// The premaster secret that a client encrypted to the server's RSA key.
    fn premaster(&self, encrypted: &[u8]) -> Option<Kept> {
        let logged = self.logs.iter().find_map(|log| log.premaster(encrypted));
        let logged = logged.map(|secret| Kept::new(secret.expose()));
        logged.or_else(|| self.rsa.iter().find_map(|key| key.premaster(encrypted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u32) -> KeyLog {
        let mut log = KeyLog::default();
        log.read(format!("CLIENT_RANDOM {number:064x} {number:08x}").as_bytes(), 10);
        log
    }

    #[test]
    fn many_blocks_make_few_logs_and_every_session_is_found() {
        let mut keys = Keys::default().growing(true);
        assert!(!keys.is_empty() && !keys.are_known());
        for number in 0..1_000 {
            keys = keys.and(&Arc::new(block(number)), 1_000);
        }
        assert!(keys.logs.len() < 12);
        for number in 0..1_000_u32 {
            let mut random = [0; 32];
            random[28..].copy_from_slice(&number.to_be_bytes());
            assert!(keys.find(&random).is_some());
        }
        assert!(keys.find(&[7; 32]).is_none());
    }
}
