//! Capture files with edges, read mapped, in blocks and through a pipe: the same every time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test that goes wrong should stop there"
)]

use std::fs;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::thread;

use overhear::capture::{
    Backing, CaptureError, Chunk, FaultKind, Format, Merge, MergedBatch, OpenOptions, PcapWriter,
    PcapngWriter, Source, SourceFacts,
};
use overhear::model::frame::{LinkType, RawFrame};
use overhear::model::time::{Span, Ts};

/// A frame without its place, and its octets.
type Seen = (RawFrame, Vec<u8>);

const WAYS: [OpenOptions; 2] = [OpenOptions::mapping(true), OpenOptions::mapping(false)];

fn edge(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/edge").join(name)
}

fn seen(backing: &Backing, frame: &RawFrame) -> Seen {
    (RawFrame { offset: 0, ..*frame }, backing.frame(frame).to_vec())
}

fn read_all(source: &mut Source, max_frames: usize) -> Result<Vec<Seen>, CaptureError> {
    let (mut chunk, mut all) = (Chunk::default(), Vec::new());
    while source.fill(&mut chunk, max_frames)? {
        assert!(!chunk.frames.is_empty() && chunk.frames.len() <= max_frames);
        all.extend(chunk.frames.iter().map(|frame| seen(&chunk.backing, frame)));
        assert!(all.len() < 1_000_000, "reading does not end");
    }
    assert!(chunk.frames.is_empty());
    assert!(!source.fill(&mut chunk, max_frames)?, "the end is not the end");
    Ok(all)
}

fn read(path: &Path, options: &OpenOptions) -> Result<(Vec<Seen>, SourceFacts), CaptureError> {
    let mut source = Source::open(path, options)?;
    let frames = read_all(&mut source, 4096)?;
    Ok((frames, source.facts()))
}

/// Reads `octets` through a pipe whose writer writes `piece` octets at a time.
fn pipe(octets: Vec<u8>, piece: usize) -> Result<(Vec<Seen>, SourceFacts), CaptureError> {
    let (reader, mut writer) = io::pipe().unwrap();
    let path = PathBuf::from(format!("/proc/self/fd/{}", reader.as_raw_fd()));
    let feeder = thread::spawn(move || {
        for part in octets.chunks(piece) {
            // The reader may have refused the source and gone.
            if writer.write_all(part).is_err() {
                break;
            }
        }
    });
    let opened = Source::open(&path, &OpenOptions::default());
    drop(reader);
    let result = opened.and_then(|mut source| {
        let frames = read_all(&mut source, 4096)?;
        Ok((frames, source.facts()))
    });
    feeder.join().unwrap();
    result
}

/// What a source is, whichever way it was read.
fn essence(facts: &SourceFacts) -> String {
    let path = PathBuf::new();
    format!("{:?}", SourceFacts { path, ..facts.clone() })
}

/// Reads a file of `fixtures/edge` in every way, and expects no difference.
fn all_ways(name: &str) -> (Vec<Seen>, SourceFacts) {
    let path = edge(name);
    let (frames, facts) = read(&path, &OpenOptions::mapping(true)).unwrap();
    let octets = fs::read(&path).unwrap();
    assert_eq!(facts.octets, octets.len() as u64, "{name}");
    let others = [read(&path, &OpenOptions::mapping(false)), pipe(octets.clone(), 7), {
        pipe(octets, 65_536)
    }];
    for other in others {
        let (same_frames, same_facts) = other.unwrap();
        assert_eq!(frames, same_frames, "{name}");
        assert_eq!(essence(&facts), essence(&same_facts), "{name}");
    }
    for (index, (frame, octets)) in frames.iter().enumerate() {
        assert_eq!(frame.number, index as u64 + 1, "{name}");
        assert_eq!(octets.len(), frame.captured as usize, "{name}");
        assert!(frame.damaged || octets.ends_with(b"OPTIONS xyz "), "{name}");
    }
    (frames, facts)
}

fn nanos(frames: &[Seen]) -> Vec<i64> {
    frames.iter().filter_map(|(frame, _)| frame.ts.map(Ts::nanos)).collect()
}

const T0: i64 = 1_700_000_000_000_000_000;
const WHOLE: [&str; 15] = [
    "ok.pcap",
    "be.pcap",
    "ns.pcap",
    "be_ns.pcap",
    "modified.pcap",
    "snap0.pcap",
    "snaplie.pcap",
    "ng_ok.pcapng",
    "ng_be.pcapng",
    "ng_2sec.pcapng",
    "ng_2if_res.pcapng",
    "ng_lateif.pcapng",
    "ng_opb.pcapng",
    "ng_unknown.pcapng",
    "ng_dsb.pcapng",
];

