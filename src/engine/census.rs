//! Counts of SIP messages by method and status.

use overhear_parsers::sip::Method;

use crate::correlate::event::SipEvent;
use crate::model::capture::Counts;

/// Methods outside the registry counted by their own name; the rest is `OTHER`.
const UNKNOWN_METHODS: usize = 32;

/// Characters of such a name.
const NAME_LENGTH: usize = 32;

/// What was seen so far.
#[derive(Debug)]
pub(super) struct Census {
    messages: u64,
    methods: [u64; Method::KNOWN.len()],
    statuses: Vec<u64>,
    unknown: Vec<(Box<[u8]>, u64)>,
    other: u64,
}

impl Default for Census {
    fn default() -> Self {
        Self {
            messages: 0,
            methods: [0; Method::KNOWN.len()],
            statuses: vec![0; 1000],
            unknown: Vec::new(),
            other: 0,
        }
    }
}

impl Census {
    /// Counts one message.
    pub(super) fn message(&mut self, event: &SipEvent<'_>) {
        self.messages += 1;
        match event.message.status() {
            Some(status) => {
                if let Some(count) = self.statuses.get_mut(usize::from(status)) {
                    *count += 1;
                }
            }
            None => self.request(event),
        }
    }

    /// Writes the counts down.
    pub(super) fn finish(self, counts: &mut Counts) {
        counts.sip_messages = self.messages;
        for (method, count) in Method::KNOWN.iter().zip(self.methods).filter(|(_, n)| *n > 0) {
            counts.sip_requests.insert(method.as_str().to_owned(), count);
        }
        for (name, count) in self.unknown {
            let name = String::from_utf8_lossy(&name).into_owned();
            *counts.sip_requests.entry(name).or_default() += count;
        }
        if self.other > 0 {
            *counts.sip_requests.entry("OTHER".to_owned()).or_default() += self.other;
        }
        for (status, count) in (0_u32..).zip(&self.statuses).filter(|(_, n)| **n > 0) {
            counts.sip_responses.insert(status.to_string(), *count);
        }
    }

    fn request(&mut self, event: &SipEvent<'_>) {
        let method = event.message.method();
        // A method's number is its place in the list of those known; a test says so.
        if let Some(count) = self.methods.get_mut(method as usize) {
            *count += 1;
            return;
        }
        let name = event.message.method_text();
        if let Some((_, count)) = self.unknown.iter_mut().find(|(known, _)| **known == *name) {
            *count += 1;
        } else if self.unknown.len() < UNKNOWN_METHODS && name.len() <= NAME_LENGTH {
            self.unknown.push((name.into(), 1));
        } else {
            self.other += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_counts_at_its_place_in_the_list() {
        for (place, &method) in Method::KNOWN.iter().enumerate() {
            assert_eq!(method as usize, place);
        }
        assert_eq!(Method::Other as usize, Method::KNOWN.len());
    }
}
