//! The records of a report as JSON: which members each object has, in which order. The compiler
//! sees to it that no field is left out, a test that serde would write the same.

use std::io::Write as _;

use super::encode;
pub(super) use super::out::Out;
use super::put;
use crate::correlate::archive::CallStream;
use crate::correlate::exposure::{Exposure, Link};
use crate::model::addr::{Addr, Endpoint};
use crate::model::finding::Confidence;
use crate::model::frame::FrameId;
use crate::model::id::RecordId;
use crate::model::packed::Text;
use crate::model::record::{
    CallMedia, CallRecord, CallState, Hold, Jitter, Keying, Moved, Party, PayloadType, Protection,
    RegistrationRecord, RegistrationState, ReportedQuality, Side, Sides, StreamQuality,
    StreamRecord, StreamRtcp, StreamSrtcp, Transfer, VerdictRecord,
};
use crate::model::time::Ts;

/// A value with a form in JSON.
pub(super) trait Json {
    /// Appends it.
    fn json(&self, out: &mut Out);
}

/// An object to which members may be added.
pub(super) trait Object {
    /// Appends the opening brace and the members, without the closing one.
    fn members(&self, out: &mut Out);
}

impl<T: Object> Json for T {
    #[inline]
    fn json(&self, out: &mut Out) {
        self.members(out);
        out.octets.push(b'}');
    }
}

/// [`Object`] for a struct: its members in order. `name(Form)` is written as `Form(&field)`.
macro_rules! object {
    ($record:ty { $first:ident $(($first_form:ident))? $($field:ident $(($form:ident))?)* }) => {
        impl Object for $record {
            #[inline]
            fn members(&self, out: &mut Out) {
                let Self { $first, $($field),* } = self;
                $(let $first = $first_form($first);)?
                $($(let $field = $form($field);)?)*
                members! { out, $first $($field)* }
            }
        }
    };
}

/// The brace and the first members of an object: variables under their names.
macro_rules! members {
    ($out:ident, $first:ident $($field:ident)*) => {
        $out.raw(concat!("{\"", stringify!($first), "\":"));
        $first.json($out);
        more! { $out, $($field)* }
    };
}

/// Further members.
macro_rules! more {
    ($out:ident, $($field:ident)*) => {
        $(
            $out.raw(concat!(",\"", stringify!($field), "\":"));
            $field.json($out);
        )*
    };
}

/// [`Json`] for an enum: a word for each variant.
macro_rules! words {
    ($word:ty { $($variant:ident $text:literal)* }) => {
        impl Json for $word {
            #[inline]
            fn json(&self, out: &mut Out) {
                match self {
                    $(Self::$variant => out.raw(concat!("\"", $text, "\"")),)*
                }
            }
        }
    };
}

pub(super) use {members, more, object, words};

object! { Party<'_> { uri user host display } }

object! { CallMedia<'_> { offered answered keying codecs holds moves features } }

object! { Hold { by frame until start end } }

object! { Moved { by frame } }

object! { Transfer { target accepted outcome frame } }

object! { FrameId { source number } }

object! {
    CallRecord<'_> {
        id call_id transport caller callee asserted request_uri user_agents state final_status
        ended_by start answer end setup_ms ring_ms talk_s messages first_source first_frame
        last_source last_frame via endpoints trunk media transfers challenges signalling_clear
        key_exposed
    }
}

object! {
    RegistrationRecord<'_> {
        id aor contact source registrar state attempts expires_s user_agent call_id first_source
        first_frame last_frame
    }
}

