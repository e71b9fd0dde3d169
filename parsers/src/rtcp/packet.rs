//! The sub-packets of a compound RTCP packet: SR, RR, SDES, BYE; of extended reports the `VoIP` metrics.
//!
//! RFC 3550 §6.4 to §6.6, RFC 3611 (XR), RFC 4585 (feedback). Padding stays in the body.

/// One sub-packet, its header read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// RC, SC or FMT: 5 bits whose meaning depends on the type.
    pub count: u8,
    /// P: the last octet counts padding.
    pub padding: bool,
    /// PT, as on the wire: 200 SR, 201 RR, 202 SDES, 203 BYE, 204 APP, 205 and 206 feedback,
    /// 207 XR.
    pub packet_type: u8,
    /// What follows the first 4 octets; a multiple of 4 octets long.
    pub body: &'a [u8],
}

/// The meaning of a sub-packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// RFC 3550 §6.4.1.
    SenderReport {
        /// Who sends.
        ssrc: u32,
        /// 32.32 seconds since 1900.
        ntp: u64,
        /// The same moment in ticks of the media clock.
        rtp_timestamp: u32,
        /// Packets sent since the start.
        packets: u32,
        /// Payload octets sent since the start.
        octets: u32,
        /// What it received from others.
        reports: Reports<'a>,
    },
    /// RFC 3550 §6.4.2.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// What it received.
        reports: Reports<'a>,
    },
    /// RFC 3550 §6.5.
    Sdes(Sdes<'a>),
    /// RFC 3550 §6.6.
    Bye {
        /// The sources that leave, 4 octets each, big endian.
        sources: &'a [u8],
        /// Why, if said.
        reason: Option<&'a [u8]>,
    },
    /// RFC 3611.
    ExtendedReport {
        /// Who reports.
        ssrc: u32,
        /// Its report blocks.
        blocks: &'a [u8],
    },
    /// Any other type, or one whose body is too short for it.
    Other,
}

/// One report block (RFC 3550 §6.4.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source reported on.
    pub ssrc: u32,
    /// Fraction lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the start; negative with duplicates. 24 bits.
    pub cumulative_lost: i32,
    /// Highest sequence number received, extended by its wraps.
    pub highest_sequence: u32,
    /// Interarrival jitter, in ticks of the media clock.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last SR received, or 0.
    pub last_sr: u32,
    /// Delay since that SR, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

/// One item of a source description.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SdesItem<'a> {
    /// The source described.
    pub ssrc: u32,
    /// 1 CNAME, 2 NAME, 3 EMAIL, 4 PHONE, 5 LOC, 6 TOOL, 7 NOTE, 8 PRIV.
    pub kind: u8,
    /// The text, UTF-8 by the standard, anything on the wire.
    pub text: &'a [u8],
}

/// The sub-packets of a datagram, up to the first that does not fit.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

/// The report blocks of an SR or RR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reports<'a> {
    left: u8,
    rest: &'a [u8],
}

/// The items of an SDES packet, all chunks in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdes<'a> {
    chunks_left: u8,
    ssrc: Option<u32>,
    whole: usize,
    rest: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the sub-packet at the start of `octets`; `None` unless V=2, PT is 192 to 223 and the
    /// length fits.
    pub fn read(octets: &'a [u8]) -> Option<Self> {
        let (&[first, packet_type, high, low], rest) = octets.split_first_chunk()?;
        if first >> 6 != 2 || !(192..=223).contains(&packet_type) {
            return None;
        }
        let body = rest.get(..usize::from(u16::from_be_bytes([high, low])).saturating_mul(4))?;
        Some(Self { count: first & 0x1f, padding: first & 0x20 != 0, packet_type, body })
    }

    /// Its length on the wire, octets.
    pub fn octets(&self) -> usize {
        self.body.len().saturating_add(4)
    }

    /// The SSRC that every type but SDES and BYE starts with.
    pub fn ssrc(&self) -> Option<u32> {
        self.body.first_chunk().map(|ssrc| u32::from_be_bytes(*ssrc))
    }

    /// Reads the body.
    pub fn decode(&self) -> Body<'a> {
        self.try_decode().unwrap_or(Body::Other)
    }

    fn try_decode(&self) -> Option<Body<'a>> {
        let mut rest = self.body;
        Some(match self.packet_type {
            200 => {
                let ssrc = word(&mut rest)?;
                let ntp = u64::from(word(&mut rest)?) << 32 | u64::from(word(&mut rest)?);
                Body::SenderReport {
                    ssrc,
                    ntp,
                    rtp_timestamp: word(&mut rest)?,
                    packets: word(&mut rest)?,
                    octets: word(&mut rest)?,
                    reports: Reports { left: self.count, rest },
                }
            }
            201 => Body::ReceiverReport {
                ssrc: word(&mut rest)?,
                reports: Reports { left: self.count, rest },
            },
            202 => {
                Body::Sdes(Sdes { chunks_left: self.count, ssrc: None, whole: rest.len(), rest })
            }
            203 => {
                let (sources, rest) =
                    rest.split_at_checked(usize::from(self.count).saturating_mul(4))?;
                let reason = rest
                    .split_first()
                    .and_then(|(&length, text)| text.get(..usize::from(length)))
                    .filter(|text| !text.is_empty());
                Body::Bye { sources, reason }
            }
            207 => Body::ExtendedReport { ssrc: word(&mut rest)?, blocks: rest },
            _ => return None,
        })
    }
}

