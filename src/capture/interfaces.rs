//! Network interfaces, the other door of libpcap: a thread for each copies what the kernel holds
//! into blocks of our own and hands them over.
//!
//! The kernel collects packets and wakes the thread when its own block is full or a time-out has
//! passed (never immediate mode, which would wake it for each packet). Filters run in the kernel.
//! Times are nanoseconds where the interface has them. A block that nobody holds any more is filled
//! again. Nothing is ever sent.
//!
//! Decides neither order nor end: see [`super::live`].

use super::live::{LiveError, LiveOptions};

/// An interface that could be listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name: `eth0`, `any`.
    pub name: String,
    /// Words about it, empty if nothing is known: `up, 192.0.2.1`.
    pub about: String,
}

/// The interfaces of this host.
///
/// # Errors
/// When the system does not list them, or this program was built without libpcap.
pub fn interfaces() -> Result<Vec<Interface>, LiveError> {
    door::list()
}

#[cfg(feature = "live")]
pub(super) use door::{Reader, open};

#[cfg(feature = "live")]
mod door {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::SyncSender;
    use std::thread;
    use std::time::Duration;

    use pcap::{Active, Capture, Device, Error, PacketHeader, Precision};

    use super::{Interface, LiveError, LiveOptions};
    use crate::capture::live::{Arrival, Counters};
    use crate::model::frame::{LinkType, RawFrame};
    use crate::model::time::Ts;

    /// Milliseconds after which the kernel hands over a block that is not full.
    const TIMEOUT_MS: i32 = 50;
    /// Octets that a block of ours shall have, about, and frames at most.
    const BLOCK: usize = 1 << 20;
    const FRAMES: usize = 512;
    /// Blocks kept for further use.
    const HELD: usize = 96;
    /// Blocks between two looks at the drop counters, which wrap at 32 bits.
    const LOOK: u32 = 64;
    /// Blocks taken at most after the end was asked for: what the kernel held at that moment.
    const LAST: u32 = 4096;

    /// One interface that is listened to.
    pub(in crate::capture) struct Reader {
        name: String,
        link: LinkType,
        nanos: bool,
        capture: Capture<Active>,
        held: Vec<Arc<Vec<u8>>>,
        /// Octets of a frame on average, of the last block.
        average: usize,
        counters: Arc<Counters>,
        said: [u32; 3],
    }

    pub(super) fn list() -> Result<Vec<Interface>, LiveError> {
        let devices = Device::list().map_err(|error| LiveError::List(sentence(error)))?;
        let about = |device: &Device| {
            let mut words: Vec<String> = Vec::new();
            words.extend(device.desc.clone().filter(|text| !text.is_empty()));
            words.push(if device.flags.is_up() { "up" } else { "down" }.to_owned());
            words.extend(device.addresses.iter().map(|address| address.addr.to_string()));
            words.join(", ")
        };
        Ok(devices
            .iter()
            .map(|device| Interface { name: device.name.clone(), about: about(device) })
            .collect())
    }

    /// Begins to listen: from here on the kernel collects.
    pub(in crate::capture) fn open(
        name: &str,
        options: &LiveOptions,
        counters: Arc<Counters>,
    ) -> Result<Reader, LiveError> {
        let fail = |error: Error| LiveError::open(name, &sentence(error));
        let ready = |precision| {
            let inactive = Capture::from_device(name)?
                // The pseudo-device of all interfaces knows no promiscuous mode.
                .promisc(options.promiscuous && name != "any")
                .snaplen(i32::try_from(options.snap_length).unwrap_or(i32::MAX))
                .buffer_size(i32::try_from(options.buffer).unwrap_or(i32::MAX))
                .timeout(TIMEOUT_MS)
                .immediate_mode(false);
            inactive.precision(precision).open()
        };
        let (nanos, opened) = match ready(Precision::Nano) {
            Ok(capture) => (true, Ok(capture)),
            Err(_) => (false, ready(Precision::Micro)),
        };
        let mut capture = opened.map_err(fail)?;
        if name == "any" {
            // Version 2 names the interface of each packet; not every libpcap has it.
            let _ = capture.set_datalink(pcap::Linktype(276));
        }
        if let Some(filter) = &options.filter {
            capture.filter(filter, true).map_err(fail)?;
        }
        let link = link_type(capture.get_datalink().0);
        Ok(Reader {
            name: name.to_owned(),
            link,
            nanos,
            capture,
            held: Vec::new(),
            average: 256,
            counters,
            said: [0; 3],
        })
    }

    impl Reader {
        pub(in crate::capture) fn link(&self) -> LinkType {
            self.link
        }

        /// What wakes the thread that waits for packets.
        pub(in crate::capture) fn waker(&mut self) -> Box<dyn Fn() + Send> {
            let handle = self.capture.breakloop_handle();
            Box::new(move || handle.breakloop())
        }

