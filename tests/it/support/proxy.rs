//! A proxy in front of a registry. It does to chosen requests what bad networks, proxies and servers do,
//! and counts what passes.
//!
//! The proxy speaks HTTP/1.1, with one request per connection and bodies with a `Content-Length`. A test
//! that needs another fault adds a [`Fault`], or uses [`Fault::Edit`].

mod fault;
mod head;
mod relay;

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) use fault::{Fault, Rule};
pub(crate) use head::Head;

use super::Registry;

/// A proxy in front of a registry. It ends with the test process.
pub(crate) struct Proxy {
    address: String,
    state: Arc<State>,
}

/// A request that passed the proxy or met a fault.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) authorized: bool,
    /// How many bytes of its body came from the client.
    pub(crate) up: u64,
    /// How many bytes of the answer's body went to the client.
    pub(crate) down: u64,
    /// Whether the proxy has finished with the request: everything has passed, or one side has disconnected.
    pub(crate) ended: bool,
}

struct State {
    registry: String,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    /// The upload sessions that a fault has cut: the address of each, and the bytes that the registry has.
    kept: Mutex<HashMap<String, (String, u64)>>,
}

impl Proxy {
    /// Starts a proxy in front of `registry`.
    pub(crate) fn start(registry: &Registry, rules: Vec<Rule>) -> Self {
        Self::to(registry.address(), rules)
    }

    /// Starts a proxy in front of the registry at `HOST:PORT`.
    pub(crate) fn to(registry: &str, rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State {
            registry: registry.to_owned(),
            rules: Mutex::new(rules),
            seen: Mutex::default(),
            kept: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, state) = (client.unwrap(), Arc::clone(&shared));
                // A client may close its connection at any time.
                thread::spawn(move || drop(relay::relay(client, &state)));
            }
        });
        Self { address, state }
    }

    /// Returns the proxy's address, `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `127.0.0.1:PORT/NAME`, through this proxy.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Returns the requests so far with this method whose target contains `path`.
    pub(crate) fn seen(&self, method: &str, path: &str) -> Vec<Seen> {
        let seen = self.state.seen.lock().unwrap();
        let matching = seen
            .iter()
            .filter(|seen| seen.method == method && seen.target.contains(path));
        matching.cloned().collect()
    }

    /// Returns how many bytes of bodies came from the client and went to it, in requests whose target contains
    /// `path`.
    pub(crate) fn traffic(&self, path: &str) -> (u64, u64) {
        let seen = self.state.seen.lock().unwrap();
        let matching = seen.iter().filter(|seen| seen.target.contains(path));
        matching.fold((0, 0), |(up, down), seen| (up + seen.up, down + seen.down))
    }
}

impl State {
    /// Records a request, and returns its number.
    fn note(&self, head: &Head) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.push(Seen {
            method: head.method().to_owned(),
            target: head.target().to_owned(),
            authorized: head.get("authorization").is_some(),
            up: 0,
            down: 0,
            ended: false,
        });
        seen.len() - 1
    }

    fn count(&self, number: usize, up: usize, down: usize) {
        let seen = &mut self.seen.lock().unwrap()[number];
        seen.up += up as u64;
        seen.down += down as u64;
    }

    fn end(&self, number: usize) {
        self.seen.lock().unwrap()[number].ended = true;
    }

    fn fault(&self, head: &Head) -> Fault {
        let mut rules = self.rules.lock().unwrap();
        let hit = rules.iter_mut().find_map(|rule| rule.hit(head));
        hit.unwrap_or(Fault::None)
    }
}

/// Closes a connection with a reset instead of an end.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
}
