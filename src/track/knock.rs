//! Whether somebody answers who wants an SCTP association with the port of SIP over TLS (RFC 4168 §4.1, RFC 9260
//! §5.1): an INIT that is sent again, or to which there comes an ABORT, is an attempt that failed. Of TCP the
//! same is noticed in `tcp_connection/glance.rs`.

use crate::model::addr::{Endpoint, Proto};
use crate::model::fact::Body;

use super::emit::Emitter;
use super::input::Input;

/// The port of SIP over TLS (RFC 3261 §19.1.2, RFC 4168 §4.1).
pub(super) const SIPS_PORT: u16 = 5061;

/// Kinds of chunks (RFC 9260 §3.2).
const INIT: u8 = 1;
const ABORT: u8 = 6;

/// How far an association has opened.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Knock {
    /// Nobody asked for it where the capture shows it.
    #[default]
    None,
    /// The smaller end sent an INIT, or the larger one.
    Asked { by_larger: bool },
    /// The other side answered, or there is no more to tell.
    Over,
}

impl Knock {
    /// Takes the kind of a chunk.
    pub(super) fn chunk(&mut self, input: &Input, kind: u8, emit: &mut Emitter<'_>) {
        let (src, dst) = (input.packet.src, input.packet.dst);
        let sent_by_larger = src > dst;
        *self = match *self {
            _ if ![src.port, dst.port].contains(&SIPS_PORT) => return,
            Self::None | Self::Over if kind == INIT => Self::Asked { by_larger: sent_by_larger },
            Self::Asked { by_larger } if by_larger == sent_by_larger => {
                if kind != INIT {
                    return;
                }
                failed((src, dst), false, emit)
            }
            Self::Asked { .. } if kind == ABORT => failed((dst, src), true, emit),
            Self::Asked { .. } => Self::Over,
            Self::None | Self::Over => return,
        };
    }
}

/// Tells of an attempt that failed.
fn failed((src, dst): (Endpoint, Endpoint), reset: bool, emit: &mut Emitter<'_>) -> Knock {
    emit.fact(Body::Unanswered { src, dst, reset, proto: Proto::SCTP });
    Knock::Over
}
