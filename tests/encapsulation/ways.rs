//! Ways that packets do not meet on, and what is refused: the same addresses in two tunnels, a copy
//! seen inside and outside, depth, encryption, and datagrams that only look like a tunnel.

use overhear::decode::{Decoded, Kind, decode};
use overhear::model::frame::LinkType;
use overhear::scenario::ScenarioFrame;
use serde_json::{Value, json};

use super::table::Base;
use super::wrap::*;
use super::{base, fixture, frame, pcap, report, report_of};

fn vxlan(vni: u8, ip: &[u8]) -> Octets {
    over_udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, vni, 0], &ethernet(ip)]))
}

fn skipped(report: &Value) -> &Value {
    &report["capture"]["accounting"]["skipped"]
}

fn each(of: Base, wrap: impl Fn(&[u8]) -> Octets) -> Vec<ScenarioFrame> {
    base(of).iter().map(|plain| frame(plain, 1, wrap(&plain.octets))).collect()
}

#[test]
fn a_packet_says_which_tunnels_it_came_through() {
    let ip = &base(Base::V4)[0].octets;
    let inside = join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(ip)]);
    let gre = gre([0x20, 0], [8, 0], &join(&[&[0, 0, 0, 7], &ip4(17, &udp(1, 4789, &inside))]));
    let length = u32::try_from(gre.len()).unwrap();
    let Decoded::Packet(packet) = decode(Some(LinkType::ETHERNET), &gre, length) else { panic!() };
    assert_eq!(packet.tunnels.to_string(), "VXLAN 42 in GRE");
    assert_eq!((packet.tunnels.innermost(), packet.tunnels.ident()), (Kind::Vxlan, 42));
}

#[test]
fn fragments_in_two_networks_are_not_joined() {
    // Every other fragment in another network: no datagram in several pieces becomes whole.
    let mixed: Vec<_> = (0_u8..)
        .zip(base(Base::Fragments))
        .map(|(number, plain)| frame(&plain, 1, vxlan(1 + number % 2, &plain.octets)))
        .collect();
    let report = report_of("mixed.pcap", mixed);
    let incomplete = skipped(&report)["fragment-incomplete"].as_u64().unwrap();
    assert!(incomplete >= 15, "{incomplete}");
    assert_eq!(report["capture"]["reassembly"]["ip_datagrams"], 0);
}

#[test]
fn two_networks_with_the_same_fragments_are_both_joined() {
    let plain = report_of("once.pcap", each(Base::Fragments, |ip| vxlan(1, ip)));
    let both: Vec<_> = base(Base::Fragments)
        .iter()
        .flat_map(|plain| [1, 2].map(|vni| frame(plain, 1, vxlan(vni, &plain.octets))))
        .collect();
    let both = report_of("both.pcap", both);
    let datagrams = |report: &Value| report["capture"]["reassembly"]["ip_datagrams"].as_u64();
    assert_eq!(datagrams(&both), datagrams(&plain).map(|once| 2 * once));
}

#[test]
fn a_packet_seen_outside_and_inside_a_tunnel_is_one() {
    for of in [Base::V4, Base::V6] {
        let plain = report_of("outside.pcap", base(of));
        let both: Vec<_> = base(of)
            .iter()
            .flat_map(|plain| {
                let outside = frame(plain, 1, ethernet(&plain.octets));
                [outside, frame(plain, 1, vxlan(7, &plain.octets))]
            })
            .collect();
        let both = report_of("outside-inside.pcap", both);
        assert_eq!(skipped(&both)["duplicate"], plain["capture"]["packets"]);
        assert_eq!(both["counts"]["sip_messages"], plain["counts"]["sip_messages"]);
        assert_eq!(both["counts"]["rtp_packets"], plain["counts"]["rtp_packets"]);
    }
}

#[test]
fn a_hundred_tunnels_are_refused_by_name() {
    let deep = each(Base::V4, |ip| {
        let inner = (0..100).fold(ip.to_vec(), |inner, _| ip4(4, &inner));
        ethernet(&inner)
    });
    let path = fixture("deep", &pcap(deep[..4].to_vec()));
    assert_eq!(skipped(&report(&path)), &json!({ "tunnel-depth": 4 }));
    let labels = label(16, 0).repeat(100);
    let labelled = each(Base::V4, |ip| ether([0x88, 0x47], &join(&[&labels, ip])));
    assert_eq!(skipped(&report_of("labels.pcap", labelled[..4].to_vec()))["tunnel-depth"], 4);
    let eight = each(Base::V4, |ip| {
        let inner = (0..8).fold(ip.to_vec(), |inner, _| ip4(4, &inner));
        ethernet(&inner)
    });
    assert_eq!(report_of("eight.pcap", eight)["counts"]["sip_messages"], 9);
}

#[test]
fn what_is_encrypted_is_counted_by_name() {
    let four = &base(Base::V4)[..4];
    let hidden = |link, wrap: &dyn Fn(&[u8]) -> Octets| {
        four.iter().map(|plain| frame(plain, link, wrap(&plain.octets))).collect::<Vec<_>>()
    };
    let wlan = hidden(105, &|ip| {
        let mut frame = wlan_ip(ip);
        frame[1] |= 0x40;
        frame
    });
    let path = fixture("link_ieee802_11_encrypted", &pcap(wlan));
    assert_eq!(skipped(&report(&path)), &json!({ "encrypted": 4 }));
    let esp = hidden(1, &|ip| {
        let sealed: Octets = ip.iter().map(|octet| octet.wrapping_mul(197) ^ 0x5b).collect();
        over_ip(50, &join(&[&[0, 0, 0x10, 0, 0, 0, 0, 1], &sealed]))
    });
    let path = fixture("esp_encrypted", &pcap(esp));
    assert_eq!(skipped(&report(&path)), &json!({ "encrypted": 4 }));
    let ppp = hidden(9, &|ip| join(&[&[0xff, 3, 0, 0xfd], ip]));
    assert_eq!(skipped(&report_of("mppe.pcap", ppp))["encrypted"], 4);
    let macsec = hidden(1, &|ip| ether([0x88, 0xe5], &join(&[&[0x0c, 0, 0, 0, 0, 1], ip])));
    assert_eq!(skipped(&report_of("macsec.pcap", macsec))["encrypted"], 4);
}

#[test]
fn a_port_of_a_tunnel_decides_nothing() {
    // SIP and RTP from and to the ports of tunnels.
    for port in [4789, 4790, 6081, 2152, 1701, 37_008, 3544, 8472, 9060] {
        let text = format!(
            "host a 192.0.2.10\nhost b 198.51.100.5\n\
             options a:{port} > b:{port}\n\
             rtp a:{port} > b:{port} n=30\nrtp a:{port} > b:{port} n=30 seq=1 pt=8 +2s\n"
        );
        let fixture = super::support::made(&format!("port-{port}"), &text);
        let report = report(&fixture.path);
        assert_eq!(report["counts"]["sip_messages"], 2, "{port}");
        assert_eq!(report["counts"]["rtp_packets"], 60, "{port}");
    }
}

#[test]
fn a_cut_tunnel_is_clipped_and_not_lost() {
    let cut: Vec<_> = each(Base::V4, |ip| vxlan(7, ip))
        .into_iter()
        .map(|frame| ScenarioFrame { captured: frame.octets.len().min(128), ..frame })
        .collect();
    let report = report_of("cut.pcap", cut);
    assert_eq!(report["counts"]["rtp_packets"], 24);
    assert!(report["capture"]["sources"][0]["clipped_packets"].as_u64().unwrap() > 6);
}
