//! Alerts (RFC 8446 §6, RFC 5246 §7.2): why a handshake was refused, as far as it is said in clear.

/// An alert in clear.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// 1 warning, 2 fatal.
    pub level: u8,
    /// What is wrong; [`super::registry::alert`] names it.
    pub description: u8,
}

impl Alert {
    /// The alert that the fragment of a record in clear is.
    pub fn read(fragment: &[u8]) -> Option<Self> {
        let &[level @ 1..=2, description] = fragment else { return None };
        Some(Self { level, description })
    }

    /// Whether it ends the connection: a fatal one, or in TLS 1.3, which ignores levels, any but
    /// `close_notify` and `user_canceled`.
    pub const fn is_fatal(self, tls13: bool) -> bool {
        self.level == 2 || tls13 && !matches!(self.description, 0 | 90)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_octets_are_an_alert() {
        assert_eq!(Alert::read(&[2, 40]), Some(Alert { level: 2, description: 40 }));
        assert_eq!(
            (Alert::read(&[2]), Alert::read(&[3, 40]), Alert::read(&[9; 19])),
            (None, None, None)
        );
    }
}
