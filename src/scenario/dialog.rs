//! The SIP messages that `call`, `register` and `options` steps send (RFC 3261 §8, §12, §17).

use std::fmt::Write;

use super::rng::{Rng, base64};
use super::sctp;
use super::shape::Shape;
use super::tcp::{self, Cutting};
use super::tls;
use super::world::{Socket, World};
use super::ws::{self, Framing};

/// What carries the messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS: on the wire there are records, and no SIP.
    Tls,
    /// SCTP.
    Sctp,
    /// WebSocket.
    Ws,
}

impl Transport {
    /// The transport of a `transport=` word.
    pub(super) fn named(word: &str) -> Self {
        match word {
            "tcp" => Self::Tcp,
            "tls" => Self::Tls,
            "sctp" => Self::Sctp,
            "ws" => Self::Ws,
            _ => Self::Udp,
        }
    }

    /// The word in a Via header.
    const fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::Ws => "WS",
        }
    }

    /// The parameter of a Contact URI.
    const fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls => ";transport=tls",
            Self::Sctp => ";transport=sctp",
            Self::Ws => ";transport=ws",
        }
    }
}

/// Two parties, their identifiers, and the time of their conversation.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    /// The side that sends the first request.
    pub caller: Socket,
    /// The other side.
    pub callee: Socket,
    /// What carries the messages.
    pub transport: Transport,
    /// The user part of From.
    pub from: String,
    /// The user part of To.
    pub to: String,
    /// True time of the last message.
    pub now: i64,
    /// Identifiers to come.
    pub rng: Rng,
    /// How the frames look.
    pub shape: Shape,
    call_id: String,
    tags: (String, String),
}

/// A request of a dialog, as its response must echo it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The method.
    pub method: &'static str,
    /// The number in `CSeq`.
    pub cseq: u32,
    /// The Via branch.
    pub branch: String,
    /// Whether the side that sent the first request sends this one.
    pub by_caller: bool,
}

/// Header lines and a body beyond what every message has.
#[derive(Clone, Debug, Default)]
pub(super) struct More {
    /// Header lines.
    pub headers: Vec<String>,
    /// An SDP body.
    pub sdp: Option<String>,
    /// Whether To has the callee's tag.
    pub tagged: bool,
}

impl Dialog {
    /// A dialog with identifiers of its own.
    pub(super) fn new(
        world: &mut World,
        ends: (Socket, Socket),
        transport: Transport,
        users: (String, String),
        at: i64,
    ) -> Self {
        let mut rng = world.rng();
        let (call_id, tags) = (rng.hex(12), (rng.hex(6), rng.hex(6)));
        Self {
            caller: ends.0,
            callee: ends.1,
            transport,
            from: users.0,
            to: users.1,
            now: at,
            rng,
            shape: world.shape.clone(),
            call_id,
            tags,
        }
    }

    /// A new request with a new branch.
    pub(super) fn request(&mut self, method: &'static str, cseq: u32, by_caller: bool) -> Request {
        Request { method, cseq, branch: format!("z9hG4bK{}", self.rng.hex(8)), by_caller }
    }

    /// The address of a side as the Request-URI names it; REGISTER names the domain alone.
    pub(super) fn uri(&self, request: &Request) -> String {
        let (user, socket) =
            if request.by_caller { (&self.to, self.callee) } else { (&self.from, self.caller) };
        match request.method {
            "REGISTER" => "sip:example.org".to_owned(),
            _ => format!("sip:{user}@{}", socket.host_text()),
        }
    }

    /// Sends a request `after` the last message.
    pub(super) fn ask(
        &mut self,
        world: &mut World,
        after: i64,
        request: &Request,
        more: &More,
    ) -> Result<(), String> {
        let mut head = format!("{} {} SIP/2.0\r\n", request.method, self.uri(request));
        head.push_str(&self.common(request, more.tagged));
        head.push_str("Max-Forwards: 70\r\n");
        if matches!(request.method, "INVITE" | "REGISTER" | "OPTIONS" | "UPDATE" | "REFER") {
            head.push_str(&self.contact(request.by_caller));
        }
        self.say(world, after, request.by_caller, &head, more)
    }

    /// Sends a response `after` the last message.
    pub(super) fn answer(
        &mut self,
        world: &mut World,
        after: i64,
        (code, request): (u16, &Request),
        more: &More,
    ) -> Result<(), String> {
        let mut head = format!("SIP/2.0 {code} {}\r\n", reason(code));
        head.push_str(&self.common(request, code != 100));
        if request.method == "INVITE" && (101..300).contains(&code) {
            head.push_str(&self.contact(!request.by_caller));
        }
        self.say(world, after, !request.by_caller, &head, more)
    }