#[test]
fn whole_files_give_five_frames_and_no_fault() {
    for name in WHOLE.into_iter().chain(["ng_spb.pcapng", "ng_trail.pcapng"]) {
        let (frames, facts) = all_ways(name);
        assert_eq!((frames.len(), facts.packets), (5, 5), "{name}");
        assert_eq!((facts.truncated, facts.clipped_packets), (None, 0), "{name}");
        assert!(frames.iter().all(|(frame, _)| !frame.damaged && frame.link.is_some()), "{name}");
        let odd: Vec<_> = facts.oddities.named().into_iter().filter(|(_, n)| *n > 0).collect();
        match name {
            "snaplie.pcap" => assert_eq!(odd, [("lying-snap-lengths", 5)]),
            "ng_unknown.pcapng" => assert_eq!(odd, [("skipped-blocks", 2)]),
            "ng_trail.pcapng" => assert_eq!(odd, [("bad-trailing-lengths", 1)]),
            _ => assert_eq!(odd, [], "{name}"),
        }
    }
}

#[test]
fn times_are_those_that_wireshark_shows() {
    let second = 1_000_000_000;
    for (names, step) in [
        (&["ok.pcap", "be.pcap", "modified.pcap", "snap0.pcap", "snaplie.pcap"][..], second + 1000),
        (&["ns.pcap", "be_ns.pcap"], second + 1),
        (&["ng_ok.pcapng", "ng_be.pcapng", "ng_2sec.pcapng", "ng_opb.pcapng", "ng_dsb.pcapng"], 0),
    ] {
        for name in names {
            let (frames, facts) = all_ways(name);
            let expected: Vec<_> = (0..5).map(|n| T0 + n * step).collect();
            assert_eq!(nanos(&frames), expected, "{name}");
            assert_eq!(facts.first_packet, Some(Ts::from_nanos(T0)));
            assert_eq!(facts.last_packet, Some(Ts::from_nanos(T0 + 4 * step)));
        }
    }
    let (frames, facts) = all_ways("ng_2if_res.pcapng");
    assert_eq!(nanos(&frames), [T0, T0, T0, T0 + 3600 * second, T0 + 3600 * second]);
    assert_eq!(facts.link_types, [LinkType::ETHERNET, LinkType::RAW]);
    let (frames, facts) = all_ways("ng_spb.pcapng");
    assert!(nanos(&frames).is_empty());
    assert_eq!((facts.first_packet, facts.last_packet), (None, None));
}

#[test]
fn each_section_numbers_its_own_interfaces() {
    let (frames, facts) = all_ways("ng_2sec.pcapng");
    let interfaces: Vec<u32> = frames.iter().map(|(frame, _)| frame.interface).collect();
    assert_eq!(interfaces, [0; 5]);
    assert_eq!((facts.interfaces, facts.format), (2, Format::PcapNg));
    assert_eq!(all_ways("ng_lateif.pcapng").1.link_types.len(), 2);
}

#[test]
fn files_cut_short_give_what_they_have_and_name_the_fault() {
    for (name, packets, offset, fault) in [
        ("trunc_hdr.pcap", 5, 374, "the header of record 6 is cut off after 7 octets"),
        ("trunc_data.pcap", 5, 374, "record 6 says 500 octets, the file ends 100 octets later"),
        ("hugecap.pcap", 5, 374, "record 6 says 2147483647 octets, the file ends 100 octets later"),
        (
            "ng_trunc.pcapng",
            5,
            488,
            "block 8 (after frame 5) says 88 octets, the file ends 40 octets later",
        ),
        (
            "ng_badlen.pcapng",
            2,
            224,
            "block 5 (after frame 2) says 13 octets, which no block can have",
        ),
    ] {
        let (frames, facts) = all_ways(name);
        assert_eq!(frames.len(), packets, "{name}");
        let said = facts.truncated.unwrap();
        assert_eq!((said.to_string().as_str(), said.offset), (fault, offset), "{name}");
        assert_eq!(facts.skipped_octets, facts.octets - offset, "{name}");
    }
}

