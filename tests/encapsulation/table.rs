//! Every encapsulation with a capture: its link type and what is put around each packet of a base.

use super::wrap::*;

/// Which plain capture is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// `plain.scn`.
    V4,
    /// `plain6.scn`.
    V6,
    /// `fragments.scn`.
    Fragments,
}

/// What is put around a packet, and its place in the capture; mostly one frame.
pub(crate) type Wrap = fn(&[u8], u16) -> Vec<Octets>;

/// One capture of `fixtures/encapsulation`.
pub(crate) struct Row {
    /// Its name, without `.pcap`.
    pub(crate) name: &'static str,
    /// Its link type.
    pub(crate) link: u16,
    /// What it wraps.
    pub(crate) base: Base,
    /// How.
    pub(crate) wrap: Wrap,
    /// What tshark needs to see as much; `None` where it cannot.
    pub(crate) tshark: Option<&'static [&'static str]>,
}

macro_rules! rows {
    ($($name:literal $link:literal $base:ident $tshark:expr, |$ip:ident| $wrapped:expr;)*) => {
        &[$(Row {
            name: $name,
            link: $link,
            base: Base::$base,
            wrap: |$ip, _| vec![$wrapped],
            tshark: $tshark,
        }),*]
    };
}

const SEEN: Option<&[&str]> = Some(&[]);

/// Link types.
pub(crate) const LINKS: &[Row] = rows! {
    "link_ppp" 9 V4 SEEN, |ip| hdlc(ip);
    "link_ppp_short" 9 V4 SEEN, |ip| join(&[&[0x21], ip]);
    "link_ppp_hdlc" 50 V6 SEEN, |ip| hdlc(ip);
    "link_ppp_hdlc_cisco" 50 V4 SEEN, |ip| join(&[&[0x0f, 0], &ethertype(ip), ip]);
    "link_ppp_ether" 51 V4 SEEN, |ip| pppoe(ip);
    "link_ppp_pppd" 166 V4 None, |ip| join(&[&[1, 3], &ppp(ip)]);
    "link_ppp_with_dir" 204 V4 SEEN, |ip| join(&[&[1], &hdlc(ip)]);
    "link_c_hdlc" 104 V4 SEEN, |ip| join(&[&[0x0f, 0], &ethertype(ip), ip]);
    "link_c_hdlc_with_dir" 205 V6 None, |ip| join(&[&[0, 0x0f, 0], &ethertype(ip), ip]);
    "link_frelay" 107 V4 SEEN, |ip| join(&[&[0x18, 0x41, 3, 0xcc], ip]);
    "link_frelay_snap" 107 V4 SEEN,
        |ip| join(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0], &ethertype(ip), ip]);
    "link_frelay_cisco" 107 V4 SEEN, |ip| join(&[&[0x18, 0x41], &ethertype(ip), ip]);
    "link_frelay_with_dir" 206 V6 None, |ip| join(&[&[1, 0x18, 0x41, 3, 0x8e], ip]);
    "link_ieee802_11" 105 V4 SEEN, |ip| wlan(&[], &snap(ip));
    "link_ieee802_11_qos" 105 V6 SEEN, |ip| wlan_ip(ip);
    "link_ieee802_11_amsdu" 105 V4 SEEN, |ip| {
        let inside = snap(ip);
        let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
        wlan(&[0x86, 0], &join(&[&[2, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 7], &length, &inside]))
    };
    "link_radiotap" 127 V4 SEEN, |ip| radiotap(0, &wlan_ip(ip));
    "link_radiotap_padded" 127 V4 SEEN, |ip| radiotap(0x20, &wlan(&[6, 0], &join(&[&[0, 0], &snap(ip)])));
    "link_radiotap_fcs" 127 V4 SEEN, |ip| radiotap(0x10, &join(&[&wlan_ip(ip), &[1, 2, 3, 4]]));
    "link_prism" 119 V4 SEEN, |ip| {
        let mut header = vec![0; 144];
        header[..8].copy_from_slice(&[0x44, 0, 0, 0, 144, 0, 0, 0]);
        join(&[&header, &wlan_ip(ip)])
    };
    "link_avs" 163 V4 SEEN, |ip| {
        let mut header = vec![0; 64];
        header[..8].copy_from_slice(&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64]);
        join(&[&header, &wlan_ip(ip)])
    };
    "link_ppi" 192 V4 SEEN, |ip| join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &wlan_ip(ip)]);
    "link_pflog" 117 V4 SEEN, |ip| {
        let mut header = vec![0; 64];
        header[..2].copy_from_slice(&[61, 2]);
        header[4..7].copy_from_slice(b"em0");
        join(&[&header, ip])
    };
    "link_enc" 109 V4 SEEN, |ip| join(&[&[2, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0], ip]);
    "link_juniper_ether" 178 V4 SEEN,
        |ip| join(&[b"MGC", &[0x80, 0, 6, 1, 4, 0, 0, 0, 1], &ethernet(ip)]);
    "link_juniper_no_l2" 178 V4 None, |ip| join(&[b"MGC", &[0x02, 0, 0, 0, 2], ip]);
    "link_juniper_ppp" 179 V4 SEEN, |ip| join(&[b"MGC", &[0], &hdlc(ip)]);
    "link_juniper_frelay" 180 V4 SEEN, |ip| join(&[b"MGC", &[1, 0x18, 0x41, 3, 0xcc], ip]);
    "link_juniper_chdlc" 181 V4 SEEN, |ip| join(&[b"MGC", &[1, 0x0f, 0], &ethertype(ip), ip]);
    "link_mpls" 219 V4 None, |ip| join(&[&label(16, 0), &label(17, 1), ip]);
    "link_atm_rfc1483" 100 V4 SEEN, |ip| snap(ip);
    "link_ip_over_fc" 122 V4 SEEN, |ip| join(&[&[7; 16], &snap(ip)]);
    "link_ip_over_ieee1394" 138 V4 SEEN, |ip| join(&[&[7; 16], &ethertype(ip), ip]);
    "link_ipnet" 226 V4 None, |ip| join(&[&[1, 2], &[0; 22], ip]);
    "link_nflog" 239 V4 SEEN, |ip| {
        let length = u16::try_from(ip.len() + 4).unwrap().to_le_bytes();
        join(&[&[2, 0, 0, 1, 5, 0, 10, 0, 0, 0, 0, 0], &length, &[9, 0], ip])
    };
    "link_netanalyzer" 240 V4 None, |ip| {
        let [high, low] = u16::try_from(ethernet(ip).len() + 8).unwrap().to_be_bytes();
        join(&[&[0, 0x10 | high, low, 0], &ethernet(ip), &[0; 4]])
    };
    "link_pktap" 258 V4 None, |ip| {
        let mut header = vec![0; 108];
        (header[0], header[4], header[8]) = (108, 1, 1);
        join(&[&header, &ethernet(ip)])
    };
};