object! { PayloadType<'_> { pt codec clock_rate packets } }

object! { Jitter { mean max p95 } }

object! {
    StreamRtcp {
        sender_reports report_blocks reported_lost reported_jitter reported_through byes
        round_trip_ms extended
    }
}

object! { StreamSrtcp { by_sender by_receiver } }

object! {
    ReportedQuality {
        loss_pct discarded_pct burst_density_pct gap_density_pct burst_ms gap_ms round_trip_ms
        r_factor mos_lq mos_cq
    }
}

object! {
    StreamQuality {
        r_factor mos_unbuffered mos_buffered discarded_pct burst_ratio bursts burst_density_pct
        gap_density_pct burst_ms gap_ms assumed_delay_ms approximate delay_told
    }
}

object! { VerdictRecord<'_> { test confidence figures(Figures) } }

object! {
    StreamRecord<'_> {
        id call src dst ssrc(Ssrc) payload_types packets payload_bytes wire_bytes first last
        duration_s first_source first_frame last_frame last_source expected lost loss_pct
        duplicates reordered jitter_ms mos dscp ttl gaps protection verdict negotiated digits rtcp
        quality srtcp lost_in_pauses
    }
}

impl<T: Json> Object for Sides<T> {
    #[inline]
    fn members(&self, out: &mut Out) {
        out.raw("{\"caller\":");
        self.caller.json(out);
        out.raw(",\"callee\":");
        self.callee.json(out);
    }
}

words! {
    CallState {
        Answered "answered" Failed "failed" Cancelled "cancelled" Ringing "ringing"
        InProgress "in-progress" Unknown "unknown"
    }
}

words! { Side { Caller "caller" Callee "callee" } }

words! {
    Keying { None "none" Sdes "sdes" Dtls "dtls" Zrtp "zrtp" Mikey "mikey" Mixed "mixed" }
}

words! {
    RegistrationState {
        Ok "ok" Failed "failed" Challenged "challenged" Expired "expired" Unknown "unknown"
    }
}

words! {
    Protection {
        Unknown "unknown" Cleartext "cleartext" AuthenticatedOnly "authenticated-only"
        EncryptedLike "encrypted-like" SrtpProven "srtp-proven"
    }
}

words! { Confidence { Low "low" Medium "medium" High "high" Certain "certain" } }

words! {
    Exposure {
        Clear "clear" KeyExposed "key-exposed" TlsKeyHolder "tls-key-holder"
        Protected "protected" NoMedia "no-media" Unknown "unknown"
    }
}

impl Object for Link {
    fn members(&self, out: &mut Out) {
        let Self { frame: FrameId { source, number: frame }, what } = self;
        members! { out, source frame what }
    }
}

/// A synchronisation source, as text.
struct Ssrc<'a>(&'a u32);

impl Json for Ssrc<'_> {
    #[inline]
    fn json(&self, out: &mut Out) {
        put::ssrc(*self.0, &mut out.octets);
    }
}

/// Figures by name.
struct Figures<'a>(&'a [(Text<'a>, f64)]);

impl Json for Figures<'_> {
    #[inline]
    fn json(&self, out: &mut Out) {
        map(self.0, out);
    }
}

/// Appends an object of names and values.
pub(super) fn map(members: &[(impl Json, impl Json)], out: &mut Out) {
    let mut before = b'{';
    for (name, value) in members {
        out.octets.push(before);
        before = b',';
        name.json(out);
        out.octets.push(b':');
        value.json(out);
    }
    out.raw(if before == b'{' { "{}" } else { "}" });
}

/// Appends an array.
#[inline]
pub(super) fn array<T>(values: &[T], out: &mut Out, mut element: impl FnMut(&T, &mut Out)) {
    let Some((first, rest)) = values.split_first() else { return out.raw("[]") };
    out.octets.push(b'[');
    element(first, out);
    for value in rest {
        out.octets.push(b',');
        element(value, out);
    }
    out.octets.push(b']');
}

impl<T: Json> Json for Vec<T> {
    #[inline]
    fn json(&self, out: &mut Out) {
        array(self, out, T::json);
    }
}

impl<T: Json> Json for Option<T> {
    #[inline]
    fn json(&self, out: &mut Out) {
        match self {
            Some(value) => value.json(out),
            None => out.raw("null"),
        }
    }
}

impl Json for bool {
    #[inline]
    fn json(&self, out: &mut Out) {
        out.raw(if *self { "true" } else { "false" });
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Json for $number {
            #[inline]
            fn json(&self, out: &mut Out) {
                put::decimal((*self).into(), &mut out.octets);
            }
        })*
    };
}

