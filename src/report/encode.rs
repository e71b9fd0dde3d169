//! JSON for whatever serde describes: what `serde_json` writes, in a fraction of the time, and with
//! the characters that could act on a terminal as escapes. The records of a report, which may be
//! millions, are written by `records.rs` instead.
//!
//! Names of fields are written as they are: they are names of this program.

use std::io;

use serde::ser;
use serde::{Serialize, Serializer};
use serde_json::Error;

use super::put;

/// Appends `value` as JSON (RFC 8259), compactly and ready to print.
///
/// # Errors
/// Those of the value itself.
pub(super) fn encode(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) -> io::Result<()> {
    value.serialize(Json(out)).map_err(io::Error::from)
}

/// Appends a number with a point, or `null` for what is none.
pub(super) fn float(value: f64, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = Json(out).serialize_f64(value);
}

/// One value to come.
struct Json<'a>(&'a mut Vec<u8>);

/// The elements of an array or the members of an object to come.
struct Parts<'a> {
    out: &'a mut Vec<u8>,
    /// What stands before the next part: the opening bracket, then commas.
    before: u8,
    close: &'static [u8],
}

impl<'a> Json<'a> {
    #[expect(clippy::unnecessary_wraps, reason = "the last step of many a method that may fail")]
    fn signed(self, value: i64) -> Result<(), Error> {
        put::signed(value, self.0);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last step of many a method that may fail")]
    fn unsigned(self, value: u64) -> Result<(), Error> {
        put::decimal(value, self.0);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last step of many a method that may fail")]
    fn word(self, word: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(word);
        Ok(())
    }

    const fn array(self) -> Parts<'a> {
        Parts { out: self.0, before: b'[', close: b"]" }
    }

    const fn object(self) -> Parts<'a> {
        Parts { out: self.0, before: b'{', close: b"}" }
    }
}

impl Parts<'_> {
    fn value(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.out.push(self.before);
        self.before = b',';
        value.serialize(Json(self.out))
    }

    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        named(self.before, name, self.out);
        self.before = b',';
        value.serialize(Json(self.out))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last step of many a method that may fail")]
    fn done(self) -> Result<(), Error> {
        if self.before != b',' {
            self.out.push(self.before);
        }
        self.out.extend_from_slice(self.close);
        Ok(())
    }
}

/// A member's name, as this program spells it.
fn named(before: u8, name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&[before, b'"']);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

impl<'a> Serializer for Json<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn serialize_bool(self, v: bool) -> Result<(), Error> {
        self.word(if v { b"true" } else { b"false" })
    }

    fn serialize_i8(self, v: i8) -> Result<(), Error> {
        self.signed(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<(), Error> {
        self.signed(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<(), Error> {
        self.signed(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<(), Error> {
        self.signed(v)
    }

    fn serialize_u8(self, v: u8) -> Result<(), Error> {
        self.unsigned(v.into())
    }

    fn serialize_u16(self, v: u16) -> Result<(), Error> {
        self.unsigned(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<(), Error> {
        self.unsigned(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<(), Error> {
        self.unsigned(v)
    }

    fn serialize_f32(self, v: f32) -> Result<(), Error> {
        serde_json::to_writer(self.0, &v)
    }

    fn serialize_f64(self, v: f64) -> Result<(), Error> {
        if !put::short_float(v, self.0) {
            serde_json::to_writer(self.0, &v)?;
        }
        Ok(())
    }

    fn serialize_char(self, v: char) -> Result<(), Error> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Result<(), Error> {
        put::quoted(v, self.0);
        Ok(())
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<(), Error> {
        self.collect_seq(v)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.word(b"null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.word(b"null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.word(b"null")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut object = self.object();
        object.member(variant, value)?;
        object.done()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(self.array())
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.array())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.array())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        named(b'{', variant, self.0);
        Ok(Parts { out: self.0, before: b'[', close: b"]}" })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(self.object())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        named(b'{', variant, self.0);
        Ok(Parts { out: self.0, before: b'{', close: b"}}" })
    }
}

/// What serde has four traits for is one to JSON: values one after the other.
macro_rules! sequences {
    ($($sequence:ident $part:ident)+) => {$(
        impl ser::$sequence for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn $part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.value(value)
            }

            fn end(self) -> Result<(), Error> {
                self.done()
            }
        }
    )+};
}

sequences! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    /// A key that is no text is written as text, as `serde_json` does.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.out.push(self.before);
        self.before = b',';
        let start = self.out.len();
        key.serialize(Json(self.out))?;
        if self.out.get(start) != Some(&b'"') {
            self.out.insert(start, b'"');
            self.out.push(b'"');
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Json(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.done()
    }
}

impl ser::SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.done()
    }
}

impl ser::SerializeStructVariant for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::safe::is_unsafe;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn encoded(value: &(impl Serialize + ?Sized)) -> String {
        let mut out = Vec::new();
        encode(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[derive(Serialize)]
    enum Shape {
        Unit,
        One(u8),
        Two(i32, char),
        Named { a: Option<bool>, b: () },
    }

    #[test]
    fn every_shape_is_written_as_serde_json_writes_it() {
        let shapes = [
            Shape::Unit,
            Shape::One(7),
            Shape::Two(-3, '\n'),
            Shape::Named { a: Some(true), b: () },
        ];
        let floats = [0.0, -0.0, 0.18, 1e-7, 1e21, f64::NAN, 160.0];
        let map: BTreeMap<u16, Vec<&str>> = [(486, vec![]), (200, vec![])].into();
        let value = (shapes, floats, map, BTreeMap::<&str, u8>::new(), None::<u8>, u64::MAX);
        assert_eq!(encoded(&value), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn characters_for_terminals_become_escapes() {
        for (text, json) in [
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            ("\u{0}\u{8}\t\n\u{c}\r\u{1b}\u{7f}", r#""\u0000\b\t\n\f\r\u001b\u007f""#),
            ("\u{9b}\u{200b}\u{2028}\u{e0001}", r#""\u009b\u200b\u2028\udb40\udc01""#),
            ("Zoë 東京 🙂 §", "\"Zoë 東京 🙂 §\""),
        ] {
            assert_eq!(encoded(text), json);
        }
    }

    proptest! {
        #[test]
        fn text_reads_back_and_holds_nothing_unsafe(text in "[ -~]{0,40}\\PC*|[ -~]{0,20}.*") {
            let json = encoded(&text);
            prop_assert!(!json.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), Value::from(text));
        }

        #[test]
        #[expect(clippy::cast_precision_loss, reason = "any number will do")]
        fn numbers_are_written_as_serde_json_writes_them(
            whole: u64, signed: i64, any: f64, some in 0_u64..2_000_000_000_000, digits in 0..12,
        ) {
            let decimal = some as f64 / 10_f64.powi(digits);
            let value = (whole, whole >> (whole % 64), signed, any, decimal, decimal * 1e3);
            prop_assert_eq!(encoded(&value), serde_json::to_string(&value).unwrap());
        }

        #[test]
        fn plain_text_is_written_as_serde_json_writes_it(text in "[ -~éß\\r\\n]*") {
            prop_assert_eq!(encoded(&text), serde_json::to_string(&text).unwrap());
        }
    }
}