#[test]
fn frames_that_contradict_their_file_are_delivered_and_counted() {
    let (frames, facts) = all_ways("ng_badif.pcapng");
    let links: Vec<_> = frames.iter().map(|(frame, _)| frame.link.is_some()).collect();
    assert_eq!(links, [true, true, false, true, true]);
    assert_eq!(facts.oddities.undeclared_interfaces, 1);
    let (frames, facts) = all_ways("ng_caplie.pcapng");
    let damaged: Vec<_> = frames.iter().map(|(frame, _)| frame.damaged).collect();
    assert_eq!(damaged, [false, false, true, false, false]);
    assert_eq!((facts.oddities.damaged_records, facts.truncated), (1, None));
    assert_eq!(facts.clipped_packets, 0);
}

#[test]
fn secrets_are_kept_with_their_place() {
    let mut source = Source::open(&edge("ng_dsb.pcapng"), &OpenOptions::default()).unwrap();
    let frames = read_all(&mut source, 1).unwrap();
    assert_eq!((frames.len(), source.facts().secrets_blocks), (5, 1));
    let [secrets] = source.secrets() else { panic!("one block") };
    assert_eq!((secrets.kind, secrets.after_frame), (0x544c_534b, 0));
    assert!(secrets.octets.starts_with(b"CLIENT_RANDOM "), "{:?}", secrets.octets);
}

#[test]
fn what_is_no_capture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, octets).unwrap();
        path
    };
    for (path, said) in [
        (edge("empty.pcap"), "is empty"),
        (edge("junk.bin"), "its first octets are neither"),
        (edge("README.md"), "a text file"),
        (edge("none.pcap"), "no such file"),
        (edge(""), "is a directory"),
        (
            write("a", &[0x1f, 0x8b, 8, 0, 0, 0]),
            "no capture can be unpacked: the compressed data breaks off",
        ),
        (write("b", &[0x28, 0xb5, 0x2f, 0xfd, 0]), "data breaks off"),
        (write("c", &[0x04, 0x22, 0x4d, 0x18]), "data breaks off"),
        (write("d", &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0]), "its pcap header is cut off"),
        (write("e", &[10, 13, 13, 10, 28, 0, 0, 0, 1, 2, 3, 4]), "no byte order"),
        (write("f", b"x"), "a text file"),
    ] {
        for options in WAYS {
            let error = read(&path, &options).unwrap_err();
            assert_eq!(error.path(), path);
            assert!(error.to_string().contains(said), "{error}");
        }
    }
    assert!(matches!(pipe(Vec::new(), 1), Err(CaptureError::Empty { .. })));
}

/// A little-endian pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let total = (body.len().next_multiple_of(4) + 12) as u32;
    let mut block = [kind.to_le_bytes(), total.to_le_bytes()].concat();
    block.extend_from_slice(body);
    block.resize(total as usize - 4, 0);
    block.extend_from_slice(&total.to_le_bytes());
    block
}

/// An option of eight octets.
fn option(code: u16, value: u64) -> Vec<u8> {
    [&code.to_le_bytes()[..], &[8, 0], &value.to_le_bytes()].concat()
}

fn section() -> Vec<u8> {
    let mut body = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    body.extend_from_slice(&[1, 0, 0, 0]);
    body.extend_from_slice(&[0xff; 8]);
    let interface = [&[101, 0, 0, 0, 96, 0, 0, 0][..], &[13, 0, 1, 0, 4, 0, 0, 0]].concat();
    [block(0x0a0d_0d0a, &body), block(1, &interface)].concat()
}

fn packet(captured: u32, original: u32, octets: &[u8], options: &[u8]) -> Vec<u8> {
    let fixed = [0, 0, 1000, captured, original].map(u32::to_le_bytes).concat();
    block(6, &[&fixed, octets, options].concat())
}

#[test]
fn blocks_that_wireshark_numbers_are_numbered() {
    let frame = packet(4, 4, b"abcd", &[]);
    let custom = [&32_473_u32.to_le_bytes()[..], b"custom  "].concat();
    let mut octets = section();
    for kind in [9, 0x0bad, 4, 0x4000_0bad, 0x777] {
        octets.extend_from_slice(&frame);
        octets.extend(block(kind, &custom));
    }
    let (frames, facts) = pipe(octets, 4096).unwrap();
    let numbers: Vec<_> = frames.iter().map(|(frame, _)| frame.number).collect();
    assert_eq!(numbers, [1, 3, 5, 6, 8]);
    assert_eq!((facts.packets, facts.oddities.skipped_blocks), (5, 5));
    assert_eq!(facts.skipped_octets, 5 * 24);
}

