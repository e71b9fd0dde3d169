//! Hellos in any order, NULL suites, and octets that are nothing.

use super::*;

fn push(stream: &mut TlsStream, side: usize, octets: &[u8]) {
    stream.push(side, octets, false, &Keys::default(), &mut |_| panic!("no keys"));
}

/// A record of the handshake with one message.
fn hello(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = |octets: usize| u16::try_from(octets).unwrap().to_be_bytes();
    let (message, record) = (length(body.len()), length(body.len().saturating_add(4)));
    [&[22, 3, 3][..], &record, &[kind, 0], &message, body].concat()
}

fn client_hello() -> Vec<u8> {
    hello(1, &[&[3, 3][..], &[5; 32], &[0, 0, 2, 0xc0, 0x30, 1, 0]].concat())
}

fn server_hello(suite: [u8; 2]) -> Vec<u8> {
    hello(2, &[&[3, 3][..], &[6; 32], &[0], &suite, &[0]].concat())
}

#[test]
fn hellos_are_read_in_their_order_whatever_the_capture_shows_first() {
    let (client, server) = (client_hello(), server_hello([0xc0, 0x30]));
    for turned in [false, true] {
        let mut stream = TlsStream::default();
        let mut both = [(0, &client), (1, &server)];
        if turned {
            both.reverse();
        }
        for (side, octets) in both {
            // Octet by octet.
            for octet in octets {
                push(&mut stream, side, &[*octet]);
            }
        }
        assert_eq!(stream.state(), State::Unknown);
        assert_eq!(stream.random(), Some(&[5; 32]));
    }
}

#[test]
fn a_null_suite_is_open_without_keys() {
    let mut stream = TlsStream::default();
    push(&mut stream, 1, &client_hello());
    push(&mut stream, 1, &[20, 3, 3, 0, 1, 1]);
    push(&mut stream, 0, &server_hello([0, 0x3b]));
    assert_eq!((stream.state(), stream.is_null()), (State::Open, true));
    let data = [&[23, 3, 3, 0, 34][..], b"ab", &[0; 32]].concat();
    let mut found = Vec::new();
    let mut take = |plain: &Plain<'_>| {
        found.push((plain.side, plain.octets.to_vec(), plain.encrypted));
    };
    stream.push(1, &data, false, &Keys::default(), &mut take);
    // What a hole leaves of a record is dropped, and the next found where a segment begins.
    stream.push(1, b"junk", true, &Keys::default(), &mut take);
    stream.push(1, &data, false, &Keys::default(), &mut take);
    assert_eq!(found, [(1, b"ab".to_vec(), false), (1, b"ab".to_vec(), false)]);
}

#[test]
fn anything_at_all_ends_and_holds_little() {
    for first in [client_hello(), hello(1, &[3, 3]), vec![22, 3, 3, 255, 255], vec![0; 9]] {
        for rest in [&vec![0; 70_000][..], &vec![22; 70_000], &[23, 3, 3, 0, 1, 0, 0, 0]] {
            let mut stream = TlsStream::default();
            for side in [0, 1, 0] {
                push(&mut stream, side, &first);
                push(&mut stream, side, rest);
            }
            assert!(stream.cost() < 600_000, "{}", stream.cost());
        }
    }
}
