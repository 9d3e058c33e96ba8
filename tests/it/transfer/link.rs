//! A line to a registry that goes dead when so much has gone over it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{LIMIT, Registry};

/// Passes everything on until one direction has used up its bytes; from then on nothing moves that
/// way, and nobody is told.
pub(super) struct Link {
    address: String,
    dead: Receiver<()>,
}

/// How many bytes a direction still takes.
type Budget = Arc<Mutex<usize>>;

impl Link {
    /// Goes dead when the registry has sent so many bytes.
    pub(super) fn sending(registry: &Registry, bytes: usize) -> Self {
        Self::new(registry, usize::MAX, bytes)
    }

    /// Goes dead when the registry has received so many bytes.
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
                // A registry that has ended accepts nothing, and neither does the line.
                let Ok(far) = TcpStream::connect(&registry) else {
                    continue;
                };
                carry(&near, &far, &up, &tell);
                carry(&far, &near, &down, &tell);
            }
        });
        Self { address, dead }
    }

    /// `127.0.0.1:PORT/NAME`, over this line.
    pub(super) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Returns when the line has gone dead.
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
                // Read on for nothing, so that neither side notices before the other goes away.
                while matches!(from.read(&mut buffer), Ok(1..)) {}
            }
        }
        // Either side may have gone away; the other one is to know.
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}
