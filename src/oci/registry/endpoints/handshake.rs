//! Finding out whether a loopback registry speaks TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// How long to wait for an answer of a program on this machine.
const PATIENCE: Duration = Duration::from_secs(2);
/// The first bytes of records with a handshake message or an alert (RFC 8446, section 5.1).
const TLS_RECORDS: [u8; 2] = [22, 21];

/// Returns whether the server at `url` answers the start of a TLS handshake with TLS. `None` when it does not answer.
/// Blocks, and sends no request.
pub(super) fn speaks_tls(url: &Url) -> Option<bool> {
    let answer = greet(url);
    match answer {
        Ok(Some(first)) => Some(TLS_RECORDS.contains(&first)),
        // The server has closed the connection, because it expects another protocol.
        Ok(None) => Some(false),
        Err(error) => {
            tracing::debug!("cannot find out whether {url} speaks TLS: {error}");
            None
        }
    }
}

/// Sends the start of a TLS handshake. Returns the first byte of the answer, or `None` if there is no byte.
fn greet(url: &Url) -> io::Result<Option<u8>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut hello = Vec::new();
    connection.write_tls(&mut hello)?;

    let mut refused = io::Error::from(io::ErrorKind::NotFound);
    for address in url.socket_addrs(|| None)? {
        let mut stream = match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => stream,
            Err(error) => {
                refused = error;
                continue;
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&hello)?;
        let mut first = [0];
        return match stream.read(&mut first) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(first.first().copied()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        };
    }
    Err(refused)
}

#[cfg(test)]
#[path = "tests/handshake.rs"]
mod tests;
