//! What may be said on the command line. Letters are those of tcpdump, tshark and sngrep.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

mod listen;
mod live;

pub(super) use listen::{Decrypt, Listen};
pub(super) use live::{Autostop, Live};

use super::Failure;
use super::keys::{anchors, domain};
use super::limits;
use super::moment::moment;
use crate::model::finding::Severity;
use crate::model::time::Ts;
use crate::policy::Policy;
use crate::policy::limits::CELLS;

const EXAMPLES: &str = "\
Examples:
  overhear office.pcapng                     what can be listened to, and why
  overhear captures/ --json report.json      a folder, and a report for programs
  tcpdump -r x.pcap -w - udp | overhear -    from a pipe
  overhear calls office.pcapng               one line per call
  overhear ladder office.pcapng --call c0f3  one call as an arrow diagram
  overhear review x.pcap.gz -w y.pcapng --call c0f3    its packets, commented
  overhear listen office.pcapng --call c0f3  how much of it can be heard
  overhear explain MEDIA-CLEARTEXT-RTP       what a finding means

`overhear FILE...` is short for `overhear review FILE...`.
Exit status: 0 done; 1 a finding at or above --fail-on; 2 bad usage or nothing
usable; 3 nothing at --fail-on, but the evidence is incomplete.";

const USAGE: &str = "overhear FILE...\n       overhear <COMMAND> [OPTIONS]";

/// What an eavesdropper could do with the SIP and RTP traffic in a capture
#[derive(Debug, Parser)]
#[command(name = "overhear", version, max_term_width = 80, after_help = EXAMPLES)]
#[command(disable_help_subcommand = true, override_usage = USAGE)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// `review` was not written out.
    #[arg(skip)]
    pub(super) bare: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Forensic review of captures
    Review(Review),
    /// Watch interfaces until ^C, -c or -a
    Live(Live),
    /// One line per call
    Calls(Calls),
    /// A call as an arrow diagram
    Ladder(Ladder),
    /// Proof that a call can be listened to
    Listen(Listen),
    /// Media of a call, opened with exposed keys, as packets
    Decrypt(Decrypt),
    /// A test scenario as a capture
    Scenario(Scenario),
    /// Every rule
    Rules(Rules),
    /// What a rule finds, why it matters, how to fix it
    Explain(Explain),
    /// JSON schema of the report
    Schema(Schema),
}

/// Where packets come from, and how they are worked on.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// pcap or pcapng files, compressed or not, directories, or - for stdin
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Another FILE, as tcpdump and sngrep name it (repeatable)
    #[arg(short = 'r', short_alias = 'I', value_name = "FILE")]
    pub(super) read: Vec<PathBuf>,
    /// Only packets captured at this time or later (RFC 3339; UTC without an offset)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) from: Option<Ts>,
    /// Only packets captured before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) to: Option<Ts>,
    /// Stop after so many packets, those that were left out not counted
    #[arg(short = 'c', value_name = "N", value_parser = packets)]
    pub(super) count: Option<u64>,
    /// Only packets that pass this filter, in the language of tcpdump
    #[arg(short = 'f', long, value_name = "BPF", conflicts_with = "words")]
    pub(super) filter: Option<String>,
    /// The same as -f, as trailing words
    #[arg(last = true, value_name = "BPF")]
    pub(super) words: Vec<String>,
    #[command(flatten)]
    pub(super) secrets: Secrets,
    /// Worker threads [default: as many as cores]
    #[arg(long, value_name = "N", value_parser = lanes)]
    pub(super) lanes: Option<usize>,
    /// Read files instead of mapping them into memory
    #[arg(long)]
    pub(super) no_mmap: bool,
    /// No colours
    #[arg(long)]
    pub(super) no_color: bool,
    /// No progress bar and no terminal report
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Never resolve names (we never do)
    #[arg(short = 'n')]
    pub(super) numeric: bool,
    /// Set a table's cap, e.g. streams=50000 (advanced, repeatable; see --limits)
    #[arg(long, value_name = "TABLE=N", value_parser = limits::setting)]
    pub(super) limit: Vec<limits::Setting>,
    #[arg(long, hide = true, value_name = "N", value_parser = at_least_one)]
    pub(super) epoch_frames: Option<usize>,
}

