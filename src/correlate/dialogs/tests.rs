//! Calls and registrations as hand-written messages tell them. [`Tap`] turns one line per message
//! into SIP: `a>b` is the hop (host `a` is 10.0.0.1:5060, `b` 10.0.0.2:5060, ...), `c1/f/t` the
//! Call-ID, From tag and To tag (empty for none).

mod calls;
mod exchange;
mod media;
mod odd;
mod registrations;

use overhear_parsers::sip::{Message, parse_datagram};

use super::Dialogs;
use crate::correlate::event::SipEvent;
use crate::correlate::outbox::Outbox;
use crate::correlate::placement::Placement;
use crate::dissect::sip_marks::sip_marks;
use crate::dissect::sip_names::sip_names;
use crate::model::addr::{Addr, Endpoint};
use crate::model::evidence::FrameRef;
use crate::model::frame::FrameId;
use crate::model::id::RecordKey;
use crate::model::packed::{Packed, Packer, unpack};
use crate::model::record::{CallRecord, RegistrationRecord};
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;
use crate::policy::Limits;

/// A tap that hears what the test says.
struct Tap {
    dialogs: Dialogs,
    out: Outbox,
    frame: u64,
    watermark: Ts,
    transport: Transport,
}

/// An endpoint by its letter.
/// A record that outlives what it was made of, by way of its compact form.
fn kept<'a, T: Packed<'static>>(key: RecordKey, record: &impl Packed<'a>) -> T {
    let mut packer = Packer::default();
    packer.record(record);
    unpack(key, packer.octets().to_vec().leak()).unwrap()
}

fn host(letter: u8) -> Endpoint {
    Endpoint::new(Addr::v4([10, 0, 0, letter - b'a' + 1]), 5060)
}

/// Milliseconds of the test's time.
fn ms(millis: i64) -> Ts {
    Ts::MIN.max(Ts::from_nanos(1_000_000_000_000)).plus(Span::from_millis(millis))
}

/// A session description with one audio line.
fn sdp(address: &str, port: u16, rest: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n{rest}"
    )
}

impl Tap {
    fn new() -> Self {
        Self::with(&Limits::default())
    }

    fn with(limits: &Limits) -> Self {
        Self {
            dialogs: Dialogs::new(limits),
            out: Outbox::default(),
            frame: 0,
            watermark: Ts::MIN,
            transport: Transport::Udp,
        }
    }

    /// Hears one message without a body.
    fn say(&mut self, at: i64, hop: &str, line: &str, dialog: &str, cseq: &str) -> Placement {
        self.tell(at, hop, line, dialog, cseq, "", "")
    }

    /// Hears one message with an SDP body.
    #[expect(clippy::too_many_arguments, reason = "one line of a test reads like one message")]
    fn sdp(
        &mut self,
        at: i64,
        hop: &str,
        line: &str,
        dialog: &str,
        cseq: &str,
        body: &str,
    ) -> Placement {
        self.tell(at, hop, line, dialog, cseq, "Content-Type: application/sdp\r\n", body)
    }

    /// Hears one message with these further headers and this body.
    #[expect(clippy::too_many_arguments, reason = "one line of a test reads like one message")]
    fn tell(
        &mut self,
        at: i64,
        hop: &str,
        line: &str,
        dialog: &str,
        cseq: &str,
        headers: &str,
        body: &str,
    ) -> Placement {
        let &[src, b'>', dst] = hop.as_bytes() else { panic!("hop {hop}") };
        let mut parts = dialog.split('/');
        let mut part = || parts.next().unwrap();
        let (call_id, from, to) = (part(), part(), part());
        let tag = |tag: &str| if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        let response = line.starts_with(|first: char| first.is_ascii_digit());
        let start = if response {
            format!("SIP/2.0 {line}")
        } else {
            format!("{line} sip:bob@example.net SIP/2.0")
        };
        let (client, server) = if response { (dst, src) } else { (src, dst) };
        let branch =
            format!("{}{}{}", char::from(client), char::from(server), cseq.replace(' ', ""));
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{branch}\r\n\
             From: \"Alice\" <sip:alice@example.com>{}\r\nTo: <sip:bob@example.net>{}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            tag(from),
            tag(to),
            body.len(),
        );
        self.hear(at, host(src), host(dst), text.as_bytes())
    }

    /// Hears one datagram.
    fn hear(&mut self, at: i64, src: Endpoint, dst: Endpoint, octets: &[u8]) -> Placement {
        let mut spans = Vec::new();
        let layout = parse_datagram(octets, &mut spans).unwrap();
        self.frame += 1;
        let time = ms(at);
        self.watermark = self.watermark.max(time);
        let message = Message::new(octets, layout, &spans);
        let event = SipEvent {
            at: FrameRef { frame: FrameId { source: 0, number: self.frame }, time },
            ordinal: self.frame,
            watermark: self.watermark,
            src,
            dst,
            transport: self.transport,
            names: sip_names(&message, src, dst),
            faults: message.faults(),
            marks: sip_marks(&message),
            message,
            clipped: false,
            encrypted: false,
            hep: None,
            carriage: crate::model::fact::Carriage::default(),
        };
        self.dialogs.sip(&event, &mut self.out)
    }

    /// The call from INVITE to the ACK of the 200, a to b, in 3 s.
    fn answered(&mut self, call_id: &str) {
        let dialog = |tag: &str| format!("{call_id}/f/{tag}");
        self.sdp(0, "a>b", "INVITE", &dialog(""), "1 INVITE", &sdp("10.0.0.1", 4000, ""));
        self.say(10, "b>a", "100 Trying", &dialog(""), "1 INVITE");
        self.say(500, "b>a", "180 Ringing", &dialog("t"), "1 INVITE");
        self.sdp(3_000, "b>a", "200 OK", &dialog("t"), "1 INVITE", &sdp("10.0.0.2", 5000, ""));
        self.say(3_010, "a>b", "ACK", &dialog("t"), "1 ACK");
    }

    /// Calls finished so far, as they were finished.
    fn finished(&self) -> Vec<CallRecord<'static>> {
        self.out
            .calls
            .iter()
            .map(|call| {
                let record = call.record();
                kept(record.key(), &record)
            })
            .collect()
    }

    /// The capture ends: every call, in the order of the report.
    fn calls(mut self) -> Vec<CallRecord<'static>> {
        self.dialogs.finish(&mut self.out);
        let mut calls = self.finished();
        calls.sort_by_key(CallRecord::key);
        calls
    }

    /// The capture ends: the only call.
    fn call(self) -> CallRecord<'static> {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }

    /// The capture ends: every registration.
    fn registrations(mut self) -> Vec<RegistrationRecord<'static>> {
        self.dialogs.finish(&mut self.out);
        self.out
            .registrations
            .iter()
            .map(|one| {
                let record = one.record();
                kept(record.key(), &record)
            })
            .collect()
    }

    /// Announced addresses so far: `caller 10.0.0.1:4000 offer`.
    fn announced(&self) -> Vec<String> {
        let line = |told: &crate::correlate::outbox::Announcement| {
            let answer = if told.answer { "answer" } else { "offer" };
            format!("{:?} {} {answer}", told.side, told.endpoint)
        };
        self.out.announcements.iter().map(line).collect()
    }
}
