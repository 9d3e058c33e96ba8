//! A simulated network link to a registry on this machine. It counts the bytes, and can limit the speed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The speed of a link in each direction.
#[derive(Clone, Copy)]
pub struct Speed {
    /// Bytes per second.
    pub rate: f64,
    /// Whether the rate limits each connection, or all connections together.
    pub each: bool,
    /// The delay in one direction, which is half of the round-trip time.
    pub delay: Duration,
}

impl Speed {
    /// 100 Mbit/s, with a round-trip time of 20 ms.
    pub const DISTANT: Self = Self {
        rate: 100e6 / 8.0,
        each: false,
        delay: Duration::from_millis(10),
    };
    /// A link without limits.
    pub const UNLIMITED: Self = Self {
        rate: f64::INFINITY,
        each: false,
        delay: Duration::ZERO,
    };
}

/// A link. It ends with the process.
pub struct Link {
    address: String,
    received: Arc<AtomicU64>,
}

impl Link {
    pub fn to(registry: &str, speed: Speed) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let received = Arc::<AtomicU64>::default();
        let (count, registry) = (Arc::clone(&received), registry.to_owned());
        let shared = (Direction::new(speed), Direction::new(speed));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(&registry) else {
                    continue;
                };
                let (up, down) = if speed.each {
                    (Direction::new(speed), Direction::new(speed))
                } else {
                    shared.clone()
                };
                let _ = carry(&near, &far, &up, None, speed.delay * 2);
                let _ = carry(&far, &near, &down, Some(&count), Duration::ZERO);
            }
        });
        Ok(Self { address, received })
    }

    /// Returns the reference for `NAME` through the link.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    #[cfg(feature = "host")]
    /// Returns how many bytes the registry has sent so far, with the headers of answers.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }
}

/// One direction of a link, and the time until which it is busy.
#[derive(Clone)]
struct Direction {
    speed: Speed,
    taken: Arc<Mutex<Instant>>,
}

impl Direction {
    fn new(speed: Speed) -> Self {
        let taken = Arc::new(Mutex::new(Instant::now()));
        Self { speed, taken }
    }

    /// Returns the time at which this many bytes arrive if they are sent now.
    fn arrival(&self, bytes: usize) -> Instant {
        let mut taken = self.taken.lock().expect("nobody panics with it");
        let seconds = bytes as f64 / self.speed.rate;
        *taken = taken.max(Instant::now()) + Duration::from_secs_f64(seconds);
        *taken + self.speed.delay
    }
}

/// Copies bytes `from` one side `to` the other. `setup` is the time to open a connection, and delays the first bytes.
fn carry(
    from: &TcpStream,
    to: &TcpStream,
    direction: &Direction,
    count: Option<&Arc<AtomicU64>>,
    setup: Duration,
) -> io::Result<()> {
    let (mut from, to) = (from.try_clone()?, to.try_clone()?);
    let (direction, count) = (direction.clone(), count.cloned());
    let (sender, pieces) = sync_channel(64);
    thread::spawn(move || deliver(&pieces, to, count));
    thread::spawn(move || {
        let mut setup = setup;
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let due = direction.arrival(read) + std::mem::take(&mut setup);
            if sender.send((due, buffer[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    Ok(())
}

fn deliver(
    pieces: &Receiver<(Instant, Vec<u8>)>,
    mut to: TcpStream,
    count: Option<Arc<AtomicU64>>,
) {
    for (due, piece) in pieces {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            break;
        }
        if let Some(count) = &count {
            count.fetch_add(piece.len() as u64, Ordering::SeqCst);
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
