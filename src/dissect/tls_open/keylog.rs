//! Key logs as NSS began them and everybody writes them: `LABEL <client random> <secret>`, a line
//! each (draft-ietf-tls-keylogfile).
//!
//! Lenient: spaces before, after and between, `\r\n`, letters of either case, comments, labels that
//! are known and of no use here. A line that is none of these is counted. Not read:
//! `RSA Session-ID:... Master-Key:...`.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::secret::Secret;

/// A line longer than this is not one.
const LINE_MAX: usize = 1_024;

/// A secret of this many octets at most; the longest in use has 48.
const SECRET_MAX: usize = 256;

/// What a line's secret is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// `CLIENT_RANDOM`: the master secret of TLS up to 1.2 and of DTLS.
    Master,
    /// `PMS_CLIENT_RANDOM`: the premaster secret.
    Premaster,
    /// `CLIENT_EARLY_TRAFFIC_SECRET`.
    ClientEarly,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`.
    ClientHandshake,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`.
    ServerHandshake,
    /// `CLIENT_TRAFFIC_SECRET_0`.
    ClientTraffic,
    /// `SERVER_TRAFFIC_SECRET_0`.
    ServerTraffic,
    /// `EXPORTER_SECRET`.
    Exporter,
}

const LABELS: [(&[u8], Label); 8] = [
    (b"CLIENT_RANDOM", Label::Master),
    (b"PMS_CLIENT_RANDOM", Label::Premaster),
    (b"CLIENT_EARLY_TRAFFIC_SECRET", Label::ClientEarly),
    (b"CLIENT_HANDSHAKE_TRAFFIC_SECRET", Label::ClientHandshake),
    (b"SERVER_HANDSHAKE_TRAFFIC_SECRET", Label::ServerHandshake),
    (b"CLIENT_TRAFFIC_SECRET_0", Label::ClientTraffic),
    (b"SERVER_TRAFFIC_SECRET_0", Label::ServerTraffic),
    (b"EXPORTER_SECRET", Label::Exporter),
];

/// Labels that are known and not needed.
const UNUSED: [&[u8]; 3] = [b"EARLY_EXPORTER_SECRET", b"ECH_SECRET", b"ECH_CONFIG"];

/// The random octets of a ClientHello, by which a session is found.
pub type Random = [u8; 32];

/// A secret that is kept. Its `Debug` shows the length.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Kept(Box<[u8]>);

/// The secrets of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionKeys([Kept; LABELS.len()]);

/// What a key log says.
#[derive(Debug, Default)]
pub struct KeyLog {
    sessions: Vec<(Random, SessionKeys)>,
    index: HashMap<Random, usize, FixedState>,
    /// Premaster secrets, by the first octets of what they were encrypted to.
    premasters: BTreeMap<[u8; 8], Kept>,
    /// Lines with something on them that is no comment.
    lines: u64,
    bad: u64,
    excess: u64,
}

impl Kept {
    /// Keeps a copy.
    pub fn new(octets: &[u8]) -> Self {
        Self(octets.into())
    }

    /// The secret.
    pub const fn secret(&self) -> Secret<'_> {
        Secret::new(&self.0)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.secret().fmt(f)
    }
}

impl SessionKeys {
    /// The secret of a label, unless there is none.
    pub fn get(&self, label: Label) -> Option<Secret<'_>> {
        let place = LABELS.iter().position(|(_, known)| *known == label)?;
        self.0.get(place).map(Kept::secret).filter(|secret| !secret.is_empty())
    }

    fn set(&mut self, label: Label, secret: &[u8]) {
        let place = LABELS.iter().position(|(_, known)| *known == label);
        if let Some(kept) = place.and_then(|place| self.0.get_mut(place)) {
            *kept = Kept::new(secret);
        }
    }

    /// Takes over what the other has.
    pub fn add(&mut self, other: &Self) {
        for (kept, new) in self.0.iter_mut().zip(&other.0) {
            if !new.secret().is_empty() {
                *kept = new.clone();
            }
        }
    }
}