#[test]
fn what_interfaces_and_packets_say_of_drops_is_summed_over_their_last_word() {
    let statistics = |interface: u32, received, dropped, lost| {
        let fixed = [interface, 0, 0].map(u32::to_le_bytes).concat();
        let options = [option(4, received), option(5, dropped), option(7, lost)].concat();
        block(5, &[fixed, options].concat())
    };
    let drops = [option(4, 7), option(4, 2)].concat();
    let mut octets = [section(), block(1, &[101, 0, 0, 0, 0, 0, 0, 0])].concat();
    octets.extend(statistics(0, 10, 1, 2));
    octets.extend(packet(96, 96, &[b'x'; 96], &drops));
    octets.extend(statistics(0, 100, 3, 4));
    octets.extend(statistics(1, 5, 0, 0));
    octets.extend(statistics(9, 5, 5, 5));
    octets.extend(packet(100, 200, &[b'x'; 100], b"\x01\0\x02\0hi\0\0"));
    octets.extend(packet(4, 3, b"xxxx", &[]));
    octets.extend(block(6, b"too short"));
    let (frames, facts) = pipe(octets, 4096).unwrap();
    let said = facts.statistics;
    assert_eq!((said.received, said.interface_drops), (Some(105), Some(3)));
    assert_eq!((said.system_drops, said.drops_before_packets), (Some(4), Some(9)));
    assert_eq!((facts.comments, facts.clipped_packets, facts.fcs_octets), (1, 1, Some(4)));
    let odd: Vec<_> = facts.oddities.named().into_iter().filter(|(_, n)| *n > 0).collect();
    let expected = [("lying-snap-lengths", 1), ("damaged-records", 1), ("short-originals", 1)];
    assert_eq!(odd, expected);
    assert!(frames[3].0.damaged && frames[3].0.number == 4);
}

/// Captures of many blocks, with records from none to more octets than a block has.
fn generated(folder: &Path) -> [PathBuf; 2] {
    let (plain, blocks) = (folder.join("many.pcap"), folder.join("many.pcapng"));
    let mut pcap = PcapWriter::new(fs::File::create(&plain).unwrap(), LinkType::RAW).unwrap();
    let mut pcapng = PcapngWriter::new(fs::File::create(&blocks).unwrap(), "test").unwrap();
    for n in 0..6000_u32 {
        let length = if n % 1999 == 7 { 300_000 + n } else { n * 37 % 1500 };
        let octets: Vec<u8> = (0..length).map(|at| (at ^ n) as u8).collect();
        let ts = Ts::from_nanos(T0 + i64::from(n) * 1_000_003);
        let original = length + n % 5;
        pcap.packet(ts, original, &octets).unwrap();
        let link = if n % 3 == 0 { LinkType::ETHERNET } else { LinkType::RAW };
        let comment = (n % 100 == 0).then_some("every hundredth");
        pcapng.packet(Some(ts), link, original, &octets, comment).unwrap();
        if n % 2000 == 500 {
            pcapng.secrets(0x544c_534b, &octets).unwrap();
        }
    }
    pcap.finish().unwrap();
    pcapng.finish().unwrap();
    [plain, blocks]
}

#[test]
fn long_files_are_the_same_every_way_and_come_back_as_written() {
    let folder = tempfile::tempdir().unwrap();
    for path in generated(folder.path()) {
        let (frames, facts) = read(&path, &OpenOptions::mapping(true)).unwrap();
        let octets = fs::read(&path).unwrap();
        let others = [read(&path, &OpenOptions::mapping(false)), pipe(octets, 50_000)];
        for other in others {
            let (same, same_facts) = other.unwrap();
            assert!(frames == same, "{}", path.display());
            assert_eq!(essence(&facts), essence(&same_facts));
        }
        assert_eq!((frames.len(), facts.packets, facts.clipped_packets), (6000, 6000, 4800));
        for (n, (frame, octets)) in (0_u32..).zip(&frames) {
            assert_eq!(frame.ts, Some(Ts::from_nanos(T0 + i64::from(n) * 1_000_003)));
            assert_eq!(frame.original, frame.captured + n % 5);
            assert!((0_u32..).zip(octets).all(|(at, octet)| *octet == (at ^ n) as u8));
        }
        if facts.format == Format::PcapNg {
            assert_eq!((facts.comments, facts.secrets_blocks), (60, 3));
            assert_eq!(facts.link_types, [LinkType::ETHERNET, LinkType::RAW]);
        }
    }
}

