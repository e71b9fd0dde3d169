//! Why a capture could not be used at all. What goes wrong later is a
//! [`Fault`](super::Fault), and the frames before it count.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::packed::Spoilt;

/// Why a source could not be opened, or not be read from its first frame on. One sentence each.
#[derive(Debug)]
pub enum CaptureError {
    /// There is no such file.
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The file may not be read by this user.
    NoPermission {
        /// The path as given.
        path: PathBuf,
    },
    /// The path is a directory: the caller walks those.
    IsDirectory {
        /// The path as given.
        path: PathBuf,
    },
    /// There is not one octet.
    Empty {
        /// The path as given.
        path: PathBuf,
    },
    /// The first octets are neither pcap nor pcapng.
    NotACapture {
        /// The path as given.
        path: PathBuf,
        /// What it looks like instead, as the end of a sentence.
        hint: &'static str,
    },
    /// It is compressed, and no capture came out of it.
    Packed {
        /// The path as given.
        path: PathBuf,
        /// What is wrong with the compressed data.
        spoilt: Spoilt,
    },
    /// The system refused.
    Io {
        /// The path as given.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl CaptureError {
    /// Sorts an error of the system by what the user can do about it.
    pub(super) fn of(path: &Path, error: io::Error) -> Self {
        let path = path.to_path_buf();
        if let Some(spoilt) = Spoilt::of(&error) {
            return Self::Packed { path, spoilt };
        }
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::PermissionDenied => Self::NoPermission { path },
            io::ErrorKind::IsADirectory => Self::IsDirectory { path },
            _ => Self::Io { path, error },
        }
    }

    /// The path as given; `-` for standard input.
    pub fn path(&self) -> &Path {
        match self {
            Self::NotFound { path }
            | Self::NoPermission { path }
            | Self::IsDirectory { path }
            | Self::Empty { path }
            | Self::NotACapture { path, .. }
            | Self::Packed { path, .. }
            | Self::Io { path, .. } => path,
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file name is input too: it must not command the terminal.
        for character in self.path().to_string_lossy().chars() {
            let shown =
                if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
            fmt::Write::write_char(f, shown)?;
        }
        match self {
            Self::NotFound { .. } => f.write_str(": no such file"),
            Self::NoPermission { .. } => f.write_str(": no permission to read it"),
            Self::IsDirectory { .. } => f.write_str(": is a directory"),
            Self::Empty { .. } => f.write_str(": is empty"),
            Self::NotACapture { hint, .. } => write!(f, ": not a capture: {hint}"),
            Self::Packed { spoilt, .. } => {
                write!(f, ": no capture can be unpacked: the compressed data {spoilt}")
            }
            Self::Io { error, .. } => write!(f, ": cannot be read: {error}"),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// What a file that is no capture looks like, from its first octets.
pub(super) fn hint(first: &[u8]) -> &'static str {
    match first {
        [0x02, 0x21, 0x4c, 0x18, ..] => "compressed with lz4 in its legacy format, not supported",
        [b'B', b'Z', b'h', ..] => "compressed with bzip2, not supported",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "compressed with xz, not supported",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [b's', b'n', b'o', b'o', b'p', 0, ..] => "a snoop file",
        _ if first.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace()) => {
            "a text file"
        }
        _ => "its first octets are neither those of pcap nor those of pcapng",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_a_sentence_with_its_path() {
        let path = Path::new("a\x1b[31m.pcap");
        let missing = CaptureError::of(path, io::ErrorKind::NotFound.into());
        assert_eq!(missing.to_string(), "a\u{fffd}[31m.pcap: no such file");
        let text = CaptureError::NotACapture { path: "x".into(), hint: hint(b"INVITE sip:") };
        assert_eq!(text.to_string(), "x: not a capture: a text file");
    }
}
