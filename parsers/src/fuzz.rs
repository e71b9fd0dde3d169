//! Bodies for fuzzing and for the totality test.
