//! The texts that are kept of a call: who calls whom (From, To, Request-URI of RFC 3261 §8.1.1;
//! P-Asserted-Identity of RFC 3325 §9.1), as written. They are read again when the call is finished.

use overhear_parsers::sip::HeaderName;

use super::names::Names;
use super::view::View;

/// P-Asserted-Identity values kept of one call.
const MAX_ASSERTED: usize = 4;
/// Octets kept of one of them.
const ASSERTED_OCTETS: usize = 127;

/// Texts of a call, as [`Names`] counts them.
pub(super) mod text {
    pub(in crate::correlate) const CALL_ID: usize = 0;
    pub(in crate::correlate) const CALLER_TAG: usize = 1;
    pub(in crate::correlate) const CALLER: usize = 2;
    pub(in crate::correlate) const CALLER_DISPLAY: usize = 3;
    pub(in crate::correlate) const CALLEE: usize = 4;
    pub(in crate::correlate) const CALLEE_DISPLAY: usize = 5;
    pub(in crate::correlate) const REQUEST_URI: usize = 6;
    /// P-Asserted-Identity values, a NUL after each.
    pub(in crate::correlate) const ASSERTED: usize = 7;
    /// The last, because it comes with a later message.
    pub(in crate::correlate) const CALLEE_TAG: usize = 8;
    pub(in crate::correlate) const COUNT: usize = 9;
}

/// The texts of a call, as this message gives them.
pub(super) fn texts(view: &View<'_>) -> Names<{ text::COUNT }> {
    let (from, to) = (view.from(), view.to());
    let initial = view.is_initial_invite();
    let asserted = if initial { asserted(view) } else { Vec::new() };
    let uri = if initial { view.message.request_uri() } else { &[] };
    Names::new([
        view.call_id,
        view.from_tag,
        from.as_ref().map_or(&[][..], |from| from.uri),
        from.as_ref().map_or(&[][..], |from| from.display),
        to.as_ref().map_or(&[][..], |to| to.uri),
        to.as_ref().map_or(&[][..], |to| to.display),
        uri,
        &asserted,
        view.to_tag,
    ])
}

/// P-Asserted-Identity (RFC 3325 §9.1), as written; allocates only if there is one.
pub(super) fn asserted(view: &View<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    let values = view.message.addresses(HeaderName::PAssertedIdentity);
    for address in values.take(MAX_ASSERTED) {
        all.extend_from_slice(address.uri.get(..ASSERTED_OCTETS).unwrap_or(address.uri));
        all.push(0);
    }
    all
}
