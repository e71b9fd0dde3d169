//! Invariant 3, passive: nothing is sent to what is watched, and nothing is written but what was
//! asked for.

#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::BTreeSet;

use support::root;
use support::source::sources;

/// What opens a socket, sends, or starts something that could.
const SENDS: [&str; 14] = [
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "UnixDatagram",
    "UnixListener",
    "ToSocketAddrs",
    "socket2",
    "libc::",
    "nix::",
    "extern \"C\"",
    "process::Command",
    "Command::new(",
    ".sendto(",
];

/// What opens a file for writing, or changes the file system.
const WRITES: [&str; 12] = [
    "File::create",
    "OpenOptions::new",
    "File::options",
    "fs::write",
    "fs::remove",
    "fs::rename",
    "fs::create_dir",
    "fs::copy",
    "set_permissions",
    "tempfile::",
    "set_len(",
    "fs::hard_link",
];

/// Who may write, and what.
const WRITERS: [(&str, &str); 6] = [
    ("src/capture/kept.rs", "an unlinked temporary file"),
    ("src/cli/listen.rs", "the folder for what is heard, where the user wants it"),
    ("src/cli/output.rs", "the report, where the user wants it"),
    ("src/cli/offline.rs", "the packets of a scenario, where the user wants them"),
    ("src/correlate/spool.rs", "an unlinked temporary file"),
    ("src/engine/revealed.rs", "what is heard, where the user wants it"),
];

/// Who may start a program, and which.
const STARTERS: [(&str, &str); 1] =
    [("src/prove/audio/external.rs", "ffmpeg, on a file that it has just written, if asked to")];

#[test]
fn no_source_opens_a_socket_or_starts_a_program() {
    for source in sources() {
        let starts = STARTERS.iter().any(|(path, _)| *path == source.path);
        for word in SENDS.iter().filter(|word| !(starts && word.contains("Command"))) {
            // Arguments are read by clap's `Command`, which starts nothing.
            assert!(!source.code.contains(word), "{word} in {}", source.path);
        }
    }
}

#[test]
fn files_are_written_only_where_the_user_asked() {
    let mut found = BTreeSet::new();
    for source in sources() {
        for word in WRITES {
            if source.code.contains(word) {
                let allowed = WRITERS.iter().find(|(path, _)| *path == source.path);
                assert!(allowed.is_some(), "{word} in {}", source.path);
                found.insert(source.path.clone());
            }
        }
    }
    assert!(found.contains("src/correlate/spool.rs"), "the scan sees nothing: {found:?}");
}

#[test]
fn no_dependency_is_a_network_library() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in
        ["tokio", "mio", "socket2", "reqwest", "hyper", "ureq", "curl", "async-std", "quinn"]
    {
        assert!(!lock.contains(&format!("name = \"{name}\"")), "{name} is in Cargo.lock");
    }
}