/// What stands between Ethernet and IP.
pub(crate) const ETHERTYPES: &[Row] = rows! {
    "llc_snap" 1 V4 SEEN, |ip| {
        let inside = snap(ip);
        ether(u16::try_from(inside.len()).unwrap().to_be_bytes(), &inside)
    };
    "mpls" 1 V6 SEEN, |ip| ether([0x88, 0x47], &join(&[&label(16, 0), &label(17, 0), &label(18, 1), ip]));
    "mpls_entropy" 1 V4 SEEN,
        |ip| ether([0x88, 0x47], &join(&[&label(16, 0), &label(7, 0), &label(99, 1), ip]));
    "mpls_pseudowire" 1 V4 SEEN,
        |ip| ether([0x88, 0x47], &join(&[&label(18, 1), &customer(ip)]));
    "mpls_pseudowire_control" 1 V4 SEEN,
        |ip| ether([0x88, 0x48], &join(&[&label(18, 1), &[0, 0, 0, 5], &customer(ip)]));
    "pppoe" 1 V6 SEEN, |ip| ether([0x88, 0x64], &pppoe(ip));
    "pppoe_vlan" 1 V4 SEEN, |ip| ether([0x81, 0], &join(&[&[0, 7, 0x88, 0x64], &pppoe(ip)]));
    "pbb" 1 V4 SEEN, |ip| ether([0x88, 0xe7], &join(&[&[0, 0, 1, 2], &ethernet(ip)]));
    "macsec_integrity" 1 V4 None,
        |ip| ether([0x88, 0xe5], &join(&[&[0, 0, 0, 0, 0, 1], &ethertype(ip), ip, &[9; 16]]));
    "nsh" 1 V4 SEEN,
        |ip| ether([0x89, 0x4f], &join(&[&[0x0f, 0xc6, 1, 1, 0, 0, 5, 255], &[0; 16], ip]));
    "vn_tag" 1 V4 SEEN, |ip| ether([0x89, 0x26], &join(&[&[0, 1, 0, 2], &ethertype(ip), ip]));
    "e_tag" 1 V4 SEEN, |ip| ether([0x89, 0x3f], &join(&[&[0, 1, 0, 2, 0, 0], &ethertype(ip), ip]));
    "sll_gre" 113 V4 SEEN, |ip| join(&[
        &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 0],
        &ip4(47, &join(&[&[0, 0, 8, 0], ip])),
    ]);
};

