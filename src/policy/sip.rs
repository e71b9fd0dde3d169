//! Thresholds of the rules about SIP messages, by the names of the catalogue.

super::table! {
    /// Thresholds of the rules about SIP messages.
    SipThresholds;
    /// Malformed messages a minute and source from which they are a medium finding
    /// (`SIP-MALFORMED-*`).
    malformed_medium_a_minute = 5,
    /// The same for a high one.
    malformed_high_a_minute = 50,
    /// 1: SIP requests without any mark of preference count as well (`QOS-DSCP`).
    dscp_unmarked_signalling = 0,
    /// Ways in which one source breaks the grammar within ten minutes (`SIP-FUZZING`).
    fuzzing_kinds = 8,
    /// Octets of a start line above which it is too large (`SIP-OVERSIZE`).
    oversize_start_line = 2_048,
    /// The same for one header with its folds.
    oversize_header = 4_096,
    /// Headers of a message.
    oversize_headers = 100,
    /// Via values of a message.
    oversize_vias = 70,
    /// Octets of a message.
    oversize_message = 16_384,
    /// Octets of a session description.
    oversize_description = 8_192,
    /// Its media lines.
    oversize_media = 20,
    /// Parameters of the Request-URI.
    oversize_uri_parameters = 32,
    /// Octets of a request above which it should not go over UDP (RFC 3261 §18.1.1). Messages of up to
    /// 1,200 octets and 60 headers are not measured.
    oversize_datagram = 1_300,
}
