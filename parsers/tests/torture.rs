//! RFC 4475 and RFC 5118: what each torture message reads as, and which anomaly names its fault. A
//! tap refuses nothing: what an endpoint would reject is parsed as far as it goes, and said. Each row
//! is one message with everything that is expected of it; none is left out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says how many messages it has read"
)]

#[path = "torture/notes.rs"]
mod notes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use overhear_parsers::sip::{
    Anomalies, Framing, Message, SipError, parse_datagram, parse_stream, probe,
};

use Class::{Application, Compat, Invalid, Transaction, Valid};
use Expect::{Accept, Framed, Header, Semantic, Start};

/// What RFC 4475 says of a message by the section it stands in.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Class {
    /// §3.1.1: syntactically correct.
    Valid,
    /// §3.1.2: syntactically wrong.
    Invalid,
    /// §3.2: wrong for the transaction layer.
    Transaction,
    /// §3.3: wrong, or a question, for who uses it.
    Application,
    /// §3.4: RFC 2543.
    Compat,
}

/// Which layer of a reader has to object.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Expect {
    /// None.
    Accept,
    /// The one that finds where a message ends.
    Framed,
    /// The one that reads the start line.
    Start,
    /// The ones that read these headers; `framing` among them if that objects too.
    Header(&'static [&'static str]),
    /// The one that compares values.
    Semantic,
}

/// File, section, class, layer, the faults that this layer finds, what else is noted and no fault.
type Row = (&'static str, &'static str, Class, Expect, Anomalies, Anomalies);

const NONE: Anomalies = Anomalies::NONE;

macro_rules! all {
    ($($name:ident)+) => { Anomalies::NONE$(.union(Anomalies::$name))+ };
}

