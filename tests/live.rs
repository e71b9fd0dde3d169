//! `overhear live`, in network namespaces of its own: sipp places calls with media over a pair of
//! virtual interfaces while it watches. What it reports is what a review of its own recording and
//! one of tcpdump's report.
//!
//! Needs root, `ip netns`, sipp and tcpdump; without them the tests say so and pass.

#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong, and says why it did nothing"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use overhear::capture::PcapWriter;
use overhear::model::frame::LinkType;
use overhear::model::time::Ts;
use serde_json::Value;
use support::{config, review, value};

/// Calls that sipp places, and the messages of each: INVITE, 180, 200, ACK, BYE, 200.
const CALLS: u64 = 3;
const MESSAGES: u64 = 6;
/// RTP packets of a call in each direction.
const MEDIA: u16 = 50;

/// The calling side.
const CALLER: &str = include_str!("live/caller.xml");

/// Two hosts and a cable.
struct Net {
    names: [String; 2],
    folder: PathBuf,
}

impl Net {
    /// `None`, and why, where this cannot be had.
    fn new(test: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("live-{test}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let id = std::process::id();
        let net = Self { names: ["a", "b"].map(|side| format!("oh-{test}-{id}-{side}")), folder };
        for tool in ["ip -V", "sipp -v", "tcpdump --version", "setpriv --version"] {
            let mut words = tool.split(' ');
            let run = Command::new(words.next().unwrap()).args(words).output();
            if run.is_err() {
                eprintln!("skipped: {tool} does not run");
                return None;
            }
        }
        let [a, b] = &net.names;
        for line in [
            format!("netns add {a}"),
            format!("netns add {b}"),
            format!("-n {a} link add wire0 type veth peer name wire0 netns {b}"),
            format!("-n {a} addr add 10.99.0.1/24 dev wire0"),
            format!("-n {b} addr add 10.99.0.2/24 dev wire0"),
            format!("-n {a} link set lo up"),
            format!("-n {a} link set wire0 up"),
            format!("-n {b} link set wire0 up"),
        ] {
            let done = Command::new("ip").args(line.split(' ')).output().unwrap();
            if !done.status.success() {
                let why = String::from_utf8_lossy(&done.stderr).into_owned();
                eprintln!("skipped: no network namespaces: ip {line}: {}", why.trim());
                return None;
            }
        }
        Some(net)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command on one of the hosts, in the folder of the test.
    fn on(&self, side: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[side], program]).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

/// A program that runs until it is told to end.
struct Running {
    child: Child,
    /// Its lines on stderr.
    said: Receiver<String>,
}

impl Running {
    /// Starts it and waits until it says `ready` on stderr.
    fn start(command: &mut Command, ready: &str) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (out, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|l| out.send(l)));
        let mut seen = Vec::new();
        while !seen.iter().any(|line: &String| line.contains(ready)) {
            match said.recv_timeout(Duration::from_secs(20)) {
                Ok(line) => seen.push(line),
                Err(error) => {
                    let _ = child.kill();
                    assert!(seen.is_empty() && ready.is_empty(), "{error}: {seen:?}");
                    break;
                }
            }
        }
        Self { child, said }
    }

    /// ^C.
    fn interrupt(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    /// Waits for its end; says how, and what else it had to say.
    fn end(mut self) -> (ExitStatus, Vec<String>) {
        let mut status = None;
        until("the program to end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap(), self.said.iter().collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Waits until something is so; 20 s at most.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited for {what} in vain");
}

/// A second of G.711 A-law, for sipp to send.
fn media(path: &Path) {
    let mut out = PcapWriter::new(fs::File::create(path).unwrap(), LinkType::ETHERNET).unwrap();
    for packet in 0..MEDIA {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 200];
        frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        frame.extend([6000_u16, 6000, 180, 0].into_iter().flat_map(u16::to_be_bytes));
        frame.extend([0x80, 8]);
        frame.extend((1000 + packet).to_be_bytes());
        frame.extend((u32::from(packet) * 160).to_be_bytes());
        frame.extend(0x0bad_cafe_u32.to_be_bytes());
        // Quiet speech: codes near silence.
        frame.extend((0..160_u16).map(|n| 0xd5 ^ ((packet * 7 + n * 3) & 15) as u8));
        let at = Ts::from_nanos(i64::from(packet) * 20_000_000);
        out.packet(at, u32::try_from(frame.len()).unwrap(), &frame).unwrap();
    }
    out.finish().unwrap();
}

/// Places the calls, from the first host to the second.
fn place_calls(net: &Net) {
    fs::write(net.path("caller.xml"), CALLER).unwrap();
    media(&net.path("media.pcap"));
    let count = CALLS.to_string();
    let callee = net
        .on(1, "sipp")
        .args(["-sn", "uas", "-i", "10.99.0.2", "-p", "5060", "-rtp_echo", "-nostdin"])
        .spawn()
        .unwrap();
    let callee = Running { child: callee, said: channel().1 };
    // Port 5060 in the table of UDP sockets of its namespace.
    let sockets = format!("/proc/{}/net/udp", callee.child.id());
    until("sipp to listen", || {
        fs::read_to_string(&sockets).is_ok_and(|table| table.contains(":13C4 "))
    });
    let placed = net
        .on(0, "sipp")
        .args(["10.99.0.2:5060", "-sf", "caller.xml", "-i", "10.99.0.1", "-p", "5060"])
        .args(["-m", &count, "-r", "10", "-nostdin", "-timeout", "15"])
        .status()
        .unwrap();
    assert!(placed.success(), "sipp: {placed}");
}

/// The report on a capture.
fn reviewed(path: &Path) -> Option<Value> {
    review(&config(path)).map(|mut outcome| value(&mut outcome))
}

/// A report without what may differ between a tap and its recording.
fn comparable(mut report: Value) -> Value {
    let capture = report["capture"].as_object_mut().unwrap();
    capture.remove("sources");
    capture.remove("dropped");
    report
}

fn ids(report: &Value, list: &str) -> Vec<String> {
    let of = |one: &Value| one["id"].as_str().unwrap().to_owned();
    report[list].as_array().unwrap().iter().map(of).collect()
}

fn overhear() -> &'static str {
    env!("CARGO_BIN_EXE_overhear")
}

