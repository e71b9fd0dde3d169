//! A handshake as JSON, with its offer, its certificates and its alert. A test
//! holds it against what serde would write.

use super::put;
use super::records::{Json, Object, Out, members, more, object, words};
use crate::model::code_point::{CipherSuite, Group, Number, Scheme, SrtpProfile, Version};
use crate::model::handshake::{
    AlertRecord, CertificateRecord, Ending, HandshakeRecord, Offered, Outcome, Peer,
};
use crate::model::record::HandshakeKind;
use crate::model::shared::Shared;

object! { Offered { versions ciphers groups signature_algorithms srtp_profiles } }

object! { AlertRecord<'_> { level description from } }

object! {
    CertificateRecord {
        subject issuer serial not_before not_after key signature san sha256 self_signed
    }
}

object! {
    HandshakeRecord<'_> {
        id kind over_sctp client server first_source first_frame last_source last_frame start setup_ms
        sni alpn alpn_chosen offered version cipher cipher_id group dh_bits srtp_profile certificates
        client_certificates certificate_requested client_certificate resumed retried extended_master_secret
        encrypt_then_mac secure_renegotiation compression early_data encrypted_client_hello
        outcome ended_by alert ja3 ja3s ja4 decrypted
    }
}

words! { HandshakeKind { Tls "tls" Dtls "dtls" } }

words! { Peer { Client "client" Server "server" } }

words! { Outcome { Completed "completed" Refused "refused" Incomplete "incomplete" } }

words! {
    Ending {
        Finished "finished" Data "data" Alert "alert" ServerReset "server-reset"
        ServerClosed "server-closed" ClientReset "client-reset" ClientClosed "client-closed"
        Silence "silence"
    }
}

impl Json for Shared<'_, Offered> {
    fn json(&self, out: &mut Out) {
        out.repeated(0, self.place(), self.value());
    }
}

impl Json for Shared<'_, Vec<CertificateRecord>> {
    fn json(&self, out: &mut Out) {
        out.repeated(1, self.place(), self.value());
    }
}

/// [`Json`] for code points: names, which need no escapes.
macro_rules! code_points {
    ($($name:ident)*) => {$(
        impl Json for $name {
            #[inline]
            fn json(&self, out: &mut Out) {
                match self.name() {
                    Some(name) => {
                        out.octets.push(b'"');
                        out.raw(name);
                        out.octets.push(b'"');
                    }
                    None => put::number(self.0, &mut out.octets),
                }
            }
        }
    )*};
}

code_points! { Version CipherSuite Number Group Scheme SrtpProfile }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::sample;

    fn same(record: &HandshakeRecord<'_>) {
        let mut out = Out::default();
        record.json(&mut out);
        let json = String::from_utf8(out.octets).unwrap();
        assert_eq!(json, serde_json::to_string(record).unwrap());
    }

    #[test]
    fn handshakes_are_written_as_serde_writes_them() {
        let mut handshake = sample::handshake(7);
        same(&handshake);
        handshake.kind = HandshakeKind::Dtls;
        for outcome in [Outcome::Refused, Outcome::Incomplete] {
            handshake.outcome = outcome;
            same(&handshake);
        }
        for ending in [
            Ending::Data,
            Ending::Alert,
            Ending::ServerReset,
            Ending::ServerClosed,
            Ending::ClientReset,
            Ending::ClientClosed,
            Ending::Silence,
        ] {
            handshake.ended_by = ending;
            same(&handshake);
        }
        (handshake.offered, handshake.certificates, handshake.alert) = (None, None, None);
        (handshake.cipher, handshake.setup_ms, handshake.ja3) = (None, None, None);
        same(&handshake);
    }
}
