//! The compact form of numbers, times, texts, lists and what may be absent.

use std::borrow::Cow;

use super::{Packed, Packer, Text, Unpacker, octets};
use crate::model::time::Ts;

impl Packed<'_> for bool {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        out.octets.push((*self).into());
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        octets::<1>(from).map(|[octet]| *octet != 0)
    }

    #[inline]
    fn usual() -> Option<Self> {
        Some(false)
    }

    #[inline]
    fn is_usual(&self) -> bool {
        !self
    }

    /// The mark says it all.
    #[inline]
    fn pack_unusual(&self, _: &mut Packer) {}

    #[inline]
    fn unpack_unusual(_: &mut Unpacker<'_>) -> Option<Self> {
        Some(true)
    }
}

macro_rules! packed_numbers {
    ($($number:ty)*) => {
        $(impl Packed<'_> for $number {
            #[inline]
            fn pack(&self, out: &mut Packer) {
                out.number((*self).into());
            }

            #[inline]
            fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
                from.number()?.try_into().ok()
            }

            #[inline]
            fn usual() -> Option<Self> {
                Some(0)
            }

            #[inline]
            fn is_usual(&self) -> bool {
                *self == 0
            }
        })*
    };
}

packed_numbers! { u8 u16 u32 u64 }

/// Its sign is its lowest bit, so that what is small stays short.
impl Packed<'_> for i64 {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        out.number(((*self << 1) ^ (*self >> 63)).cast_unsigned());
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        let number = from.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

/// How much later than the time before it in the same record: the times of a record are near each other.
impl Packed<'_> for Ts {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        let before = std::mem::replace(&mut out.time, self.nanos());
        self.nanos().wrapping_sub(before).pack(out);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        from.time = from.time.wrapping_add(i64::unpack(from)?);
        Some(Self::from_nanos(from.time))
    }
}

/// Most numbers with a point have three decimals at most: twice as many thousandths. Before any other
/// stands a one.
impl Packed<'_> for f64 {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "whether the conversion was exact is what the comparison finds out"
    )]
    fn pack(&self, out: &mut Packer) {
        let thousandths = (self * 1e3 + 0.5) as i64;
        let exact = (thousandths as Self / 1e3).to_bits() == self.to_bits();
        match u32::try_from(thousandths) {
            Ok(thousandths) if exact => out.number(u64::from(thousandths) << 1),
            _ => {
                out.number(1);
                out.octets.extend_from_slice(&self.to_bits().to_le_bytes());
            }
        }
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        let number = from.number()?;
        if number & 1 == 0 {
            return Some(Self::from(u32::try_from(number >> 1).ok()?) / 1e3);
        }
        octets(from).map(|octets| Self::from_bits(u64::from_le_bytes(*octets)))
    }

    #[inline]
    fn usual() -> Option<Self> {
        Some(0.0)
    }

    #[inline]
    fn is_usual(&self) -> bool {
        self.to_bits() == 0
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
        out.number(u64::try_from(self.len()).unwrap_or_default());
        out.texts.extend_from_slice(self.as_bytes());
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        let length = usize::try_from(from.number()?).ok()?;
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
        self.is_some().pack(out);
        self.pack_unusual(out);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        if bool::unpack(from)? { Self::unpack_unusual(from) } else { Some(None) }
    }

    #[inline]
    fn usual() -> Option<Self> {
        Some(None)
    }

    #[inline]
    fn is_usual(&self) -> bool {
        self.is_none()
    }

    #[inline]
    fn pack_unusual(&self, out: &mut Packer) {
        if let Some(value) = self {
            value.pack(out);
        }
    }

    #[inline]
    fn unpack_unusual(from: &mut Unpacker<'a>) -> Option<Self> {
        T::unpack(from).map(Some)
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
        out.number(u64::try_from(self.len()).unwrap_or_default());
        for value in self {
            value.pack(out);
        }
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        let count = usize::try_from(from.number()?).ok()?;
        // No value is shorter than an octet: what a damaged count may reserve is bounded.
        let mut values = Self::with_capacity(count.min(from.fields.len()));
        for _ in 0..count {
            values.push(T::unpack(from)?);
        }
        Some(values)
    }

    #[inline]
    fn usual() -> Option<Self> {
        Some(Self::new())
    }

    #[inline]
    fn is_usual(&self) -> bool {
        self.is_empty()
    }
}
