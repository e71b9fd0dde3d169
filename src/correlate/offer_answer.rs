//! Offers and answers of one call (RFC 3264, and where they may stand: RFC 3261 §13.2.1, RFC 3262 §5,
//! RFC 3311 §5, RFC 6337): which role an SDP plays, which addresses it announces, and what a call's
//! media come to. Offers about security are put together with their answers in [`super::exchange`];
//! binding streams is done elsewhere.

use std::num::NonZeroU64;
use std::sync::Arc;

use overhear_parsers::sip::Method;

use super::course::Course;
use super::event::SipEvent;
use super::exchange::{Exchange, Exchanges, Notes, Statement, may_conclude};
use super::features::{CAPABILITIES, FEATURES, ICE, NAMED, ONE_WAY, RECORDED, T38};
use super::few::Few;
use super::intern::Descriptions;
use super::outbox::{Announcement, Aside, MediaDescription, Outbox};
use super::placement::SdpRole;
use super::recording::is_recording;
use super::session::{Section, sections};
use super::view::{View, hash_number, hash_on};
use crate::model::addr::Endpoint;
use crate::model::id::RecordKey;
use crate::model::packed::Text;
use crate::model::record::{CallMedia, Keying, Side};
use crate::model::time::Ts;

/// Distinct media descriptions kept of one call, offers and answers each counted.
const MAX_MEDIA: usize = 16;
/// The place of a bundle's address among those of an m-line, beside its candidates.
const BUNDLED: u8 = 15;

/// Addresses remembered as announced and current, per call.
const MAX_ANNOUNCED: usize = 32;

/// This side sent an INVITE.
const INVITED: u8 = 1;
/// Its latest INVITE carried an offer.
const OFFERED: u8 = 1 << 1;
/// A response to its INVITE carried an offer that ACK or PRACK has to answer.
const PENDING: u8 = 1 << 2;

/// A description that was offered or answered.
struct Described {
    media: Arc<MediaDescription>,
    answer: bool,
    /// Not port 0.
    accepted: bool,
}

/// The offers and answers of one call.
#[derive(Default)]
pub(super) struct Negotiation {
    described: Few<Described>,
    /// What is announced now: the slot (side, m-line, candidate, hop) in the upper 16 bits, hashes of
    /// the address and of the rest in 24 bits each.
    announced: Few<NonZeroU64>,
    /// `CSeq` number of the PRACK that answered an offer, to know it again on the next hop.
    prack: u32,
    /// The three bits above, the caller's and the callee's.
    sides: [u8; 2],
    key_exposed: bool,
    /// Bits of [`FEATURES`].
    features: u8,
    beside: Option<Box<Beside>>,
}

/// What nearly no call has.
#[derive(Default)]
struct Beside {
    exchanges: Exchanges,
    course: Course,
}

/// Whose SDP it is, and where it was seen.
pub(super) struct Speaker {
    /// The call.
    pub(super) call: RecordKey,
    /// Who sent the message.
    pub(super) side: Side,
    /// Its role.
    pub(super) role: SdpRole,
    /// The call was accepted before.
    pub(super) established: bool,
    /// When the call was answered.
    pub(super) answered: Option<Ts>,
}

impl Negotiation {
    /// The negotiation of a further fork: the offer is the same.
    pub(super) fn fork(&self) -> Self {
        let offers = self.described.iter().filter(|described| !described.answer);
        let mut fork = Self { sides: self.sides, ..Self::default() };
        for offer in offers {
            fork.described.push(Described { media: Arc::clone(&offer.media), ..*offer });
        }
        fork
    }

