//! A proxy of the kind that `HTTP_PROXY` names, which records the requests that it forwards.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A proxy that forwards all requests to one registry. It ends with the test process.
pub(crate) struct Forwarder {
    address: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Forwarder {
    /// Starts a proxy to the registry at `HOST:PORT`.
    pub(crate) fn to(registry: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (seen, registry) = (Arc::clone(&lines), registry.to_owned());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, seen, registry) =
                    (client.unwrap(), Arc::clone(&seen), registry.clone());
                thread::spawn(move || drop(forward(client, &registry, &seen)));
            }
        });
        Self { address, lines }
    }

    /// Returns the proxy's URL, `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the first line that each connection has sent so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

fn forward(client: TcpStream, registry: &str, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut from_client = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    from_client.read_line(&mut first)?;
    if first.is_empty() {
        // A client may open a connection that it does not use.
        return Ok(());
    }
    seen.lock().unwrap().push(first.trim_end().to_owned());
    let mut server = TcpStream::connect(registry)?;
    let mut to_client = client;
    if first.starts_with("CONNECT ") {
        let mut line = String::new();
        while from_client.read_line(&mut line)? > 2 {
            line.clear();
        }
        to_client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    } else {
        // Servers accept a complete URL in the first line as well.
        server.write_all(first.as_bytes())?;
    }
    let from_server = server.try_clone()?;
    thread::spawn(move || drop(pipe(from_server, to_client)));
    pipe(from_client, server)
}

fn pipe(mut from: impl Read, mut to: TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