#[test]
fn what_is_watched_is_what_was_recorded() {
    let Some(net) = Net::new("calls") else { return };
    let mut tcpdump = net.on(0, "tcpdump");
    tcpdump.args(["-i", "wire0", "-w", "reference.pcap", "-U", "--immediate-mode", "-Z", "root"]);
    let tcpdump = tcpdump.arg("--time-stamp-precision=nano");
    let tcpdump = Running::start(tcpdump, "listening on");
    let mut live = net.on(0, overhear());
    live.args(["live", "-i", "wire0", "-w", "live.pcapng", "--json", "live.json"]);
    live.args(["--ndjson", "live.ndjson", "--sensor", "tap"]);
    let live = Running::start(&mut live, "listening on wire0");
    place_calls(&net);
    until("tcpdump to write all", || {
        reviewed(&net.path("reference.pcap")).is_some_and(|report| {
            report["counts"]["sip_messages"].as_u64() >= Some(CALLS * MESSAGES)
        })
    });
    live.interrupt();
    let (status, said) = live.end();
    assert_eq!(status.code(), Some(0), "{said:?}");
    drop(tcpdump);

    let text = fs::read_to_string(net.path("live.json")).unwrap();
    let watched: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(watched["capture"]["sources"][0]["via"], "live");
    assert_eq!(watched["counts"]["calls"], CALLS);
    assert_eq!(watched["counts"]["rtp_streams"], 2 * CALLS);
    assert_eq!(watched["counts"]["rtp_packets"], 2 * CALLS * u64::from(MEDIA));
    assert!(ids(&watched, "findings").iter().any(|id| id.starts_with("MEDIA-CLEARTEXT-RTP")));

    let recorded = reviewed(&net.path("live.pcapng")).unwrap();
    let (one, other) = (comparable(watched.clone()), comparable(recorded));
    support::assert_same(&one.to_string(), &other.to_string(), "review of what live wrote");

    let reference = reviewed(&net.path("reference.pcap")).unwrap();
    assert_eq!(watched["counts"], reference["counts"]);
    for list in ["calls", "streams", "findings"] {
        assert_eq!(ids(&watched, list), ids(&reference, list), "{list}");
    }
    lines(&net);
}

/// The lines that live wrote are those of a review of its recording.
fn lines(net: &Net) {
    let done = Command::new(overhear())
        .args(["review", "live.pcapng", "-q", "--ndjson", "again.ndjson", "--sensor", "tap"])
        .current_dir(&net.folder)
        .status()
        .unwrap();
    assert!(done.success());
    let published: Value = serde_json::from_str(overhear::report::schema::EVENTS).unwrap();
    let [live, again] = ["live.ndjson", "again.ndjson"].map(|name| {
        let text = fs::read_to_string(net.path(name)).unwrap();
        // The last line is about the source itself.
        let last = text.lines().last().unwrap();
        assert!(last.contains("\"event_type\":\"capture\""), "{last}");
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(support::schema::faults(&published, &line).is_empty(), "{line}");
        }
        text.strip_suffix(&format!("{last}\n")).unwrap().to_owned()
    });
    support::assert_same(&live, &again, "lines");
}

#[test]
fn it_ends_by_itself_and_listens_to_several() {
    let Some(net) = Net::new("ends") else { return };
    let mut live = net.on(0, overhear());
    live.args(["live", "-i", "wire0", "-i", "lo", "-w", "both.pcapng", "-a", "duration:0.2"]);
    let (status, said) = Running::start(&mut live, "listening on wire0, lo").end();
    assert_eq!(status.code(), Some(0), "{said:?}");
    assert_eq!(reviewed(&net.path("both.pcapng")).unwrap()["counts"]["calls"], 0);

    let mut live = net.on(0, overhear());
    live.args(["live", "-i", "any", "-c", "5", "-f", "udp", "--json", "five.json"]);
    let live = Running::start(&mut live, "listening on any");
    place_calls(&net);
    let (status, said) = live.end();
    assert_eq!(status.code(), Some(0), "{said:?}");
    let text = fs::read_to_string(net.path("five.json")).unwrap();
    let five: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(five["capture"]["packets"], 5);
    assert_eq!(five["counts"]["calls"], 1);
}

#[test]
fn without_the_right_it_says_how_to_grant_it() {
    let Some(net) = Net::new("right") else { return };
    fs::write(net.path("kept.pcapng"), "precious").unwrap();
    let mut live = net.on(0, "setpriv");
    live.args(["--bounding-set=-all", "--inh-caps=-all", overhear(), "live", "-i", "wire0"]);
    live.args(["-w", "kept.pcapng", "--json", "new.json"]);
    let (status, said) = Running::start(&mut live, "setcap cap_net_raw+ep").end();
    assert_eq!(status.code(), Some(2), "{said:?}");
    assert_eq!(fs::read_to_string(net.path("kept.pcapng")).unwrap(), "precious");
    assert!(!net.path("new.json").exists());
}
