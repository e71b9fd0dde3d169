//! TLS and DTLS opened with secrets that the user supplies: a key log, secrets in the capture, the
//! server's RSA key. Records in, plaintext out; what is in the plaintext is for others to read.
//!
//! [`keylog`] reads secrets, [`schedule`] makes keys of them, [`record`] opens one direction's
//! records, [`session`] knows which keys hold when. [`suites`] is the table of what can be opened,
//! [`primitives`] the one door to the crates that compute. Nothing here prints a secret, and nothing
//! here is constant in time: whoever has the keys has nothing to learn from ours.

pub mod datagrams;
mod flight;
pub mod keylog;
pub mod keys;
pub mod primitives;
pub mod record;
pub mod rsa;
pub mod schedule;
pub mod session;
pub mod stream;
pub mod suites;

#[cfg(test)]
pub(crate) mod testing {
    //! What the tests of this folder share.

    /// Octets of hexadecimal digits; everything else between them is ignored.
    pub(crate) fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .chars()
            .filter_map(|c| c.to_digit(16))
            .filter_map(|digit| u8::try_from(digit).ok())
            .collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }
}
