//! SDP (RFC 8866), read leniently.