#[test]
fn chunks_that_are_kept_stay_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let [path, _] = generated(folder.path());
    for options in WAYS {
        let mut source = Source::open(&path, &options).unwrap();
        let (mut kept, mut chunk) = (Vec::new(), Chunk::default());
        while source.fill(&mut chunk, 64).unwrap() {
            kept.push(chunk.clone());
        }
        let mut n = 0_u32;
        for chunk in &kept {
            for frame in &chunk.frames {
                let octets = chunk.backing.frame(frame);
                assert!((0_u32..).zip(octets).all(|(at, octet)| *octet == (at ^ n) as u8));
                n += 1;
            }
        }
        assert_eq!(n, 6000);
        let (position, total) = source.position();
        assert_eq!(Some(position), total);
    }
}

#[test]
fn every_truncation_ends_with_the_frames_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for name in WHOLE.into_iter().chain(["hugecap.pcap", "ng_badlen.pcapng", "ng_spb.pcapng"]) {
        let whole = fs::read(edge(name)).unwrap();
        let (all, _) = read(&edge(name), &OpenOptions::default()).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let [mapped, blocks] = WAYS.map(|options| read(&path, &options));
            match (mapped, blocks) {
                (Ok((frames, facts)), Ok((same, same_facts))) => {
                    assert_eq!(frames, same, "{name} {cut}");
                    assert_eq!(essence(&facts), essence(&same_facts), "{name} {cut}");
                    assert!(all.starts_with(&frames), "{name} {cut}");
                    let _ = facts.truncated.map(|fault| fault.to_string());
                }
                (Err(mapped), Err(blocks)) => {
                    assert_eq!(mapped.to_string(), blocks.to_string());
                    assert!(cut < 24, "{name} {cut}");
                }
                (mapped, blocks) => panic!("{name} {cut}: {mapped:?} {blocks:?}"),
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_survived_the_same_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped");
    for entry in fs::read_dir(edge("")).unwrap() {
        let mut octets = fs::read(entry.unwrap().path()).unwrap();
        for at in 0..octets.len() {
            let bit = 1 << (at * 5 % 8);
            octets[at] ^= bit;
            fs::write(&path, &octets).unwrap();
            let [mapped, blocks] = WAYS.map(|options| read(&path, &options));
            match (mapped, blocks) {
                (Ok((frames, facts)), Ok((same, same_facts))) => {
                    assert!(frames.len() <= octets.len() / 12);
                    assert_eq!(frames, same);
                    assert_eq!(essence(&facts), essence(&same_facts));
                }
                (Err(mapped), Err(blocks)) => assert_eq!(mapped.to_string(), blocks.to_string()),
                (mapped, blocks) => panic!("{mapped:?} {blocks:?}"),
            }
            octets[at] ^= bit;
        }
    }
}

#[test]
fn a_merge_goes_by_time_and_keeps_each_source_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let times: [&[i64]; 3] = [&[0, 10, 5, 30, 40], &[1, 2, 3, 50], &[10, 10, 60]];
    let paths: Vec<_> = times
        .iter()
        .enumerate()
        .map(|(index, times)| {
            let path = folder.path().join(index.to_string());
            let file = fs::File::create(&path).unwrap();
            let mut writer = PcapWriter::new(file, LinkType::RAW).unwrap();
            for time in *times {
                let ts = Ts::from_nanos(T0).plus(Span::from_nanos(*time));
                writer.packet(ts, 1, &[*time as u8]).unwrap();
            }
            writer.finish().unwrap();
            path
        })
        .collect();
    let expected = [
        (0, 0),
        (1, 1),
        (1, 2),
        (1, 3),
        (0, 10),
        (0, 5),
        (2, 10),
        (2, 10),
        (0, 30),
        (0, 40),
        (1, 50),
        (2, 60),
    ];
    for (options, max_frames) in
        WAYS.into_iter().flat_map(|way| [1, 3, 99].map(|most| (way.clone(), most)))
    {
        let open = |path: &PathBuf| Source::open(path, &options).unwrap();
        let mut merge = Merge::new(paths.iter().map(open).collect());
        let (mut batch, mut order) = (MergedBatch::default(), Vec::new());
        while merge.next_batch(max_frames, &mut batch) {
            assert!(batch.frames.len() <= max_frames);
            for (source, backing, frame) in &batch.frames {
                let octets = batch.backings[usize::from(*backing)].frame(frame);
                order.push((*source, octets[0]));
            }
        }
        assert_eq!(order, expected, "{options:?} {max_frames}");
        assert_eq!(merge.sources().map(|source| source.facts().packets).sum::<u64>(), 12);
    }
}

