//! What each parser costs: a SIP datagram, framing on a stream, headers with types, SDP,
//! challenges and credentials, RTCP, STUN, and telling what a payload is.
//!
//! `cargo bench --bench parsers`; a figure per element is one message or one payload. With
//! `OVERHEAR_WORKLOADS` SIP is that of w2, else that of a scenario; the rest always is the scenario's.
//! The RTP header, beside another reader of it, is in `rtp.rs`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot run should stop there")]

mod support;

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use overhear_parsers::rtcp::{self, Body, Packets};
use overhear_parsers::sip::auth::AuthList;
use overhear_parsers::sip::{Framing, HeaderName, HeaderSpan, Layout, Message};
use overhear_parsers::{demux, dtls, sdp, sip, stun, tls};

use support::{Captures, Traffic};

/// Payloads of each kind.
const MOST: usize = 2000;

/// One function on each payload in turn.
fn each(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    payloads: &[Vec<u8>],
    mut read: impl FnMut(&[u8]),
) {
    assert!(!payloads.is_empty(), "nothing to measure {name} on");
    group.throughput(Throughput::Elements(payloads.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for payload in payloads {
                read(black_box(payload));
            }
        });
    });
}

fn traffic(names: &[&str]) -> Traffic {
    let captures = Captures::new(names);
    let (_, path, _) = captures.files.first().unwrap();
    Traffic::of(path, MOST)
}

/// A message that is read once and looked at often.
struct Parsed {
    octets: Vec<u8>,
    layout: Layout,
    spans: Vec<HeaderSpan>,
}

impl Parsed {
    fn new(octets: &[u8]) -> Option<Self> {
        let mut spans = Vec::new();
        let layout = sip::parse_datagram(octets, &mut spans).ok()?;
        Some(Self { octets: octets.to_vec(), layout, spans })
    }

    fn message(&self) -> Message<'_> {
        Message::new(&self.octets, self.layout, &self.spans)
    }
}

fn signalling(criterion: &mut Criterion) {
    let sip = traffic(&["w2"]).sip;
    let mut group = criterion.benchmark_group("sip");
    each(&mut group, "probe", &sip, |octets| {
        black_box(sip::probe(octets));
    });
    let mut spans = Vec::new();
    each(&mut group, "datagram", &sip, |octets| {
        spans.clear();
        black_box(sip::parse_datagram(octets, &mut spans)).ok();
    });
    let stream: Vec<u8> =
        sip.iter().flat_map(|message| [message, &b"\r\n\r\n"[..]].concat()).collect();
    group.bench_function("stream", |bencher| {
        bencher.iter(|| framed(black_box(&stream), &mut spans));
    });
    let parsed: Vec<Parsed> = sip.iter().filter_map(|octets| Parsed::new(octets)).collect();
    group.throughput(Throughput::Elements(parsed.len() as u64));
    group.bench_function("typed-headers", |bencher| {
        bencher.iter(|| {
            for message in parsed.iter().map(Parsed::message) {
                black_box((message.method(), message.status(), message.call_id(), message.cseq()));
                black_box((message.from().map(|from| (from.tag(), from.uri())), message.top_via()));
                black_box((message.to().map(|to| (to.tag(), to.uri())), message.content_type()));
            }
        });
    });
    group.bench_function("inspect", |bencher| {
        bencher.iter(|| {
            for message in parsed.iter().map(Parsed::message) {
                black_box(message.inspect());
            }
        });
    });
    let named = [
        HeaderName::WwwAuthenticate,
        HeaderName::ProxyAuthenticate,
        HeaderName::Authorization,
        HeaderName::ProxyAuthorization,
    ];
    let auths: Vec<Vec<u8>> = parsed
        .iter()
        .flat_map(|parsed| named.map(|name| parsed.message().header(name).map(<[u8]>::to_vec)))
        .flatten()
        .collect();
    each(&mut group, "auth", &auths, |value| {
        for auth in AuthList::new(value) {
            black_box((auth.realm(), auth.nonce(), auth.algorithm(), auth.qop(), auth.nc()));
        }
    });
    let bodies: Vec<Vec<u8>> =
        parsed.iter().filter_map(|parsed| parsed.message().sdp().map(<[u8]>::to_vec)).collect();
    each(&mut group, "sdp", &bodies, described);
    group.finish();
}

/// Takes all messages off a stream.
fn framed(stream: &[u8], spans: &mut Vec<HeaderSpan>) {
    let mut rest = stream;
    while !rest.is_empty() {
        spans.clear();
        let taken = match sip::parse_stream(rest, spans) {
            Framing::Message(layout) => black_box(layout).len as usize,
            Framing::KeepAlive(octets) | Framing::Junk(octets) => octets,
            Framing::Incomplete { .. } => return,
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// What an offer or answer is asked for.
fn described(body: &[u8]) {
    let session = sdp::parse(body);
    black_box((session.origin(), session.connection().map(|connection| connection.ip())));
    for media in session.media() {
        black_box((media.connection().map(|connection| connection.ip()), media.direction()));
        black_box((media.rtcp(), media.rtcp_mux(), media.cryptos().count()));
        for payload_type in media.payload_types() {
            black_box(media.rtpmap(payload_type));
        }
    }
}

fn media(criterion: &mut Criterion) {
    let traffic = traffic(&[]);
    let mut group = criterion.benchmark_group("rtcp");
    each(&mut group, "looks-like", &traffic.rtcp, |octets| {
        black_box(rtcp::looks_like(octets));
    });
    each(&mut group, "decode", &traffic.rtcp, |octets| {
        for packet in Packets::new(octets) {
            let body: Body<'_> = packet.decode();
            black_box(body);
        }
    });
    group.finish();
    let mut group = criterion.benchmark_group("recognition");
    for (name, payloads) in [
        ("rtp", &traffic.rtp),
        ("rtcp", &traffic.rtcp),
        ("stun", &traffic.stun),
        ("dtls", &traffic.dtls),
        ("sip", &traffic.sip),
    ] {
        each(&mut group, &format!("classify/{name}"), payloads, |octets| {
            black_box(demux::classify(octets));
        });
    }
    each(&mut group, "tls", &traffic.tcp, |octets| {
        black_box((tls::start(octets), tls::Record::read(octets)));
    });
    group.finish();
    let mut group = criterion.benchmark_group("records");
    each(&mut group, "stun", &traffic.stun, |octets| {
        black_box(stun::Message::parse(octets).ok().and_then(|message| message.mapped_address()));
    });
    each(&mut group, "dtls", &traffic.dtls, |octets| {
        for record in dtls::Records::new(octets) {
            black_box(record.handshake());
        }
    });
    group.finish();
}

criterion_group!(benches, signalling, media);
criterion_main!(benches);
