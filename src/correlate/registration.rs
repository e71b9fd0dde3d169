//! Registrations (RFC 3261 §10): the REGISTER requests of one address of record and Call-ID, and how
//! the registrar answered. The same REGISTER on a further hop is not another attempt. It keeps no
//! list of bindings and does not judge credentials.

use std::sync::Arc;

use overhear_parsers::sip::{HeaderName, Message, Uri};

use super::aor;
use super::event::SipEvent;
use super::index::Index;
use super::intern::Agents;
use super::names::Names;
use super::outbox::Outbox;
use super::slots::Slots;
use super::timers::Timers;
use super::view::{self, View, hash_number, hash_on};
use crate::model::addr::Endpoint;
use crate::model::fetch;
use crate::model::frame::FrameId;
use crate::model::id::{Kind, RecordId, RecordKey};
use crate::model::packed::Text;
use crate::model::record::{RegistrationRecord, RegistrationState};
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

/// A registration is kept at least this long after its last message.
const HOLD_SECS: u32 = 3_600;

const AOR: usize = 0;
const CALL_ID: usize = 1;
const CONTACT: usize = 2;

struct Registration {
    names: Names<3>,
    key: RecordKey,
    /// Of Call-ID and normalised address of record.
    hash: u64,
    source: Endpoint,
    registrar: Endpoint,
    last: FrameId,
    agent: Option<Arc<str>>,
    attempts: u64,
    state: RegistrationState,
    asked: Option<u32>,
    granted: Option<u32>,
    /// The latest REGISTER asks for no binding to remain.
    removes: bool,
    cseq: u32,
    touched: i64,
    touched_at: Ts,
    /// Longest expiry so far, at least [`HOLD_SECS`].
    hold: u32,
}

/// A registration that has left the table, as it was.
pub struct FinishedRegistration(Registration);

impl std::fmt::Debug for FinishedRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FinishedRegistration").field(&self.0.key).finish()
    }
}

impl FinishedRegistration {
    /// The record, for which nothing is copied.
    pub fn record(&self) -> RegistrationRecord<'_> {
        self.0.record()
    }

    /// When its last message was captured.
    pub fn last_seen(&self) -> Ts {
        self.0.touched_at
    }
}

impl Registration {
    /// Asks for what a message needs; the beginning of it has been asked for before.
    fn fetch(&self) {
        fetch::all(self.names.get(AOR));
        fetch::line_of(&self.hash);
        fetch::line_of(&self.attempts);
        fetch::line_of(&self.last);
        fetch::line_of(&self.touched);
        fetch::line_of(&self.touched_at);
    }

    /// When it is finished unless something comes; only ever moves on.
    fn deadline(&self) -> Ts {
        self.touched_at.plus(Span::from_secs(i64::from(self.hold)))
    }