#[rustfmt::skip]
const RFC4475: [Row; 49] = [
    ("wsinv", "3.1.1.1", Valid, Accept, NONE, all!(FOLDED_HEADER SPACE_BEFORE_COLON SPACED_VIA COMPACT_AND_LONG)),
    ("intmeth", "3.1.1.2", Valid, Accept, NONE, all!(ESCAPED_CONTROL NUL_OCTET)),
    ("esc01", "3.1.1.3", Valid, Accept, NONE, all!(FOLDED_HEADER ESCAPED_DELIMITER)),
    ("escnull", "3.1.1.4", Valid, Accept, NONE, all!(ESCAPED_NUL)),
    ("esc02", "3.1.1.5", Valid, Accept, NONE, NONE),
    ("lwsdisp", "3.1.1.6", Valid, Accept, NONE, NONE),
    ("longreq", "3.1.1.7", Valid, Accept, NONE, all!(SPACE_BEFORE_COLON COMPACT_AND_LONG BRANCH_MISSING)),
    ("dblreq", "3.1.1.8", Valid, Accept, NONE, all!(CONTENT_LENGTH_TOO_SMALL MESSAGE_AFTER_BODY)),
    ("semiuri", "3.1.1.9", Valid, Accept, NONE, all!(FOLDED_HEADER ESCAPED_DELIMITER)),
    ("transports", "3.1.1.10", Valid, Accept, NONE, NONE),
    ("mpart01", "3.1.1.11", Valid, Accept, NONE, NONE),
    ("unreason", "3.1.1.12", Valid, Accept, NONE, NONE),
    ("noreason", "3.1.1.13", Valid, Accept, NONE, NONE),
    ("badinv01", "3.1.2.1", Invalid, Header(&["Via", "Contact"]), all!(BAD_VIA BAD_CONTACT), all!(BRANCH_MISSING)),
    ("clerr", "3.1.2.2", Invalid, Framed, all!(CONTENT_LENGTH_TOO_LARGE), NONE),
    ("ncl", "3.1.2.3", Invalid, Framed, all!(CONTENT_LENGTH_BAD), NONE),
    ("scalar02", "3.1.2.4", Invalid, Header(&["CSeq"]), all!(CSEQ_BAD), all!(FOLDED_HEADER BAD_NUMBER)),
    ("scalarlg", "3.1.2.5", Invalid, Header(&["CSeq", "Warning"]), all!(CSEQ_BAD BAD_WARNING), all!(BAD_NUMBER)),
    ("quotbal", "3.1.2.6", Invalid, Header(&["To"]), all!(BAD_TO), NONE),
    ("ltgtruri", "3.1.2.7", Invalid, Start, all!(BAD_REQUEST_URI), all!(BRANCH_MISSING)),
    ("lwsruri", "3.1.2.8", Invalid, Start, all!(BAD_REQUEST_URI), NONE),
    ("lwsstart", "3.1.2.9", Invalid, Start, all!(EXTRA_SPACE_IN_START_LINE), NONE),
    ("trws", "3.1.2.10", Invalid, Start, all!(EXTRA_SPACE_IN_START_LINE), NONE),
    ("escruri", "3.1.2.11", Invalid, Semantic, all!(REQUEST_URI_WITH_HEADERS), NONE),
    ("baddate", "3.1.2.12", Invalid, Header(&["Date"]), all!(BAD_DATE), NONE),
    ("regbadct", "3.1.2.13", Invalid, Header(&["Contact"]), all!(BAD_CONTACT), NONE),
    ("badaspec", "3.1.2.14", Invalid, Header(&["To"]), all!(BAD_TO), NONE),
    ("baddn", "3.1.2.15", Invalid, Header(&["From", "To", "framing"]), all!(BAD_FROM BAD_TO NO_HEADER_END), NONE),
    ("badvers", "3.1.2.16", Invalid, Semantic, all!(BAD_VERSION), NONE),
    ("mismatch01", "3.1.2.17", Invalid, Semantic, all!(CSEQ_METHOD_MISMATCH), NONE),
    ("mismatch02", "3.1.2.18", Invalid, Semantic, all!(CSEQ_METHOD_MISMATCH), NONE),
    ("bigcode", "3.1.2.19", Invalid, Start, all!(BAD_STATUS_CODE), NONE),
    ("badbranch", "3.2.1", Transaction, Accept, NONE, all!(BRANCH_MISSING)),
    ("insuf", "3.3.1", Application, Semantic, all!(MISSING_CALL_ID MISSING_FROM MISSING_TO), NONE),
    ("unkscm", "3.3.2", Application, Accept, NONE, NONE),
    ("novelsc", "3.3.3", Application, Accept, NONE, NONE),
    ("unksm2", "3.3.4", Application, Accept, NONE, NONE),
    ("bext01", "3.3.5", Application, Accept, NONE, NONE),
    ("invut", "3.3.6", Application, Accept, NONE, NONE),
    ("regaut01", "3.3.7", Application, Accept, NONE, NONE),
    ("multi01", "3.3.8", Application, Semantic,
        all!(DUPLICATE_CALL_ID DUPLICATE_CSEQ DUPLICATE_FROM DUPLICATE_TO DUPLICATE_MAX_FORWARDS), NONE),
    ("mcl01", "3.3.9", Application, Framed, all!(CONTENT_LENGTH_DUPLICATE_DIFFERING CONTENT_LENGTH_TOO_SMALL), NONE),
    ("bcast", "3.3.10", Application, Accept, NONE, NONE),
    ("zeromf", "3.3.11", Application, Accept, NONE, NONE),
    ("cparam01", "3.3.12", Application, Accept, NONE, NONE),
    ("cparam02", "3.3.13", Application, Accept, NONE, NONE),
    ("regescrt", "3.3.14", Application, Accept, NONE, NONE),
    ("sdp01", "3.3.15", Application, Accept, NONE, NONE),
    ("inv2543", "3.4.1", Compat, Accept, NONE, all!(BRANCH_MISSING)),
];

/// File, section, faults, what else is noted: `ipv6-bad` alone is invalid.
#[rustfmt::skip]
const RFC5118: [(&str, &str, Anomalies, Anomalies); 12] = [
    ("ipv6-good", "4.1", NONE, NONE),
    ("ipv6-bad", "4.2", all!(AMBIGUOUS_URI), NONE),
    ("port-ambiguous", "4.3", NONE, NONE),
    ("port-unambiguous", "4.4", NONE, NONE),
    ("via-received-param-with-delim", "4.5", NONE, all!(RECEIVED_IN_REQUEST)),
    ("via-received-param-no-delim", "4.5", NONE, all!(RECEIVED_IN_REQUEST)),
    ("ipv6-in-sdp", "4.6", NONE, NONE),
    ("mult-ip-in-header", "4.7", NONE, NONE),
    ("mult-ip-in-sdp", "4.8", NONE, NONE),
    ("ipv4-mapped-ipv6", "4.9", NONE, NONE),
    ("ipv6-bug-abnf-3-colons", "4.10", NONE, NONE),
    ("ipv6-correct-abnf-2-colons", "4.10", NONE, NONE),
];

