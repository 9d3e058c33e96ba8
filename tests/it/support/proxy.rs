//! A bad way to a registry: a proxy that does to chosen requests what bad networks, proxies and servers
//! do, and keeps count of what passes.
//!
//! One request per connection, HTTP/1.1, bodies with a `Content-Length`. A case that is missing is a new
//! [`Fault`], or an [`Fault::Edit`] of what passes.

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

/// A proxy in front of a registry. Ends with the test process.
pub(crate) struct Proxy {
    address: String,
    state: Arc<State>,
}

/// A request that passed, or met its fault.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) authorized: bool,
    /// How many bytes of bodies came from the client, and went to it.
    pub(crate) up: u64,
    pub(crate) down: u64,
}

struct State {
    registry: String,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    /// What a registry would have kept of uploads that were cut: where they go on, and from where.
    kept: Mutex<HashMap<String, (String, u64)>>,
}

impl Proxy {
    /// In front of `registry`, with these faults.
    pub(crate) fn start(registry: &Registry, rules: Vec<Rule>) -> Self {
        Self::to(registry.address(), rules)
    }

    /// In front of the registry at `HOST:PORT`.
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
                // Whoever goes away in the middle is nothing to report.
                thread::spawn(move || drop(relay::relay(client, &state)));
            }
        });
        Self { address, state }
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `127.0.0.1:PORT/NAME`, on this way.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The requests so far whose method is `method` and whose target contains `path`.
    pub(crate) fn seen(&self, method: &str, path: &str) -> Vec<Seen> {
        let seen = self.state.seen.lock().unwrap();
        let matching = seen
            .iter()
            .filter(|seen| seen.method == method && seen.target.contains(path));
        matching.cloned().collect()
    }

    /// How many bytes of bodies came from the client, and went to it, in requests about `path`.
    pub(crate) fn traffic(&self, path: &str) -> (u64, u64) {
        let seen = self.state.seen.lock().unwrap();
        let matching = seen.iter().filter(|seen| seen.target.contains(path));
        matching.fold((0, 0), |(up, down), seen| (up + seen.up, down + seen.down))
    }
}

impl State {
    /// Writes a request down, and gives its number.
    fn note(&self, head: &Head) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.push(Seen {
            method: head.method().to_owned(),
            target: head.target().to_owned(),
            authorized: head.get("authorization").is_some(),
            up: 0,
            down: 0,
        });
        seen.len() - 1
    }

    fn count(&self, number: usize, up: usize, down: usize) {
        let seen = &mut self.seen.lock().unwrap()[number];
        seen.up += up as u64;
        seen.down += down as u64;
    }

    fn fault(&self, head: &Head) -> Fault {
        let mut rules = self.rules.lock().unwrap();
        let hit = rules.iter_mut().find_map(|rule| rule.hit(head));
        hit.unwrap_or(Fault::None)
    }
}

/// Closes a connection so that the other side sees a reset, not an end.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
}
