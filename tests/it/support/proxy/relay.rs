//! Relaying one request to the registry, and its answer to the client.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::fault::Fault;
use super::head::Head;
use super::{State, reset};

/// How long the proxy holds a stalled request. The clients of the tests give up long before.
const HELD: Duration = Duration::from_secs(60);

static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

pub(super) fn relay(client: TcpStream, state: &State) -> io::Result<()> {
    let mut from_client = BufReader::new(client.try_clone()?);
    let Some(mut request) = Head::read(&mut from_client)? else {
        return Ok(());
    };
    let number = state.note(&request);
    let fault = state.fault(&request);
    match &fault {
        Fault::Edit(edit, _) => edit(&mut request),
        Fault::Together(barrier) => drop(barrier.wait()),
        _ => {}
    }
    let body = request.length().unwrap_or(0);
    let exchange = Exchange {
        client: &client,
        state,
        number,
        request: &request,
    };
    match &fault {
        Fault::Answer {
            status,
            headers,
            body: text,
        } => {
            io::copy(&mut from_client.take(body), &mut io::sink())?;
            exchange.answer(status, headers, text)
        }
        Fault::Withhold(status) => {
            io::copy(&mut from_client.by_ref().take(body), &mut io::sink())?;
            exchange.answer(status, &[("content-length", "100".to_owned())], "{")?;
            io::copy(&mut from_client, &mut io::sink()).map(drop)
        }
        Fault::Redirect { status, place } => {
            io::copy(&mut from_client.take(body), &mut io::sink())?;
            let location = format!("http://{place}{}", request.target());
            exchange.answer(status, &[("location", location)], "")
        }
        Fault::Limit { bytes, answers } if body > *bytes => {
            if *answers {
                exchange.answer("413 Payload Too Large", &[], "")?;
            }
            reset(&client);
            Ok(())
        }
        Fault::Unauthorized(status) | Fault::Authorized(status)
            if matches!(fault, Fault::Authorized(_)) == request.get("authorization").is_some() =>
        {
            io::copy(&mut from_client.take(body), &mut io::sink())?;
            exchange.answer(status, &[], "")
        }
        Fault::Endless(length) => exchange.endless(*length),
        Fault::CutKeptRequest(length) => exchange.keep(&mut from_client, *length),
        _ if request.method() == "GET" && exchange.tells_what_was_kept()? => Ok(()),
        _ => {
            let mut registry = TcpStream::connect(&state.registry)?;
            let mut onward = request.clone();
            onward.set("connection", "close");
            if let (Fault::OtherRange, Some((start, end))) = (&fault, range(&request)) {
                onward.set("range", format!("bytes=0-{}", end - start));
            }
            onward.write(&mut registry)?;
            let passes = match fault {
                Fault::CutRequest(length) | Fault::StallRequest(length) => length.min(body),
                _ => body,
            };
            let flip = match fault {
                Fault::FlipRequest(at) => Some(at),
                _ => None,
            };
            exchange.up(&mut from_client, &mut registry, passes, flip)?;
            match fault {
                Fault::CutRequest(_) => {
                    reset(&registry);
                    reset(&client);
                    Ok(())
                }
                Fault::StallRequest(_) => {
                    std::thread::sleep(HELD);
                    Ok(())
                }
                _ => exchange.back(BufReader::new(registry), &fault),
            }
        }
    }
}

struct Exchange<'a> {
    client: &'a TcpStream,
    state: &'a State,
    number: usize,
    request: &'a Head,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.state.end(self.number);
    }
}