    fn record(&self) -> RegistrationRecord<'_> {
        RegistrationRecord {
            id: self.key.id,
            aor: self.names.text(AOR).unwrap_or_default(),
            contact: self.names.text(CONTACT),
            source: self.source,
            registrar: self.registrar,
            state: self.state,
            attempts: self.attempts,
            expires_s: self.granted.or(self.asked).map(u64::from),
            user_agent: self.agent.as_deref().map(Text::from),
            call_id: self.names.text(CALL_ID).unwrap_or_default(),
            first_source: self.key.first.source,
            first_frame: self.key.first.number,
            last_frame: self.last.number,
        }
    }

    fn on_request(&mut self, event: &SipEvent<'_>, view: &View<'_>) {
        let first = self.attempts == 0;
        if first || event.src == self.source || view.cseq != self.cseq {
            self.attempts = self.attempts.saturating_add(1);
            self.cseq = view.cseq;
        }
        let header = seconds(view.message.header(HeaderName::Expires));
        let (mut kept, mut removed, mut asked) = (false, false, None);
        for contact in view.message.addresses(HeaderName::Contact) {
            let own = seconds(contact.params.value(b"expires"));
            let expires = if contact.uri == b"*" { Some(0) } else { own.or(header) };
            removed |= expires == Some(0);
            kept |= expires != Some(0);
            asked = asked.max(expires);
        }
        self.removes = removed && !kept;
        self.asked = asked.or(header);
    }

    fn on_response(&mut self, view: &View<'_>) {
        self.state = match view.status {
            200..300 if self.removes => RegistrationState::Expired,
            200..300 => RegistrationState::Ok,
            401 | 407 => RegistrationState::Challenged,
            _ => RegistrationState::Failed,
        };
        if view.is_success() {
            let ours = self.names.get(CONTACT);
            let expiry = |of: Option<&[u8]>| {
                let mut contacts = view.message.addresses(HeaderName::Contact);
                let contact = contacts.find(|contact| {
                    let same = |of: &[u8]| {
                        let longer = contact.uri.len() > of.len();
                        contact.uri == of || (longer && *Uri::without_password(contact.uri) == *of)
                    };
                    of.is_none_or(same)
                })?;
                seconds(contact.params.value(b"expires"))
            };
            let header = || seconds(view.message.header(HeaderName::Expires));
            self.granted = if self.removes {
                Some(0)
            } else {
                expiry(Some(ours)).or_else(|| expiry(None)).or_else(header)
            };
        }
        self.hold = self.hold.max(self.granted.or(self.asked).unwrap_or_default());
    }
}

/// The live registrations.
pub(super) struct Registrations {
    entries: Slots<Registration>,
    /// By that hash.
    index: Index,
    by_use: Timers,
    by_deadline: Timers,
    agents: Agents,
    stamp: i64,
    evicted: u64,
    cap: usize,
}