/// Whose business an anomaly is.
const LAYERS: &[(Anomalies, &str)] = &[
    (Anomalies::CONTENT_LENGTH_TOO_LARGE, "framing"),
    (Anomalies::CONTENT_LENGTH_TOO_SMALL, "framing"),
    (Anomalies::CONTENT_LENGTH_BAD, "framing"),
    (Anomalies::CONTENT_LENGTH_DUPLICATE_DIFFERING, "framing"),
    (Anomalies::NO_HEADER_END, "framing"),
    (Anomalies::BAD_REQUEST_URI, "start-line"),
    (Anomalies::EXTRA_SPACE_IN_START_LINE, "start-line"),
    (Anomalies::BAD_STATUS_CODE, "start-line"),
    (Anomalies::BAD_VIA, "Via"),
    (Anomalies::BAD_CONTACT, "Contact"),
    (Anomalies::BAD_FROM, "From"),
    (Anomalies::BAD_TO, "To"),
    (Anomalies::BAD_DATE, "Date"),
    (Anomalies::BAD_WARNING, "Warning"),
    (Anomalies::CSEQ_BAD, "CSeq"),
    (Anomalies::REQUEST_URI_WITH_HEADERS, "semantic"),
    (Anomalies::BAD_VERSION, "semantic"),
    (Anomalies::CSEQ_METHOD_MISMATCH, "semantic"),
    (Anomalies::MISSING_CALL_ID, "semantic"),
    (Anomalies::MISSING_FROM, "semantic"),
    (Anomalies::MISSING_TO, "semantic"),
    (Anomalies::DUPLICATE_CALL_ID, "semantic"),
    (Anomalies::DUPLICATE_CSEQ, "semantic"),
    (Anomalies::DUPLICATE_FROM, "semantic"),
    (Anomalies::DUPLICATE_TO, "semantic"),
    (Anomalies::DUPLICATE_MAX_FORWARDS, "semantic"),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/torture").join(name)
}

fn octets(file: &str) -> Vec<u8> {
    std::fs::read(folder(file)).expect("a torture fixture")
}

/// Names of all files of a folder, without their extension.
fn files(name: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder(name)).expect("the torture fixtures");
    let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    entries.map(|entry| stem(entry.expect("a folder entry").path())).collect()
}

fn names(set: Anomalies) -> Vec<&'static str> {
    set.iter().map(|(_, name)| name).collect()
}

/// Reads one message, checks its anomalies to the last, and gives it to `check`.
fn read(file: &str, expected: Anomalies, check: impl FnOnce(&Message<'_>)) {
    let octets = octets(file);
    let mut spans = Vec::new();
    assert!(probe(&octets), "{file}: seen as SIP on any port");
    let layout = parse_datagram(&octets, &mut spans).expect("every torture message is parsed");
    let message = Message::new(&octets, layout, &spans);
    let found = message.inspect();
    assert_eq!(found, expected, "{file}: {:?} and not {:?}", names(found), names(expected));
    assert!(
        message.needs_inspection() || !found.is_malformed(),
        "{file}: a glance must see that there is something to find"
    );
    check(&message);
}

fn layers(faults: Anomalies) -> BTreeSet<&'static str> {
    let of = |(bit, name)| {
        let layer = LAYERS.iter().find(|(set, _)| set.bits() == 1_u64 << bit);
        layer.unwrap_or_else(|| panic!("{name} belongs to a layer")).1
    };
    faults.iter().map(of).collect()
}

