//! Opens the media of a call where it lies, packet by packet, for a capture that others can play.

use overhear_parsers::demux::{self, Kind};
use overhear_parsers::rtp::header::Header;
use overhear_parsers::stun;

use crate::decode::Packet;
use crate::model::addr::{Endpoint, Proto};
use crate::model::frame::LinkType;
use crate::model::time::{Span, Ts};
use crate::prove::audio::heard::Heard;
use crate::prove::opener::Opener;
use crate::prove::{KeyNames, Opened};

use super::rewrite::{with_equal, with_payload};

/// RTCP may say goodbye after the last packet of a stream, and greet before the first.
const AROUND: Span = Span::from_secs(10);

/// What is said at a message whose SDP was changed.
const PROFILE: &str =
    "changed by overhear: its m= lines said SAVP and say AVP, for the media is opened";

/// What opens the streams of the calls that were asked for.
#[derive(Debug)]
pub struct Unsealer {
    streams: Vec<Sealed>,
    /// RTP packets opened.
    pub media: u64,
    /// RTCP packets opened.
    pub control: u64,
    /// Packets of these streams that did not open.
    pub failed: u64,
    /// What was said stays in; else there is silence in its place.
    content: bool,
}

/// One stream.
#[derive(Debug)]
struct Sealed {
    src: Endpoint,
    dst: Endpoint,
    ssrc: u32,
    first: Ts,
    last: Ts,
    opener: Opener,
    /// All of it should open.
    proven: bool,
    label: String,
}

impl Unsealer {
    /// For those of `heard` whose keys are known. Without `content` the packets come without what was
    /// said: headers, times and lengths are proof enough.
    pub fn new(heard: &[Heard], opened: &[Opened], content: bool) -> Self {
        let mut names = KeyNames::default();
        let mut streams = Vec::new();
        for heard in heard {
            let Some((opener, own)) = Opener::of(&heard.key, heard.first_frame, opened) else {
                continue;
            };
            streams.push(Sealed {
                src: heard.key.src,
                dst: heard.key.dst,
                ssrc: heard.key.ssrc,
                first: heard.first,
                last: heard.last,
                opener,
                proven: own.proven,
                label: names.of(own),
            });
        }
        Self { streams, media: 0, control: 0, failed: 0, content }
    }

    /// Whether what was said stays in.
    pub const fn content(&self) -> bool {
        self.content
    }

    /// Whether this is one of the streams that can be opened.
    pub fn opens(&self, heard: &Heard) -> bool {
        self.streams.iter().any(|sealed| {
            (sealed.src, sealed.dst, sealed.ssrc, sealed.first)
                == (heard.key.src, heard.key.dst, heard.key.ssrc, heard.first)
        })
    }

    /// Streams that can be opened.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// A frame with its media opened, its link type, and what is to be said at it; `None` for a frame
    /// without sealed media of these streams. Players take SDP at its word: where it agrees on
    /// SRTP, it says RTP now, in as many octets.
    pub fn frame(
        &mut self,
        (link, frame): (LinkType, &[u8]),
        packet: &Packet,
        at: Ts,
    ) -> Option<(LinkType, Vec<u8>, String)> {
        if packet.clipped || self.streams.is_empty() {
            return None;
        }
        let datagram = packet.payload(frame);
        if let Some(plain) = plain(datagram) {
            let octets = with_equal(frame, packet, &plain)?;
            return Some((link, octets, PROFILE.to_owned()));
        }
        if packet.proto != Proto::UDP {
            return None;
        }
        let (inner, relayed) = match demux::classify(datagram) {
            Kind::TurnChannel => (stun::channel_data(datagram)?.1, true),
            Kind::Stun => (stun::Message::parse(datagram).ok()?.data()?, true),
            _ => (datagram, false),
        };
        let (opened, label) = match demux::classify(inner) {
            Kind::Rtp => self.media(packet, inner, at)?,
            Kind::Rtcp | Kind::Srtcp => self.control(packet, inner, at)?,
            _ => return None,
        };
        let (link, octets) = with_payload(link, frame, packet, &opened)?;
        let aside = if relayed { ", and taken out of TURN" } else { "" };
        Some((link, octets, format!("opened by overhear with {label}{aside}")))
    }

    fn media(&mut self, packet: &Packet, datagram: &[u8], at: Ts) -> Option<(Vec<u8>, String)> {
        let ssrc = demux::rtp(datagram).ok()?.ssrc;
        let sealed = self.streams.iter_mut().find(|sealed| {
            sealed.ssrc == ssrc
                && (sealed.src, sealed.dst) == (packet.src, packet.dst)
                && (sealed.first..=sealed.last).contains(&at)
        })?;
        let Some(opened) = sealed.opener.open(datagram) else {
            self.failed += u64::from(sealed.proven);
            return None;
        };
        let (opened, label) = (opened.to_vec(), sealed.label.clone());
        if self.content {
            self.media += 1;
            return Some((opened, label));
        }
        let silent = silenced(opened)?;
        self.media += 1;
        Some((silent, label + ", and silenced"))
    }

