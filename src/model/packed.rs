//! The compact form of finished records, in memory and in the spool: fields one after the other,
//! numbers without their leading zero octets behind their length, and behind the fields the texts of
//! all of them, so that one look tells whether they are UTF-8.
//!
//! What is read back borrows from the octets. Only this program reads what it wrote, in one run, so
//! nothing names fields or versions; a record that makes no sense is `None`, not a fault.

use std::borrow::Cow;

/// Text of a record: borrowed from the message or from the compact form, or made valid.
pub type Text<'a> = Cow<'a, str>;

/// A value with a compact form.
pub trait Packed<'a>: Sized {
    /// Appends the value.
    fn pack(&self, out: &mut Packer);

    /// Takes a value off the front; `None` if there is none.
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self>;
}

/// Records in compact form, one after the other.
#[derive(Debug, Default)]
pub struct Packer {
    octets: Vec<u8>,
    /// Texts of the record at hand.
    texts: Vec<u8>,
}

/// What is left of one record.
#[derive(Debug)]
pub struct Unpacker<'a> {
    fields: &'a [u8],
    texts: &'a str,
}

impl Packer {
    /// Appends a record: its fields, its texts, and the length of the texts in four octets.
    #[inline]
    pub fn record<'a>(&mut self, record: &impl Packed<'a>) {
        self.texts.clear();
        record.pack(self);
        let length = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.octets.extend_from_slice(&self.texts);
        self.octets.extend_from_slice(&length.to_le_bytes());
    }

    /// All records.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Forgets all records after the first `length` octets.
    pub fn truncate(&mut self, length: usize) {
        self.octets.truncate(length);
    }
}

/// The record that these octets are.
#[inline]
pub fn unpack<'a, T: Packed<'a>>(octets: &'a [u8]) -> Option<T> {
    let (record, length) = octets.split_last_chunk()?;
    let texts = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (fields, texts) = record.split_at_checked(record.len().checked_sub(texts)?)?;
    T::unpack(&mut Unpacker { fields, texts: std::str::from_utf8(texts).ok()? })
}

/// [`Packed`] for a struct, field by field. The compiler sees to it that none is forgotten.
macro_rules! packed {
    ($record:ident $(<$life:lifetime>)? { $($field:ident)* }) => {
        impl<'a> $crate::model::packed::Packed<'a> for $record $(<$life>)? {
            #[inline]
            fn pack(&self, out: &mut $crate::model::packed::Packer) {
                let Self { $($field),* } = self;
                $($crate::model::packed::Packed::pack($field, out);)*
            }

            #[inline]
            fn unpack(from: &mut $crate::model::packed::Unpacker<'a>) -> Option<Self> {
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
            fn pack(&self, out: &mut $crate::model::packed::Packer) {
                (*self as u8).pack(out);
            }

            #[inline]
            fn unpack(from: &mut $crate::model::packed::Unpacker<'_>) -> Option<Self> {
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
fn octets<'a, const N: usize>(from: &mut Unpacker<'a>) -> Option<&'a [u8; N]> {
    let (first, rest) = from.fields.split_first_chunk()?;
    from.fields = rest;
    Some(first)
}

impl Packed<'_> for u8 {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        out.octets.push(*self);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        octets::<1>(from).map(|[octet]| *octet)
    }
}

impl Packed<'_> for bool {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        out.octets.push((*self).into());
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        u8::unpack(from).map(|octet| octet != 0)
    }
}

impl Packed<'_> for u64 {
    #[inline]
    #[expect(clippy::many_single_char_names, reason = "eight octets in order")]
    fn pack(&self, out: &mut Packer) {
        let [a, b, c, d, e, f, g, h] = self.to_le_bytes();
        let zeros = self.leading_zeros() / 8;
        let [length, ..] = (8 - zeros).to_le_bytes();
        out.octets.extend_from_slice(&[length, a, b, c, d, e, f, g, h]);
        let end = out.octets.len() - usize::try_from(zeros).unwrap_or_default();
        out.octets.truncate(end);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        /// The number that is left of eight octets when only the first so many count.
        #[expect(clippy::indexing_slicing, reason = "while compiling")]
        const MASKS: [u64; 9] = {
            let mut masks = [u64::MAX; 9];
            let mut length = 0;
            while length < 8 {
                masks[length] = (1 << (8 * length)) - 1;
                length += 1;
            }
            masks
        };
        let (length, rest) = from.fields.split_first()?;
        let length = usize::from(*length);
        let number =
            rest.first_chunk().map_or_else(|| last(rest), |next| Self::from_le_bytes(*next));
        from.fields = rest.get(length..)?;
        MASKS.get(length).map(|mask| number & mask)
    }
}

