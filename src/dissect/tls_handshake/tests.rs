use super::*;

fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3][..], &length, fragment].concat()
}

fn server_hello(extensions: &[u8]) -> Vec<u8> {
    let list = [&u16::try_from(extensions.len()).unwrap().to_be_bytes()[..], extensions].concat();
    let body = [&[3, 3][..], &[1; 32], &[0, 0xc0, 0x2f, 0], &list].concat();
    let length = u8::try_from(body.len()).unwrap();
    record(22, &[&[2, 0, 0, length][..], &body].concat())
}

/// Plays records of the client (0) and the server (1).
fn played(records: &[(usize, Vec<u8>)]) -> TlsHandshake {
    let mut handshake = TlsHandshake::new(0, false, FrameRef::default());
    for (side, octets) in records {
        handshake.push(*side, octets, false, FrameRef::default());
    }
    handshake
}

fn hello() -> (usize, Vec<u8>) {
    (0, record(22, &[1, 0, 0, 1, 7]))
}

#[test]
fn up_to_tls_1_2_both_must_finish() {
    let ccs = record(20, &[1]);
    let mut records =
        vec![hello(), (1, server_hello(&[])), (0, ccs.clone()), (0, record(22, &[7; 40]))];
    assert_eq!(played(&records).ended, None);
    records.extend([(1, ccs), (1, record(22, &[7; 40]))]);
    let done = played(&records);
    assert_eq!(done.ended, Some((Outcome::Completed, Ending::Finished)));
    assert_eq!(done.agreed, Some(Agreed { version: 0x0303, suite: 0xc02f }));
}

#[test]
fn in_tls_1_3_a_short_record_of_the_client_is_an_alert() {
    let answer = server_hello(&[0, 43, 0, 2, 3, 4]);
    for (length, ended) in
        [(53, (Outcome::Completed, Ending::Finished)), (19, (Outcome::Refused, Ending::Alert))]
    {
        let last = [record(20, &[1]), record(23, &vec![7; length])].concat();
        let done = played(&[hello(), (1, answer.clone()), (1, record(23, &[7; 900])), (0, last)]);
        assert_eq!(done.ended, Some(ended), "{length}");
    }
}

#[test]
fn in_tls_1_3_a_client_without_a_certificate_says_so_before_it_finishes() {
    let answer = server_hello(&[0, 43, 0, 2, 3, 4]);
    let [empty, finished] = [25, 53].map(|length| record(23, &vec![7; length]));
    let mut waiting = played(&[hello(), (1, answer), (1, record(23, &[7; 900])), (0, empty)]);
    assert_eq!(waiting.ended, None);
    waiting.push(0, &finished, false, FrameRef::default());
    assert_eq!(waiting.ended, Some((Outcome::Completed, Ending::Finished)));
}

#[test]
fn a_fatal_alert_refuses_and_a_warning_does_not() {
    let refused = played(&[hello(), (1, record(21, &[2, 70]))]);
    assert_eq!(refused.ended, Some((Outcome::Refused, Ending::Alert)));
    assert_eq!(refused.alert, Some((Alert { level: 2, description: 70 }, Peer::Server)));
    let warned = played(&[hello(), (1, record(21, &[1, 112])), (1, server_hello(&[]))]);
    assert_eq!((warned.ended, warned.alert.map(|(_, from)| from)), (None, Some(Peer::Server)));
}

#[test]
fn who_hangs_up_before_the_end_refuses() {
    let mut waiting = played(&[hello()]);
    waiting.closed(1, true, FrameRef::default());
    assert_eq!(waiting.ended, Some((Outcome::Refused, Ending::ServerReset)));
    let mut waiting = played(&[hello()]);
    waiting.closed(0, false, FrameRef::default());
    assert_eq!(waiting.ended, Some((Outcome::Incomplete, Ending::ClientClosed)));
}

#[test]
fn who_ends_what_was_not_heard_whole_does_not_refuse_it() {
    let (ccs, finished, alert) = (record(20, &[1]), record(22, &[7; 40]), record(21, &[7; 26]));
    let server = [server_hello(&[]), ccs, finished].concat();
    let alone = played(&[(1, server.clone()), (1, alert.clone())]);
    assert_eq!(alone.ended, Some((Outcome::Incomplete, Ending::Alert)));
    let mut silent = played(&[(1, server.clone())]);
    silent.closed(1, false, FrameRef::default());
    assert_eq!(silent.ended, Some((Outcome::Incomplete, Ending::ServerClosed)));
    let mut gone = played(&[hello(), (1, server_hello(&[])), (0, record(20, &[1]))]);
    gone.push(0, &record(22, &[7; 40]), false, FrameRef::default());
    gone.push(0, &record(21, &[7; 26]), false, FrameRef::default());
    assert_eq!(gone.ended, Some((Outcome::Incomplete, Ending::Alert)));
    let answer = server_hello(&[0, 43, 0, 2, 3, 4]);
    let mut hidden = played(&[hello(), (1, answer)]);
    hidden.push(0, &record(23, &[7; 19]), true, FrameRef::default());
    assert_eq!(hidden.ended, Some((Outcome::Incomplete, Ending::Alert)));
    let mut holed = played(&[hello(), (1, server)]);
    holed.push(0, &record(23, &[7; 9]), true, FrameRef::default());
    assert_eq!(holed.ended, Some((Outcome::Completed, Ending::Data)));
}

#[test]
fn a_server_that_speaks_ssl_2_is_heard() {
    let mut old = TlsHandshake::new(0, true, FrameRef::default());
    old.push(0, &[0x80, 28, 1, 0, 2], false, FrameRef::default());
    old.push(1, &[0x84, 28, 4, 0, 1, 0, 2], false, FrameRef::default());
    assert_eq!((old.ended, old.messages(Peer::Server).len()), (None, 7));
    old.push(0, &[0x80, 9], false, FrameRef::default());
    assert_eq!(old.ended, Some((Outcome::Completed, Ending::Data)));
}
