//! What announcements say of one address, or of one call, apart from binding streams.

use super::{BEFORE, Binding, Entry, LOOKED_AT_OF_CALL, MediaBinder, MediaDescription, widen};
use crate::model::addr::Endpoint;
use crate::model::id::{RecordId, RecordKey};
use crate::model::record::Side;
use crate::model::stream::StreamEnded;
use crate::model::time::Ts;

/// What an announced address is for.
#[derive(Copy, Clone, Debug)]
pub struct Place<'a> {
    /// The call.
    pub call: RecordKey,
    /// Whose address it is.
    pub side: Side,
    /// The m-line.
    pub media: &'a MediaDescription,
}

/// When a call announced addresses; looked up when asked for.
#[derive(Copy, Clone, Debug)]
pub struct Announced<'a> {
    binder: &'a MediaBinder,
    call: RecordId,
}

impl Announced<'_> {
    /// Whether it did so at such a time.
    pub fn any(self, mut is: impl FnMut(Ts) -> bool) -> bool {
        let newest = self.binder.newest_of_call(self.call);
        let newest = newest.and_then(|slot| self.binder.entries.get(widen(slot)));
        newest.is_some_and(|newest| self.binder.ring(newest).any(|entry| is(entry.at)))
    }
}

/// A handshake between two sockets of which a call announced one or both.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The call.
    pub call: RecordKey,
    /// The call announced the socket that is greeted.
    pub served: bool,
    /// The call named both hosts.
    pub known: bool,
}

impl MediaBinder {
    /// Whose handshake it is between these sockets at this moment; `None` where no call announced
    /// either of them, or only one side of it has announced anything yet.
    pub fn greeting(&self, client: Endpoint, server: Endpoint, at: Ts) -> Option<Greeting> {
        let greeted = |socket, far, served| {
            let entry = self.entry_at(socket, at)?;
            let both = self.ring(entry).any(|other| other.side != entry.side);
            let known = self.names_host(entry, far);
            both.then(|| Greeting { call: entry.call(), served, known })
        };
        greeted(server, client, true).or_else(|| greeted(client, server, false))
    }

    /// The call that announced an address for this moment, whose side it is, and how it described
    /// the medium: the latest announcement.
    pub fn place(&self, endpoint: Endpoint, at: Ts) -> Option<Place<'_>> {
        let entry = self.entry_at(endpoint, at)?;
        Some(Place { call: entry.call(), side: entry.side, media: &entry.media })
    }

    /// The latest announcement of an address that holds at this moment.
    fn entry_at(&self, endpoint: Endpoint, at: Ts) -> Option<&Entry> {
        let newest = self.newest_at(endpoint).and_then(|slot| self.entries.get(widen(slot)));
        let older = |entry: &&Entry| self.entries.get(widen(entry.next_at_endpoint));
        let holds =
            |entry: &&Entry| entry.is_live() && entry.at.minus(BEFORE) <= at && at <= entry.until;
        std::iter::successors(newest, older).take(LOOKED_AT_OF_CALL).find(holds)
    }

    /// When a call announced addresses, for who asks: few do.
    pub const fn announced(&self, call: RecordId) -> Announced<'_> {
        Announced { binder: self, call }
    }

    /// Whether a call's dialog has not ended.
    pub fn is_up(&self, call: RecordId) -> bool {
        let newest = self.newest_of_call(call).and_then(|slot| self.entries.get(widen(slot)));
        newest.is_some_and(|entry| entry.until == Ts::MAX)
    }

    pub(super) fn binding<'a>(
        &self,
        entry: &'a Entry,
        sender: Side,
        known: (bool, bool),
        stream: &StreamEnded,
    ) -> Binding<'a> {
        let over = entry.until != Ts::MAX;
        Binding {
            call: entry.call(),
            sender,
            known_sender: known.0,
            known_receiver: known.1,
            ended: over.then(|| entry.until.minus(self.linger)),
            early: entry.is_early(stream),
            answered: entry.answered(),
            circumstances: self.asides.of(entry.call, stream),
            media: &entry.media,
        }
    }

    /// Whether the call of this announcement announced an address of `socket`'s host.
    pub(super) fn names_host(&self, entry: &Entry, socket: Endpoint) -> bool {
        self.ring(entry).any(|entry| entry.endpoint.addr == socket.addr)
    }

    /// What the call of this announcement announced, this one first.
    pub(super) fn ring<'a>(&'a self, first: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let next = |entry: &&Entry| self.entries.get(widen(entry.next_of_call));
        std::iter::successors(Some(first), next)
            .take(LOOKED_AT_OF_CALL)
            .enumerate()
            .take_while(move |(number, entry)| *number == 0 || !std::ptr::eq(*entry, first))
            .map(|(_, entry)| entry)
    }
}