impl KeyLog {
    /// Reads the lines of `text`, up to `cap` sessions in all. A later line replaces an earlier one.
    pub fn read(&mut self, text: &[u8], cap: usize) {
        // Some editors begin a file of UTF-8 so.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for line in text.split(|octet| *octet == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            self.lines = self.lines.saturating_add(1);
            if self.line(line, cap).is_none() {
                self.bad = self.bad.saturating_add(1);
            }
        }
    }

    /// Takes over everything that another one says.
    pub fn add(&mut self, other: &Self, cap: usize) {
        for (random, keys) in &other.sessions {
            if let Some(own) = self.session(random, cap) {
                own.add(keys);
            }
        }
        let room = cap.saturating_sub(self.premasters.len());
        let premasters = other.premasters.iter().take(room);
        self.premasters.extend(premasters.map(|(name, kept)| (*name, kept.clone())));
        self.lines = self.lines.saturating_add(other.lines);
        self.bad = self.bad.saturating_add(other.bad);
        self.excess = self.excess.saturating_add(other.excess);
    }

    /// The secrets of the session whose ClientHello had this random.
    pub fn find(&self, random: &Random) -> Option<&SessionKeys> {
        let place = *self.index.get(random)?;
        self.sessions.get(place).map(|(_, keys)| keys)
    }

    /// The premaster secret that was encrypted to `encrypted`.
    pub fn premaster(&self, encrypted: &[u8]) -> Option<Secret<'_>> {
        self.premasters.get(encrypted.first_chunk()?).map(Kept::secret)
    }

    /// Whether any premaster secret is known by what it was encrypted to, or by its session.
    pub fn has_premasters(&self) -> bool {
        !self.premasters.is_empty()
    }

    /// Sessions, in the order of the lines.
    pub fn randoms(&self) -> impl Iterator<Item = &Random> {
        self.sessions.iter().map(|(random, _)| random)
    }

    /// Sessions for which there are secrets.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is nothing in it that could open a session.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.premasters.is_empty()
    }

    /// Lines that were not empty and no comments, and how many of them could not be read.
    pub const fn lines(&self) -> (u64, u64) {
        (self.lines, self.bad)
    }

    /// Lines for which there was no room.
    pub const fn excess(&self) -> u64 {
        self.excess
    }

    fn line(&mut self, line: &[u8], cap: usize) -> Option<()> {
        if line.len() > LINE_MAX {
            return None;
        }
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (label, name, secret) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() {
            return None;
        }
        let (name, secret) = (unhex(name)?, unhex(secret)?);
        if label == b"RSA" {
            let name = *name.first_chunk::<8>().filter(|_| name.len() == 8)?;
            if self.premasters.len() >= cap {
                self.excess = self.excess.saturating_add(1);
            } else {
                self.premasters.insert(name, Kept::new(&secret));
            }
            return Some(());
        }
        let random = *name.first_chunk::<32>().filter(|_| name.len() == 32)?;
        match LABELS.iter().find(|(known, _)| *known == label) {
            Some((_, label)) => {
                if let Some(keys) = self.session(&random, cap) {
                    keys.set(*label, &secret);
                }
                Some(())
            }
            None => UNUSED.contains(&label).then_some(()),
        }
    }

    /// The session, made if there is room.
    fn session(&mut self, random: &Random, cap: usize) -> Option<&mut SessionKeys> {
        let place = match self.index.get(random) {
            Some(place) => *place,
            None if self.sessions.len() < cap => {
                self.index.insert(*random, self.sessions.len());
                self.sessions.push((*random, SessionKeys::default()));
                self.sessions.len().saturating_sub(1)
            }
            None => {
                self.excess = self.excess.saturating_add(1);
                return None;
            }
        };
        self.sessions.get_mut(place).map(|(_, keys)| keys)
    }
}

/// Octets of a text of hexadecimal digits; at least one, at most [`SECRET_MAX`].
fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, odd) = text.as_chunks::<2>();
    if !odd.is_empty() || pairs.is_empty() || pairs.len() > SECRET_MAX {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn digit(text: u8) -> Option<u8> {
    char::from(text).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> KeyLog {
        let mut log = KeyLog::default();
        log.read(text.as_bytes(), 2);
        log
    }

    fn random(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    #[test]
    fn lines_are_read_leniently_and_bad_ones_counted() {
        let text = format!(
            "# comment\r\n\r\nCLIENT_RANDOM {} {}\r\n  SERVER_TRAFFIC_SECRET_0\t{} AbCd \n\
             EARLY_EXPORTER_SECRET {} 00\nCLIENT_RANDOM 00 00\nCLIENT_RANDOM\n\
             WHATEVER {} 00\nCLIENT_RANDOM {} 0g\n\u{0}\u{1}",
            random('1'),
            "0f".repeat(48),
            random('1'),
            random('1'),
            random('1'),
            random('1'),
        );
        let log = read(&text);
        assert_eq!((log.lines(), log.len()), ((8, 5), 1));
        let keys = log.find(&[0x11; 32]).unwrap();
        assert_eq!(keys.get(Label::Master).unwrap().expose(), [15; 48]);
        assert_eq!(keys.get(Label::ServerTraffic).unwrap().expose(), [0xab, 0xcd]);
        assert!(keys.get(Label::Exporter).is_none() && log.find(&[0; 32]).is_none());
    }

    #[test]
    fn there_is_room_for_so_many_sessions() {
        let line = |c| format!("CLIENT_RANDOM {} 01\n", random(c));
        let log = read(&[line('1'), line('2'), line('3'), line('1')].concat());
        assert_eq!((log.len(), log.excess()), (2, 1));
        let mut more = KeyLog::default();
        more.add(&log, 1);
        assert_eq!((more.len(), more.excess()), (1, 2));
    }

    #[test]
    fn premasters_are_found_by_what_they_were_encrypted_to() {
        let log = read("RSA 0102030405060708 0303aa\nRSA 01 02\n");
        assert_eq!(log.premaster(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap().len(), 3);
        assert!(log.premaster(&[1]).is_none());
        assert_eq!(log.lines(), (2, 1));
    }

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let log = read(&format!("CLIENT_RANDOM {} 4142434445\n", random('1')));
        let keys = format!("{:?}", log.find(&[0x11; 32]));
        assert!(keys.contains("Secret(5)") && !keys.contains("65") && !keys.contains("ABCDE"));
    }
}