#[test]
fn all_fifty_messages_of_rfc_4475_read_as_expected() {
    let mut as_expected = 0;
    for (file, section, class, expect, faults, noted) in RFC4475 {
        let chapter = match class {
            Valid => "3.1.1.",
            Invalid => "3.1.2.",
            Transaction => "3.2.",
            Application => "3.3.",
            Compat => "3.4.",
        };
        assert!(section.starts_with(chapter), "{file}: a section of its class");
        let wanted: BTreeSet<_> = match expect {
            Accept => BTreeSet::new(),
            Framed => ["framing"].into(),
            Start => ["start-line"].into(),
            Header(names) => names.iter().copied().collect(),
            Semantic => ["semantic"].into(),
        };
        assert_eq!(layers(faults), wanted, "{file}: the layer that objects");
        assert_eq!(faults.is_malformed(), expect != Accept, "{file}: malformed or not");
        assert!(class != Valid || expect == Accept, "{file}: what is valid is accepted");
        read(&format!("rfc4475/{file}.dat"), faults.union(noted), |m| notes::rfc4475(file, m));
        as_expected += 1;
    }
    // In the archive, and described nowhere: its start line has no version, so it is no SIP.
    assert_eq!(parse_datagram(&octets("rfc4475/test.dat"), &mut Vec::new()), Err(SipError::NotSip));
    as_expected += 1;
    let rows = RFC4475.iter().map(|row| row.0.to_owned()).chain(["test".to_owned()]);
    assert_eq!(files("rfc4475"), rows.collect(), "every file of the archive is in the table");
    assert_eq!(as_expected, 50);
    println!("RFC 4475: {as_expected} of 50 as expected");
}

#[test]
fn all_twelve_messages_of_rfc_5118_read_as_expected() {
    let mut as_expected = 0;
    for (file, section, faults, noted) in RFC5118 {
        assert!(section.starts_with("4."), "{file}: a section");
        assert_eq!(faults.is_malformed(), file == "ipv6-bad", "{file}: the only invalid one");
        assert!(!noted.is_malformed(), "{file}: unusual and legal");
        read(&format!("rfc5118/{file}.sip"), faults.union(noted), |m| notes::rfc5118(file, m));
        as_expected += 1;
    }
    let rows = RFC5118.iter().map(|row| row.0.to_owned());
    assert_eq!(files("rfc5118"), rows.collect(), "every file of the archive is in the table");
    println!("RFC 5118: {as_expected} of 12 as expected");
}

const NEXT: &[u8] = b"OPTIONS sip:next@b.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example;branch=z9hG4bKn\r\n\
    From: <sip:a@a.example>;tag=1\r\nTo: <sip:next@b.example>\r\nCall-ID: next\r\nCSeq: 1 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";

/// Call-IDs of the messages of a stream, and whether it ends in the middle of one.
fn stream(octets: &[u8]) -> (Vec<String>, bool) {
    let (mut rest, mut spans, mut found) = (octets, Vec::new(), Vec::new());
    while !rest.is_empty() {
        spans.clear();
        let drop = match parse_stream(rest, &mut spans) {
            Framing::Message(layout) => {
                let id = Message::new(rest, layout, &spans).call_id();
                found.push(String::from_utf8_lossy(id).into_owned());
                usize::try_from(layout.len).unwrap()
            }
            Framing::KeepAlive(octets) | Framing::Junk(octets) => octets,
            Framing::Incomplete { .. } => return (found, true),
        };
        rest = &rest[drop..];
    }
    (found, false)
}

#[test]
fn in_a_stream_the_message_after_each_torture_message_is_found() {
    for name in ["rfc4475", "rfc5118"] {
        let suffix = if name == "rfc4475" { "dat" } else { "sip" };
        for file in files(name) {
            let both = [&octets(&format!("{name}/{file}.{suffix}"))[..], NEXT].concat();
            let (found, waiting) = stream(&both);
            // §3.1.2.2: on TCP its length is to be waited for.
            if file == "clerr" {
                assert!(found.is_empty() && waiting, "{file}");
                continue;
            }
            assert!(found.last().is_some_and(|id| id == "next") && !waiting, "{file}: {found:?}");
            // `dblreq` in a stream is two messages, and `test` none. In a stream, where the next
            // message has to be told from junk, a start line with another version or an impossible
            // status begins none either.
            let messages = match file.as_str() {
                "dblreq" => 3,
                "test" | "badvers" | "bigcode" => 1,
                _ => 2,
            };
            assert_eq!(found.len(), messages, "{file}: {found:?}");
        }
    }
}
