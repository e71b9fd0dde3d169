//! T.38 in SDP (ITU-T T.38 annex D; the media type of RFC 3362): how pages will be sent. Attribute names
//! are compared in any case, as gateways write them in several.

use super::Media;
use crate::cursor::{narrow, trim};

/// What a media description says of T.38.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Fax<'a> {
    /// `T38FaxVersion`, 0 to 4; 0 if it is not said.
    pub version: u8,
    /// `T38MaxBitRate`, bit/s.
    pub max_bit_rate: Option<u32>,
    /// `T38FaxRateManagement`: `transferredTCF` or `localTCF`, as written.
    pub rate_management: Option<&'a [u8]>,
    /// `T38FaxMaxBuffer`, octets.
    pub max_buffer: Option<u32>,
    /// `T38FaxMaxDatagram`, octets.
    pub max_datagram: Option<u32>,
    /// `T38FaxUdpEC`: `t38UDPRedundancy`, `t38UDPFEC`, `t38UDPNoEC`, as written.
    pub error_correction: Option<&'a [u8]>,
    /// `T38FaxFillBitRemoval`.
    pub fill_bit_removal: bool,
    /// `T38FaxTranscodingMMR`.
    pub mmr: bool,
    /// `T38FaxTranscodingJBIG`.
    pub jbig: bool,
}

impl<'a> Media<'a> {
    /// True if the medium is T.38: `image` with the format `t38`, whatever carries it.
    pub fn is_t38(&self) -> bool {
        self.kind.eq_ignore_ascii_case(b"image")
            && self.formats().any(|format| format.eq_ignore_ascii_case(b"t38"))
    }

    /// True if pages travel as readable UDPTL: not in DTLS (RFC 7345), nor over TCP.
    pub fn is_udptl(&self) -> bool {
        self.proto.eq_ignore_ascii_case(b"udptl")
    }

    /// The parameters; `None` if the medium is not T.38.
    pub fn fax(&self) -> Option<Fax<'a>> {
        if !self.is_t38() {
            return None;
        }
        let number = |name: &[u8]| self.attribute(name).and_then(narrow);
        // An attribute that is only a name is set; `:0` is not.
        let flag = |name: &[u8]| self.attribute(name).is_some_and(|value| trim(value) != b"0");
        Some(Fax {
            version: self.attribute(b"T38FaxVersion").and_then(narrow).unwrap_or(0),
            max_bit_rate: number(b"T38MaxBitRate"),
            rate_management: self.attribute(b"T38FaxRateManagement"),
            max_buffer: number(b"T38FaxMaxBuffer"),
            max_datagram: number(b"T38FaxMaxDatagram"),
            error_correction: self.attribute(b"T38FaxUdpEC"),
            fill_bit_removal: flag(b"T38FaxFillBitRemoval"),
            mmr: flag(b"T38FaxTranscodingMMR"),
            jbig: flag(b"T38FaxTranscodingJBIG"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn the_parameters_of_a_fax_are_read() {
        let text = b"m=image 49170 udptl t38\r\na=T38FaxVersion:3\r\na=t38MaxBitRate:14400\r\n\
            a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:262\r\na=T38FaxMaxDatagram:90\r\n\
            a=T38FaxUdpEC:t38UDPRedundancy\r\na=T38FaxFillBitRemoval\r\na=T38FaxTranscodingMMR:0\r\n";
        let media = parse(text).media().next().unwrap();
        let fax = media.fax().unwrap();
        assert_eq!((fax.version, fax.max_bit_rate, fax.max_datagram), (3, Some(14_400), Some(90)));
        assert_eq!(fax.error_correction, Some(&b"t38UDPRedundancy"[..]));
        assert!(fax.fill_bit_removal && !fax.mmr && !fax.jbig && media.is_udptl());
    }

    #[test]
    fn an_image_of_another_format_is_no_fax() {
        let read = |text: &'static [u8]| parse(text).media().next().unwrap();
        assert_eq!(read(b"m=image 1 udptl x\r\na=T38FaxVersion:0\r\n").fax(), None);
        assert!(!read(b"m=image 1 UDP/TLS/UDPTL t38\r\n").is_udptl());
        assert!(read(b"m=IMAGE 1 TCP T38\r\n").fax().is_some());
    }
}
