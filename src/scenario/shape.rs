//! How the frames of a step look on the wire, whatever they carry: TTL, VLAN, fragments, snap
//! length, mirror copies. Every step takes these options; `set` changes their defaults.

use super::args::Args;
use super::value;

/// The options that every step has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// `ttl=`: TTL or hop limit.
    pub ttl: u8,
    /// `tos=`: the whole octet, DSCP and ECN.
    pub tos: u8,
    /// `id=`: a fixed IPv4 identification; otherwise each host counts.
    pub id: Option<u16>,
    /// `vlan=10` or `vlan=10,20`: tags, the outer one first.
    pub vlan: Vec<u16>,
    /// `snap=`: octets captured of each frame.
    pub snap: Option<usize>,
    /// `mirror=10us`: every frame again after that long, as the other mirrored port shows it.
    pub mirror: Option<i64>,
    /// `mirror-tos=0`: the octet that the router between the two ports puts into the copy.
    pub mirror_tos: Option<u8>,
    /// `fragment=400`: IP payload octets per fragment, rounded down to a multiple of 8.
    pub fragment: Option<usize>,
    /// `fragorder=reversed`.
    pub reversed: bool,
    /// `fraglose=2`: fragments, counted from 1, that are not captured.
    pub fraglose: Vec<(u64, u64)>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            ttl: 64,
            tos: 0,
            id: None,
            vlan: Vec::new(),
            snap: None,
            mirror: None,
            mirror_tos: None,
            fragment: None,
            reversed: false,
            fraglose: Vec::new(),
        }
    }
}

impl Shape {
    /// This shape with what `args` change.
    pub(super) fn with(&self, args: &mut Args<'_>) -> Result<Self, String> {
        let vlans = |text: &str| text.split(',').map(value::narrow).collect::<Result<_, _>>();
        let fragment = args.read("fragment", value::narrow::<usize>)?;
        if fragment.is_some_and(|size| size < 8) {
            return Err("fragment: fewer than 8 octets do not make a fragment".to_owned());
        }
        Ok(Self {
            ttl: args.number("ttl", self.ttl)?,
            tos: args.number("tos", self.tos)?,
            id: args.read("id", value::narrow)?.or(self.id),
            vlan: args.read("vlan", vlans)?.unwrap_or_else(|| self.vlan.clone()),
            snap: args.read("snap", value::narrow)?.or(self.snap),
            mirror: args.read("mirror", value::span)?.or(self.mirror),
            mirror_tos: args.read("mirror-tos", value::narrow)?.or(self.mirror_tos),
            fragment: fragment.or(self.fragment),
            reversed: args.choice("fragorder", &["sent", "reversed"])? == "reversed",
            fraglose: args.ranges("fraglose")?,
        })
    }

    /// The shape of a mirror copy: one hop further.
    pub(super) fn copied(&self) -> Self {
        let (ttl, tos) = (self.ttl.saturating_sub(1), self.mirror_tos.unwrap_or(self.tos));
        Self { ttl, tos, mirror: None, ..self.clone() }
    }
}
