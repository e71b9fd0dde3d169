//! The words of a packet filter, looked at before libpcap sees them: it would take a word that it
//! does not know for the name of a host and ask the network, and this program asks nobody.
//!
//! Addresses, numbers and the words of pcap-filter(7) pass; names pass only where they can be of
//! nothing but a service or protocol, which the system's own tables know.

use std::net::Ipv6Addr;

use super::filter::FilterError;

/// The language's own words, sorted.
const WORDS: [&str; 166] = [
    "aarp",
    "action",
    "addr1",
    "addr2",
    "addr3",
    "addr4",
    "address1",
    "address2",
    "address3",
    "address4",
    "ah",
    "and",
    "arp",
    "atalk",
    "bcc",
    "broadcast",
    "byte",
    "carp",
    "clnp",
    "connectmsg",
    "csnp",
    "decnet",
    "dir",
    "direction",
    "dpc",
    "dst",
    "es-is",
    "esis",
    "esp",
    "ether",
    "fddi",
    "fisu",
    "gateway",
    "geneve",
    "greater",
    "hdpc",
    "hfisu",
    "hlssu",
    "hmsu",
    "hopc",
    "hsio",
    "hsls",
    "host",
    "icmp",
    "icmp-echo",
    "icmp-echoreply",
    "icmp-ireq",
    "icmp-ireqreply",
    "icmp-maskreply",
    "icmp-maskreq",
    "icmp-paramprob",
    "icmp-redirect",
    "icmp-routeradvert",
    "icmp-routersolicit",
    "icmp-sourcequench",
    "icmp-timxceed",
    "icmp-tstamp",
    "icmp-tstampreply",
    "icmp-unreach",
    "icmp6",
    "icmp6-certpathadvert",
    "icmp6-certpathsolicit",
    "icmp6-destinationunreach",
    "icmp6-echo",
    "icmp6-echoreply",
    "icmp6-homeagentdiscoveryreply",
    "icmp6-homeagentdiscoveryrequest",
    "icmp6-mobileprefixadvert",
    "icmp6-mobileprefixsolicit",
    "icmp6-multicastlistenerdone",
    "icmp6-multicastlistenerquery",
    "icmp6-multicastlistenerreportv1",
    "icmp6-multicastlistenerreportv2",
    "icmp6-multicastrouteradvert",
    "icmp6-multicastrouterterm",
    "icmp6-multicastroutersolicit",
    "icmp6-neighboradvert",
    "icmp6-neighborsolicit",
    "icmp6-nodeinformationquery",
    "icmp6-nodeinformationresponse",
    "icmp6-packettoobig",
    "icmp6-parameterproblem",
    "icmp6-redirect",
    "icmp6-routeradvert",
    "icmp6-routerrenum",
    "icmp6-routersolicit",
    "icmp6-timeexceeded",
    "icmp6code",
    "icmp6type",
    "icmpcode",
    "icmptype",
    "ifindex",
    "ifname",
    "igmp",
    "igrp",
    "iih",
    "ilmic",
    "inbound",
    "ip",
    "ip6",
    "is-is",
    "isis",
    "iso",
    "l1",
    "l2",
    "lane",
    "lat",
    "len",
    "length",
    "less",
    "link",
    "llc",
    "lsp",
    "lssu",
    "lsu",
    "mask",
    "metac",
    "metaconnect",
    "moprc",
    "mopdl",
    "mpls",
    "msu",
    "multicast",
    "net",
    "netbeui",
    "not",
    "oam",
    "oamf4",
    "oamf4ec",
    "oamf4sc",
    "on",
    "opc",
    "or",
    "outbound",
    "pim",
    "port",
    "portrange",
    "ppp",
    "pppoed",
    "pppoes",
    "proto",
    "protochain",
    "psnp",
    "ra",
    "radio",
    "rarp",
    "reason",
    "rnr",
    "rset",
    "rulenum",
    "ruleset",
    "sc",
    "sca",
    "sctp",
    "sio",
    "slip",
    "sls",
    "snp",
    "src",
    "srnr",
    "stp",
    "subrulenum",
    "subtype",
    "ta",
    "tcp",
    "tcpflags",
];

/// More of them: these come in families.
const MORE: [&str; 15] = [
    "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push", "tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr", "tr",
    "type", "udp", "vci", "vlan", "vpi", "vrrp",
];

