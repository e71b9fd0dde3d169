//! SRTCP among the datagrams of a cell: counted apart, and its senders told of that do not encrypt.

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
        // One packet said it already.
        if rtcp::srtcp_index(datagram).is_some_and(|index| index.encrypted) {
            return true;
        }
        let (src, dst) = (input.packet.src, input.packet.dst);
        let stream = StreamKey { src, dst, ssrc: u32::from_be_bytes([a, b, c, d]) };
        let said = self.srtcp.datagram(&stream, datagram, input.watermark);
        if said == (Said::Clear { news: true }) {
            emit.fact(Body::SrtcpClear { src, dst, ssrc: stream.ssrc });
        }
        said != Said::Nothing
    }
}
