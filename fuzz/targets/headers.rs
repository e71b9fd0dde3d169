#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| overhear_parsers::fuzz_headers::headers(octets));