    /// What the SDP of this message is; also notes INVITEs without one. `from` is the side whose
    /// request this is or answers.
    pub(super) fn role(&mut self, view: &View<'_>, from: Side, sdp: bool) -> SdpRole {
        let [calling, called] = &mut self.sides;
        let bits = if from == Side::Caller { calling } else { called };
        let role = match (view.request, view.method) {
            (true, Method::Invite) => {
                *bits = INVITED | if sdp { OFFERED } else { 0 };
                if !sdp && is_recording(view.message, &[]) {
                    self.features |= RECORDED;
                }
                SdpRole::Offer
            }
            (true, Method::Update) => SdpRole::Offer,
            (true, Method::Ack) => {
                *bits &= !PENDING;
                SdpRole::Answer
            }
            (true, Method::Prack) if sdp => {
                if *bits & PENDING != 0 {
                    *bits &= !PENDING;
                    self.prack = view.cseq;
                }
                if self.prack == view.cseq { SdpRole::Answer } else { SdpRole::Offer }
            }
            (false, Method::Invite) if (101..300).contains(&view.status) => {
                let offer = *bits & (INVITED | OFFERED) == INVITED;
                if offer && sdp {
                    *bits |= PENDING;
                }
                if offer { SdpRole::Offer } else { SdpRole::Answer }
            }
            (false, Method::Update | Method::Prack) if view.is_success() => SdpRole::Answer,
            _ => SdpRole::None,
        };
        if sdp { role } else { SdpRole::None }
    }

    /// Takes in what a message that repeats none says of media. `watched`: offers without security are
    /// followed as well. True if a secure offer was refused as such.
    #[inline]
    pub(super) fn hear(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
        speaker: &Speaker,
        body: Option<&[u8]>,
        (shared, out, watched): (&mut Descriptions, &mut Outbox, bool),
    ) -> bool {
        let described = body.filter(|_| speaker.role != SdpRole::None);
        // A copy in HEP does not show how the message itself travelled.
        let seen = event.hep.is_none();
        let Some(body) = described else {
            return seen && self.is_followed() && self.conclude(event, view, speaker.call, out);
        };
        let notes = self.observe(event, speaker, body, shared, out);
        if seen && (notes.matter() || watched || self.is_followed()) {
            self.follow(event, view, speaker, (body, notes), out);
        }
        false
    }

    /// Takes in a session description, announces its addresses, and says what it has to do with
    /// security.
    fn observe(
        &mut self,
        event: &SipEvent<'_>,
        speaker: &Speaker,
        body: &[u8],
        shared: &mut Descriptions,
        out: &mut Outbox,
    ) -> Notes {
        let (answer, first) = (speaker.role == SdpRole::Answer, self.described.len() == 0);
        let mut notes = Notes::default();
        let mut held = None;
        let (mut audio, mut pictures) = (false, false);
        sections(body, |mline, section| {
            self.key_exposed |= section.key && !event.encrypted;
            let description = section.describe(shared);
            self.remember(&description, answer, section.media.port != 0);
            if section.media.port != 0 {
                notes.note(&description);
                held.get_or_insert(section.held);
                audio |= description.kind == "audio";
                pictures |= section.media.is_t38();
            }
            self.note_features(section, &description);
            let (ssrcs, zrtp) = (section.ssrcs(), section.zrtp());
            let told = Told { mline, description, answer, ssrcs, zrtp };
            let out = &mut out.announcements;
            self.announce(event, speaker, &told, 0, section.endpoint(), section.rtcp(), out);
            // Nobody withdraws this one by itself: it goes with its call.
            if let Some(bundled) = section.bundled {
                self.announce(event, speaker, &told, BUNDLED, Some(bundled), None, out);
            }
            if section.media.port == 0 {
                return;
            }
            for (place, candidate, rtcp) in section.candidates() {
                self.announce(event, speaker, &told, place, Some(candidate), rtcp, out);
            }
        });
        let (held, pictures) = (held == Some(true), pictures && !audio && answer);
        let shown = answer && self.beside.as_ref().is_some_and(|it| it.course.shows_pictures());
        let again = speaker.established && (self.beside.is_some() || held);
        let change = if again || pictures || shown {
            let course = &mut self.beside.get_or_insert_default().course;
            if answer {
                course.answered(speaker.side, (held, pictures), event.at)
            } else {
                course.offered(speaker.side, held, event.at)
            }
        } else if (self.features & RECORDED != 0 && first)
            || (self.features & RECORDED == 0 && is_recording(&event.message, body))
        {
            self.features |= RECORDED;
            Some(Aside::Recorded)
        } else {
            None
        };
        out.asides.extend(change.map(|aside| (speaker.call, event.at.time, aside)));
        notes
    }

