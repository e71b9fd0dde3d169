//! How a call came to whom it reached: History-Info (RFC 7044 §5) and Diversion (RFC 5806 §9). Both
//! are lists of addresses; what else an entry says is read here. Nothing is unescaped but the few
//! octets that part a Reason inside a URI.

use super::element::Element;
use super::{NameAddr, Params};
use crate::cursor::{cut, narrow, split_once, starts_with_any_case, tail};

/// One History-Info entry: `<sip:bob@b.example?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry<'a> {
    /// Whom the request was for, and `index` with other parameters.
    pub address: NameAddr<'a>,
}

/// Why a request went on to this entry (RFC 7044 §5): with the index of the entry it came from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Retargeted<'a> {
    /// `rc`: another contact of the same user.
    Contact(&'a [u8]),
    /// `mp`: another user.
    User(&'a [u8]),
    /// `np`: nothing changed but the hop.
    Unchanged(&'a [u8]),
}

impl<'a> Element<'a> for HistoryEntry<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        Some(Self { address: NameAddr::parse(element)? })
    }
}

impl<'a> HistoryEntry<'a> {
    /// `1`, `1.1`, `1.2` and so on: the branches of the tree of requests.
    pub fn index(&self) -> Option<&'a [u8]> {
        self.address.params.value(b"index")
    }

    /// How deep the entry stands, 1 for the first; `None` if its index is not numbers with dots.
    pub fn depth(&self) -> Option<usize> {
        let index = self.index()?;
        let mut numbers = index.split(|&octet| octet == b'.');
        let legal = numbers.all(|number| narrow::<u32>(number).is_some());
        legal.then(|| index.split(|&octet| octet == b'.').count())
    }

    /// How the request came here from another entry.
    pub fn retargeted(&self) -> Option<Retargeted<'a>> {
        let from = |name: &[u8]| self.address.params.value(name);
        from(b"mp")
            .map(Retargeted::User)
            .or_else(|| from(b"rc").map(Retargeted::Contact))
            .or_else(|| from(b"np").map(Retargeted::Unchanged))
    }

    /// The cause of the Reason header in the URI, if it has one: which answer, or which condition
    /// (RFC 4458), made the request go on.
    pub fn cause(&self) -> Option<u16> {
        let mut fields = self.address.uri().header_fields();
        let (_, reason) = fields.find(|(name, _)| name.eq_ignore_ascii_case(b"Reason"))?;
        let at = reason.windows(5).position(|name| name.eq_ignore_ascii_case(b"cause"))?;
        let value = tail(reason, at.saturating_add(5));
        let value = match value {
            [b'=', value @ ..] => value,
            _ if starts_with_any_case(value, b"%3D") => tail(value, 3),
            _ => return None,
        };
        let end = value.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(value.len());
        narrow(cut(value, end).0)
    }

    /// The Privacy header in the URI, as written there; the entry is not for everybody.
    pub fn privacy(&self) -> Option<&'a [u8]> {
        let mut fields = self.address.uri().header_fields();
        fields.find(|(name, _)| name.eq_ignore_ascii_case(b"Privacy")).map(|(_, value)| value)
    }
}

/// One Diversion value: `<sip:bob@b.example>;reason=user-busy;counter=1;privacy=off`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Diversion<'a> {
    /// Who diverted the call.
    pub address: NameAddr<'a>,
}

impl<'a> Element<'a> for Diversion<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        Some(Self { address: NameAddr::parse(element)? })
    }
}

impl<'a> Diversion<'a> {
    /// `unconditional`, `user-busy`, `no-answer` and so on.
    pub fn reason(&self) -> Option<&'a [u8]> {
        self.params().value(b"reason")
    }

    /// How many diversions this one stands for, 1 unless given; `None` if it is no number.
    pub fn counter(&self) -> Option<u32> {
        self.params().get(b"counter").map_or(Some(1), |counter| narrow(counter.value?))
    }

    /// How many more there may be.
    pub fn limit(&self) -> Option<u32> {
        narrow(self.params().value(b"limit")?)
    }

    /// `full`, `name`, `uri`, `off`.
    pub fn privacy(&self) -> Option<&'a [u8]> {
        self.params().value(b"privacy")
    }

    /// True if the diverting user was verified: `screen=yes`.
    pub fn is_screened(&self) -> bool {
        self.params().value(b"screen").is_some_and(|value| value.eq_ignore_ascii_case(b"yes"))
    }

    const fn params(&self) -> Params<'a> {
        self.address.params
    }
}

/// True if `index` names an entry below the entry of `above`: `1.2.1` is below `1.2`, `1.21` is not.
pub fn is_below(index: &[u8], above: &[u8]) -> bool {
    index
        .strip_prefix(above)
        .is_some_and(|rest| split_once(rest, b'.').0.is_empty() && rest.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::super::element::List;
    use super::*;

    #[test]
    fn entries_have_an_index_and_say_how_the_request_went_on() {
        let value = b"<sip:bob@b.example?Reason=SIP%3Bcause%3D302>;index=1,\
            <sip:bob@192.0.2.4?Privacy=history>;index=1.1;rc=1, <sip:carol@c.example;cause=480>;index=1.2;mp=1";
        let all: Vec<_> = List::<HistoryEntry<'_>>::new(value).collect();
        assert_eq!((all.len(), all[0].cause(), all[0].depth()), (3, Some(302), Some(1)));
        assert_eq!(
            (all[1].retargeted(), all[1].privacy()),
            (Some(Retargeted::Contact(b"1")), Some(&b"history"[..]))
        );
        assert_eq!((all[2].retargeted(), all[2].cause()), (Some(Retargeted::User(b"1")), None));
        assert!(
            is_below(all[2].index().unwrap(), b"1")
                && !is_below(b"1.21", b"1.2")
                && !is_below(b"1", b"1")
        );
    }

    #[test]
    fn an_odd_index_or_cause_is_none() {
        let read = |text| HistoryEntry::read(text).unwrap();
        assert_eq!(read(b"<sip:a>;index=1..2").depth(), None);
        assert_eq!(read(b"<sip:a>").depth(), None);
        assert_eq!(read(b"<sip:a@b?Reason=SIP;cause=ccc>").cause(), None);
        assert_eq!(read(b"<sip:a@b?Reason=Q.850;Cause=16;text=c>").cause(), Some(16));
    }

    #[test]
    fn a_diversion_says_why_and_how_often() {
        let value = br#""Bob" <tel:+15551234>;reason=no-answer;counter=2;limit=5;privacy="off";screen=yes, <sip:x>"#;
        let all: Vec<_> = List::<Diversion<'_>>::new(value).collect();
        assert_eq!(
            (all[0].reason(), all[0].counter(), all[0].limit()),
            (Some(&b"no-answer"[..]), Some(2), Some(5))
        );
        assert!(all[0].is_screened() && all[0].privacy() == Some(b"off"));
        assert_eq!(
            (all[1].counter(), all[1].reason(), all[1].is_screened()),
            (Some(1), None, false)
        );
    }
}
