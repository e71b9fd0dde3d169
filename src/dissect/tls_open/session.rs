//! One TLS or DTLS session whose secrets are known: which keys hold for which record.
//!
//! Up to TLS 1.2 a `ChangeCipherSpec` brings the keys of the last handshake into force, in DTLS the
//! record's epoch says so. TLS 1.3 changes keys inside its encrypted part; instead of following
//! that handshake, a record that does not open with the keys that hold is tried with those that
//! come next (handshake, application data, and each `KeyUpdate` after, RFC 8446 §7.2): no record
//! opens with keys that are not its own. After a hole the sequence is searched for.
//!
//! DTLS 1.3 is not opened. What is agreed on inside DTLS is another session (`datagrams.rs`).

use super::keylog::{Kept, Label, Random, SessionKeys};
use super::record::{KeyBlock, Opener, Sealed, Version};
use super::schedule::{Prf, next_generation};
use super::suites::{Aead, Cipher, Hash, Suite, suite};

/// Records in a row that do not open before a direction is given up.
const FAILURES: u32 = 64;

/// Failures of a direction that is given up.
const GIVEN_UP: u32 = u32::MAX;

/// Records that a hole may have swallowed, of those that are searched for.
const SKIPPED: u64 = 256;

/// The content type of `ChangeCipherSpec`.
const CHANGE_CIPHER_SPEC: u8 = 20;

/// The content type of protected records in TLS 1.3.
const APPLICATION_DATA: u8 = 23;

/// What a ServerHello settles.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The version, DTLS under its counterpart.
    pub version: Version,
    /// The suite's number.
    pub suite: u16,
    /// The server's random.
    pub server_random: Random,
    /// RFC 7627.
    pub extended_master_secret: bool,
    /// RFC 7366; without meaning for AEAD suites.
    pub encrypt_then_mac: bool,
}

/// What became of a record.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It travelled in clear.
    Clear,
    /// Plaintext of this content type.
    Plain(u8),
    /// It does not open.
    Sealed,
}

/// The state of a session.
#[derive(Debug)]
pub struct Session {
    client_random: Random,
    secrets: SessionKeys,
    agreed: Option<(Agreed, Suite)>,
    master: Kept,
    sides: [Side; 2],
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    current: Option<Box<Opener>>,
    /// What the next `ChangeCipherSpec` brings into force.
    next: Option<Box<Opener>>,
    /// TLS 1.3: secrets of the stages to come, the first one next.
    stages: Vec<Kept>,
    /// TLS 1.3: the secret of `current`.
    secret: Kept,
    /// Of the next record.
    sequence: u64,
    /// Records are missing before the next one.
    lost: bool,
    failures: u32,
    opened: bool,
}

impl Session {
    /// A session that began with this ClientHello, with what is known of it.
    pub fn new(client_random: Random, secrets: SessionKeys) -> Self {
        Self {
            client_random,
            secrets,
            agreed: None,
            master: Kept::default(),
            sides: [Side::default(), Side::default()],
        }
    }

    /// Takes what has become known of it, before it agrees on anything.
    pub fn know(&mut self, secrets: SessionKeys) {
        self.secrets = secrets;
    }

    /// A further ClientHello, inside the session: what is agreed on next comes into force with the
    /// next `ChangeCipherSpec`, and until then the keys hold that hold (RFC 5246 §7.4.1.1).
    pub fn renegotiate(&mut self, client_random: Random, secrets: SessionKeys) {
        (self.client_random, self.secrets, self.master) = (client_random, secrets, Kept::default());
        self.sides.iter_mut().for_each(|side| side.next = None);
    }

    /// Takes what the ServerHello says. False if such a session cannot be opened, or not with what
    /// is known; a premaster secret may still come. Where one direction alone could be opened,
    /// `patient` is for waiting until both can be.
    pub fn agree(&mut self, agreed: Agreed, patient: bool) -> bool {
        let Some(suite) = suite(agreed.suite) else { return false };
        self.agreed = Some((agreed, suite));
        if agreed.version == Version::Tls13 {
            return self.stage(&suite, patient);
        }
        if let Some(master) = self.secrets.get(Label::Master) {
            self.master = Kept::new(master.expose());
            return self.expand();
        }
        if let Cipher::Null(hash) = suite.cipher {
            for side in &mut self.sides {
                side.next = Some(Box::new(Opener::of_null(hash)));
            }
            return true;
        }
        false
    }

