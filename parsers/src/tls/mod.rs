//! TLS and SSL as a tap reads them: records, the handshake in clear, certificates, fingerprints.
//!
//! RFC 8446, RFC 5246, RFC 6101 and the SSL 2.0 hellos. Nothing is decrypted here, no state is kept:
//! what a record is, where a handshake message ends, and what each message says. DTLS carries the
//! same messages in records of its own ([`crate::dtls`]).
//!
//! Code points stay numbers; [`registry`] names them.

pub mod alert;
pub mod certificate;
pub mod client_hello;
pub mod extension;
pub mod fingerprint;
pub mod handshake;
pub mod key_exchange;
mod reader;
pub mod record;
pub mod registry;
pub mod server_hello;
pub mod ssl2;
pub mod suite;

pub use self::alert::Alert;
pub use self::client_hello::ClientHello;
pub use self::extension::{Codes, Extensions};
pub use self::handshake::{Message, MessageType, Messages};
pub use self::record::{Record, Start, start};
pub use self::server_hello::{EncryptedExtensions, ServerHello};
pub use self::suite::{Suite, Weak, WeakOffers};
