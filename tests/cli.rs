//! The command line without a capture: usage, exit statuses, messages.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use assert_cmd::Command;

fn overhear(words: &[&str]) -> Command {
    let mut command = Command::cargo_bin("overhear").unwrap();
    command.args(words).env_remove("COLUMNS").env_remove("NO_COLOR");
    command
}

/// Exit status, stdout, stderr.
fn ran(words: &[&str]) -> (i32, String, String) {
    let output = overhear(words).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn help_and_version_go_to_stdout_with_status_0() {
    for words in [&["--help"][..], &["--version"], &["review", "--help"], &["calls", "--help"]] {
        let (status, stdout, stderr) = ran(words);
        assert_eq!((status, stderr.as_str()), (0, ""), "{words:?}");
        assert!(stdout.contains("overhear"), "{words:?}");
    }
}

#[test]
fn bad_usage_is_status_2_with_an_empty_stdout() {
    for words in [
        &[][..],
        &["review"],
        &["--no-such-flag", "x.pcap"],
        &["ladder", "x.pcap"],
        &["x.pcap", "--fail-on", "terrible"],
        &["x.pcap", "--limit", "nothing=1"],
        &["-", "-"],
        &["explain", "NO-SUCH-RULE"],
    ] {
        let (status, stdout, stderr) = ran(words);
        assert_eq!((status, stdout.as_str()), (2, ""), "{words:?}: {stderr}");
        assert!(!stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn a_slip_of_the_pen_is_answered_with_the_command_meant() {
    let (status, _, stderr) = ran(&["reveiw", "x.pcap"]);
    assert_eq!(status, 2);
    assert_eq!(
        stderr,
        "overhear: 'reveiw' is neither a command nor an existing file; did you mean 'review'?\n"
    );
}

#[test]
fn a_missing_file_is_one_sentence_that_cannot_harm_a_terminal() {
    let (status, stdout, stderr) = ran(&["no\u{1b}[2Jfile.pcap"]);
    assert_eq!((status, stdout.as_str()), (2, ""));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("no\\u{1b}[2Jfile.pcap"), "{stderr}");
    let (status, _, stderr) = ran(&["review", "no-such-file.pcap"]);
    assert_eq!((status, stderr.lines().count()), (2, 1), "{stderr}");
}

#[test]
fn a_directory_without_captures_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "nothing").unwrap();
    let (status, _, stderr) = ran(&[folder.path().to_str().unwrap()]);
    assert_eq!(status, 2);
    assert!(stderr.contains("no pcap or pcapng file in it"), "{stderr}");
}

#[test]
fn an_input_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pcap");
    std::fs::write(&path, "evidence").unwrap();
    let path = path.to_str().unwrap();
    let (status, _, stderr) = ran(&[path, "--json", path]);
    assert_eq!(status, 2);
    assert!(stderr.contains("is an input"), "{stderr}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "evidence");
}

#[test]
fn an_output_that_cannot_be_written_is_status_2_and_a_failed_run_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("text.pcap");
    std::fs::write(&input, "this is a text\n").unwrap();
    let input = input.to_str().unwrap();
    let (status, _, stderr) = ran(&[input, "--json", "/no-such-folder/x.json"]);
    assert_eq!(status, 2);
    assert!(stderr.contains("cannot be written"), "{stderr}");
    let json = folder.path().join("x.json");
    let (status, stdout, _) = ran(&[input, "--json", json.to_str().unwrap()]);
    assert_eq!((status, stdout.as_str()), (2, ""));
    assert!(!json.exists());
}

#[test]
fn the_schema_is_json_and_names_itself() {
    let (status, stdout, stderr) = ran(&["schema"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(schema["properties"]["schema"]["const"], "overhear.report/1");
}

#[test]
fn the_rules_are_listed_as_json_too() {
    let (status, stdout, _) = ran(&["rules", "--format", "json"]);
    assert_eq!(status, 0);
    assert!(serde_json::from_str::<serde_json::Value>(&stdout).unwrap().is_array());
}

#[test]
fn limits_are_printed_without_a_capture_and_can_be_set() {
    let (status, stdout, _) = ran(&["--limits", "--limit", "streams=1234"]);
    assert_eq!(status, 0);
    let line = stdout.lines().find(|line| line.starts_with("streams ")).unwrap();
    assert!(line.contains("1,234"), "{line}");
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("overhear"))
        .arg("schema")
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn secrets_that_cannot_be_read_are_status_2_before_anything_is_written() {
    let capture = "fixtures/recorded/siptls_tls13.pcapng";
    for (option, file, why) in [
        ("--keylog", "/nowhere/keys.log", "cannot be read"),
        ("--rsa-key", "/nowhere/key.pem", "cannot be read"),
        ("--rsa-key", capture, "no RSA private key"),
    ] {
        let (status, stdout, stderr) = ran(&["review", capture, option, file, "--json", "-"]);
        assert_eq!((status, stdout.as_str()), (2, ""), "{option} {file}");
        assert!(stderr.contains(option) && stderr.contains(why), "{stderr}");
    }
    let log = format!("{capture}.keylog");
    let (status, stdout, _) = ran(&[capture, "--keylog", &log, "--keylog", &log, "--json", "-"]);
    assert_eq!(status, 0);
    assert!(stdout.contains("\"decrypted\": true") || stdout.contains("\"decrypted\":true"));
}