    /// The header fields that every message has (RFC 3261 §8.1.1), Max-Forwards excepted.
    fn common(&self, request: &Request, tagged: bool) -> String {
        let sender = if request.by_caller { self.caller } else { self.callee };
        let near = format!("<sip:{}@example.org>;tag={}", self.from, self.tags.0);
        let far = if tagged || !request.by_caller {
            format!("<sip:{}@example.org>;tag={}", self.to, self.tags.1)
        } else {
            format!("<sip:{}@example.org>", self.to)
        };
        let (from, to) = if request.by_caller { (near, far) } else { (far, near) };
        format!(
            "Via: SIP/2.0/{} {}:{};branch={}\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {}\r\n\
             CSeq: {} {}\r\n",
            self.transport.via(),
            sender.host_text(),
            sender.port,
            request.branch,
            self.call_id,
            request.cseq,
            request.method,
        )
    }

    fn contact(&self, of_caller: bool) -> String {
        let (user, socket) =
            if of_caller { (&self.from, self.caller) } else { (&self.to, self.callee) };
        let parameter = self.transport.parameter();
        format!("Contact: <sip:{user}@{}:{}{parameter}>\r\n", socket.host_text(), socket.port)
    }

    fn say(
        &mut self,
        world: &mut World,
        after: i64,
        by_caller: bool,
        head: &str,
        more: &More,
    ) -> Result<(), String> {
        let mut text = head.to_owned();
        for line in &more.headers {
            text.push_str(line);
            text.push_str("\r\n");
        }
        let body = more.sdp.as_deref().unwrap_or_default();
        if more.sdp.is_some() {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        let ends = if by_caller { (self.caller, self.callee) } else { (self.callee, self.caller) };
        let at = self.now.saturating_add(after);
        self.now = match self.transport {
            Transport::Udp => {
                world.udp(at, ends, text.as_bytes(), &self.shape)?;
                at
            }
            Transport::Tcp => {
                let cutting = Cutting::default();
                tcp::transmit(world, at, ends, text.as_bytes(), &cutting, &self.shape)?
            }
            Transport::Tls => tls::carry(world, at, ends, text.len(), &self.shape)?,
            Transport::Sctp => {
                let cutting = Cutting::default();
                sctp::transmit(world, at, ends, &[text.as_bytes()], &cutting, &self.shape)?
            }
            Transport::Ws => {
                let how = (&Framing::default(), &Cutting::default());
                ws::carry(world, at, ends, text.as_bytes(), how, &self.shape)?
            }
        };
        Ok(())
    }
}

/// One side's media description.
#[derive(Clone, Debug)]
pub(super) struct Media {
    /// Address and port of the media.
    pub socket: Socket,
    /// The `m=` profile.
    pub profile: String,
    /// `a=rtpmap` lines and their payload types.
    pub formats: Vec<(u8, Vec<String>)>,
    /// Attribute lines of the keying.
    pub keying: Vec<String>,
}

impl Media {
    /// The SDP body (RFC 8866).
    pub(super) fn text(&self) -> String {
        let family = if self.socket.ip.is_ipv6() { "IP6" } else { "IP4" };
        let ip = self.socket.ip;
        let types: Vec<String> = self.formats.iter().map(|(pt, _)| pt.to_string()).collect();
        let mut lines = vec![
            "v=0".to_owned(),
            format!("o=- 1 1 IN {family} {ip}"),
            "s=-".to_owned(),
            format!("c=IN {family} {ip}"),
            "t=0 0".to_owned(),
            format!("m=audio {} {} {}", self.socket.port, self.profile, types.join(" ")),
        ];
        lines.extend(self.formats.iter().flat_map(|(_, attributes)| attributes.iter().cloned()));
        lines.extend(self.keying.iter().cloned());
        lines.push("a=sendrecv\r\n".to_owned());
        lines.join("\r\n")
    }
}

/// An `a=crypto` line (RFC 4568 §9.1) with this key, or one of the length that the suite asks for.
pub(super) fn crypto(suite: &str, key: Option<&str>, rng: &mut Rng) -> String {
    let octets = match suite {
        "AEAD_AES_128_GCM" => 28,
        "AEAD_AES_256_GCM" => 44,
        _ if suite.contains("192") => 38,
        _ if suite.contains("256") => 46,
        _ => 30,
    };
    let made = base64(&rng.octets(octets));
    format!("a=crypto:1 {suite} inline:{}", key.unwrap_or(&made))
}

/// An `a=fingerprint` line (RFC 8122 §5).
pub(super) fn fingerprint(rng: &mut Rng) -> String {
    let pairs: Vec<String> = rng.octets(32).iter().map(|octet| format!("{octet:02X}")).collect();
    format!("a=fingerprint:sha-256 {}", pairs.join(":"))
}

/// The usual reason phrase (RFC 3261 §21).
const fn reason(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        302 => "Moved Temporarily",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => "Status",
    }
}