    /// Takes the premaster secret with the messages of the handshake up to and including the
    /// `ClientKeyExchange`, headers too (RFC 5246 §8.1, RFC 7627 §4).
    pub fn premaster(&mut self, premaster: &[u8], messages: &[u8]) -> bool {
        let Some((agreed, suite)) = self.agreed else { return false };
        let prf = prf(agreed.version, &suite);
        let master = if agreed.extended_master_secret {
            let hash = prf.session_hash(messages);
            prf.expand(premaster, b"extended master secret", &[&hash], 48)
        } else {
            let seed = [&self.client_random[..], &agreed.server_random];
            prf.expand(premaster, b"master secret", &seed, 48)
        };
        self.master = Kept::new(&master);
        self.expand()
    }

    /// The premaster secret that the key log had, if it had that instead of the master secret.
    pub fn known_premaster(&self) -> Option<Kept> {
        self.secrets.get(Label::Premaster).map(|secret| Kept::new(secret.expose()))
    }

    /// What was agreed on.
    pub fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref().map(|(agreed, _)| agreed)
    }

    /// Whether a premaster secret would help and may come: the key log has it, or the suite's
    /// number says that it travels under the server's RSA key and `rsa` that this may be opened.
    pub fn awaits_premaster(&self, rsa: bool) -> bool {
        self.agreed.is_some_and(|(agreed, suite)| {
            let known = self.secrets.get(Label::Premaster).is_some() || (rsa && suite.rsa);
            known && agreed.version < Version::Tls13
        })
    }

    /// Whether it is one of TLS 1.3 that more secrets would open: blocks may tell them one by one.
    pub fn lacks_secrets(&self) -> bool {
        let both = [Label::ClientTraffic, Label::ServerTraffic];
        let lacks = both.iter().any(|label| self.secrets.get(*label).is_none());
        lacks && self.agreed().is_some_and(|agreed| agreed.version == Version::Tls13)
    }

    /// Whether its suite does not encrypt.
    pub fn is_null(&self) -> bool {
        self.agreed.is_some_and(|(_, suite)| matches!(suite.cipher, Cipher::Null(_)))
    }

    /// Memory taken.
    pub fn cost(&self) -> usize {
        let keys = self.sides.iter().flat_map(|side| side.current.iter().chain(&side.next));
        keys.fold(size_of::<Self>(), |sum, _| sum.saturating_add(size_of::<Opener>()))
    }

    /// Whether any record with more than cleartext in it has opened.
    pub fn has_opened(&self) -> bool {
        self.sides.iter().any(|side| side.opened)
    }

    /// Whether neither direction will open any more.
    pub fn is_hopeless(&self) -> bool {
        self.sides.iter().all(|side| side.failures > FAILURES)
    }

    /// Keying material of RFC 5705 without context, from the master secret.
    pub fn export(&self, label: &[u8], octets: usize) -> Option<Kept> {
        let (agreed, suite) = self.agreed.as_ref()?;
        if self.master.secret().is_empty() {
            return None;
        }
        let seed = [&self.client_random[..], &agreed.server_random];
        let prf = prf(agreed.version, suite);
        Some(Kept::new(&prf.expand(self.master.secret().expose(), label, &seed, octets)))
    }

    /// Octets of a direction are missing: 0 is the client's.
    pub fn lost(&mut self, side: usize) {
        if let Some(side) = self.sides.get_mut(side) {
            side.lost = true;
        }
    }

    /// Opens the next record of a TLS direction into `out`; its sequence is ignored.
    pub fn record(&mut self, side: usize, record: &Sealed<'_>, out: &mut Vec<u8>) -> Opened {
        let Some((agreed, suite)) = self.agreed else { return Opened::Clear };
        let Some(side) = self.sides.get_mut(side) else { return Opened::Sealed };
        if agreed.version == Version::Tls13 {
            let Cipher::Aead(aead) = suite.cipher else { return Opened::Sealed };
            return side.tls13(aead, suite.prf, record, out);
        }
        let opened = side.tls12(record, out);
        let changes = match opened {
            Opened::Clear => record.content_type == CHANGE_CIPHER_SPEC,
            Opened::Plain(content_type) => content_type == CHANGE_CIPHER_SPEC,
            Opened::Sealed => false,
        };
        if changes {
            (side.current, side.sequence) = (side.next.take(), 0);
            // Without keys for what follows it must not be taken for cleartext.
            side.failures = if side.current.is_some() { 0 } else { GIVEN_UP };
        }
        opened
    }

    /// Opens a DTLS record of its epoch, with which the sequence begins.
    pub fn datagram(&mut self, side: usize, record: &Sealed<'_>, out: &mut Vec<u8>) -> Opened {
        let Some(side) = self.sides.get_mut(side) else { return Opened::Sealed };
        let opened = side.next.as_ref().and_then(|opener| opener.open(record, out));
        let Some(content_type) = opened else { return side.failed() };
        (side.opened, side.failures) = (true, 0);
        Opened::Plain(content_type)
    }

    /// Makes the keys of both directions from the master secret.
    fn expand(&mut self) -> bool {
        let Some((agreed, suite)) = self.agreed else { return false };
        let seed = [&agreed.server_random[..], &self.client_random];
        let octets = KeyBlock::of(suite.cipher, agreed.version).octets();
        let master = self.master.secret().expose();
        let block = prf(agreed.version, &suite).expand(master, b"key expansion", &seed, octets);
        for (number, side) in self.sides.iter_mut().enumerate() {
            let (version, mac_last) = (agreed.version, agreed.encrypt_then_mac);
            let keys = Opener::of_block(&suite, version, mac_last, &block, number);
            side.next = keys.map(Box::new);
        }
        self.sides.iter().all(|side| side.next.is_some())
    }

    /// Lines up the secrets of TLS 1.3.
    fn stage(&mut self, suite: &Suite, patient: bool) -> bool {
        use Label::{ClientEarly, ClientHandshake, ClientTraffic, ServerHandshake, ServerTraffic};
        let Cipher::Aead(_) = suite.cipher else { return false };
        let labels =
            [&[ClientEarly, ClientHandshake, ClientTraffic][..], &[ServerHandshake, ServerTraffic]];
        for (side, labels) in self.sides.iter_mut().zip(labels) {
            let known = labels.iter().filter_map(|label| self.secrets.get(*label));
            side.stages = known.map(|secret| Kept::new(secret.expose())).collect();
        }
        let opens = [ClientTraffic, ServerTraffic].map(|label| self.secrets.get(label).is_some());
        if patient { opens == [true; 2] } else { opens != [false; 2] }
    }
}