    /// Whether offers and answers of this call are put together.
    #[inline]
    fn is_followed(&self) -> bool {
        self.beside.as_ref().is_some_and(|aside| !aside.exchanges.is_empty())
    }

    /// Puts the description together with what it answers, or keeps it until it is answered.
    #[cold]
    fn follow(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
        speaker: &Speaker,
        (body, notes): (&[u8], Notes),
        out: &mut Outbox,
    ) {
        let statement = Statement::new(event, view, speaker.side, body, notes);
        let exchanges = &mut self.beside.get_or_insert_default().exchanges;
        if speaker.role == SdpRole::Offer {
            exchanges.offer(statement);
        } else {
            let last = view.request || view.is_success();
            out.exchanges.extend(exchanges.answer(speaker.call, statement, last));
        }
    }

    /// Takes in a final response without a description of its own to an offer that is followed; true
    /// if it refuses security as such.
    #[cold]
    fn conclude(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
        call: RecordKey,
        out: &mut Outbox,
    ) -> bool {
        let aside = self.beside.as_mut().filter(|_| may_conclude(view));
        let exchange = aside.and_then(|aside| aside.exchanges.conclude(call, event, view.status));
        let refused = exchange.as_ref().is_some_and(Exchange::refuses_security);
        out.exchanges.extend(exchange);
        refused
    }

    /// The call leaves the table: offers of which nothing became.
    pub(super) fn leave(&mut self, call: RecordKey) -> impl Iterator<Item = Exchange> {
        let exchanges = self.beside.as_mut().map(|aside| std::mem::take(&mut aside.exchanges));
        exchanges.into_iter().flat_map(move |exchanges| exchanges.leave(call))
    }

