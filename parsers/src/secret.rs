//! A borrowed secret: a key, a digest response, a password. It has no `Display`, and its `Debug`
//! prints only how long it is, so that it cannot reach a log or a report by accident.

use std::fmt;

/// Octets that must not be printed (SDES keys, digest responses, passwords).
#[derive(Copy, Clone, PartialEq, Eq, Default)]
pub struct Secret<'a>(&'a [u8]);

impl<'a> Secret<'a> {
    /// Marks `octets` as secret.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets themselves, for a hash, a comparison or a decryption; never for output.
    pub const fn expose(self) -> &'a [u8] {
        self.0
    }

    /// Length in octets.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// True when there are no octets: an empty digest response is legal in a first `REGISTER`.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        assert_eq!(format!("{:?}", Secret::new(b"hunter2")), "Secret(7)");
    }
}