#[test]
fn a_merge_of_one_source_is_that_source() {
    let folder = tempfile::tempdir().unwrap();
    for path in generated(folder.path()) {
        for options in WAYS {
            let (frames, _) = read(&path, &options).unwrap();
            let mut merge = Merge::new(vec![Source::open(&path, &options).unwrap()]);
            let (mut batch, mut merged) = (MergedBatch::default(), Vec::new());
            while merge.next_batch(256, &mut batch) {
                merged.extend(batch.frames.iter().map(|(source, backing, frame)| {
                    assert_eq!(*source, 0);
                    seen(&batch.backings[usize::from(*backing)], frame)
                }));
            }
            assert!(merged == frames);
        }
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_mapped_ends_with_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let [path, _] = generated(folder.path());
    let mut source = Source::open(&path, &OpenOptions::mapping(true)).unwrap();
    let mut chunk = Chunk::default();
    assert!(source.fill(&mut chunk, 16).unwrap());
    // Far behind the window that is populated, so that nothing touched is gone.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(2 << 20).unwrap();
    let frames = read_all(&mut source, 4096).unwrap();
    let facts = source.facts();
    let fault = facts.truncated.unwrap();
    assert_eq!(fault.kind, FaultKind::Io(io::ErrorKind::UnexpectedEof), "{fault}");
    assert!(fault.offset < 2 << 20 && frames.len() > 100);
}

#[test]
fn many_sources_merge_into_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let [_, path] = generated(folder.path());
    let (frames, _) = read(&path, &OpenOptions::mapping(true)).unwrap();
    let open = |index: usize| Source::open(&path, &WAYS[index % 2]).unwrap();
    let mut merge = Merge::new((0..40).map(open).collect());
    let (mut batch, mut count) = (MergedBatch::default(), 0);
    while merge.next_batch(4096, &mut batch) {
        for (source, backing, frame) in &batch.frames {
            assert_eq!((usize::from(*source), count / 40), (count % 40, frame.number as usize - 1));
            let octets = batch.backings[usize::from(*backing)].frame(frame);
            assert!(octets == frames[count / 40].1);
            count += 1;
        }
    }
    assert_eq!(count, 40 * 6000);
    assert!(merge.failures().is_empty());
}

#[test]
fn packets_without_time_are_written_and_go_with_the_one_before() {
    let mut writer = PcapngWriter::new(Vec::new(), "test").unwrap();
    writer.packet(Some(Ts::from_nanos(T0)), LinkType::RAW, 3, b"one", None).unwrap();
    writer.packet(None, LinkType::RAW, 3, b"two", None).unwrap();
    writer.packet(None, LinkType::ETHERNET, 5, b"three", Some("lost")).unwrap();
    assert!(writer.packet(None, LinkType::ETHERNET, 9, b"three", None).is_err());
    let (frames, facts) = pipe(writer.finish().unwrap(), 11).unwrap();
    let octets: Vec<_> = frames.iter().map(|(_, octets)| octets.as_slice()).collect();
    assert_eq!(octets, [&b"one"[..], b"two", b"three"]);
    assert_eq!(facts.link_types, [LinkType::RAW, LinkType::ETHERNET]);
    assert_eq!((facts.first_packet, facts.last_packet), (frames[0].0.ts, frames[0].0.ts));
}

#[test]
fn a_length_that_promises_too_much_ends_a_pipe_as_it_ends_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("promise");
    let mut octets = fs::read(edge("ok.pcap")).unwrap();
    let tail = octets.len();
    octets.extend_from_within(24..40);
    octets[tail + 8..tail + 12].copy_from_slice(&(60_u32 << 20).to_le_bytes());
    octets.resize(tail + 16 + (3 << 20), 0xaa);
    fs::write(&path, &octets).unwrap();
    let (frames, facts) = read(&path, &OpenOptions::mapping(true)).unwrap();
    assert_eq!(frames.len(), 5);
    let fault = facts.truncated.unwrap();
    assert!(matches!(fault.kind, FaultKind::Record { record: 6, .. }), "{fault}");
    let blocks = read(&path, &OpenOptions::mapping(false)).unwrap();
    let piped = pipe(octets, 1 << 16).unwrap();
    assert_eq!((essence(&blocks.1), essence(&piped.1)), (essence(&facts), essence(&facts)));
}
