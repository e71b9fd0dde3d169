//! The way a packet came: the tunnels that it was found in, and what tells two ways apart.

use std::fmt;

use super::{Network, Skip};
use crate::policy::limits::TUNNEL_DEPTH;

/// An encapsulation.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// None.
    #[default]
    None,
    /// MPLS (RFC 3032); the identifier is the bottom label, entropy labels (RFC 6790) passed over.
    Mpls,
    /// `PPPoE` (RFC 2516); the identifier is the session.
    Pppoe,
    /// Provider backbone bridging (IEEE 802.1ah); the identifier is the I-SID.
    Pbb,
    /// `MACsec` (IEEE 802.1AE) that authenticates only.
    Macsec,
    /// Network service header (RFC 8300); the identifier is the service path.
    Nsh,
    /// IP in IP: RFC 2003, RFC 2473, RFC 4213.
    Ip,
    /// GRE (RFC 2784, RFC 2890, RFC 2637); the identifier is the key.
    Gre,
    /// NVGRE (RFC 7637); the identifier is the virtual subnet.
    Nvgre,
    /// ERSPAN I, II or III; the identifier is the session.
    Erspan,
    /// Ethernet in IP (RFC 3378).
    EtherIp,
    /// ESP without encryption (RFC 2410, RFC 4303); the identifier is the SPI.
    Esp,
    /// VXLAN (RFC 7348); the identifier is the VNI.
    Vxlan,
    /// GENEVE (RFC 8926); the identifier is the VNI.
    Geneve,
    /// GTP-U (3GPP TS 29.281); the identifier is the TEID.
    GtpU,
    /// L2TP (RFC 2661, RFC 3931); the identifier is tunnel and session, or the session.
    L2tp,
    /// `TaZmen` sniffer protocol.
    Tzsp,
    /// Teredo (RFC 4380).
    Teredo,
    /// HEP: a copy that a capture agent sent. Always the innermost; the identifier is the agent.
    Hep,
}

const NAMES: [(Kind, &str); 19] = [
    (Kind::None, ""),
    (Kind::Mpls, "MPLS"),
    (Kind::Pppoe, "PPPoE"),
    (Kind::Pbb, "PBB"),
    (Kind::Macsec, "MACsec"),
    (Kind::Nsh, "NSH"),
    (Kind::Ip, "IP"),
    (Kind::Gre, "GRE"),
    (Kind::Nvgre, "NVGRE"),
    (Kind::Erspan, "ERSPAN"),
    (Kind::EtherIp, "EtherIP"),
    (Kind::Esp, "ESP"),
    (Kind::Vxlan, "VXLAN"),
    (Kind::Geneve, "GENEVE"),
    (Kind::GtpU, "GTP-U"),
    (Kind::L2tp, "L2TP"),
    (Kind::Tzsp, "TZSP"),
    (Kind::Teredo, "Teredo"),
    (Kind::Hep, "HEP"),
];

impl Kind {
    /// Its number, for hashes.
    fn number(self) -> u64 {
        let place = NAMES.iter().position(|(kind, _)| *kind == self).unwrap_or_default();
        u64::try_from(place).unwrap_or_default()
    }

    /// The name that its standard gives it; empty for [`Kind::None`].
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// The tunnels around a packet: the three innermost by name, the innermost with its identifier.
///
/// Prints as `VXLAN 42 in GRE`; nothing for a packet that came plain.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Tunnels {
    /// The innermost first.
    kinds: [Kind; 3],
    depth: u8,
    ident: u32,
}

impl Tunnels {
    /// The innermost tunnel; [`Kind::None`] if the packet came plain.
    pub fn innermost(self) -> Kind {
        let [kind, _, _] = self.kinds;
        kind
    }

    /// The innermost tunnel's identifier, as [`Kind`] says; 0 where it has none.
    pub fn ident(self) -> u32 {
        self.ident
    }

    /// How many tunnels there are, one inside the other.
    pub fn depth(self) -> u8 {
        self.depth
    }

    /// Whether this is a copy that a HEP agent sent rather than the packet itself.
    pub fn is_hep(self) -> bool {
        self.innermost() == Kind::Hep
    }

    fn inside(self, kind: Kind, ident: u32) -> Self {
        let [first, second, _] = self.kinds;
        Self { kinds: [kind, first, second], depth: self.depth.saturating_add(1), ident }
    }
}

impl fmt::Display for Tunnels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.kinds.iter().take_while(|kind| **kind != Kind::None);
        for (place, kind) in known.enumerate() {
            f.write_str(if place == 0 { "" } else { " in " })?;
            f.write_str(kind.name())?;
            if place == 0 && self.ident != 0 {
                write!(f, " {}", self.ident)?;
            }
        }
        let more = usize::from(self.depth) > self.kinds.len();
        f.write_str(if more { " in more" } else { "" })
    }
}