impl Side {
    /// Cleartext before the first `ChangeCipherSpec`, and what the keys open after it.
    fn tls12(&mut self, record: &Sealed<'_>, out: &mut Vec<u8>) -> Opened {
        if self.failures > FAILURES {
            return Opened::Sealed;
        }
        let Some(opener) = &mut self.current else { return Opened::Clear };
        let found = search(opener, record, self.sequence, self.lost, out);
        opener.passed(record);
        if let Some((sequence, content_type)) = found {
            self.took(sequence);
            Opened::Plain(content_type)
        } else {
            self.sequence = self.sequence.wrapping_add(1);
            self.failed()
        }
    }

    fn tls13(&mut self, aead: Aead, hash: Hash, record: &Sealed<'_>, out: &mut Vec<u8>) -> Opened {
        if record.content_type != APPLICATION_DATA {
            return Opened::Clear;
        }
        if self.failures > FAILURES {
            return Opened::Sealed;
        }
        if let Some(opener) = &self.current
            && let Some((sequence, content_type)) =
                search(opener, record, self.sequence, self.lost, out)
        {
            self.took(sequence);
            return Opened::Plain(content_type);
        }
        let updated = (self.current.is_some() && self.stages.is_empty())
            .then(|| Kept::new(&next_generation(hash, self.secret.secret().expose())));
        for (stage, secret) in self.stages.iter().chain(&updated).enumerate() {
            let Some(opener) = Opener::of_secret(aead, hash, secret.secret().expose()) else {
                continue;
            };
            if let Some((sequence, content_type)) = search(&opener, record, 0, self.lost, out) {
                (self.current, self.secret) = (Some(Box::new(opener)), secret.clone());
                self.stages.drain(..stage.saturating_add(1).min(self.stages.len()));
                self.took(sequence);
                return Opened::Plain(content_type);
            }
        }
        self.failed()
    }

    /// A record opened, as the one of this sequence.
    fn took(&mut self, sequence: u64) {
        self.sequence = sequence.wrapping_add(1);
        (self.lost, self.failures, self.opened) = (false, 0, true);
    }

    fn failed(&mut self) -> Opened {
        self.failures = self.failures.saturating_add(1);
        Opened::Sealed
    }
}

/// Tries the next sequence, and those behind it if records may be missing.
fn search(
    opener: &Opener,
    record: &Sealed<'_>,
    from: u64,
    lost: bool,
    out: &mut Vec<u8>,
) -> Option<(u64, u8)> {
    let last = from.saturating_add(if lost { SKIPPED } else { 0 });
    (from..=last).find_map(|sequence| {
        let opened = opener.open(&Sealed { sequence, ..*record }, out)?;
        Some((sequence, opened))
    })
}

