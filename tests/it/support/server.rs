//! A small HTTP server whose answers a test chooses, for behaviour that no real registry has.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::proxy::Head;

/// A running server. Its thread ends with the test process.
pub(crate) struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request that the server has received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path and the query.
    pub(crate) target: String,
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// An answer of the server.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    /// Sends the request to the registry at `HOST:PORT`, and returns its answer.
    pub(crate) fn forward(&self, registry: &str) -> Answer {
        let mut head = format!("{} {} HTTP/1.0\r\n", self.method, self.target);
        for name in [
            "host",
            "accept",
            "authorization",
            "content-length",
            "content-range",
            "content-type",
            "range",
        ] {
            if let Some(value) = self.head.get(name) {
                head += &format!("{name}: {value}\r\n");
            }
        }
        let mut stream = TcpStream::connect(registry).unwrap();
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(&self.body).unwrap();
        let mut reader = BufReader::new(stream);
        let head = Head::read(&mut reader).unwrap().unwrap();
        let mut body = Vec::new();
        reader.read_to_end(&mut body).unwrap();
        let mut answer = Answer::status(head.status()).with_body(body);
        let passed = head.fields().filter(|(name, _)| *name != "connection");
        // With HEAD, the length is that of a body that is not sent.
        let passed = passed.filter(|(name, _)| self.method == "HEAD" || *name != "content-length");
        for (name, value) in passed {
            answer = answer.header(name, value);
        }
        answer
    }
}

impl Answer {
    /// Makes an answer without a body. `status` is such as `404 Not Found`.
    pub(crate) fn status(status: &str) -> Self {
        Self {
            status: status.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Makes an answer 200 with a body.
    pub(crate) fn body(body: impl Into<Vec<u8>>) -> Self {
        Self::status("200 OK").with_body(body)
    }

    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Replaces the body with the result of `edit`.
    pub(crate) fn edit_body(mut self, edit: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        self.body = edit(&self.body);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl Server {
    /// Starts a server that answers each request with what `answer` returns. `answer` also gets the
    /// address of the server, `127.0.0.1:PORT`.
    pub(crate) fn start(answer: impl Fn(&Asked, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (noted, own, answer) = (Arc::clone(&asked), address.clone(), Arc::new(answer));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, own) = (client.unwrap(), own.clone());
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                // A client may close its connection at any time.
                thread::spawn(move || {
                    serve(&client, |request| {
                        noted.lock().unwrap().push(request.clone());
                        answer(request, &own)
                    })
                });
            }
        });
        Self { address, asked }
    }

    /// Returns the server's address, `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `127.0.0.1:PORT/NAME`.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Returns the requests so far with this method whose target contains `path`.
    pub(crate) fn asked(&self, method: &str, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        let matching = asked
            .iter()
            .filter(|asked| asked.method == method && asked.target.contains(path));
        matching.cloned().collect()
    }
}

/// Answers one request. The connection is closed after it.
fn serve(client: &TcpStream, answer: impl Fn(&Asked) -> Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let Some(head) = Head::read(&mut reader)? else {
        return Ok(());
    };
    let mut body = vec![0; head.length().unwrap_or_default() as usize];
    reader.read_exact(&mut body)?;
    let request = Asked {
        method: head.method().to_owned(),
        target: head.target().to_owned(),
        head,
        body,
    };
    let answer = answer(&request);
    let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let is_length = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-length");
    if !answer.headers.iter().any(is_length) {
        head += &format!("content-length: {}\r\n", answer.body.len());
    }
    let mut writer = client;
    writer.write_all(format!("{head}\r\n").as_bytes())?;
    if request.method != "HEAD" {
        writer.write_all(&answer.body)?;
    }
    writer.flush()
}