impl Exchange<'_> {
    fn answer(&self, status: &str, headers: &[(&str, String)], body: &str) -> io::Result<()> {
        let length = body.len();
        let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !headers.iter().any(|(name, _)| *name == "content-length") {
            text += &format!("content-length: {length}\r\n");
        }
        let mut client = self.client;
        client.write_all(format!("{text}\r\n{body}").as_bytes())
    }

    fn endless(&self, mut length: u64) -> io::Result<()> {
        let headers = [("content-length", length.to_string())];
        self.answer("200 OK", &headers, "")?;
        let mut client = self.client;
        while length > 0 {
            let count = ZEROS.len().min(usize::try_from(length).unwrap());
            client.write_all(&ZEROS[..count])?;
            self.state.count(self.number, 0, count);
            length -= count as u64;
        }
        Ok(())
    }

    /// Sends `length` bytes of the request's body to the registry.
    fn up(
        &self,
        client: &mut impl Read,
        registry: &mut TcpStream,
        length: u64,
        flip: Option<u64>,
    ) -> io::Result<()> {
        let mut passed = 0;
        let mut buffer = vec![0; 64 * 1024];
        let mut client = client.take(length);
        while let count @ 1.. = client.read(&mut buffer)? {
            change(&mut buffer[..count], passed, flip);
            self.state.count(self.number, count, 0);
            passed += count as u64;
            // A registry that has answered reads no further.
            if registry.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Sends the registry's answer to the client.
    fn back(&self, mut registry: BufReader<TcpStream>, fault: &Fault) -> io::Result<()> {
        let mut client = self.client;
        let Some(mut head) = Head::read(&mut registry)? else {
            return Ok(());
        };
        head.set("connection", "close");
        let length = match self.request.method() {
            "HEAD" => 0,
            _ => head.length().unwrap_or(u64::MAX),
        };
        let mut passes = length;
        match *fault {
            Fault::LoseAnswer => {
                reset(client);
                return Ok(());
            }
            Fault::CutAnswer(at) | Fault::StallAnswer(at) | Fault::EndAnswer(at) => {
                passes = at.min(length);
            }
            Fault::ShortAnswer(at) => {
                passes = at.min(length);
                head.set("content-length", passes);
            }
            Fault::LongAnswer(_) => head.remove("content-length"),
            Fault::Edit(_, edit) => edit(&mut head),
            Fault::OtherRange => {
                if let Some((start, end)) = range(self.request) {
                    head.set("content-range", format!("bytes {start}-{end}/*"));
                }
            }
            _ => {}
        }
        head.write(&mut client)?;
        let flip = match fault {
            Fault::FlipAnswer(at) => Some(*at),
            _ => None,
        };
        let mut passed = 0;
        let mut buffer = vec![0; 64 * 1024];
        let mut body = (&mut registry).take(passes);
        while let count @ 1.. = body.read(&mut buffer)? {
            change(&mut buffer[..count], passed, flip);
            client.write_all(&buffer[..count])?;
            self.state.count(self.number, 0, count);
            passed += count as u64;
        }
        match *fault {
            Fault::CutAnswer(_) => {
                wait_until_read(client)?;
                reset(client);
            }
            // Ends when the client goes away.
            Fault::StallAnswer(_) => drop(io::copy(&mut client, &mut io::sink())),
            Fault::LongAnswer(more) => {
                for _ in 0..more {
                    client.write_all(b"x")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a part of an upload's body to the registry in a separate request, and resets the client's
    /// connection.
    fn keep(&self, client: &mut impl Read, length: u64) -> io::Result<()> {
        let length = length.min(self.request.length().unwrap_or(0));
        let mut body = Vec::new();
        client.take(length).read_to_end(&mut body)?;
        self.state.count(self.number, body.len(), 0);
        if body.is_empty() {
            reset(self.client);
            return Ok(());
        }
        let target = self.request.target();
        let session = target.split("&digest=").next().unwrap_or(target);
        let mut registry = TcpStream::connect(&self.state.registry)?;
        let host = self.request.get("host").unwrap_or_default();
        let length = body.len();
        write!(
            registry,
            "PATCH {session} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
        )?;
        registry.write_all(&body)?;
        let answer = Head::read(&mut BufReader::new(registry))?;
        let location = answer.as_ref().and_then(|answer| answer.get("location"));
        // `None` if an earlier fault has ended the upload.
        let Some(location) = location.map(str::to_owned) else {
            return Ok(());
        };
        let path = self.request.path().to_owned();
        let mut kept = self.state.kept.lock().unwrap();
        // A continued upload has `Content-Range: START-END`.
        let range = self.request.get("content-range");
        let start = range.and_then(|range| range.split('-').next()?.parse().ok());
        kept.insert(path, (location, start.unwrap_or(0) + length as u64));
        reset(self.client);
        Ok(())
    }

    fn tells_what_was_kept(&self) -> io::Result<bool> {
        let kept = self.state.kept.lock().unwrap();
        let Some((location, length)) = kept.get(self.request.path()) else {
            return Ok(false);
        };
        let headers = [
            ("location", location.clone()),
            ("range", format!("0-{}", length - 1)),
        ];
        self.answer("204 No Content", &headers, "")?;
        Ok(true)
    }
}

/// The first and the last byte of the requested range.
fn range(request: &Head) -> Option<(u64, u64)> {
    let (start, end) = request
        .get("range")?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    Some((start.parse().ok()?, end.parse().ok()?))
}

/// Returns when the client has read everything that the proxy sent: a reset discards the rest. Where the
/// system does not report that, the function waits for some time.
fn wait_until_read(client: &TcpStream) -> io::Result<()> {
    let (ours, theirs) = (client.local_addr()?.port(), client.peer_addr()?.port());
    let (near, far) = (format!(":{theirs:04X}"), format!(":{ours:04X}"));
    for _ in 0..500 {
        std::thread::sleep(Duration::from_millis(5));
        let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else {
            std::thread::sleep(Duration::from_millis(500));
            break;
        };
        // `sl local_address rem_address st tx_queue:rx_queue ...`
        let unread = table.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().take(5).collect();
            fields.len() == 5
                && fields[1].ends_with(&near)
                && fields[2].ends_with(&far)
                && !fields[4].ends_with(":00000000")
        });
        if !unread {
            break;
        }
    }
    Ok(())
}

/// Changes the byte at `flip`, if it is among these bytes, which begin at `start`.
fn change(bytes: &mut [u8], start: u64, flip: Option<u64>) {
    let index = flip.and_then(|flip| flip.checked_sub(start));
    if let Some(byte) = index.and_then(|index| bytes.get_mut(usize::try_from(index).unwrap())) {
        *byte ^= 0x55;
    }
}