/// Tunnels that have an IP protocol.
pub(crate) const OVER_IP: &[Row] = rows! {
    "ipip" 1 V4 SEEN, |ip| over_ip(4, ip);
    "6in4" 1 V6 SEEN, |ip| over_ip(41, ip);
    "4in6" 1 V4 SEEN, |ip| ethernet(&ip6(4, ip));
    "6in6" 1 V6 SEEN, |ip| ethernet(&ip6(41, ip));
    "gre" 1 V6 SEEN, |ip| gre([0, 0], ethertype(ip), ip);
    "gre_in_ipv6" 1 V4 SEEN, |ip| ethernet(&ip6(47, &join(&[&[0, 0, 8, 0], ip])));
    "gre_key_sequence_checksum" 1 V4 SEEN,
        |ip| gre([0xb0, 0], [8, 0], &join(&[&[0; 4], &[0, 0, 0, 9], &[0, 0, 0, 1], ip]));
    "gre_bridged" 1 V4 SEEN, |ip| gre([0, 0], [0x65, 0x58], &ethernet(ip));
    "gre_wccp" 1 V4 SEEN, |ip| gre([0, 0], [0x88, 0x3e], &join(&[&[0, 0, 0, 0], ip]));
    "gre_pptp" 1 V4 SEEN, |ip| {
        let inside = hdlc(ip);
        let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
        gre([0x30, 0x81], [0x88, 0x0b], &join(&[&length, &[0, 9], &[0, 0, 0, 1, 0, 0, 0, 1], &inside]))
    };
    "nvgre" 1 V4 SEEN,
        |ip| gre([0x20, 0], [0x65, 0x58], &join(&[&[0, 0x20, 0, 7], &ethernet(ip)]));
    "erspan1" 1 V4 SEEN, |ip| gre([0, 0], [0x88, 0xbe], &ethernet(ip));
    "erspan2" 1 V4 SEEN, |ip| gre([0x10, 0], [0x88, 0xbe], &join(&[
        &[0, 0, 0, 1], &[0x10, 0, 0x10, 5, 0, 0, 0, 1], &ethernet(ip)]));
    "erspan3" 1 V4 SEEN, |ip| gre([0x10, 0], [0x22, 0xeb], &join(&[
        &[0, 0, 0, 1], &[0x20, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0], &ethernet(ip)]));
    "erspan3_subheader" 1 V4 SEEN, |ip| gre([0x10, 0], [0x22, 0xeb], &join(&[
        &[0, 0, 0, 1], &[0x20, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 1], &[0; 8], &ethernet(ip)]));
    "etherip" 1 V4 SEEN, |ip| over_ip(97, &join(&[&[0x30, 0], &ethernet(ip)]));
    "srv6_ethernet" 1 V4 SEEN, |ip| ethernet(&ip6(143, &ethernet(ip)));
    "mpls_in_ip" 1 V4 SEEN, |ip| over_ip(137, &join(&[&label(16, 1), ip]));
    "l2tp3_ip" 1 V4 None, |ip| over_ip(115, &join(&[&[0, 0, 0, 9], &[1; 8], &ethernet(ip)]));
    "ah_transport" 1 V4 SEEN, |ip| {
        let (proto, payload) = transport(ip);
        ethernet(&replaced(ip, 51, &authentication(proto, payload)))
    };
    "ah_tunnel" 1 V4 SEEN, |ip| over_ip(51, &authentication(4, ip));
    "esp_null_transport" 1 V4 NULL_ESP, |ip| {
        let (proto, payload) = transport(ip);
        ethernet(&replaced(ip, 50, &esp(proto, payload, 12)))
    };
    "esp_null_tunnel" 1 V4 None, |ip| over_ip(50, &esp(4, ip, 16));
    "esp_null_6in4" 1 V6 None, |ip| over_ip(50, &esp(41, ip, 24));
};

const NULL_ESP: Option<&[&str]> = Some(&["-o", "esp.enable_null_encryption_decode_heuristic:TRUE"]);

