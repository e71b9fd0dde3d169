//! What one finding is about: the key, with the rule, under which sightings are put together.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};

use crate::model::addr::{Addr, STABLE};
use crate::model::id::RecordKey;

/// What a finding is about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Two hosts, the smaller address first.
    Pair(Addr, Addr),
    /// One host.
    Host(Addr),
    /// One stream.
    Stream(RecordKey),
    /// The capture as a whole.
    Capture,
    /// Everything beyond the number of subjects that one rule reports separately.
    Rest,
}

/// [`About`] with its hash, which is the same in every capture of the same traffic.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    about: About,
    hash: u64,
}

impl Hash for Subject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Subject {
    /// The capture as a whole.
    pub fn capture() -> Self {
        Self::new(About::Capture)
    }

    /// A pair of peers, in whichever order they are named.
    pub fn pair(a: Addr, b: Addr) -> Self {
        let value = |addr: Addr| u128::from_be_bytes(*addr.octets());
        Self::new(if value(a) <= value(b) { About::Pair(a, b) } else { About::Pair(b, a) })
    }

    /// One host.
    pub fn host(addr: Addr) -> Self {
        Self::new(About::Host(addr))
    }

    /// One stream.
    pub fn stream(key: RecordKey) -> Self {
        Self::new(About::Stream(key))
    }

    pub(super) fn rest() -> Self {
        Self::new(About::Rest)
    }

    fn new(about: About) -> Self {
        let mut hasher = STABLE.build_hasher();
        match about {
            About::Pair(low, high) => {
                hasher.write(low.octets());
                hasher.write(high.octets());
            }
            About::Host(addr) => hasher.write(addr.octets()),
            About::Stream(key) => hasher.write_u64(STABLE.hash_one(key.id)),
            About::Capture => hasher.write_u8(0),
            About::Rest => hasher.write_u8(1),
        }
        Self { about, hash: hasher.finish() }
    }

    /// What it is.
    pub const fn about(&self) -> About {
        self.about
    }

    /// A 64-bit hash, independent of frames, machine and run.
    pub const fn hash64(&self) -> u64 {
        self.hash
    }

    /// The addresses, sorted; one when both ends are the same host.
    pub fn addresses(&self) -> Vec<Addr> {
        match self.about {
            About::Pair(low, high) if low == high => vec![low],
            About::Pair(low, high) => vec![low, high],
            About::Host(addr) => vec![addr],
            About::Stream(_) | About::Capture | About::Rest => Vec::new(),
        }
    }

    /// For a sentence: `192.0.2.1 and 198.51.100.2`.
    pub fn spoken(&self) -> impl fmt::Display {
        Spoken(self.about)
    }
}

struct Spoken(About);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            About::Pair(low, high) if low == high => write!(f, "{low} and itself"),
            About::Pair(low, high) => write!(f, "{low} and {high}"),
            About::Host(addr) => addr.fmt(f),
            About::Stream(key) => write!(f, "stream {}", key.id),
            About::Capture => f.write_str("the capture"),
            About::Rest => f.write_str("further peers"),
        }
    }
}
