//! What the descriptions of a call use beyond audio in both directions (the report's `calls[].media.features`).

/// What a call's descriptions use, one bit each, with the words of the report.
pub(super) const FEATURES: [(u8, &str); 6] = [
    (ICE, "ice"),
    (NAMED, "fqdn"),
    (CAPABILITIES, "capability-negotiation"),
    (T38, "t38"),
    (ONE_WAY, "one-way"),
    (RECORDED, "siprec"),
];
pub(super) const ICE: u8 = 1;
pub(super) const NAMED: u8 = 1 << 1;
pub(super) const CAPABILITIES: u8 = 1 << 2;
pub(super) const T38: u8 = 1 << 3;
/// Audio in one direction, or in none.
pub(super) const ONE_WAY: u8 = 1 << 4;
/// The other side is a recorder.
pub(super) const RECORDED: u8 = 1 << 5;