/// With what TLS opens, and whom its certificates should lead to. What is inside is examined like
/// everything else; the secrets themselves are printed nowhere.
#[derive(Debug, Args)]
pub(super) struct Secrets {
    /// Open TLS with this key log, as SSLKEYLOGFILE makes one; secrets inside
    /// pcapng files are used without being asked for (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Vec<PathBuf>,
    /// Open TLS with the server's RSA private key, where its key exchange is
    /// static RSA (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(super) rsa_key: Vec<PathBuf>,
    /// Judge whether servers' certificates lead to one of these authorities: PEM or
    /// DER, or a directory of such files (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Vec<PathBuf>,
    /// A SIP domain that servers are expected to have a certificate for, where
    /// their client does not name one (repeatable: one of them)
    #[arg(long, value_name = "NAME", value_parser = domain)]
    pub(super) domain: Vec<String>,
}

impl Secrets {
    /// What of these a policy has.
    pub(super) fn judging(&self, policy: Policy) -> Result<Policy, Failure> {
        let domains = self.domain.as_slice().into();
        Ok(Policy { anchors: anchors(&self.ca)?, domains, ..policy })
    }
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Review {
    #[command(flatten)]
    pub(super) source: Source,
    /// Write the report as JSON; - for stdout, instead of the terminal report
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write calls, streams and findings as they end, a line of JSON each; - for
    /// stdout, instead of the terminal report
    #[arg(long, value_name = "FILE")]
    pub(super) ndjson: Option<PathBuf>,
    /// The name in these lines [default: none]
    #[arg(long, value_name = "NAME", requires = "ndjson")]
    pub(super) sensor: Option<String>,
    /// Write the selected packets as pcapng, with comments that name findings
    #[arg(short = 'w', long, value_name = "FILE")]
    pub(super) write: Option<PathBuf>,
    /// With -w: only the packets of this call, named by our id, the beginning of
    /// it, or its Call-ID (repeatable)
    #[arg(long, value_name = "ID", requires = "write")]
    pub(super) call: Vec<String>,
    /// SHA-256 of each source
    #[arg(long)]
    pub(super) hash: bool,
    /// Print every table's cap and size
    #[arg(long)]
    pub(super) limits: bool,
    /// Say what stands behind secret-1, secret-2, ...: keys, digest responses, digits,
    /// bodies of messages; the report says that you did
    #[arg(long)]
    pub(super) reveal_secrets: bool,
    /// Audio in outputs that carry any: of review none does, see overhear listen
    #[arg(long)]
    pub(super) reveal_audio: bool,
    /// Exit with 1 if a finding is at least this severe
    #[arg(long, value_name = "SEVERITY")]
    pub(super) fail_on: Option<FailOn>,
}

#[derive(Debug, Args)]
pub(super) struct Calls {
    #[command(flatten)]
    pub(super) source: Source,
}

#[derive(Debug, Args)]
pub(super) struct Ladder {
    #[command(flatten)]
    pub(super) source: Source,
    /// The call: our id or the beginning of it, or a SIP Call-ID
    #[arg(long, value_name = "ID")]
    pub(super) call: String,
}

#[derive(Debug, Args)]
pub(super) struct Scenario {
    /// The scenario, - for stdin
    #[arg(value_name = "X.scn")]
    pub(super) file: PathBuf,
    /// The pcapng file to write, - for stdout
    #[arg(short, value_name = "OUT.pcapng")]
    pub(super) write: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Rules {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A rule as `overhear rules` lists it
    #[arg(value_name = "RULE-ID")]
    pub(super) rule: String,
}

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// That of a line of --ndjson
    #[arg(long)]
    pub(super) ndjson: bool,
}

/// How a list is printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// A severity that may end the program with status 1.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Low,
    Medium,
    High,
    Critical,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Low => Self::Low,
            FailOn::Medium => Self::Medium,
            FailOn::High => Self::High,
            FailOn::Critical => Self::Critical,
        }
    }
}

