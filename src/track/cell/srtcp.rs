//! SRTCP among the datagrams of a cell: counted apart and told of by its sender, and those told of that do not encrypt.

use overhear_parsers::rtcp;

use crate::model::fact::Body;
use crate::model::stream::StreamKey;
use crate::track::emit::Emitter;
use crate::track::input::Input;
use crate::track::srtcp_flows::Said;

use super::Cell;

impl Cell {
    /// Whether this datagram, which is not RTCP in clear, is certainly SRTCP.
    pub(super) fn srtcp(&mut self, input: &Input, datagram: &[u8], emit: &mut Emitter<'_>) -> bool {
        let &[0x80..=0xbf, 200..=207, _, _, a, b, c, d, ..] = datagram else { return false };
        if input.packet.clipped {
            return false;
        }
        let (src, dst, ssrc) =
            (input.packet.src, input.packet.dst, u32::from_be_bytes([a, b, c, d]));
        // Nearly always one packet says it.
        if !rtcp::srtcp_index(datagram).is_some_and(|index| index.encrypted) {
            let stream = StreamKey { src, dst, ssrc };
            match self.srtcp.datagram(&stream, datagram, input.watermark) {
                Said::Nothing => return false,
                Said::Clear { news: true } => emit.fact(Body::SrtcpClear { src, dst, ssrc }),
                Said::Encrypted | Said::Clear { .. } => {}
            }
        }
        emit.fact(Body::Srtcp { src, dst, ssrc });
        true
    }
}
