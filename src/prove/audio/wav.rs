//! Samples to a WAV file of 16 bits, by way of the `hound` crate, whose only door this is.

use std::io::{self, Seek, Write};

use hound::{SampleFormat, WavSpec, WavWriter};

/// Writes what `play` appends, until it returns false; samples of several channels alternate. What was
/// written, in samples a channel.
///
/// # Errors
/// Those of `out`, and when a file would be larger than WAV can say (4 GiB).
pub fn write(
    out: impl Write + Seek,
    (rate, channels): (u32, u16),
    play: &mut dyn FnMut(&mut Vec<i16>) -> bool,
) -> io::Result<u64> {
    let spec = WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::new(out, spec).map_err(failure)?;
    let mut buffer = Vec::new();
    while play(&mut buffer) {
        for sample in &buffer {
            writer.write_sample(*sample).map_err(failure)?;
        }
        buffer.clear();
    }
    let samples = u64::from(writer.duration());
    writer.finalize().map_err(failure)?;
    Ok(samples)
}

fn failure(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_file_has_a_header_of_44_octets_and_the_samples() {
        let mut file = Cursor::new(Vec::new());
        let mut left = 3;
        let samples = write(&mut file, (8_000, 2), &mut |out| {
            out.extend([1, -1]);
            left -= 1;
            left >= 0
        });
        assert_eq!(samples.unwrap(), 3);
        let octets = file.into_inner();
        assert_eq!(
            (&octets[..4], &octets[8..16], octets.len()),
            (&b"RIFF"[..], &b"WAVEfmt "[..], 44 + 12)
        );
        assert_eq!(octets[24..28], 8_000_u32.to_le_bytes());
        assert_eq!(octets[44..48], [1, 0, 0xff, 0xff]);
    }
}