/// The number that fewer than eight octets are, the lowest first.
#[cold]
fn last(octets: &[u8]) -> u64 {
    octets.iter().rev().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

macro_rules! packed_narrow {
    ($($number:ty)*) => {
        $(impl Packed<'_> for $number {
            #[inline]
            fn pack(&self, out: &mut Packer) {
                u64::from(*self).pack(out);
            }

            #[inline]
            fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
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
            fn pack(&self, out: &mut Packer) {
                out.octets.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
                octets(from).map(|octets| Self::from_le_bytes(*octets))
            }
        })*
    };
}

packed_fixed! { i64 }

/// Most numbers with a point have few digits, so that the octets at the end of their mantissa are zero.
impl Packed<'_> for f64 {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        self.to_bits().swap_bytes().pack(out);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        u64::unpack(from).map(|bits| Self::from_bits(bits.swap_bytes()))
    }
}

impl<'a, const N: usize> Packed<'a> for [u8; N] {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        out.octets.extend_from_slice(self);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        octets(from).copied()
    }
}

impl<'a> Packed<'a> for Text<'a> {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        u64::try_from(self.len()).unwrap_or_default().pack(out);
        out.texts.extend_from_slice(self.as_bytes());
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        let length = usize::try_from(u64::unpack(from)?).ok()?;
        let (text, rest) = from.texts.split_at_checked(length)?;
        from.texts = rest;
        Some(Cow::Borrowed(text))
    }
}

impl Packed<'_> for String {
    fn pack(&self, out: &mut Packer) {
        Cow::Borrowed(self.as_str()).pack(out);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        Text::unpack(from).map(Cow::into_owned)
    }
}

impl<'a, T: Packed<'a>> Packed<'a> for Option<T> {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        out.octets.push(self.is_some().into());
        if let Some(value) = self {
            value.pack(out);
        }
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

impl<'a, T: Packed<'a>, U: Packed<'a>> Packed<'a> for (T, U) {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        self.0.pack(out);
        self.1.pack(out);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some((T::unpack(from)?, U::unpack(from)?))
    }
}

impl<'a, T: Packed<'a>> Packed<'a> for Vec<T> {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        u64::try_from(self.len()).unwrap_or_default().pack(out);
        for value in self {
            value.pack(out);
        }
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        let count = usize::try_from(u64::unpack(from)?).ok()?;
        // No value is shorter than an octet: what a damaged count may reserve is bounded.
        let mut values = Self::with_capacity(count.min(from.fields.len()));
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
        fn values_come_back_and_a_cut_is_noticed(value in samples(), cut in 1_usize..40) {
            let mut packer = Packer::default();
            packer.record(&value);
            let whole = packer.octets();
            prop_assert_eq!(unpack(whole), Some(value.clone()));
            let short = whole.get(..whole.len().saturating_sub(cut)).unwrap();
            prop_assert_ne!(unpack(short), Some(value));
        }

        #[test]
        fn anything_unpacks_to_something_or_nothing(octets: Vec<u8>) {
            let _ = unpack::<Sample>(&octets);
        }

        #[test]
        fn numbers_of_any_length_come_back(numbers: Vec<u64>, shift in 0..64) {
            let numbers: Vec<u64> = numbers.iter().map(|number| number >> shift).collect();
            let mut packer = Packer::default();
            packer.record(&numbers);
            prop_assert_eq!(unpack(packer.octets()), Some(numbers));
        }
    }

    #[test]
    fn text_is_borrowed_and_valid() {
        let mut packer = Packer::default();
        packer.record(&(Text::from("Zoë"), Text::from("")));
        let texts: Option<(Text<'_>, Text<'_>)> = unpack(packer.octets());
        assert!(matches!(texts, Some((Cow::Borrowed("Zoë"), Cow::Borrowed("")))));
        assert_eq!(unpack::<Text<'_>>(&[1, 1, 0xff, 1, 0, 0, 0]), None);
    }
}