/// Tunnels in UDP, and tunnels in tunnels.
pub(crate) const OVER_UDP: &[Row] = rows! {
    "vxlan" 1 V6 SEEN, |ip| over_udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(ip)]));
    "vxlan_linux" 1 V4 Some(&["-d", "udp.port==8472,vxlan"]),
        |ip| over_udp(8472, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(ip)]));
    "vxlan_policy" 1 V4 SEEN, |ip| over_udp(4789, &join(&[&[0x88, 0, 0, 3, 0, 0, 42, 0], &ethernet(ip)]));
    "vxlan_gpe" 1 V4 SEEN, |ip| over_udp(4790, &join(&[&[0x0c, 0, 0, 1, 0, 0, 42, 0], ip]));
    "vxlan_gpe_nsh" 1 V4 SEEN, |ip| over_udp(4790, &join(&[
        &[0x0c, 0, 0, 4, 0, 0, 42, 0], &[0x0f, 0xc2, 2, 3, 0, 0, 5, 255], &ethernet(ip)]));
    "geneve" 1 V4 SEEN, |ip| over_udp(6081, &join(&[&[0, 0, 0x65, 0x58, 0, 0, 42, 0], &ethernet(ip)]));
    "geneve_options" 1 V6 SEEN, |ip| over_udp(6081, &join(&[
        &[3, 0x40], &ethertype(ip), &[0, 0, 42, 0], &[1, 2, 0x80, 2], &[5; 8], ip]));
    "gtpu" 1 V6 SEEN, |ip| gtp(0x30, &[], ip);
    "gtpu_sequence" 1 V4 SEEN, |ip| gtp(0x32, &[0, 1, 0, 0], ip);
    "gtpu_extensions" 1 V4 SEEN,
        |ip| gtp(0x34, &[0, 0, 0, 0x40, 1, 0, 0, 0x85, 1, 0, 9, 0], ip);
    "l2tp2" 1 V4 SEEN, |ip| over_udp(1701, &join(&[&[0, 2, 0, 5, 0, 6], &hdlc(ip)]));
    "l2tp2_sequence" 1 V4 SEEN, |ip| {
        let inside = hdlc(ip);
        let length = u16::try_from(inside.len() + 14).unwrap().to_be_bytes();
        over_udp(1701, &join(&[
            &[0x4a, 2], &length, &[0, 5, 0, 6, 0, 1, 0, 1, 0, 0], &inside]))
    };
    "l2tp3_udp" 1 V4 None,
        |ip| over_udp(1701, &join(&[&[0, 3, 0, 0, 0, 0, 0, 9], &[0; 4], &ethernet(ip)]));
    "tzsp" 1 V4 SEEN, |ip| over_udp(37_008, &join(&[&[1, 0, 0, 1, 0, 10, 1, 200, 1], &ethernet(ip)]));
    "tzsp_wlan" 1 V4 SEEN, |ip| over_udp(37_008, &join(&[&[1, 0, 0, 18, 1], &wlan_ip(ip)]));
    "teredo" 1 V6 SEEN, |ip| over_udp(3544, ip);
    "teredo_origin" 1 V6 SEEN, |ip| over_udp(3544, &join(&[&[0, 0, 1, 2, 3, 4, 5, 6], ip]));
    "vxlan_in_gre" 1 V4 SEEN, |ip| gre([0x20, 0], [8, 0], &join(&[&[0, 0, 0, 7],
        &ip4(17, &udp(49_999, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(ip)])))]));
    "gtpu_in_mpls" 1 V4 SEEN, |ip| {
        let inside = gtp(0x30, &[], ip);
        ether([0x88, 0x47], &join(&[&label(16, 1), &inside[14..]]))
    };
    "fragments_in_vxlan" 1 Fragments SEEN,
        |ip| over_udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(ip)]));
};

/// Tunnels whose own packets are fragments.
pub(crate) const FRAGMENTED: &[Row] = &[
    Row {
        name: "vxlan_fragmented",
        link: 1,
        base: Base::V4,
        wrap: |ip, id| {
            let whole = over_udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(ip)]));
            fragments(&whole[14..], id, 160).iter().map(|part| ethernet(part)).collect()
        },
        tshark: SEEN,
    },
    Row {
        name: "fragments_in_gre_fragmented",
        link: 1,
        base: Base::Fragments,
        wrap: |ip, id| {
            let whole = gre([0, 0], [8, 0], ip);
            fragments(&whole[14..], id, 120).iter().map(|part| ethernet(part)).collect()
        },
        tshark: SEEN,
    },
];

/// All rows.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    [LINKS, ETHERTYPES, OVER_IP, OVER_UDP, FRAGMENTED].into_iter().flatten()
}
