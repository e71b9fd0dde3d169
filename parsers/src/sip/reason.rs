//! Reason (RFC 3326 §2) and Warning (RFC 3261 §20.43): why something was ended or answered so.

use super::element::{Element, Word};
use super::{Params, lex};
use crate::cursor::{narrow, trim, word};

/// One Reason value: `SIP ;cause=200 ;text="Call completed elsewhere"`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850` and so on, as written; compare in any case.
    pub protocol: &'a [u8],
    /// All parameters.
    pub params: Params<'a>,
}

impl<'a> Element<'a> for Reason<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        let Word { text, params } = Word::read(element)?;
        text.iter().copied().all(lex::is_token).then_some(Self { protocol: text, params })
    }
}

impl<'a> Reason<'a> {
    /// The cause: a status code with `SIP`, a cause value of ITU-T Q.850 with `Q.850`.
    pub fn cause(&self) -> Option<u16> {
        narrow(self.params.value(b"cause")?)
    }

    /// The text, without quotes.
    pub fn text(&self) -> Option<&'a [u8]> {
        self.params.value(b"text")
    }
}

/// One Warning value: `307 isi.example "Session parameter 'foo' not understood"`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Warning<'a> {
    /// Three digits.
    pub code: u16,
    /// Who warns: host and port, or a pseudonym.
    pub agent: &'a [u8],
    /// The text without its quotes, escapes kept.
    pub text: &'a [u8],
}

impl<'a> Element<'a> for Warning<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        let (code_text, rest) = word(element);
        let (agent, text) = word(rest);
        let code = narrow(code_text).filter(|_| code_text.len() == 3)?;
        let (text, after) = lex::quoted(text)?;
        (!agent.is_empty() && trim(after).is_empty()).then_some(Self { code, agent, text })
    }
}

#[cfg(test)]
mod tests {
    use super::super::element::List;
    use super::*;

    #[test]
    fn a_cause_belongs_to_a_protocol() {
        let all: Vec<_> =
            List::<Reason<'_>>::new(b"SIP ;cause=580 ;text=\"a, b\", Q.850;cause=16").collect();
        assert_eq!((all.len(), all[0].cause(), all[1].cause()), (2, Some(580), Some(16)));
        assert_eq!((all[0].text(), all[1].protocol), (Some(&b"a, b"[..]), &b"Q.850"[..]));
        assert_eq!(Reason::read(b"Q.850;cause=x").unwrap().cause(), None);
        assert_eq!(Reason::read(b"not a token"), None);
    }

    #[test]
    fn a_warning_has_a_code_of_three_digits() {
        let read = Warning::read(b" 370 192.0.2.1:5060 \"Too little \\\"bandwidth\\\"\" ").unwrap();
        assert_eq!((read.code, read.agent), (370, &b"192.0.2.1:5060"[..]));
        assert_eq!(read.text, b"Too little \\\"bandwidth\\\"");
        for bad in
            [&b"1812 overture \"In Progress\""[..], b"370 x", b"370 \"x\"", b"", b"370 a \"b\" c"]
        {
            assert_eq!(Warning::read(bad), None);
        }
    }
}
