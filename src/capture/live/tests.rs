//! Interfaces that are channels, and a clock that the test sets.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::Mutex;

use super::*;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
}

fn now() -> Ts {
    Ts::from_nanos(NOW.get())
}

fn at(millis: i64) -> Ts {
    Ts::from_nanos(millis * 1_000_000)
}

/// Memory that is written to from somewhere else.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn options(names: &[&str]) -> LiveOptions {
    LiveOptions {
        interfaces: names.iter().map(ToString::to_string).collect(),
        filter: None,
        promiscuous: false,
        snap_length: 65_535,
        buffer: 1 << 20,
        packets: None,
        octets: None,
        stop: Box::new(|| false),
        now,
    }
}

/// Interfaces that receive what is sent.
fn listening(options: LiveOptions, to: Option<&Shared>) -> (Live, SyncSender<Arrival>) {
    let (out, arrivals) = sync_channel(WAITING);
    let port = |name: &String| Port {
        name: name.clone(),
        counters: Arc::default(),
        wake: Box::new(|| {}),
        thread: None,
        pending: VecDeque::new(),
    };
    let links: Vec<_> =
        options.interfaces.iter().map(|name| (name.clone(), LinkType::ETHERNET)).collect();
    let recorder = to.map(|to| begin(Box::new(to.clone()), &links).unwrap());
    let live = Live {
        ports: options.interfaces.iter().map(port).collect(),
        arrivals,
        stop: Arc::default(),
        stopping: false,
        ended: false,
        ticked: now(),
        since_tick: false,
        floor: None,
        tally: Tally::new(),
        octets: 0,
        recorder,
        faults: Vec::new(),
        options,
    };
    (live, out)
}

/// A block of frames of four octets, captured at these milliseconds.
fn block(interface: u16, times: &[i64]) -> Arrival {
    let frame = |(index, time): (usize, &i64)| RawFrame {
        number: 0,
        ts: Some(at(*time)),
        offset: index * 4,
        captured: 4,
        original: 4,
        link: Some(LinkType::ETHERNET),
        interface: interface.into(),
        damaged: false,
    };
    let frames = times.iter().enumerate().map(frame).collect();
    let octets = times.iter().flat_map(|time| u32::try_from(*time).unwrap().to_be_bytes());
    Arrival::Block { interface, octets: Arc::new(octets.collect()), frames }
}

/// Interface, number and milliseconds of the next batch.
fn next(live: &mut Live, most: usize) -> Option<Vec<(u32, u64, i64)>> {
    let mut out = MergedBatch::default();
    let more = live.next_batch(most, &mut out);
    for (_, backing, frame) in &out.frames {
        let octets = out.backings[usize::from(*backing)].frame(frame);
        let millis = frame.ts.unwrap().nanos() / 1_000_000;
        assert_eq!(octets, u32::try_from(millis).unwrap().to_be_bytes());
    }
    let seen = |(_, _, frame): &(u16, u16, RawFrame)| {
        (frame.interface, frame.number, frame.ts.unwrap().nanos() / 1_000_000)
    };
    more.then(|| out.frames.iter().map(seen).collect())
}

/// Everything up to the end.
fn all(live: &mut Live, most: usize) -> Vec<(u32, u64, i64)> {
    std::iter::from_fn(|| next(live, most)).flatten().collect()
}

#[test]
fn frames_of_two_interfaces_come_in_the_order_of_their_times() {
    let (mut live, out) = listening(options(&["a", "b"]), None);
    out.send(block(0, &[10, 30, 50])).unwrap();
    out.send(block(1, &[20, 30, 60])).unwrap();
    out.send(block(0, &[70])).unwrap();
    drop(out);
    let expected =
        [(0, 1, 10), (1, 2, 20), (0, 3, 30), (1, 4, 30), (0, 5, 50), (1, 6, 60), (0, 7, 70)];
    assert_eq!(all(&mut live, 3), expected);
    assert_eq!(live.facts().packets, 7);
    assert_eq!(live.facts().path, PathBuf::from("a,b"));
}

