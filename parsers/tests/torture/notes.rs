//! What each torture message says of itself: the values that its section is about. A message without a
//! line here has nothing but its anomalies.

use overhear_parsers::sip::auth::AuthScheme;
use overhear_parsers::sip::body::BodyKind;
use overhear_parsers::sip::multipart::Leaf;
use overhear_parsers::sip::uri::Scheme;
use overhear_parsers::sip::{HeaderName, Message, Uri};

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).expect("text")
}

/// Method or status, `CSeq` number, Call-ID or how it begins.
#[rustfmt::skip]
const NAMED: &[(&str, &str, u32, &str)] = &[
    ("wsinv", "INVITE", 9, "wsinv.ndaksdj@192.0.2.1"),
    ("intmeth", "!interesting-Method0123456789_*+`.%indeed'~", 139_122_385, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"),
    ("esc01", "INVITE", 234_234, "esc01.239409asdfakjkn23onasd0-3234"),
    ("escnull", "REGISTER", 14_398_234, "escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd"),
    ("esc02", "RE%47IST%45R", 29_344, "esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf"),
    ("lwsdisp", "OPTIONS", 60, "lwsdisp.1234abcd@funky.example.com"),
    ("longreq", "INVITE", 3_882_340, "longreq.onereallyreallyreallyreally"),
    ("dblreq", "REGISTER", 8, "dblreq.0ha0isndaksdj99sdfafnl3lk233412"),
    ("semiuri", "OPTIONS", 8, "semiuri.0ha0isndaksdj"),
    ("transports", "OPTIONS", 60, "transports.kijh4akdnaqjkwendsasfdj"),
    ("mpart01", "MESSAGE", 1, "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA.."),
    ("unreason", "200", 35, "unreason.1234ksdfak3j2erwedfsASdf"),
    ("noreason", "100", 35, "noreason.asndj203insdf99223ndf"),
    ("badinv01", "INVITE", 8, "badinv01.0ha0isndaksdjasdf3234nas"),
    ("clerr", "INVITE", 8, "clerr.0ha0isndaksdjweiafasdk3"),
    ("ncl", "INVITE", 0, "ncl.0ha0isndaksdj2193423r542w35"),
    ("quotbal", "INVITE", 8, "quotbal.aksdj"),
    ("ltgtruri", "INVITE", 1, "ltgtruri.1@192.0.2.5"),
    ("lwsruri", "INVITE", 2_130_706_432, "lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423"),
    ("lwsstart", "INVITE", 1_893_884, "lwsstart.dfknq234oi243099adsdfnawe3@example.com"),
    ("trws", "OPTIONS", 238_923, "trws.oicu34958239neffasdhr2345r"),
    ("escruri", "INVITE", 149_209_342, "escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5"),
    ("baddate", "INVITE", 1_392_934, "baddate.239423mnsadf3j23lj42--sedfnm234"),
    ("regbadct", "REGISTER", 1, "regbadct.k345asrl3fdbv@10.0.0.1"),
    ("badaspec", "OPTIONS", 3_923_239, "badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3"),
    ("baddn", "OPTIONS", 3_923_239, "baddn.31415@c.example.com"),
    ("badvers", "OPTIONS", 1, "badvers.31417@c.example.com"),
    ("mismatch01", "OPTIONS", 8, "mismatch01.dj0234sxdfl3"),
    ("mismatch02", "NEWMETHOD", 8, "mismatch02.dj0234sxdfl3"),
    ("bigcode", "65535", 353_494, "bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i"),
    ("badbranch", "OPTIONS", 8, "badbranch.sadonfo23i420jv0as0derf3j3n"),
    ("unkscm", "OPTIONS", 3_923_423, "unkscm.nasdfasser0q239nwsdfasdkl34"),
    ("novelsc", "OPTIONS", 3_923_423, "novelsc.asdfasser0q239nwsdfasdkl34"),
    ("unksm2", "REGISTER", 234_902, "unksm2.daksdj@hyphenated-host.example.com"),
    ("bext01", "OPTIONS", 8, "bext01.0ha0isndaksdj"),
    ("invut", "INVITE", 235_448, "invut.0ha0isndaksdjadsfij34n23d"),
    ("regaut01", "REGISTER", 9_338, "regaut01.0ha0isndaksdj"),
    ("multi01", "INVITE", 5, "multi01.98asdh@192.0.2.1"),
    ("mcl01", "OPTIONS", 15_932, "mcl01.fhn2323orihawfdoa3o4r52o3irsdf"),
    ("bcast", "200", 35, "bcast.0384840201234ksdfak3j2erwedfsASdf"),
    ("zeromf", "OPTIONS", 39_234_321, "zeromf.jfasdlfnm2o2l43r5u0asdfas"),
    ("cparam01", "REGISTER", 2, "cparam01.70710@saturn.example.com"),
    ("cparam02", "REGISTER", 3, "cparam02.70710@saturn.example.com"),
    ("regescrt", "REGISTER", 14_398_234, "regescrt.k345asrl3fdbv@192.0.2.1"),
    ("sdp01", "INVITE", 8, "sdp01.ndaksdj9342dasdd"),
    ("inv2543", "INVITE", 56, "inv2543.1717@ift.client.example.com"),
];

/// Checks a message of RFC 4475.
pub(crate) fn rfc4475(file: &str, m: &Message<'_>) {
    if let Some((_, start, number, call_id)) = NAMED.iter().find(|row| row.0 == file) {
        match m.status() {
            Some(status) => assert_eq!(status.to_string(), *start, "{file}"),
            None => assert_eq!(text(m.method_text()), *start, "{file}"),
        }
        assert_eq!(m.cseq().map(|cseq| cseq.0), Some(*number), "{file}");
        assert!(text(m.call_id()).starts_with(call_id), "{file}: {}", text(m.call_id()));
    }
    match file {
        "wsinv" => wsinv(m),
        "intmeth" | "esc01" | "escnull" | "esc02" | "lwsdisp" | "semiuri" => escapes(file, m),
        "dblreq" => {
            assert_eq!(m.addresses(HeaderName::Contact).count(), 1);
            assert!(m.trailing().starts_with(b"\r\nINVITE sip:joe@example.com SIP/2.0"));
        }
        "mpart01" => mpart01(m),
        "transports" | "bcast" | "badbranch" | "inv2543" | "badinv01" => vias(file, m),
        "unreason" => {
            assert_eq!(text(m.reason()), "= 2**3 * 5**2 но сто девяносто девять - простое");
        }
        "noreason" => assert_eq!(m.reason(), b""),
        "clerr" => assert!(m.body().starts_with(b"v=0") && m.trailing().is_empty()),
        "ncl" => assert_eq!(
            (m.header(HeaderName::ContentLength), m.trailing()),
            (Some(&b"-999"[..]), &b""[..])
        ),
        "mcl01" => assert_eq!(
            (m.body().len(), m.headers_named(HeaderName::ContentLength).count()),
            (13, 2)
        ),
        "scalar02" => assert_eq!((m.expires(), m.cseq()), (None, None)),
        "scalarlg" => {
            assert_eq!((m.retry_after(), m.cseq()), (None, None));
            assert_eq!((m.status(), m.warnings().count()), (Some(503), 0));
        }
        "escruri" => assert!(
            m.header(HeaderName::Route).is_none()
                && !Uri::parse(m.request_uri()).headers.is_empty()
        ),
        "baddate" => assert!(m.date().is_none() && m.sdp().is_some()),
        "badaspec" => assert!(m.to().is_some_and(|to| to.uri().host == b"example.org")),
        "baddn" => assert!(m.from().is_some_and(|from| from.tag() == Some(b"43"))),
        "mismatch01" => assert_eq!(m.cseq().map(|cseq| text(cseq.2)), Some("INVITE")),
        "mismatch02" => assert_eq!(text(m.method_text()), "NEWMETHOD"),
        "bigcode" => assert_eq!(m.status(), Some(u16::MAX)),
        "lwsstart" | "trws" | "lwsruri" => {
            assert!(m.request_uri().starts_with(b"sip:") && m.sdp().is_some() != (file == "trws"));
        }
        _ => application(file, m),
    }
}

/// §3.3: what who uses the message has to decide.
fn application(file: &str, m: &Message<'_>) {
    let contact = || m.addresses(HeaderName::Contact).next().expect("a Contact");
    match file {
        "unkscm" => assert_eq!(Uri::parse(m.request_uri()).scheme_text, b"nobodyKnowsThisScheme"),
        "novelsc" => assert_eq!(Uri::parse(m.request_uri()).scheme_text, b"soap.beep"),
        "unksm2" => {
            assert_eq!(m.to().map(|to| text(to.uri().scheme_text)), Some("isbn"));
            assert_eq!(contact().uri().scheme, Scheme::Other);
        }
        "bext01" => {
            assert!(m.lists(HeaderName::Require, b"nothingSupportsThis"));
            assert!(m.lists(HeaderName::Require, b"nothingSupportsThisEither"));
            assert_eq!(m.words(HeaderName::ProxyRequire).count(), 2);
        }
        "invut" => {
            assert_eq!(m.content_type(), Some(&b"application/unknownformat"[..]));
            assert_eq!(m.leaves().next().map(|leaf| leaf.kind()), Some(BodyKind::Other));
        }
        "regaut01" => {
            let auth = m.auths(HeaderName::Authorization).next().expect("credentials");
            assert_eq!(auth.scheme, AuthScheme::Other);
        }
        "multi01" => assert_eq!(m.headers_named(HeaderName::CallId).count(), 2),
        "zeromf" => assert_eq!(m.header(HeaderName::MaxForwards), Some(&b"0"[..])),
        "cparam01" => {
            assert!(contact().params.get(b"unknownparam").is_some());
            assert!(contact().uri().params.get(b"unknownparam").is_none());
        }
        "cparam02" => {
            assert!(contact().params.get(b"unknownparam").is_none());
            assert!(contact().uri().params.get(b"unknownparam").is_some());
        }
        "regescrt" => assert_eq!(contact().uri().headers, b"Route=%3Csip:sip.example.com%3E"),
        "sdp01" => assert_eq!(
            m.words(HeaderName::Accept).next().map(|word| word.text),
            Some(&b"text/nobodyKnowsThis"[..])
        ),
        "insuf" => assert!(m.from().is_none() && m.to().is_none() && m.call_id().is_empty()),
        _ => {}
    }
}

fn wsinv(m: &Message<'_>) {
    let to = m.to().expect("a To");
    assert_eq!(
        (text(to.uri), to.tag()),
        ("sip:vivekg@chair-dnrc.example.com", Some(&b"1918181833n"[..]))
    );
    assert_eq!(m.from().expect("a From").display, br#"J Rosenberg \\\""#);
    let vias: Vec<_> = m.vias().map(|via| (text(via.transport), text(via.host))).collect();
    assert_eq!(
        vias,
        [("UDP", "192.0.2.2"), ("TCP", "spindle.example.com"), ("UDP", "192.168.255.111")]
    );
    assert_eq!(m.addresses(HeaderName::Route).count(), 1);
    assert_eq!(m.header(HeaderName::Subject), Some(&b""[..]));
    assert!(m.sdp().is_some_and(|sdp| sdp.starts_with(b"v=0")));
    let unknown = m.headers_called(b"NewFangledHeader").next().expect("an unknown header");
    assert!(unknown.starts_with(b"newfangled value"));
}

/// A percent escape is never undone, and so never twice.
fn escapes(file: &str, m: &Message<'_>) {
    let contacts: Vec<_> = m.addresses(HeaderName::Contact).map(|a| text(a.uri)).collect();
    let uri = Uri::parse(m.request_uri());
    match file {
        "intmeth" => assert!(
            m.to().is_some_and(|to| to.display.contains(&0) && to.uri().host == b"example.com")
        ),
        "esc01" => {
            assert_eq!(
                (uri.user, uri.host),
                (Some(&b"sips%3Auser%40example.com"[..]), &b"example.net"[..])
            );
            assert_eq!(contacts, ["sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31"]);
        }
        "escnull" => {
            assert_eq!(contacts, ["sip:%00@host5.example.com", "sip:%00%00@host5.example.com"]);
        }
        "esc02" => {
            assert_eq!(contacts, ["sip:alias1@host1.example.com", "sip:alias3@host3.example.com"]);
            assert!(m.headers_called(b"C%6Fntact").next().is_some());
        }
        "lwsdisp" => assert_eq!(m.from().map(|from| text(from.display)), Some("caller")),
        _ => {
            assert_eq!(
                (uri.user, uri.host),
                (Some(&b"user;par=u%40example.net"[..]), &b"example.com"[..])
            );
            assert_eq!(m.words(HeaderName::Accept).count(), 6);
        }
    }
}

fn vias(file: &str, m: &Message<'_>) {
    let transports: Vec<_> = m.vias().map(|via| text(via.transport)).collect();
    match file {
        "transports" => assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]),
        "bcast" => assert_eq!(m.vias().nth(1).map(|via| text(via.host)), Some("255.255.255.255")),
        "badbranch" => assert_eq!(m.top_via().and_then(|via| via.branch()), Some(&b"z9hG4bK"[..])),
        "inv2543" => {
            assert!(m.top_via().is_some_and(|via| via.branch().is_none()));
            assert_eq!(m.from().and_then(|from| from.tag()), None);
            assert!(m.header(HeaderName::MaxForwards).is_none() && m.sdp().is_some());
        }
        _ => assert_eq!(transports, ["UDP"]),
    }
}