numbers! { u8 u16 u32 u64 }

impl Json for i64 {
    #[inline]
    fn json(&self, out: &mut Out) {
        put::signed(*self, &mut out.octets);
    }
}

/// Many are zero.
impl Json for f64 {
    #[inline]
    fn json(&self, out: &mut Out) {
        if self.to_bits() == 0 {
            out.raw("0.0");
        } else {
            encode::float(*self, &mut out.octets);
        }
    }
}

impl Json for Text<'_> {
    fn json(&self, out: &mut Out) {
        put::quoted(self, &mut out.octets);
    }
}

impl Json for String {
    fn json(&self, out: &mut Out) {
        put::quoted(self, &mut out.octets);
    }
}

impl Json for &str {
    fn json(&self, out: &mut Out) {
        put::quoted(self, &mut out.octets);
    }
}

/// No address needs an escape.
impl Json for Addr {
    fn json(&self, out: &mut Out) {
        // Writing to memory cannot fail.
        let _ = write!(out.octets, "\"{self}\"");
    }
}

impl<T: Json> Json for &[T] {
    fn json(&self, out: &mut Out) {
        array(self, out, T::json);
    }
}

impl Json for Ts {
    fn json(&self, out: &mut Out) {
        out.calendar.time(*self, &mut out.octets);
    }
}

impl Json for Endpoint {
    fn json(&self, out: &mut Out) {
        put::endpoint(self, &mut out.octets);
    }
}

impl Json for RecordId {
    #[inline]
    fn json(&self, out: &mut Out) {
        put::id(*self, &mut out.octets);
    }
}

/// A call's stream, by its id.
impl Json for CallStream {
    #[inline]
    fn json(&self, out: &mut Out) {
        self.stream.id.json(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::sample;

    fn same(record: &(impl Json + serde::Serialize)) {
        let mut out = Out::default();
        record.json(&mut out);
        let json = String::from_utf8(out.octets).unwrap();
        assert_eq!(json, serde_json::to_string(record).unwrap());
    }

    #[test]
    fn records_are_written_as_serde_writes_them() {
        let transfer = Transfer {
            target: "sip:carol@example.org".to_owned(),
            accepted: Some(202),
            outcome: None,
            frame: FrameId { source: 1, number: 77 },
        };
        let mut call = sample::call(7);
        same(&call);
        call.transfers = vec![transfer.clone(), transfer];
        (call.trunk, call.ended_by, call.asserted) =
            (Some("T".into()), Some(Side::Callee), vec!["sip:a@b".into(); 2]);
        for state in [CallState::Failed, CallState::Cancelled, CallState::Ringing] {
            call.state = state;
            same(&call);
        }
        for state in [CallState::InProgress, CallState::Unknown] {
            call.state = state;
            same(&call);
        }
        for keying in [Keying::Sdes, Keying::Dtls, Keying::Zrtp, Keying::Mikey, Keying::Mixed] {
            call.media.keying = keying;
            same(&call);
        }
        let mut stream = sample::stream(7);
        same(&stream);
        stream.call = Some(call.id);
        stream.rtcp = None;
        stream.verdict.figures.clear();
        for protection in [Protection::Unknown, Protection::AuthenticatedOnly] {
            (stream.protection, stream.verdict.confidence) = (protection, Confidence::Low);
            same(&stream);
        }
        for protection in [Protection::EncryptedLike, Protection::SrtpProven] {
            (stream.protection, stream.verdict.confidence) = (protection, Confidence::Medium);
            same(&stream);
        }
        stream.verdict.confidence = Confidence::High;
        same(&stream);
        let mut registration = sample::registration(7);
        for state in [
            RegistrationState::Ok,
            RegistrationState::Failed,
            RegistrationState::Challenged,
            RegistrationState::Expired,
            RegistrationState::Unknown,
        ] {
            registration.state = state;
            same(&registration);
        }
    }
}