#[test]
fn frames_wait_for_another_interface_but_not_for_long() {
    let (mut live, out) = listening(options(&["a", "b"]), None);
    out.send(block(0, &[10])).unwrap();
    assert_eq!(next(&mut live, 9), Some(vec![]));
    assert_eq!(live.floor(), None, "something waits");
    NOW.set(HOLD.nanos());
    assert_eq!(next(&mut live, 9), Some(vec![(0, 1, 10)]));
}

#[test]
fn a_quiet_interface_ticks_and_a_busy_one_too() {
    NOW.set(at(5_000).nanos());
    let (mut live, out) = listening(options(&["a"]), None);
    assert_eq!(next(&mut live, 9), Some(vec![]));
    assert_eq!(live.floor(), Some(at(3_000)));
    out.send(block(0, &[4_990])).unwrap();
    assert_eq!(next(&mut live, 9), Some(vec![(0, 1, 4_990)]));
    assert_eq!(live.floor(), None);
    out.send(block(0, &[4_995])).unwrap();
    NOW.set(at(5_200).nanos());
    assert_eq!(next(&mut live, 9), Some(vec![]), "time has passed since the last tick");
    assert_eq!(live.floor(), None, "something waits");
    assert_eq!(next(&mut live, 9), Some(vec![(0, 2, 4_995)]));
}

#[test]
fn after_so_many_packets_nothing_is_delivered_or_written() {
    let written = Shared::default();
    let two = LiveOptions { packets: Some(2), ..options(&["a"]) };
    let (mut live, out) = listening(two, Some(&written));
    out.send(block(0, &[10, 20, 30])).unwrap();
    out.send(block(0, &[40])).unwrap();
    drop(out);
    assert_eq!(all(&mut live, 9), [(0, 1, 10), (0, 2, 20)]);
    assert!(live.stop.load(Ordering::Acquire));
    let written = written.0.lock().unwrap();
    let packets = written.windows(4).filter(|octets| *octets == [6, 0, 0, 0]).count();
    assert_eq!(packets, 2);
    assert!(written.windows(5).any(|octets| octets == b"\x01\0a\0\0"), "the interface's name");
}

#[test]
fn the_end_comes_when_it_is_asked_for_and_what_is_left_is_delivered() {
    let asked = LiveOptions { stop: Box::new(|| true), ..options(&["a"]) };
    let (mut live, out) = listening(asked, None);
    assert_eq!(next(&mut live, 9), Some(vec![]), "a tick asks");
    assert!(live.stop.load(Ordering::Acquire));
    out.send(block(0, &[10])).unwrap();
    out.send(Arrival::Failed("a: went down".to_owned())).unwrap();
    drop(out);
    assert_eq!(all(&mut live, 9), [(0, 1, 10)]);
    assert_eq!(live.faults(), ["a: went down"]);
    assert_eq!(next(&mut live, 9), None);
}

#[test]
fn an_output_that_fails_ends_it() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let written = Shared::default();
    let (mut live, out) = listening(options(&["a"]), Some(&written));
    let links = [("a".to_owned(), LinkType::ETHERNET)];
    assert!(begin(Box::new(Full), &links).is_err());
    let counting = Counting { out: Box::new(io::BufWriter::new(Full)), octets: 0 };
    live.recorder = PcapngWriter::new(counting, "").ok();
    out.send(block(0, &[10])).unwrap();
    drop(out);
    assert_eq!(all(&mut live, 9), [(0, 1, 10)]);
    assert_eq!(live.faults().len(), 1, "{:?}", live.faults());
}

#[test]
fn a_refusal_is_told_from_an_interface_that_is_not_there() {
    let refused = "eth0: You don't have permission to perform this capture on that device";
    assert!(matches!(LiveError::open("eth0", refused), LiveError::NotPermitted(_)));
    assert!(matches!(LiveError::open("x", "No such device exists"), LiveError::Unusable(..)));
    assert!(LiveError::NotPermitted("eth0".to_owned()).to_string().contains("cap_net_raw+ep"));
}