/// A binary body with NUL and line ends of all kinds is framed by its length.
fn mpart01(m: &Message<'_>) {
    assert_eq!((m.body().len(), m.trailing().len()), (553, 0));
    let leaves: Vec<_> = m.leaves().collect();
    let kinds: Vec<_> = leaves.iter().map(Leaf::kind).collect();
    assert_eq!(kinds, [BodyKind::Text, BodyKind::Other]);
    assert_eq!((leaves[0].body, leaves[1].body.contains(&0)), (&b"Hello"[..], true));
}

/// Checks a message of RFC 5118.
pub(crate) fn rfc5118(file: &str, m: &Message<'_>) {
    let uri = Uri::parse(m.request_uri());
    let via = m.top_via().expect("a Via");
    assert!(!via.host.is_empty() && via.branch().is_some(), "{file}");
    match file {
        "ipv6-good" => assert_eq!(uri.address(), "2001:db8::10".parse().ok()),
        "ipv6-bad" => assert_eq!((uri.host, uri.port), (&b"2001:db8::10"[..], None)),
        // All of it is the address: the port is the one that holds without any.
        "port-ambiguous" => {
            assert_eq!((uri.address(), uri.port), ("2001:db8::10:5070".parse().ok(), None));
        }
        "port-unambiguous" => {
            assert_eq!((uri.address(), uri.port), ("2001:db8::10".parse().ok(), Some(5070)));
        }
        "via-received-param-with-delim" | "via-received-param-no-delim" => {
            assert_eq!(via.received_address(), "2001:db8::9:255".parse().ok(), "{file}");
        }
        "mult-ip-in-header" => {
            let hosts: Vec<_> = m.vias().map(|via| (text(via.host), via.port)).collect();
            assert_eq!(
                hosts,
                [("2001:db8::9:1", Some(6050)), ("192.0.2.1", None), ("2001:db8::9:255", None)]
            );
            let received = m.vias().nth(2).and_then(|via| via.received_address());
            assert_eq!(received, "192.0.2.200".parse().ok());
        }
        "ipv6-in-sdp" => sdp(m, &[("2001:db8::20", 6000), ("2001:db8::20", 6024)]),
        "mult-ip-in-sdp" => sdp(m, &[("192.0.2.1", 22334), ("2001:db8::1", 6024)]),
        "ipv4-mapped-ipv6" => {
            sdp(m, &[("::ffff:192.0.2.2", 6000), ("::ffff:192.0.2.2", 6024)]);
            assert_eq!((text(via.host), via.port), ("::ffff:192.0.2.10", Some(19823)));
        }
        // Three colons are an error of the grammar in RFC 3261; both forms are taken.
        "ipv6-bug-abnf-3-colons" => assert_eq!(uri.host, b"2001:db8:::192.0.2.1"),
        "ipv6-correct-abnf-2-colons" => {
            assert_eq!(uri.address(), "2001:db8::192.0.2.1".parse().ok());
        }
        _ => panic!("{file} is checked"),
    }
}

/// Where each medium is to be sent.
fn sdp(m: &Message<'_>, expected: &[(&str, u16)]) {
    let session = overhear_parsers::sdp::parse(m.sdp().expect("a description"));
    assert_eq!((session.malformed, session.has_version), (0, true));
    let found: Vec<_> = session
        .media()
        .map(|media| (media.connection().and_then(|c| c.ip()), media.port))
        .collect();
    let expected: Vec<_> = expected.iter().map(|(ip, port)| (ip.parse().ok(), *port)).collect();
    assert_eq!(found, expected);
}
