//! Addresses as SDP writes them (RFC 8866 §9): nearly always IPv4 with dots, read without detours.
//! Names are not looked up.

use std::net::{IpAddr, Ipv4Addr};

/// Text as an IP address.
pub(super) fn ip(text: &[u8]) -> Option<IpAddr> {
    if let Some(v4) = plain_v4(text) {
        return Some(IpAddr::V4(v4));
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Four decimal numbers with dots, as the standard library reads them but without its detours.
fn plain_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut bits, mut number, mut digits, mut dots) = (0_u32, 0_u32, 0_u32, 0_u32);
    for &octet in text {
        let digit = octet.wrapping_sub(b'0');
        if digit < 10 && digits < 3 && (digits == 0 || number != 0) {
            number = number.wrapping_mul(10).wrapping_add(u32::from(digit));
            digits = digits.wrapping_add(1);
        } else if octet == b'.' && digits > 0 && dots < 3 && number < 256 {
            bits = bits << 8 | number;
            (number, digits, dots) = (0, 0, dots.wrapping_add(1));
        } else {
            return None;
        }
    }
    (digits > 0 && dots == 3 && number < 256).then(|| Ipv4Addr::from_bits(bits << 8 | number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_to_an_address_and_the_long_one_agree() {
        for text in [
            "1.2.3.4",
            "0.0.0.0",
            "255.255.255.255",
            "256.1.1.1",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.04",
            "1.2.3",
            "1.2.3.4.5",
            "1..2.3",
            ".1.2.3.4",
            "1.2.3.4.",
            "1.2.3.4 ",
            "1000.2.3.4",
            "",
            "a",
            "00.0.0.0",
            "::1",
            "2001:db8::1.2.3.4",
            "1.2.3.-4",
            "+1.2.3.4",
        ] {
            assert_eq!(ip(text.as_bytes()), text.parse().ok(), "{text}");
        }
    }
}
