//! A connection to a registry that stalls after a number of bytes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{LIMIT, Registry};

/// Forwards all bytes until one direction has used up its budget. Then it forwards nothing in that direction, and
/// closes no connection.
pub(super) struct Link {
    address: String,
    dead: Receiver<()>,
}

/// How many further bytes a direction forwards.
type Budget = Arc<Mutex<usize>>;

impl Link {
    /// Returns a link that stalls when the registry has sent this many bytes.
    pub(super) fn sending(registry: &Registry, bytes: usize) -> Self {
        Self::new(registry, usize::MAX, bytes)
    }

    /// Returns a link that stalls when the registry has received this many bytes.
    pub(super) fn receiving(registry: &Registry, bytes: usize) -> Self {
        Self::new(registry, bytes, usize::MAX)
    }

    fn new(registry: &Registry, up: usize, down: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (tell, dead) = mpsc::channel();
        let (up, down) = (Arc::new(Mutex::new(up)), Arc::new(Mutex::new(down)));
        let registry = registry.address().to_owned();
        // Ends with the test process.
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                // If the registry has ended, the link accepts no connection either.
                let Ok(far) = TcpStream::connect(&registry) else {
                    continue;
                };
                carry(&near, &far, &up, &tell);
                carry(&far, &near, &down, &tell);
            }
        });
        Self { address, dead }
    }

    /// Returns the reference `127.0.0.1:PORT/NAME` through this link.
    pub(super) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Returns when the link has stalled.
    pub(super) fn wait_until_dead(&self) {
        self.dead.recv_timeout(LIMIT).expect("the line goes dead");
    }
}

fn carry(from: &TcpStream, to: &TcpStream, budget: &Budget, tell: &Sender<()>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let (budget, tell) = (Arc::clone(budget), tell.clone());
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let allowed = {
                let mut left = budget.lock().unwrap();
                let allowed = count.min(*left);
                *left -= allowed;
                allowed
            };
            if to.write_all(&buffer[..allowed]).is_err() {
                break;
            }
            if allowed < count {
                let _ = tell.send(());
                // The bytes are read and dropped, so that neither side notices anything until the other one
                // disconnects.
                while matches!(from.read(&mut buffer), Ok(1..)) {}
            }
        }
        // If one side has disconnected, the other side is disconnected too.
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}