    /// What the call's media come to.
    pub(super) fn record(&self) -> CallMedia<'_> {
        let mut record = CallMedia::default();
        let answered = self.described.iter().any(|described| described.answer);
        let mut keyings = [false; 4];
        for Described { media, answer, accepted } in self.described.iter() {
            if !answer {
                add(&mut record.offered, &media.profile);
            } else if *accepted {
                add(&mut record.answered, &media.profile);
            }
            if *answer == answered && (*accepted || !answered) {
                for (_, name, _) in &media.codecs {
                    add(&mut record.codecs, name);
                }
            }
            let these = [media.crypto, media.fingerprint, media.zrtp, media.mikey];
            keyings.iter_mut().zip(these).for_each(|(all, this)| *all |= this);
        }
        record.keying = match keyings {
            [false, false, false, false] => Keying::None,
            [true, false, false, false] => Keying::Sdes,
            [false, true, false, false] => Keying::Dtls,
            [false, false, true, false] => Keying::Zrtp,
            [false, false, false, true] => Keying::Mikey,
            _ => Keying::Mixed,
        };
        if let Some(aside) = &self.beside {
            (record.holds, record.moves) = aside.course.record();
        }
        if self.features != 0 {
            let used = FEATURES.iter().filter(|(bit, _)| self.features & bit != 0);
            record.features = used.map(|(_, word)| (*word).into()).collect();
        }
        record
    }

    /// Octets at most, beyond the struct itself, if descriptions are not shared.
    pub(super) fn weight(&self) -> usize {
        let aside = self.beside.as_ref().map_or(0, |aside| {
            let held = aside.exchanges.weight().saturating_add(aside.course.weight());
            held.saturating_add(size_of::<Beside>())
        });
        let lists =
            self.described.len().saturating_mul(48).saturating_add(self.announced.len() * 8);
        lists.saturating_add(aside)
    }

    /// An SRTP key stood in readable signalling.
    pub(super) const fn key_exposed(&self) -> bool {
        self.key_exposed
    }

    #[inline]
    fn note_features(&mut self, section: &Section<'_>, media: &MediaDescription) {
        let used = [
            (section.ice(), ICE),
            (section.named, NAMED),
            (media.capable, CAPABILITIES),
            (media.kind == "image" && section.media.is_t38(), T38),
            (section.one_way && media.kind == "audio" && section.media.port != 0, ONE_WAY),
        ];
        for (used, bit) in used {
            self.features |= if used { bit } else { 0 };
        }
    }

    fn remember(&mut self, media: &Arc<MediaDescription>, answer: bool, accepted: bool) {
        let known = self.described.iter().any(|known| {
            (known.answer, known.accepted) == (answer, accepted)
                && (Arc::ptr_eq(&known.media, media) || known.media == *media)
        });
        if !known && self.described.len() < MAX_MEDIA {
            self.described.push(Described { media: Arc::clone(media), answer, accepted });
        }
    }

    /// Announces one address unless it is announced already; `None` withdraws the one before, so
    /// that a call taken off hold announces its address again.
    #[expect(clippy::too_many_arguments, reason = "one address of one m-line of one message")]
    fn announce(
        &mut self,
        event: &SipEvent<'_>,
        speaker: &Speaker,
        told: &Told,
        candidate: u8,
        endpoint: Option<Endpoint>,
        rtcp: Option<Endpoint>,
        out: &mut Vec<Announcement>,
    ) {
        let slot = told.slot(speaker.side, candidate, event.src);
        let in_slot = |entry: &NonZeroU64| entry.get() >> 48 == slot;
        let Some(endpoint) = endpoint else {
            self.announced.retain(|entry| !in_slot(entry));
            return;
        };
        let entry = slot << 48 | told.hash(endpoint, rtcp);
        let entry = NonZeroU64::new(entry).unwrap_or(NonZeroU64::MIN);
        let before = self.announced.iter().copied().find(in_slot);
        match before {
            Some(known) if known == entry => return,
            Some(known) => {
                // The upper half of the hash is the address.
                let to = entry.get() >> 24 & 0xff_ffff;
                if speaker.established && candidate == 0 && known.get() >> 24 & 0xff_ffff != to {
                    let course = &mut self.beside.get_or_insert_default().course;
                    course.moved(speaker.side, event.at.frame, to);
                }
                self.announced.retain(|entry| !in_slot(entry));
            }
            None if self.announced.len() >= MAX_ANNOUNCED => {
                let mut oldest = true;
                self.announced.retain(|_| !std::mem::take(&mut oldest));
            }
            None => {}
        }
        self.announced.push(entry);
        out.push(Announcement {
            call: speaker.call,
            at: event.at,
            ordinal: event.ordinal,
            watermark: event.watermark,
            side: speaker.side,
            answer: told.answer,
            answered: speaker.answered,
            mline: told.mline,
            endpoint,
            rtcp,
            ssrcs: told.ssrcs.clone(),
            zrtp: told.zrtp.clone(),
            candidate: candidate != 0,
            media: Arc::clone(&told.description),
        });
    }
}

/// What all addresses of one m-line have in common.
struct Told {
    mline: u8,
    description: Arc<MediaDescription>,
    answer: bool,
    ssrcs: Vec<u32>,
    zrtp: Vec<u64>,
}

impl Told {
    /// Side, m-line (0 to 31), candidate (0 to 8) and hop in 16 bits.
    fn slot(&self, side: Side, candidate: u8, hop: Endpoint) -> u64 {
        let hop = hash_on(u64::from(hop.port), hop.addr.octets()) & 0x3f;
        let side = u64::from(side == Side::Callee);
        side << 15 | u64::from(self.mline & 0x1f) << 10 | u64::from(candidate & 0xf) << 6 | hop
    }

    /// Of the address in 24 bits, and below it of all the rest.
    fn hash(&self, endpoint: Endpoint, rtcp: Option<Endpoint>) -> u64 {
        let address = hash_on(u64::from(endpoint.port), endpoint.addr.octets());
        let mut hash = self.description.digest;
        if let Some(rtcp) = rtcp {
            hash = hash_on(hash ^ u64::from(rtcp.port), rtcp.addr.octets());
        }
        let hash = self.ssrcs.iter().fold(hash, |hash, &ssrc| hash_number(hash, u64::from(ssrc)));
        (address >> 40) << 24 | hash >> 40
    }
}

fn add<'a>(list: &mut Vec<Text<'a>>, value: &'a str) {
    if !value.is_empty() && !list.iter().any(|known| known == value) {
        list.push(value.into());
    }
}