impl Registrations {
    /// Octets of one entry, its texts aside.
    #[cfg(test)]
    pub(super) const ENTRY: usize = size_of::<Registration>();
    /// An empty table.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            entries: Slots::default(),
            index: Index::default(),
            by_use: Timers::default(),
            by_deadline: Timers::default(),
            agents: Agents::default(),
            stamp: 0,
            evicted: 0,
            cap: limits.registrations.max(1),
        }
    }

    /// Registrations finished because the table was full.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes in a REGISTER or a response to one, and says to which registration it belongs. A
    /// response to a REGISTER that was not seen belongs to none.
    pub(super) fn see(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
        repeated: bool,
        out: &mut Outbox,
    ) -> Option<RecordKey> {
        self.stamp = self.stamp.saturating_add(1);
        let mut written = Vec::new();
        let to = view.message.header(HeaderName::To).unwrap_or_default();
        let aor = if let Some(aor) = aor::plain(to) {
            aor
        } else {
            aor::normalise(&view.to()?.uri(), &mut written);
            &written
        };
        let hash = hash_on(event.names.call_id, aor);
        let slot = match self.find(hash, aor, view.call_id) {
            Some(slot) => slot,
            None if view.request => self.begin(hash, aor, event, view, out)?,
            None => return None,
        };
        let entry = self.entries.get_mut(slot)?;
        entry.last = event.at.frame;
        (entry.touched, entry.touched_at) = (self.stamp, entry.touched_at.max(event.watermark));
        if entry.agent.is_none() && view.request {
            let agent = view.message.header(HeaderName::UserAgent);
            entry.agent =
                agent.filter(|agent| !agent.is_empty()).map(|agent| self.agents.get(agent));
        }
        match (view.request, repeated) {
            (true, false) => entry.on_request(event, view),
            (false, false) if view.is_final() => entry.on_response(view),
            _ => {}
        }
        Some(entry.key)
    }

    /// Finishes the registrations whose time has come, in the order of their deadlines.
    pub(super) fn advance(&mut self, watermark: Ts, out: &mut Outbox) {
        loop {
            let entries = &self.entries;
            let due = self.by_deadline.first(watermark.nanos(), |place| {
                entries.at(place).map(|entry| entry.deadline().nanos())
            });
            let Some((_, place)) = due else { return };
            self.close(place.slot, out);
        }
    }

    /// Finishes every registration, in the order of the report.
    pub(super) fn finish(&mut self, out: &mut Outbox) {
        let mut entries: Vec<Registration> = self.entries.drain().collect();
        entries.sort_by_key(|entry| entry.key);
        out.registrations.extend(entries.into_iter().map(FinishedRegistration));
        self.index.clear();
        self.by_use = Timers::default();
        self.by_deadline = Timers::default();
    }

    /// By what the registration of a message with this hash of its Call-ID is probably found; asks for
    /// where that is looked for.
    pub(super) fn fetch_index(&self, message: &Message<'_>, call_id: u64) -> Option<u64> {
        // Nearly always in its normal form; of another one nothing is found.
        let (aor, _) = aor::bracketed(message.header(HeaderName::To)?)?;
        let hash = hash_on(call_id, aor);
        self.index.fetch(hash);
        Some(hash)
    }

    /// The slot where that registration probably stands; asks for its beginning.
    pub(super) fn approach(&self, hash: u64) -> Option<u32> {
        let slot = self.index.find(hash, |_| true)?;
        self.entries.fetch(slot);
        Some(slot)
    }

    /// Asks for everything that a message may change in a registration.
    pub(super) fn fetch(&self, slot: u32) {
        if let Some(registration) = self.entries.get(slot) {
            registration.fetch();
        }
    }

    fn find(&self, hash: u64, aor: &[u8], call_id: &[u8]) -> Option<u32> {
        let is = |slot: u32| {
            self.entries.get(slot).is_some_and(|entry| {
                entry.hash == hash && entry.names.is(AOR, aor) && entry.names.is(CALL_ID, call_id)
            })
        };
        self.index.find(hash, is)
    }

    fn begin(
        &mut self,
        hash: u64,
        aor: &[u8],
        event: &SipEvent<'_>,
        view: &View<'_>,
        out: &mut Outbox,
    ) -> Option<u32> {
        while self.entries.len() >= self.cap {
            let entries = &self.entries;
            let oldest = self.by_use.first(i64::MAX, |place| Some(entries.at(place)?.touched));
            let Some((_, place)) = oldest else { break };
            self.evicted = self.evicted.saturating_add(1);
            self.close(place.slot, out);
        }
        let contact = view.message.addresses(HeaderName::Contact).next();
        let contact = contact.map(|contact| Uri::without_password(contact.uri)).unwrap_or_default();
        let id = hash_on(view::hash(aor), view.call_id);
        let id = hash_on(id, event.src.addr.octets());
        let id = hash_number(id, u64::from(event.src.port));
        let entry = Registration {
            names: Names::new([aor, view.call_id, &contact]),
            key: RecordKey { first: event.at.frame, id: RecordId::new(Kind::Registration, id) },
            hash,
            source: event.src,
            registrar: event.dst,
            last: event.at.frame,
            agent: None,
            attempts: 0,
            state: RegistrationState::Unknown,
            asked: None,
            granted: None,
            removes: false,
            cseq: view.cseq,
            touched: self.stamp,
            touched_at: event.watermark,
            hold: HOLD_SECS,
        };
        let deadline = entry.deadline();
        let place = self.entries.add(entry)?;
        self.by_use.add(self.stamp, place);
        self.by_deadline.add(deadline.nanos(), place);
        self.index.add(hash, place.slot);
        Some(place.slot)
    }

    fn close(&mut self, slot: u32, out: &mut Outbox) {
        let Some(entry) = self.entries.take(slot) else { return };
        self.index.replace(entry.hash, slot, None);
        out.registrations.push(FinishedRegistration(entry));
        let entries = &self.entries;
        self.by_use.tidy(entries.len(), |place| entries.at(place).is_some());
        self.by_deadline.tidy(entries.len(), |place| entries.at(place).is_some());
    }
}

/// Delta-seconds (RFC 3261 §20.19); too large a number counts as the largest one.
fn seconds(value: Option<&[u8]>) -> Option<u32> {
    let text = std::str::from_utf8(value?).ok()?.trim();
    if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}