        /// Takes packets until `stop` is set, and then those that the kernel already had.
        pub(in crate::capture) fn run(
            mut self,
            index: u16,
            out: &SyncSender<Arrival>,
            stop: &AtomicBool,
        ) {
            let mut taken = 0_u32;
            while !stop.load(Ordering::Acquire) {
                match self.take(index, out) {
                    Ok(Some(_)) => {}
                    Ok(None) => return,
                    Err(_) if stop.load(Ordering::Acquire) => break,
                    Err(error) => {
                        let why = format!("{}: {}", self.name, sentence(error));
                        let _ = out.send(Arrival::Failed(why));
                        self.look();
                        return;
                    }
                }
                taken = taken.wrapping_add(1);
                if taken.is_multiple_of(LOOK) {
                    self.look();
                }
            }
            // The kernel hands its last block over when the time-out has passed.
            thread::sleep(Duration::from_millis(u64::from(TIMEOUT_MS.unsigned_abs()) * 2));
            self.look();
            let Self { capture, .. } = self;
            let Ok(capture) = capture.setnonblock() else { return };
            let mut rest = Self { capture, ..self };
            for _ in 0..LAST {
                if !matches!(rest.take(index, out), Ok(Some(1..))) {
                    break;
                }
            }
            rest.look();
        }

        /// Hands over one block, and says how many frames it had; `None` if nobody takes it.
        fn take(&mut self, index: u16, out: &SyncSender<Arrival>) -> Result<Option<usize>, Error> {
            let mut owner = self.block();
            let Some(block) = Arc::get_mut(&mut owner) else { return Ok(Some(0)) };
            block.clear();
            let most = BLOCK.checked_div(self.average).unwrap_or(FRAMES).clamp(16, FRAMES);
            let mut frames: Vec<RawFrame> = Vec::with_capacity(most);
            let (link, nanos) = (self.link, self.nanos);
            self.capture.dispatch(Some(most), |packet| {
                let frame = RawFrame {
                    number: 0,
                    ts: Some(time(packet.header, nanos)),
                    offset: block.len(),
                    captured: u32::try_from(packet.data.len()).unwrap_or(u32::MAX),
                    original: packet.header.len,
                    link: Some(link),
                    interface: index.into(),
                    damaged: false,
                };
                block.extend_from_slice(packet.data);
                frames.push(frame);
            })?;
            let count = frames.len();
            self.average = block.len().checked_div(count).unwrap_or(self.average).max(1);
            if self.held.len() < HELD {
                self.held.push(Arc::clone(&owner));
            }
            if count == 0 {
                return Ok(Some(0));
            }
            let sent = out.send(Arrival::Block { interface: index, octets: owner, frames });
            Ok(sent.is_ok().then_some(count))
        }

        /// A block that nobody else holds.
        fn block(&mut self) -> Arc<Vec<u8>> {
            let free = self.held.iter_mut().position(|block| Arc::get_mut(block).is_some());
            match free {
                Some(at) => self.held.swap_remove(at),
                None => Arc::new(Vec::with_capacity(BLOCK)),
            }
        }

        /// Adds what the kernel counted since the last look.
        fn look(&mut self) {
            let Ok(now) = self.capture.stats() else { return };
            let now = [now.received, now.dropped, now.if_dropped];
            let Counters { received, kernel, interface } = &*self.counters;
            for ((sum, now), said) in
                [received, kernel, interface].into_iter().zip(now).zip(self.said)
            {
                sum.fetch_add(now.wrapping_sub(said).into(), Ordering::AcqRel);
            }
            self.said = now;
        }
    }

    fn time(header: &PacketHeader, nanos: bool) -> Ts {
        let part = header.ts.tv_usec.saturating_mul(if nanos { 1 } else { 1_000 });
        let second = header.ts.tv_sec.saturating_mul(1_000_000_000);
        Ts::from_nanos(second.saturating_add(part))
    }

    /// The number that files have for a link type of libpcap (the reverse of `filter::dlt`).
    fn link_type(dlt: i32) -> LinkType {
        match dlt {
            12 | 14 => LinkType::RAW,
            11 => LinkType::ATM_RFC1483,
            19 => LinkType(106),
            number => LinkType(u16::try_from(number).unwrap_or(u16::MAX)),
        }
    }

    /// What libpcap says, in one line.
    fn sentence(error: Error) -> String {
        let text = match error {
            Error::PcapError(text) => text,
            error => error.to_string(),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(not(feature = "live"))]
mod door {
    use super::{Interface, LiveError};

    pub(super) fn list() -> Result<Vec<Interface>, LiveError> {
        Err(LiveError::NotBuilt)
    }
}

#[cfg(not(feature = "live"))]
pub(super) use without::{Reader, open};

/// A build without libpcap listens to nothing.
#[cfg(not(feature = "live"))]
mod without {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::SyncSender;

    use super::{LiveError, LiveOptions};
    use crate::capture::live::{Arrival, Counters};
    use crate::model::frame::LinkType;

    pub(in crate::capture) enum Reader {}

    pub(in crate::capture) fn open(
        _: &str,
        _: &LiveOptions,
        _: Arc<Counters>,
    ) -> Result<Reader, LiveError> {
        Err(LiveError::NotBuilt)
    }

    impl Reader {
        pub(in crate::capture) fn link(&self) -> LinkType {
            match *self {}
        }

        pub(in crate::capture) fn waker(&mut self) -> Box<dyn Fn() + Send> {
            match *self {}
        }

        pub(in crate::capture) fn run(self, _: u16, _: &SyncSender<Arrival>, _: &AtomicBool) {
            match self {}
        }
    }
}
