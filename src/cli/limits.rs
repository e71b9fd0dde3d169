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
    let names = [Limits::CAPS, Limits::LARGE_CAPS].concat();
    Err(format!("there is no table '{table}'; tables are {}", names.join(", ")))
}

impl Setting {
    /// Sets the cap. False if there is no such table.
    pub(super) fn apply(&self, limits: &mut Limits) -> bool {
        if let Some(cap) = limits.large_cap(&self.table) {
            *cap = self.cap;
            return true;
        }
        let cap = limits.cap(&self.table);
        cap.map(|cap| *cap = usize::try_from(self.cap).unwrap_or(usize::MAX)).is_some()
    }
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
