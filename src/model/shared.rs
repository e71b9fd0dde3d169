//! A part that many records have in common: what a client offers, a chain of certificates. Such a part
//! is kept once, and a packed record names its place.

use std::borrow::Cow;

#[cfg(test)]
use serde::{Serialize, Serializer};

use super::packed::{Packed, Packer, Unpacker};

/// A value that may be kept once with its like, for all records that have it.
pub trait Shelved: Clone + Default {
    /// Octets of memory that it takes, about.
    fn octets(&self) -> usize;
}

/// A part of a record.
#[derive(Clone, Debug)]
pub struct Shared<'a, T: Clone> {
    value: Cow<'a, T>,
    /// What tells the value from others of its kind, as long as it is not 0.
    number: u64,
    place: Option<u32>,
}

impl<'a, T: Shelved> Shared<'a, T> {
    /// A part that is kept elsewhere under a number that no other value has.
    pub fn borrowed(value: &'a T, number: u64) -> Self {
        Self { value: Cow::Borrowed(value), number, place: None }
    }

    /// A part of this record only.
    pub fn owned(value: T) -> Self {
        Self { value: Cow::Owned(value), number: 0, place: None }
    }

    /// What it is.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Its number; 0 where it has none.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where it stands, if it does.
    pub fn place(&self) -> Option<u32> {
        self.place
    }

    /// Says that it stands at `place`, or nowhere.
    pub fn put(&mut self, place: Option<u32>) {
        self.place = place;
    }

    /// Fetches from its place what was not packed with the record; `None` if nothing is there.
    pub fn settle(&mut self, get: impl FnOnce(u32) -> Option<&'a T>) -> Option<()> {
        if let Some(place) = self.place {
            self.value = Cow::Borrowed(get(place)?);
        }
        Some(())
    }
}

impl<T: Clone + PartialEq> PartialEq for Shared<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<'a, T: Shelved + Packed<'a>> Packed<'a> for Shared<'_, T> {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        self.place.pack(out);
        if self.place.is_none() {
            self.value.pack(out);
        }
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        let place = Option::unpack(from)?;
        let value = if place.is_none() { T::unpack(from)? } else { T::default() };
        Some(Self { value: Cow::Owned(value), number: 0, place })
    }
}

#[cfg(test)]
impl<T: Clone + Serialize> Serialize for Shared<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}
