//! What is off in a SIP message, as far as rules look at it (`CATALOGUE.md` E.3).

use overhear_parsers::sip::Anomalies;

use super::rule::Interest;
use super::sip::oversize;
use crate::correlate::event::SipEvent;

/// What is off in a message, and whether that is for rules to see. Reading values closely costs more
/// than all else that is done with a message: a glance says where it pays.
#[inline]
pub(super) fn of(event: &SipEvent<'_>) -> (Anomalies, Interest) {
    let message = &event.message;
    // What the capture cut off is not the sender's fault.
    if event.clipped {
        return (Anomalies::NONE, Interest::END);
    }
    let found = if message.needs_inspection() { message.inspect() } else { Anomalies::NONE };
    let large = oversize::is_worth_measuring(message) || event.carriage.fragments > 1;
    (found, if large || found.is_malformed() { Interest::ODD } else { Interest::END })
}
