//! L16: linear samples of 16 bits in network order, channels side by side (RFC 3551 §4.5.11).

/// What SDP says of the samples.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct L16 {
    rate: u32,
    channels: u16,
}

impl L16 {
    /// Samples of so many channels, `rate` a second of each; 0 is taken as 44,100 Hz and one channel.
    pub const fn new(rate: u32, channels: u16) -> Self {
        let rate = if rate == 0 { 44_100 } else { rate };
        let channels = if channels == 0 { 1 } else { channels };
        Self { rate, channels }
    }

    /// Samples a second of each channel.
    pub const fn rate(&self) -> u32 {
        self.rate
    }

    /// Appends the mean of the channels for each sample.
    pub fn decode(&self, payload: &[u8], out: &mut Vec<i16>) {
        let channels = usize::from(self.channels);
        let (samples, _) = payload.as_chunks::<2>();
        for moment in samples.chunks_exact(channels) {
            let sum: i64 = moment.iter().map(|octets| i64::from(i16::from_be_bytes(*octets))).sum();
            let mean = sum.checked_div(i64::from(self.channels)).unwrap_or_default();
            out.push(i16::try_from(mean).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_in_network_order_and_channels_are_mixed() {
        let mut out = Vec::new();
        L16::new(8_000, 1).decode(&[0x01, 0x02, 0xff, 0xfe, 0x7f], &mut out);
        assert_eq!(out, [0x0102, -2]);
        out.clear();
        L16::new(0, 2).decode(&[0, 10, 0, 20, 0x80, 0, 0x80, 0, 0, 1], &mut out);
        assert_eq!(out, [15, i16::MIN]);
    }
}
