//! The compact form of finished records, in memory and in the spool. A struct is marks, one bit for each
//! field, and the fields that are not what most are (zero, none, empty); behind all fields of a record
//! stand the texts of all of them, so that one look tells whether they are UTF-8.
//!
//! What is read back borrows from the octets. Only this program reads what it wrote, in one run, so
//! nothing names fields or versions; a record that makes no sense is `None`, not a fault. What a record is
//! kept under, its place in the report, is not written again.

use std::borrow::Cow;

use super::id::RecordKey;

mod values;

/// Text of a record: borrowed from the message or from the compact form, or made valid.
pub type Text<'a> = Cow<'a, str>;

/// A value with a compact form.
pub trait Packed<'a>: Sized {
    /// Appends the value.
    fn pack(&self, out: &mut Packer);

    /// Takes a value off the front; `None` if there is none.
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self>;

    /// What most values of a field are, if there is such a value.
    #[inline]
    fn usual() -> Option<Self> {
        None
    }

    /// Whether this is that value.
    #[inline]
    fn is_usual(&self) -> bool {
        false
    }

    /// Appends a value that is not the usual one.
    #[inline]
    fn pack_unusual(&self, out: &mut Packer) {
        self.pack(out);
    }

    /// Takes such a value off the front.
    #[inline]
    fn unpack_unusual(from: &mut Unpacker<'a>) -> Option<Self> {
        Self::unpack(from)
    }
}

/// Records in compact form, one after the other.
#[derive(Debug, Default)]
pub struct Packer {
    octets: Vec<u8>,
    /// Texts of the record at hand.
    texts: Vec<u8>,
    /// The time that the record at hand named last.
    time: i64,
}

/// What is left of one record.
#[derive(Debug)]
pub struct Unpacker<'a> {
    /// The fields, and what stands behind them.
    fields: &'a [u8],
    texts: &'a str,
    time: i64,
    key: RecordKey,
}

/// Which fields of a struct are not the usual ones.
#[derive(Copy, Clone, Debug)]
pub struct Marks {
    /// The next field's lowest.
    bits: u64,
    /// Where they are to be written.
    at: usize,
}

/// Numbers from this on have octets of their own; in front of them stands this and one less than how many.
const SMALL: u8 = 0xf8;

/// What is left of eight octets when only the first so many count.
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

/// In the place of the length of the texts: it stands before this, in four octets.
const LONG: u8 = u8::MAX;

impl Marks {
    /// Whether the next field is not the usual one.
    #[inline]
    const fn next(&mut self) -> bool {
        let unusual = self.bits & 1 == 1;
        self.bits >>= 1;
        unusual
    }
}

impl Packer {
    /// Appends a record: its fields, its texts, and the length of the texts.
    #[inline]
    pub fn record<'a>(&mut self, record: &impl Packed<'a>) {
        self.texts.clear();
        self.time = 0;
        record.pack(self);
        self.octets.extend_from_slice(&self.texts);
        let length = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        match u8::try_from(length) {
            Ok(length) if length < LONG => self.octets.push(length),
            _ => {
                self.octets.extend_from_slice(&length.to_le_bytes());
                self.octets.push(LONG);
            }
        }
    }

    /// All records.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Forgets all records after the first `length` octets.
    pub fn truncate(&mut self, length: usize) {
        self.octets.truncate(length);
    }

    /// Makes room for the marks of a struct of so many fields.
    #[inline]
    pub fn begin(&mut self, fields: usize) -> Marks {
        let at = self.octets.len();
        self.octets.extend_from_slice([0; 8].get(..fields.div_ceil(8)).unwrap_or_default());
        Marks { bits: 0, at }
    }

    /// Appends field `number` of a struct, unless it is the usual one.
    #[inline]
    pub fn field<'a>(&mut self, number: usize, field: &impl Packed<'a>, marks: &mut Marks) {
        if !field.is_usual() {
            marks.bits |= 1 << number;
            field.pack_unusual(self);
        }
    }

    /// Writes the marks of a struct of so many fields where there is room for them.
    #[inline]
    pub fn end(&mut self, fields: usize, marks: Marks) {
        let octets = marks.bits.to_le_bytes();
        let room =
            self.octets.get_mut(marks.at..).and_then(|room| room.get_mut(..fields.div_ceil(8)));
        if let Some((room, octets)) = room.zip(octets.get(..fields.div_ceil(8))) {
            room.copy_from_slice(octets);
        }
    }

    /// Appends a number: in one octet, or behind how many octets it has without its leading zeros.
    #[inline]
    #[expect(clippy::many_single_char_names, reason = "eight octets in order")]
    fn number(&mut self, number: u64) {
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        if number < SMALL.into() {
            self.octets.push(a);
            return;
        }
        let zeros = number.leading_zeros() / 8;
        let [length, ..] = (7 - zeros).to_le_bytes();
        self.octets.extend_from_slice(&[SMALL + length, a, b, c, d, e, f, g, h]);
        let end = self.octets.len() - usize::try_from(zeros).unwrap_or_default();
        self.octets.truncate(end);
    }
}