    /// RTCP goes between the same hosts, and is of whoever sends the stream (RFC 3711 §3.4).
    fn control(&mut self, packet: &Packet, datagram: &[u8], at: Ts) -> Option<(Vec<u8>, String)> {
        let &[_, _, _, _, a, b, c, d, ..] = datagram else { return None };
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        let sealed = self.streams.iter_mut().find(|sealed| {
            sealed.ssrc == ssrc
                && sealed.src.addr == packet.src.addr
                && (sealed.first.minus(AROUND)..=sealed.last.plus(AROUND)).contains(&at)
        })?;
        let opened = sealed.opener.open_rtcp(datagram)?;
        self.control += 1;
        Some((opened.to_vec(), sealed.label.clone()))
    }
}

/// An RTP packet with silence in the place of its content: that of G.711, where the payload type says so,
/// else zeros. Padding stays what it was.
fn silenced(mut packet: Vec<u8>) -> Option<Vec<u8>> {
    let header = Header::parse(&packet).ok()?;
    let content = header.unpadded().unwrap_or(header.payload).len();
    let start = packet.len().checked_sub(header.payload.len())?;
    let silence = match header.payload_type {
        0 => 0xff,
        8 => 0xd5,
        _ => 0,
    };
    packet.get_mut(start..)?.get_mut(..content)?.fill(silence);
    Some(packet)
}

/// A SIP message, or a piece of one, whose m= lines agree on RTP instead of SRTP; `None` if none of them
/// agrees on SRTP. Blanks at the end of a line make up for what is missing.
fn plain(octets: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(octets.len());
    let mut changed = false;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let shorter = line.strip_prefix(b"m=").and_then(shorter);
        changed |= shorter.is_some();
        match shorter {
            Some(text) => out.extend(text),
            None => out.extend_from_slice(line),
        }
    }
    changed.then_some(out)
}

/// `audio 9 UDP/TLS/RTP/SAVPF 0` as `m=audio 9 RTP/AVPF 0`, with its line end and as long as before.
fn shorter(line: &[u8]) -> Option<Vec<u8>> {
    let text = line.trim_ascii_end();
    let words: Vec<&[u8]> = text.split(|octet| *octet == b' ').collect();
    let [kind, port, profile, formats @ ..] = words.as_slice() else { return None };
    let plain: &[u8] = match *profile {
        b"RTP/SAVP" | b"UDP/TLS/RTP/SAVP" | b"TCP/TLS/RTP/SAVP" => b"RTP/AVP",
        b"RTP/SAVPF" | b"UDP/TLS/RTP/SAVPF" | b"TCP/TLS/RTP/SAVPF" => b"RTP/AVPF",
        _ => return None,
    };
    let mut out = b"m=".to_vec();
    for word in [*kind, *port, plain].iter().chain(formats) {
        out.extend_from_slice(word);
        out.push(b' ');
    }
    out.resize(text.len().checked_add(2)?, b' ');
    out.extend_from_slice(line.get(text.len()..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_takes_the_place_of_content_and_of_nothing_else() {
        for (first, kind, content) in
            [(0x80, 0, [0xff; 4]), (0x80, 0x88, [0xd5; 4]), (0xa0, 101, [0, 0, 9, 2])]
        {
            let header = [first, kind, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
            let packet = [&header[..], &[1, 2, 9, 2]].concat();
            assert_eq!(silenced(packet).unwrap(), [&header[..], &content].concat());
        }
        assert_eq!(silenced(vec![0x80, 0]), None);
    }

    #[test]
    fn sdp_agrees_on_rtp_in_as_many_octets() {
        let body =
            b"INVITE\r\n\r\nv=0\r\nm=audio 9 RTP/SAVP 0 101\r\nm=video 8 UDP/TLS/RTP/SAVPF 96\n";
        let out = plain(body).unwrap();
        assert_eq!(out.len(), body.len());
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("m=audio 9 RTP/AVP 0 101 \r\n"), "{text:?}");
        assert!(text.ends_with("m=video 8 RTP/AVPF 96         \n"), "{text:?}");
        assert_eq!(plain(b"m=audio 9 RTP/AVP 0\r\n"), None);
        assert_eq!(plain(b"m=audio RTP/SAVP\r\n"), None);
        assert_eq!(plain(b""), None);
    }
}
