//! The compact form of finished records, in memory and in the spool: fields one after the other,
//! numbers as short as they are (seven bits an octet, the lowest first), texts behind their length.
//!
//! What is read back borrows from the octets. Only this program reads what it wrote, in one run, so
//! nothing names fields or versions; a record that makes no sense is `None`, not a fault.

use std::borrow::Cow;

/// Text of a record: borrowed from the message or from the compact form, or made valid.
pub type Text<'a> = Cow<'a, str>;

/// A value with a compact form.
pub trait Packed<'a>: Sized {
    /// Appends the value.
    fn pack(&self, out: &mut Vec<u8>);

    /// Takes a value off the front; `None` if there is none.
    fn unpack(from: &mut &'a [u8]) -> Option<Self>;
}

/// [`Packed`] for a struct, field by field. The compiler sees to it that none is forgotten.
macro_rules! packed {
    ($record:ident $(<$life:lifetime>)? { $($field:ident)* }) => {
        impl<'a> $crate::model::packed::Packed<'a> for $record $(<$life>)? {
            #[inline]
            fn pack(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::model::packed::Packed::pack($field, out);)*
            }

            #[inline]
            fn unpack(from: &mut &'a [u8]) -> Option<Self> {
                Some(Self { $($field: $crate::model::packed::Packed::unpack(from)?),* })
            }
        }
    };
}

/// [`Packed`] for an enum of words: the variant's place in this list.
macro_rules! packed_words {
    ($word:ident { $($variant:ident)* }) => {
        impl $crate::model::packed::Packed<'_> for $word {
            #[inline]
            fn pack(&self, out: &mut Vec<u8>) {
                out.push(*self as u8);
            }

            #[inline]
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                let number = u8::unpack(from)?;
                $(if number == Self::$variant as u8 { return Some(Self::$variant) })*
                None
            }
        }
    };
}

pub(crate) use {packed, packed_words};

/// The first octets of the compact form.
#[inline]
fn octets<'a, const N: usize>(from: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(first)
}

impl Packed<'_> for u8 {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    #[inline]
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        octets::<1>(from).map(|[octet]| *octet)
    }
}

impl Packed<'_> for bool {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        out.push((*self).into());
    }

    #[inline]
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        u8::unpack(from).map(|octet| octet != 0)
    }
}

impl Packed<'_> for u64 {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            let [low, ..] = rest.to_le_bytes();
            out.push(low | 0x80);
            rest >>= 7;
        }
        let [low, ..] = rest.to_le_bytes();
        out.push(low);
    }

    #[inline]
    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let octet = u8::unpack(from)?;
            number |= Self::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

macro_rules! packed_narrow {
    ($($number:ty)*) => {
        $(impl Packed<'_> for $number {
            #[inline]
            fn pack(&self, out: &mut Vec<u8>) {
                u64::from(*self).pack(out);
            }

            #[inline]
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                u64::unpack(from)?.try_into().ok()
            }
        })*
    };
}

packed_narrow! { u16 u32 }

macro_rules! packed_fixed {
    ($($number:ty)*) => {
        $(impl Packed<'_> for $number {
            #[inline]
            fn pack(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                octets(from).map(|octets| Self::from_le_bytes(*octets))
            }
        })*
    };
}

packed_fixed! { i64 f64 }

impl<'a, const N: usize> Packed<'a> for [u8; N] {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    #[inline]
    fn unpack(from: &mut &'a [u8]) -> Option<Self> {
        octets(from).copied()
    }
}

impl<'a> Packed<'a> for Text<'a> {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or_default().pack(out);
        out.extend_from_slice(self.as_bytes());
    }

    #[inline]
    fn unpack(from: &mut &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u64::unpack(from)?).ok()?;
        let (text, rest) = from.split_at_checked(length)?;
        *from = rest;
        std::str::from_utf8(text).ok().map(Cow::Borrowed)
    }
}

impl Packed<'_> for String {
    fn pack(&self, out: &mut Vec<u8>) {
        Cow::Borrowed(self.as_str()).pack(out);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Text::unpack(from).map(Cow::into_owned)
    }
}

impl<'a, T: Packed<'a>> Packed<'a> for Option<T> {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        out.push(self.is_some().into());
        if let Some(value) = self {
            value.pack(out);
        }
    }

    #[inline]
    fn unpack(from: &mut &'a [u8]) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

impl<'a, T: Packed<'a>, U: Packed<'a>> Packed<'a> for (T, U) {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        self.0.pack(out);
        self.1.pack(out);
    }

    #[inline]
    fn unpack(from: &mut &'a [u8]) -> Option<Self> {
        Some((T::unpack(from)?, U::unpack(from)?))
    }
}

impl<'a, T: Packed<'a>> Packed<'a> for Vec<T> {
    #[inline]
    fn pack(&self, out: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or_default().pack(out);
        for value in self {
            value.pack(out);
        }
    }

    #[inline]
    fn unpack(from: &mut &'a [u8]) -> Option<Self> {
        let count = usize::try_from(u64::unpack(from)?).ok()?;
        // No value is shorter than an octet: what a damaged count may reserve is bounded.
        let mut values = Self::with_capacity(count.min(from.len()));
        for _ in 0..count {
            values.push(T::unpack(from)?);
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Sample = (u64, (Option<i64>, (Vec<u16>, (String, (f64, Vec<(bool, u32)>)))));

    fn samples() -> impl Strategy<Value = Sample> {
        let texts = any::<String>();
        let inner = (texts, (prop::num::f64::NORMAL, any::<Vec<(bool, u32)>>()));
        (any::<u64>(), (any::<Option<i64>>(), (any::<Vec<u16>>(), inner)))
    }

    proptest! {
        #[test]
        fn values_come_back_and_every_cut_is_noticed(value in samples(), cut in 1_usize..40) {
            let mut octets = Vec::new();
            value.pack(&mut octets);
            let mut from = octets.as_slice();
            prop_assert_eq!(Sample::unpack(&mut from), Some(value));
            prop_assert!(from.is_empty());
            let mut short = octets.get(..octets.len().saturating_sub(cut)).unwrap();
            prop_assert_eq!(Sample::unpack(&mut short), None);
        }

        #[test]
        fn anything_unpacks_to_something_or_nothing(octets: Vec<u8>) {
            let _ = Sample::unpack(&mut octets.as_slice());
        }
    }

    #[test]
    fn text_is_borrowed() {
        let mut octets = Vec::new();
        Text::from("Zoë").pack(&mut octets);
        assert!(matches!(Text::unpack(&mut octets.as_slice()), Some(Cow::Borrowed("Zoë"))));
        assert_eq!(Text::unpack(&mut &[1, 0xff][..]), None);
    }
}