/// Behind these stands a name of something that is no host.
const NAMERS: [&str; 14] = [
    "port",
    "portrange",
    "proto",
    "protochain",
    "type",
    "subtype",
    "dir",
    "direction",
    "reason",
    "action",
    "ifname",
    "on",
    "rset",
    "ruleset",
];

/// Refuses an expression with a word that libpcap might look up.
///
/// # Errors
/// Where the word stands.
pub(super) fn check(expression: &str) -> Result<(), FilterError> {
    let mut before = "";
    for (at, end) in places(expression) {
        let word = expression.get(at..end).unwrap_or_default();
        let named = NAMERS.contains(&before);
        if !(named || is_operator(word) || is_word(word) || is_number(word) || is_address(word)) {
            let position = expression.get(..at).unwrap_or_default().chars().count();
            return Err(FilterError {
                position: Some(position.saturating_add(1)),
                what: format!(
                    "'{word}' is neither a word of the filter language nor an address, and names \
                     of hosts are never looked up"
                ),
            });
        }
        before = word;
    }
    Ok(())
}

/// Where the words are: runs of what names and numbers are made of, everything else one by one.
pub(super) fn places(expression: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = expression.get(from..)?;
        let at = from.saturating_add(rest.find(|c: char| !c.is_whitespace())?);
        let rest = expression.get(at..)?;
        let run = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let length = if run > 0 { run } else { rest.chars().next().map_or(1, char::len_utf8) };
        from = at.saturating_add(length);
        Some((at, from))
    })
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || "._:-\\$/".contains(c)
}

fn is_operator(word: &str) -> bool {
    word.chars().all(|c| "()[]!&|<>=+*%^~/-:".contains(c))
}

fn is_word(word: &str) -> bool {
    let word = word.strip_prefix('\\').unwrap_or(word);
    WORDS.contains(&word) || MORE.contains(&word) || word == "wlan"
}

/// A number, one to four of them with points, with the length of a prefix behind or not; or
/// places in a packet (`6:2`). What has more parts would be a name to libpcap.
fn is_number(word: &str) -> bool {
    let decimal = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let number = |part: &str| match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some(digits) => !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit()),
        None => decimal(part),
    };
    if let Some((at, octets)) = word.split_once(':') {
        return (at.is_empty() || number(at)) && number(octets);
    }
    if let Some(subtracted) = word.strip_prefix(['-', '/', ':']) {
        return number(subtracted);
    }
    let (address, prefix) = word.split_once('/').unwrap_or((word, "0"));
    let parts = address.split('.');
    number(word) || (decimal(prefix) && parts.clone().count() <= 4 && parts.clone().all(decimal))
}

/// An IPv6 address or prefix, or the address of an interface.
fn is_address(word: &str) -> bool {
    let address = word.split('/').next().unwrap_or_default();
    let hex = |part: &str, longest: usize| {
        (1..=longest).contains(&part.len()) && part.chars().all(|c| c.is_ascii_hexdigit())
    };
    let is_mac = |separator: char| {
        word.split(separator).count() == 6 && word.split(separator).all(|part| hex(part, 2))
    };
    let in_words = word.split('.').count() == 3 && word.split('.').all(|part| hex(part, 4));
    address.parse::<Ipv6Addr>().is_ok()
        || [':', '-', '.'].into_iter().any(is_mac)
        || (in_words && word.len() == 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_numbers_and_words_of_the_language_pass() {
        for expression in [
            "udp port 5060 or (vlan and udp port 5060)",
            "host 10.0.0.1 and not net 192.168/16",
            "ip6 host 2001:db8::1 or ip6 net fe80::/10",
            "ether host 00:11:22:aa:bb:cc",
            "udp[8:4] = 0x494e5649 && ip[0]&0xf!=5",
            "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
            "portrange 10000-20000 or port sip",
            "ip proto \\udp and greater 200",
            "ether[0] & 1 = 0 and ip[16] >= 224",
        ] {
            assert_eq!(check(expression), Ok(()), "{expression}");
        }
    }

    #[test]
    fn a_word_that_could_be_a_host_is_refused_where_it_stands() {
        for (expression, position) in [
            ("host example.com", 6),
            ("udp or cafe", 8),
            ("sip", 1),
            ("port 5060 and  dead.beef", 16),
            ("net intranet", 5),
            ("host a-b.c", 6),
            ("host 1.2.3.4.5", 6),
            ("host 1-2", 6),
            ("any", 1),
        ] {
            assert_eq!(check(expression).unwrap_err().position, Some(position), "{expression}");
        }
    }
}