/// The pseudorandom function of a session before TLS 1.3.
fn prf(version: Version, suite: &Suite) -> Prf {
    if version < Version::Tls12 { Prf::Halves } else { Prf::One(suite.prf) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::tls_open::keylog::KeyLog;
    use crate::dissect::tls_open::testing::hex;

    const CLIENT: &str = "3d5ec3323c973e25735b9e6778f9ce3275e3aa75070d4704d0c7b40332a5a32c";
    const SERVER: &str = "e0655d482d150542f6e04564ee1667a02e70d2402817f91bae3606b968fd2a8f";

    fn session(lines: &str) -> Session {
        let mut log = KeyLog::default();
        log.read(lines.as_bytes(), 1);
        let random = hex(CLIENT).try_into().unwrap();
        Session::new(random, log.find(&random).cloned().unwrap_or_default())
    }

    fn agreed(version: Version, suite: u16) -> Agreed {
        Agreed {
            version,
            suite,
            server_random: hex(SERVER).try_into().unwrap(),
            extended_master_secret: true,
            encrypt_then_mac: false,
        }
    }

    fn sealed(content_type: u8, sequence: u64, fragment: &[u8]) -> Sealed<'_> {
        Sealed { content_type, version: 0x0303, sequence, fragment }
    }

    #[test]
    fn the_exporter_gives_what_openssl_says_of_its_session() {
        // s_client -dtls1_2 -use_srtp SRTP_AES128_CM_SHA1_80 -keymatexport EXTRACTOR-dtls_srtp
        let master = "CLIENT_RANDOM 3d5ec3323c973e25735b9e6778f9ce3275e3aa75070d4704d0c7b40332a5a32c \
            9008b0e1a3911beca926858f86f92a08c04ddbffab9baf61da7cb0c43bd6b3dd54a06e2ada73f4e7487f10b\
            ea3c05fba";
        let mut session = session(master);
        assert!(session.agree(agreed(Version::Tls12, 0xc030), false));
        assert_eq!(
            session.export(b"EXTRACTOR-dtls_srtp", 60).unwrap().secret().expose(),
            hex("C13A79830381932C9240EC842ABE335B8625EC087D258D4E9729247A1F3E280D897140D4CBDF179F\
                 606732C834FC22A532F06BEE14BEBB3B1E7BE6DA")
        );
    }

    #[test]
    fn nothing_opens_without_secrets_and_cleartext_stays_cleartext() {
        let mut out = Vec::new();
        let mut none = session("");
        assert!(!none.agree(agreed(Version::Tls12, 0xc030), false));
        assert!(!none.agree(agreed(Version::Tls13, 0x1301), false));
        assert!(!none.agree(agreed(Version::Tls12, 0x0005), false), "RC4 is not in the table");
        assert_eq!(none.record(0, &sealed(22, 0, &[7; 40]), &mut out), Opened::Clear);
        assert!(none.export(b"label", 8).is_none() && !none.has_opened());
    }

    #[test]
    fn wrong_secrets_are_given_up_after_a_while() {
        let lines = format!(
            "CLIENT_TRAFFIC_SECRET_0 {CLIENT} {CLIENT}\nSERVER_TRAFFIC_SECRET_0 {CLIENT} {CLIENT}\n"
        );
        let mut wrong = session(&lines);
        assert!(wrong.agree(agreed(Version::Tls13, 0x1301), true));
        let mut out = Vec::new();
        for _ in 0..100 {
            for side in [0, 1] {
                assert_eq!(wrong.record(side, &sealed(23, 0, &[7; 40]), &mut out), Opened::Sealed);
            }
        }
        assert!(wrong.is_hopeless() && !wrong.has_opened());
    }

    #[test]
    fn both_directions_are_waited_for_where_secrets_may_still_come() {
        let line = format!("CLIENT_TRAFFIC_SECRET_0 {CLIENT} {CLIENT}\n");
        assert!(!session(&line).agree(agreed(Version::Tls13, 0x1301), true));
        assert!(session(&line).agree(agreed(Version::Tls13, 0x1301), false));
    }

    #[test]
    fn a_null_suite_needs_no_secret_behind_its_change_of_cipher() {
        let mut null = session("");
        assert!(null.agree(agreed(Version::Tls12, 0x003b), false) && null.is_null());
        let mut out = Vec::new();
        assert_eq!(null.record(1, &sealed(20, 0, &[1]), &mut out), Opened::Clear);
        assert_eq!(null.record(1, &sealed(23, 0, &[b'a'; 40]), &mut out), Opened::Plain(23));
        assert_eq!(out, [b'a'; 8]);
        assert_eq!(null.record(1, &sealed(23, 0, &[b'a'; 4]), &mut out), Opened::Sealed);
    }
}