/// Reads argv. Words that do not begin with a command are a review.
pub(super) fn parse(mut argv: Vec<OsString>) -> Result<Cli, clap::Error> {
    let bare = argv.get(1).is_some_and(|word| !is_known(word));
    if bare {
        argv.insert(1, "review".into());
    }
    let mut cli = Cli::try_parse_from(argv)?;
    cli.bare = bare;
    Ok(cli)
}

/// A command, or an option of the program itself.
fn is_known(word: &OsStr) -> bool {
    let word = word.to_str().unwrap_or_default();
    matches!(word, "-h" | "--help" | "-V" | "--version") || commands().any(|name| name == word)
}

/// The names of the commands.
fn commands() -> impl Iterator<Item = String> {
    let names: Vec<String> =
        Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter()
}

/// The command that `word` was probably meant to be.
pub(super) fn nearest_command(word: &str) -> Option<String> {
    nearest(word, commands())
}

/// The name nearest to `word`: at most two letters off, and fewer than half of them.
pub(super) fn nearest<N: AsRef<str>>(word: &str, names: impl Iterator<Item = N>) -> Option<N> {
    if word.len() > 64 {
        return None;
    }
    names
        .map(|name| (distance(word, name.as_ref()), name))
        .filter(|(off, name)| *off <= 2 && off * 2 < name.as_ref().len())
        .min_by_key(|(off, _)| *off)
        .map(|(_, name)| name)
}

/// Letters to insert, remove or replace to make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, from) in a.chars().enumerate() {
        let mut left = line + 1;
        let mut next = vec![left];
        for (to, pair) in b.iter().zip(row.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(from != *to)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

fn lanes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(lanes @ 1..=CELLS) => Ok(lanes),
        _ => Err(format!("a number from 1 to {CELLS} is needed")),
    }
}

fn packets(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "a number above 0 is needed".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "a number above 0 is needed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Cli, clap::Error> {
        parse(words.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn files_alone_are_a_review() {
        for words in ["overhear a.pcap -r b.pcap", "overhear review a.pcap -I b.pcap"] {
            let cli = parsed(words).unwrap();
            let Command::Review(review) = cli.command else { panic!("{words}") };
            assert_eq!(review.source.files, [PathBuf::from("a.pcap")]);
            assert_eq!(review.source.read, [PathBuf::from("b.pcap")]);
        }
        let Command::Review(review) = parsed("overhear --json - -q -").unwrap().command else {
            panic!("not a review")
        };
        assert_eq!(review.source.files, [PathBuf::from("-")]);
        assert!(parsed("overhear a.pcap").unwrap().bare);
        assert!(!parsed("overhear review a.pcap").unwrap().bare);
    }

    #[test]
    fn what_does_not_exist_is_bad_usage() {
        for words in [
            "overhear",
            "overhear --html x a.pcap",
            "overhear a.pcap --fail-on info",
            "overhear a.pcap --lanes 0",
            "overhear a.pcap --lanes 65",
            "overhear a.pcap --limit nothing=3",
            "overhear a.pcap --limit streams",
            "overhear ladder a.pcap",
            "overhear live -i eth0 -a duration:0",
            "overhear live -i eth0 -a files:3",
            "overhear live -i eth0 -c 0",
            "overhear rules --format xml",
        ] {
            let error = parsed(words).unwrap_err();
            assert!(error.use_stderr(), "{words}");
        }
    }

    #[test]
    fn a_slip_finds_its_command_and_a_file_name_does_not() {
        assert_eq!(nearest_command("reveiw").as_deref(), Some("review"));
        assert_eq!(nearest_command("call").as_deref(), Some("calls"));
        assert_eq!(nearest_command("explian").as_deref(), Some("explain"));
        assert_eq!(nearest_command("office"), None);
        assert_eq!(nearest_command("x"), None);
    }

    #[test]
    fn help_fits_eighty_columns() {
        let mut command = Cli::command();
        let mut texts = vec![command.render_help().to_string()];
        for sub in command.get_subcommands_mut() {
            texts.push(sub.render_help().to_string());
            texts.push(sub.render_long_help().to_string());
        }
        for line in texts.iter().flat_map(|text| text.lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