impl<'a> Unpacker<'a> {
    /// Takes the texts and their length off the end of a record.
    #[inline]
    fn new(key: RecordKey, octets: &'a [u8]) -> Option<Self> {
        let (length, rest) = octets.split_last()?;
        let (rest, length) = if *length == LONG {
            let (rest, length) = rest.split_last_chunk()?;
            (rest, u32::from_le_bytes(*length))
        } else {
            (rest, u32::from(*length))
        };
        let texts = rest.get(rest.len().checked_sub(usize::try_from(length).ok()?)?..)?;
        let texts = std::str::from_utf8(texts).ok()?;
        Some(Self { fields: octets, texts, time: 0, key })
    }

    /// What the record is kept under.
    #[inline]
    pub fn key(&self) -> RecordKey {
        self.key
    }

    /// The marks of a struct of so many fields.
    #[inline]
    pub fn marks(&mut self, fields: usize) -> Option<Marks> {
        let (octets, rest) = self.fields.split_at_checked(fields.div_ceil(8))?;
        self.fields = rest;
        Some(Marks { bits: last(octets), at: 0 })
    }

    /// The next field of a struct.
    #[inline]
    pub fn field<T: Packed<'a>>(&mut self, marks: &mut Marks) -> Option<T> {
        if marks.next() { T::unpack_unusual(self) } else { T::usual() }
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let (first, rest) = self.fields.split_first()?;
        let Some(surplus) = first.checked_sub(SMALL) else {
            self.fields = rest;
            return Some((*first).into());
        };
        let length = usize::from(surplus) + 1;
        let word = rest.first_chunk().map_or_else(|| last(rest), |next| u64::from_le_bytes(*next));
        self.fields = rest.get(length..)?;
        MASKS.get(length).map(|mask| word & mask)
    }
}

/// The record under this key that these octets are.
#[inline]
pub fn unpack<'a, T: Packed<'a>>(key: RecordKey, octets: &'a [u8]) -> Option<T> {
    T::unpack(&mut Unpacker::new(key, octets)?)
}

/// [`Packed`] for a struct of up to 64 fields, field by field. The compiler sees to it that none is
/// forgotten. What is `keyed` has an id and a first frame besides, under which it is kept.
macro_rules! packed {
    ($record:ident $(<$life:lifetime>)? { $($field:ident)* }) => {
        $crate::model::packed::packed! { $record $(<$life>)? of [] { $($field)* } }
    };
    ($record:ident $(<$life:lifetime>)? keyed { $($field:ident)* }) => {
        $crate::model::packed::packed! {
            $record $(<$life>)?
            of [id = .id, first_source = .first.source, first_frame = .first.number]
            { $($field)* }
        }
    };
    ($record:ident $(<$life:lifetime>)?
     of [$($kept:ident = $(.$part:ident)+),*] { $($field:ident)* }) => {
        impl<'a> $crate::model::packed::Packed<'a> for $record $(<$life>)? {
            #[inline]
            fn pack(&self, out: &mut $crate::model::packed::Packer) {
                let Self { $($kept: _,)* $($field),* } = self;
                let fields = [$(stringify!($field)),*].len();
                let mut marks = out.begin(fields);
                let mut number = 0;
                $(
                    out.field(number, $field, &mut marks);
                    number += 1;
                )*
                out.end(number, marks);
            }

            #[inline]
            fn unpack(from: &mut $crate::model::packed::Unpacker<'a>) -> Option<Self> {
                let mut marks = from.marks([$(stringify!($field)),*].len())?;
                Some(Self {
                    $($kept: from.key()$(.$part)+,)*
                    $($field: from.field(&mut marks)?),*
                })
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

            #[inline]
            fn usual() -> Option<Self> {
                [$(Self::$variant),*].first().copied()
            }

            #[inline]
            fn is_usual(&self) -> bool {
                Self::usual() == Some(*self)
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

/// The number that fewer than eight octets are, the lowest first.
fn last(octets: &[u8]) -> u64 {
    octets.iter().rev().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::FrameId;
    use crate::model::id::{Kind, RecordId};
    use proptest::prelude::*;

    const KEY: RecordKey = RecordKey {
        first: FrameId { source: 1, number: 2 },
        id: RecordId::new(Kind::Call, 3 << 8),
    };

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
            prop_assert_eq!(unpack(KEY, whole), Some(value.clone()));
            let short = whole.get(..whole.len().saturating_sub(cut)).unwrap();
            prop_assert_ne!(unpack(KEY, short), Some(value));
        }

        #[test]
        fn anything_unpacks_to_something_or_nothing(octets: Vec<u8>) {
            let _ = unpack::<Sample>(KEY, &octets);
        }

        #[test]
        fn numbers_of_any_length_come_back(numbers: Vec<u64>, shift in 0..64) {
            let numbers: Vec<u64> = numbers.iter().map(|number| number >> shift).collect();
            let mut packer = Packer::default();
            packer.record(&numbers);
            prop_assert_eq!(unpack(KEY, packer.octets()), Some(numbers));
        }
    }

    #[test]
    fn text_is_borrowed_and_valid() {
        let mut packer = Packer::default();
        packer.record(&(Text::from("Zoë"), Text::from("")));
        let texts: Option<(Text<'_>, Text<'_>)> = unpack(KEY, packer.octets());
        assert!(matches!(texts, Some((Cow::Borrowed("Zoë"), Cow::Borrowed("")))));
        assert_eq!(unpack::<Text<'_>>(KEY, &[2, 0xff, 1]), None);
    }
}
