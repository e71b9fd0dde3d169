//! The meaning of SIP, one message after the other in total order: is it a retransmission, to which
//! call or registration does it belong, what does its SDP announce. It knows no media and judges
//! nothing.

use super::call_table::Calls;
use super::event::SipEvent;
use super::outbox::Outbox;
use super::placement::Placement;
use super::registration::Registrations;
use super::transaction::Transactions;
use super::view::View;
use crate::model::fact::{SipFact, SipNames};
use crate::model::time::Ts;
use crate::policy::Limits;
use overhear_parsers::sip::{Message, Method, StartLine};

/// What is known of a message before it is taken.
#[derive(Copy, Clone, Debug)]
pub enum Known {
    /// It is of a call, if of any.
    Called,
    /// It is of a registration, which is found by this hash.
    Registered(u64),
    /// Its call probably stands in this slot.
    Call(u32),
    /// Its registration probably stands in this slot.
    Registration(u32),
    /// Nothing.
    Nothing,
}

/// Transactions, calls and registrations that are alive.
pub struct Dialogs {
    transactions: Transactions,
    calls: Calls,
    registrations: Registrations,
}

impl Dialogs {
    /// Empty tables with these caps.
    pub fn new(limits: &Limits) -> Self {
        Self {
            transactions: Transactions::new(limits),
            calls: Calls::new(limits),
            registrations: Registrations::new(limits),
        }
    }

    /// Takes in one message. Timers due at its watermark run first, so that nothing depends on how
    /// often [`Dialogs::advance`] is called.
    pub fn sip(&mut self, event: &SipEvent<'_>, out: &mut Outbox) -> Placement {
        // The collector has done this already, and drained the outbox in between.
        let _ = self.advance(event.watermark, out);
        let mut placement = Placement::default();
        let Some(view) = View::of(event) else { return placement };
        let (retransmission, completed) = self.transactions.see(event, &view);
        placement.retransmission = retransmission;
        placement.completed = completed;
        if view.method == Method::Register {
            placement.registration = self.registrations.see(event, &view, retransmission, out);
        } else {
            self.calls.see(event, &view, &mut placement, out);
        }
        placement
    }

    /// Asks for where the transaction, the call or the registration of a message are looked for: the
    /// first of three steps, each of which is to come a while before the next.
    pub fn fetch_index<'a>(&self, sip: &SipFact, message: impl FnOnce() -> Message<'a>) -> Known {
        self.transactions.fetch(sip.names.request);
        let answered = sip.layout.places.cseq.map(|cseq| cseq.method);
        let begins = match sip.layout.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        };
        if begins.or(answered) == Some(Method::Register) {
            let hash = self.registrations.fetch_index(&message(), sip.names.call_id);
            return hash.map_or(Known::Nothing, Known::Registered);
        }
        self.calls.fetch_index(&sip.names);
        Known::Called
    }

    /// Where its call or registration probably stands; asks for their beginnings, and for the request that
    /// a response answers.
    pub fn approach(&self, known: Known, names: &SipNames) -> Known {
        self.transactions.approach(names);
        let found = match known {
            Known::Called => self.calls.approach(names).map(Known::Call),
            Known::Registered(hash) => self.registrations.approach(hash).map(Known::Registration),
            known => return known,
        };
        found.unwrap_or(Known::Nothing)
    }

    /// Asks for the rest of what [`Dialogs::sip`] will need.
    pub fn fetch(&self, known: Known) {
        match known {
            Known::Call(slot) => self.calls.fetch(slot),
            Known::Registration(slot) => self.registrations.fetch(slot),
            Known::Called | Known::Registered(_) | Known::Nothing => {}
        }
    }

    /// Runs the timers due at or before `watermark`, in the order of their deadlines; `true` if the
    /// outbox filled up and must be drained before the rest.
    pub fn advance(&mut self, watermark: Ts, out: &mut Outbox) -> bool {
        self.transactions.advance(watermark);
        let more = self.calls.advance(watermark, out);
        self.registrations.advance(watermark, out);
        more
    }

    /// The end of the capture: finishes everything that is still open, in the order of the report.
    /// `true` while there are more, once the outbox is drained.
    pub fn finish(&mut self, out: &mut Outbox) -> bool {
        let more = self.calls.finish(out);
        if !more {
            self.registrations.finish(out);
        }
        more
    }

    /// Entries dropped because a table was full, by table.
    pub fn evicted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("calls", self.calls.evicted()),
            ("registrations", self.registrations.evicted()),
            ("transactions", self.transactions.evicted()),
        ]
        .into_iter()
    }

    /// Octets of one remembered message.
    pub const TRANSACTION: usize = super::transaction::ENTRY;

    /// Requests and responses that repeated one of the same transaction.
    pub const fn retransmissions(&self) -> u64 {
        self.transactions.retransmissions()
    }
}

#[cfg(test)]
mod tests;