/// What was passed through on the way to a header.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Hash of MAC pairs and VLAN identifiers; 0 where no link has a header.
    link: u64,
    /// Hash of tunnels: their kinds, identifiers and ends. 0 outside all tunnels.
    ends: u64,
    tunnels: Tunnels,
}

impl Path {
    /// The tunnels so far.
    pub fn tunnels(&self) -> Tunnels {
        self.tunnels
    }

    /// See [`super::Packet::link_hash`].
    pub fn link_hash(&self) -> u32 {
        fold(self.link) ^ fold(self.ends)
    }

    /// What tells fragments in different tunnels apart; 0 outside all tunnels. Links do not count:
    /// fragments of one datagram may be mirrored from two of them.
    pub fn ends(&self) -> u32 {
        fold(self.ends)
    }

    /// Enters a tunnel.
    ///
    /// # Errors
    /// [`Skip::TunnelDepth`] where there are too many already.
    pub(super) fn enter(&mut self, kind: Kind, ident: u32) -> Result<(), Skip> {
        if self.tunnels.depth >= TUNNEL_DEPTH {
            return Err(Skip::TunnelDepth);
        }
        self.tunnels = self.tunnels.inside(kind, ident);
        self.ends = mix(mix(self.ends, kind.number()), u64::from(ident));
        Ok(())
    }

    /// Enters a tunnel between two IP addresses.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub(super) fn enter_between(
        &mut self,
        network: &Network,
        kind: Kind,
        ident: u32,
    ) -> Result<(), Skip> {
        for addr in [network.src, network.dst] {
            let (halves, _) = addr.octets().as_chunks::<8>();
            self.ends =
                halves.iter().fold(self.ends, |all, half| mix(all, u64::from_be_bytes(*half)));
        }
        self.enter(kind, ident)
    }

    /// Notes a pair of MAC addresses, or what stands for one.
    pub(super) fn macs(&mut self, macs: &[u8; 12]) {
        self.link = mac_hash(self.link, macs);
    }

    /// Notes a VLAN tag.
    pub(super) fn tag(&mut self, tag: u16) {
        self.link = tag_hash(self.link, tag);
    }

    /// Notes a word of a link header that differs between links.
    pub(super) fn word(&mut self, word: u64) {
        self.link = mix(self.link, word);
    }
}

/// The hash of a MAC pair, from the twelve octets as they stand, after `hash`.
///
/// It only has to tell honest links apart, so two multiplications do.
pub(super) fn mac_hash(hash: u64, macs: &[u8; 12]) -> u64 {
    let &[ref high @ .., w, x, y, z] = macs;
    mix(mix(hash, u64::from_be_bytes(*high)), u64::from(u32::from_be_bytes([w, x, y, z])))
}

/// The hash with a VLAN tag (its 12-bit identifier; priority may differ between sightings).
pub(super) fn tag_hash(hash: u64, tag: u16) -> u64 {
    mix(hash, u64::from(tag & 0x0fff) | 0x1_0000)
}

/// The upper half of a hash.
pub(super) fn fold(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_said_from_the_inside_out() {
        let mut path = Path::default();
        assert_eq!(path.tunnels().to_string(), "");
        path.enter(Kind::Gre, 7).unwrap();
        assert_eq!(path.tunnels().to_string(), "GRE 7");
        path.enter(Kind::Vxlan, 42).unwrap();
        assert_eq!(path.tunnels().to_string(), "VXLAN 42 in GRE");
        path.enter(Kind::Ip, 0).unwrap();
        path.enter(Kind::Mpls, 16).unwrap();
        assert_eq!(path.tunnels().to_string(), "MPLS 16 in IP in VXLAN in more");
        assert_eq!(size_of::<Tunnels>(), 8);
    }

    #[test]
    fn names_stand_in_the_order_of_the_kinds() {
        assert!(NAMES.is_sorted_by_key(|(kind, _)| *kind));
        assert!(NAMES.iter().all(|(kind, name)| kind.name() == *name));
    }

    #[test]
    fn every_tunnel_and_every_end_makes_another_way() {
        let way = |steps: &[(Kind, u32)]| {
            let mut path = Path::default();
            for (kind, ident) in steps {
                path.enter(*kind, *ident).unwrap();
            }
            path.ends()
        };
        let ways = [
            way(&[]),
            way(&[(Kind::Vxlan, 1)]),
            way(&[(Kind::Vxlan, 2)]),
            way(&[(Kind::Geneve, 1)]),
            way(&[(Kind::Vxlan, 1), (Kind::Ip, 0)]),
            way(&[(Kind::Ip, 0), (Kind::Vxlan, 1)]),
        ];
        let distinct: std::collections::BTreeSet<u32> = ways.into_iter().collect();
        assert_eq!((distinct.len(), way(&[])), (ways.len(), 0));
    }
}
