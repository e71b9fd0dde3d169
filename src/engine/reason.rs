//! The words of the accounting for frames that the decoder leaves out.

use crate::decode::Skip;
use crate::model::tally::Skipped;

/// What a frame is booked under.
pub(super) fn reason(skip: Skip) -> Skipped {
    match skip {
        Skip::NotIp => Skipped::NotIp,
        Skip::UnsupportedLink => Skipped::UnsupportedLink,
        Skip::MalformedLink => Skipped::MalformedLink,
        Skip::MalformedNetwork => Skipped::MalformedNetwork,
        Skip::MalformedTransport => Skipped::MalformedTransport,
        Skip::NotVoip => Skipped::NotVoip,
        Skip::MalformedTunnel => Skipped::MalformedTunnel,
        Skip::TunnelDepth => Skipped::TunnelDepth,
        Skip::Encrypted => Skipped::Encrypted,
        Skip::FragmentIncomplete => Skipped::FragmentIncomplete,
    }
}