impl<'a> Packets<'a> {
    /// Walks `datagram` from its start.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// What has not been walked: empty at the end of a well-formed compound packet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let packet = Packet::read(self.rest)?;
        self.rest = self.rest.get(packet.octets()..)?;
        Some(packet)
    }
}

impl Iterator for Reports<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        self.left = self.left.checked_sub(1)?;
        let rest = &mut self.rest;
        let ssrc = word(rest)?;
        let [fraction_lost, lost @ ..] = word(rest)?.to_be_bytes();
        let [high, middle, low] = lost;
        let sign = if high & 0x80 == 0 { 0 } else { 0xff };
        Some(ReportBlock {
            ssrc,
            fraction_lost,
            cumulative_lost: i32::from_be_bytes([sign, high, middle, low]),
            highest_sequence: word(rest)?,
            jitter: word(rest)?,
            last_sr: word(rest)?,
            delay_since_last_sr: word(rest)?,
        })
    }
}

impl<'a> Iterator for Sdes<'a> {
    type Item = SdesItem<'a>;

    fn next(&mut self) -> Option<SdesItem<'a>> {
        loop {
            let ssrc = if let Some(ssrc) = self.ssrc {
                ssrc
            } else {
                self.chunks_left = self.chunks_left.checked_sub(1)?;
                *self.ssrc.insert(word(&mut self.rest)?)
            };
            let (&kind, rest) = self.rest.split_first()?;
            if kind == 0 {
                // A chunk ends with one to four zero octets, up to the next 32-bit boundary.
                let at = self.whole.saturating_sub(self.rest.len());
                let pad = 4_usize.saturating_sub(at & 3);
                self.rest = self.rest.get(pad..)?;
                self.ssrc = None;
                continue;
            }
            let (&length, rest) = rest.split_first()?;
            let (text, rest) = rest.split_at_checked(usize::from(length))?;
            self.rest = rest;
            return Some(SdesItem { ssrc, kind, text });
        }
    }
}

fn word(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u32::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, packet_type: u8, body: &[u8]) -> Vec<u8> {
        let words = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
        [&[first, packet_type], &words[..], body].concat()
    }

    #[test]
    fn a_sender_report_gives_its_counts_and_blocks() {
        let mut body = vec![0, 0, 0, 1];
        body.extend([0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6]);
        body.extend([0, 0, 0, 7, 128, 0xff, 0xff, 0xfe, 0, 1, 0, 2]);
        body.extend([0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 10]);
        let octets = packet(0x81, 200, &body);
        let Body::SenderReport { ssrc, ntp, rtp_timestamp, packets, octets, mut reports } =
            Packet::read(&octets).unwrap().decode()
        else {
            panic!("not a sender report")
        };
        assert_eq!((ssrc, ntp, rtp_timestamp, packets, octets), (1, 2 << 32 | 3, 4, 5, 6));
        let block = reports.next().unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (128, -2));
        assert_eq!((block.highest_sequence, block.jitter), (0x1_0002, 8));
        assert_eq!(reports.next(), None);
    }

    #[test]
    fn descriptions_of_two_sources_are_walked_over_their_padding() {
        let body = [
            &[0, 0, 0, 1, 1, 3, b'a', b'@', b'b', 6, 1, b't', 0, 0, 0, 0][..],
            &[0, 0, 0, 2, 1, 1, b'c', 0][..],
        ]
        .concat();
        let octets = packet(0x82, 202, &body);
        let Body::Sdes(items) = Packet::read(&octets).unwrap().decode() else { panic!() };
        let items: Vec<_> = items.map(|item| (item.ssrc, item.kind, item.text)).collect();
        assert_eq!(items, [(1, 1, &b"a@b"[..]), (1, 6, b"t"), (2, 1, b"c")]);
    }

    #[test]
    fn a_goodbye_names_its_sources_and_its_reason() {
        let octets = packet(0x81, 203, &[0, 0, 0, 1, 3, b'b', b'y', b'e']);
        let reason = Some(&b"bye"[..]);
        assert_eq!(
            Packet::read(&octets).unwrap().decode(),
            Body::Bye { sources: &[0, 0, 0, 1], reason }
        );
    }

    #[test]
    fn bodies_too_short_for_their_type_are_other() {
        for packet_type in [200, 201, 203, 207, 204] {
            assert_eq!(
                Packet::read(&packet(0x81, packet_type, &[])).unwrap().decode(),
                Body::Other
            );
        }
    }
}
