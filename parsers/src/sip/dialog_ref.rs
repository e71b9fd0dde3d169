//! Headers that name another dialog: Replaces (RFC 3891 §6.1), Join (RFC 3911 §7.1) and Target-Dialog
//! (RFC 4538 §7): `callid;to-tag=x;from-tag=y`. The tags are those of whoever sent the header.

use super::{Params, lex};
use crate::cursor::{cut, trim};

/// A dialog, by its Call-ID and tags.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DialogRef<'a> {
    /// The Call-ID.
    pub call_id: &'a [u8],
    /// `to-tag`, `from-tag`, `local-tag`, `remote-tag`, `early-only`.
    pub params: Params<'a>,
}

impl<'a> DialogRef<'a> {
    /// Reads a value; `None` without a Call-ID.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (call_id, params) = cut(value, lex::until(value, b';'));
        let call_id = trim(call_id);
        (!call_id.is_empty()).then_some(Self { call_id, params: Params::new(params) })
    }

    /// The receiver's tag: `to-tag` of Replaces and Join, `remote-tag` of Target-Dialog (there, the
    /// tag that is remote for the sender of the header).
    pub fn to_tag(&self) -> Option<&'a [u8]> {
        self.params.value(b"to-tag").or_else(|| self.params.value(b"remote-tag"))
    }

    /// The other side's tag: `from-tag` of Replaces and Join, `local-tag` of Target-Dialog.
    pub fn from_tag(&self) -> Option<&'a [u8]> {
        self.params.value(b"from-tag").or_else(|| self.params.value(b"local-tag"))
    }

    /// Replaces: only a dialog that is not yet answered may be replaced.
    pub fn early_only(&self) -> bool {
        self.params.get(b"early-only").is_some()
    }

    /// True if both tags are there, each once, as the grammar of all three headers demands.
    pub fn is_whole(&self) -> bool {
        let tags = [&[&b"to-tag"[..], b"remote-tag"], &[&b"from-tag"[..], b"local-tag"]];
        tags.iter().all(|names| {
            let mut found = self
                .params
                .iter()
                .filter(|param| names.iter().any(|name| name.eq_ignore_ascii_case(param.name)));
            let first = found.next().and_then(|param| param.value);
            first.is_some_and(|value| !value.is_empty()) && found.next().is_none()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_is_named_by_call_id_and_two_tags() {
        let read = DialogRef::parse(b" 98732@a.example ; from-tag=r33 ;\r\n to-tag=xy;early-only")
            .unwrap();
        assert_eq!((read.call_id, read.to_tag()), (&b"98732@a.example"[..], Some(&b"xy"[..])));
        assert_eq!((read.from_tag(), read.early_only()), (Some(&b"r33"[..]), true));
        assert!(read.is_whole());
    }

    #[test]
    fn target_dialog_has_its_own_names_for_the_tags() {
        let read =
            DialogRef::parse(b"fa77as7dad8-sd98ajzz@h;local-tag=kkaz-;remote-tag=6544").unwrap();
        assert_eq!((read.from_tag(), read.to_tag()), (Some(&b"kkaz-"[..]), Some(&b"6544"[..])));
        assert!(read.is_whole() && !read.early_only());
    }

    #[test]
    fn a_tag_that_is_missing_or_there_twice_is_noticed() {
        for bad in ["c", "c;to-tag=1", "c;to-tag=1;from-tag=", "c;to-tag=1;to-tag=2;from-tag=3"] {
            assert!(!DialogRef::parse(bad.as_bytes()).unwrap().is_whole(), "{bad}");
        }
        assert_eq!(DialogRef::parse(b" ;to-tag=1"), None);
    }
}
