//! `--limit TABLE=N` and `--limits`: the caps of the tables.

use std::io::{self, Write};

use crate::policy::Limits;
use crate::report::text::grouped;

/// One `--limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    table: String,
    cap: u64,
}

/// Reads `TABLE=N`.
pub(super) fn setting(text: &str) -> Result<Setting, String> {
    let (table, cap) = text.split_once('=').ok_or("TABLE=N is needed, e.g. streams=50000")?;
    let cap = cap.parse().map_err(|_| format!("'{cap}' is not a number"))?;
    let setting = Setting { table: table.to_owned(), cap };
    let mut scratch = Limits::default();
    if setting.apply(&mut scratch) {
        return Ok(setting);
    }
    let mut names: Vec<&str> = scratch.rows().iter().map(|row| row.table).collect();
    names.extend(["spool_octets", "findings_per_rule"]);
    names.extend([
        "unpack_ratio",
        "unpack_octets",
        "unpack_window",
        "interfaces",
        "keylog_sessions",
    ]);
    Err(format!("there is no table '{table}'; tables are {}", names.join(", ")))
}

impl Setting {
    /// Sets the cap. False if there is no such table.
    pub(super) fn apply(&self, limits: &mut Limits) -> bool {
        let cap = usize::try_from(self.cap).unwrap_or(usize::MAX);
        let place = match self.table.as_str() {
            "streams" => &mut limits.streams,
            "armed" => &mut limits.armed,
            "noted" => &mut limits.noted,
            "replays" => &mut limits.replays,
            "udp_flows" => &mut limits.udp_flows,
            "tcp_flows" => &mut limits.tcp_flows,
            "sctp_flows" => &mut limits.sctp_flows,
            "turn_flows" => &mut limits.turn_flows,
            "srtcp" => &mut limits.srtcp,
            "udptl_flows" => &mut limits.udptl_flows,
            "company" => &mut limits.company,
            "zrtp" => &mut limits.zrtp,
            "reassembly_octets" => &mut limits.reassembly_octets,
            "tls_retain" => &mut limits.tls_retain,
            "keylog_sessions" => &mut limits.keylog_sessions,
            "fragment_octets" => &mut limits.fragment_octets,
            "duplicates" => &mut limits.duplicates,
            "transactions" => &mut limits.transactions,
            "calls" => &mut limits.calls,
            "registrations" => &mut limits.registrations,
            "announcements" => &mut limits.announcements,
            "rtcp" => &mut limits.rtcp,
            "srtp_keys" => &mut limits.srtp_keys,
            "srtp_samples" => &mut limits.srtp_samples,
            "findings_per_rule" => &mut limits.findings_per_rule,
            "peers" => &mut limits.peers,
            "tls_peers" => &mut limits.tls_peers,
            "records_octets" => &mut limits.records_octets,
            "unpack_window" => &mut limits.unpack_window,
            "interfaces" => &mut limits.interfaces,
            "spool_octets" => return set(&mut limits.spool_octets, self.cap),
            "unpack_ratio" => return set(&mut limits.unpack_ratio, self.cap),
            "unpack_octets" => return set(&mut limits.unpack_octets, self.cap),
            _ => return false,
        };
        *place = cap;
        true
    }
}

fn set(place: &mut u64, cap: u64) -> bool {
    *place = cap;
    true
}

/// Prints every table with its cap, the cost of an entry, and their product.
pub(super) fn print(limits: &Limits, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:20} {:>14} {:>12} {:>12}", "TABLE", "CAP", "OCTETS EACH", "MIB AT MOST")?;
    let mut sum = 0_u64;
    for row in limits.rows() {
        let octets = (row.cap as u64).saturating_mul(row.octets_each as u64);
        sum = sum.saturating_add(octets);
        writeln!(
            out,
            "{:20} {:>14} {:>12} {:>12}",
            row.table,
            grouped(row.cap as u64),
            grouped(row.octets_each as u64),
            mebibytes(octets)
        )?;
    }
    writeln!(out, "{:20} {:>14} {:>12} {:>12}", "sum", "", "", mebibytes(sum))?;
    let spool = limits.spool_octets;
    writeln!(
        out,
        "{:20} {:>14} {:>12} {:>12}",
        "spool (on disk)",
        grouped(spool),
        1,
        mebibytes(spool)
    )?;
    writeln!(
        out,
        "A compressed source may become {} octets and {} times its size.\n\
         A source that is open may also hold a zstd window of {} octets and\n\
         {} interfaces of 80 octets.",
        grouped(limits.unpack_octets),
        limits.unpack_ratio,
        grouped(limits.unpack_window as u64),
        grouped(limits.interfaces as u64)
    )
}

fn mebibytes(octets: u64) -> String {
    let tenths = octets.saturating_mul(10) >> 20;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_list_can_be_set() {
        for row in Limits::default().rows() {
            let mut limits = Limits::default();
            assert!(setting(&format!("{}=7", row.table)).unwrap().apply(&mut limits));
            let set = limits.rows().into_iter().find(|now| now.table == row.table).unwrap();
            assert_eq!(set.cap, 7, "{}", row.table);
        }
    }

    #[test]
    fn the_table_fits_eighty_columns() {
        let mut out = Vec::new();
        print(&Limits::default(), &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().lines().all(|line| line.len() <= 80));
    }
}
