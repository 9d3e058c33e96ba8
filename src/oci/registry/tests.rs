//! Servers that misbehave. The integration tests use real registries.

mod slow;
mod tokens;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::*;
use crate::content::{Descriptor, Digest, ErrorKind, Push, VerifyError};
use crate::oci::{CredentialSource, Error, Reference, media_type};

async fn has(repository: &Repository, content: &Descriptor) -> bool {
    let endpoint = repository.writable().await.unwrap();
    endpoint.has(content, http::Scope::PULL).await.unwrap()
}

type Requests = Arc<Mutex<Vec<String>>>;

/// Starts a server on a free port. For each request, `reply` gets the head of the request and returns the answer. The
/// server records the heads.
fn server(reply: impl Fn(&str) -> String + Send + 'static) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let requests = Requests::default();
    let seen = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap_or(0) > 2 {}
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<u64>()
                    .ok()
            });
            let _ = reader
                .take(length.unwrap_or(0))
                .read_to_end(&mut Vec::new());
            seen.lock().unwrap().push(head.clone());
            let _ = stream.write_all(reply(&head).as_bytes());
        }
    });
    (address, requests)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = if headers.contains("Content-Length") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{length}{headers}\r\n{body}")
}

fn repository(address: &str, explicit: Option<(&str, &str)>) -> Repository {
    let explicit = explicit.map(|(user, password)| (user.to_owned(), password.to_owned()));
    let registry_config = Some(PathBuf::from("/nonexistent"));
    let credentials = CredentialSource {
        explicit,
        registry_config,
        ..CredentialSource::default()
    };
    let options = RegistryOptions {
        credentials,
        retry: RetryOptions {
            patience: Duration::from_secs(1),
            longest_delay: Duration::from_millis(50),
            first_delay: Duration::from_millis(1),
            ..RetryOptions::default()
        },
        ..RegistryOptions::default()
    };
    let reference: Reference = format!("{address}/org/provider:1").parse().unwrap();
    let Reference::Registry(reference) = reference else {
        unreachable!()
    };
    Registries::new(options).unwrap().repository(&reference)
}

fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor::of("application/octet-stream", bytes)
}

#[tokio::test]
async fn a_manifest_with_another_digest_than_requested_or_announced_is_refused() {
    let (address, _) = server(|_| answer("200 OK", "", "{}"));
    let other = Digest::of(b"other").to_string();
    let error = repository(&address, None)
        .manifest(&other)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotVerified { .. }));
    let header = format!("Docker-Content-Digest: {other}\r\n");
    let (address, _) = server(move |_| answer("200 OK", &header, "{}"));
    let error = repository(&address, None).manifest("1").await.unwrap_err();
    assert!(matches!(error, Error::NotVerified { .. }));
}

#[tokio::test]
async fn a_manifest_is_read_up_to_the_limit() {
    let (address, _) = server(|_| answer("200 OK", "Content-Length: 5000000\r\n", ""));
    let error = repository(&address, None).manifest("1").await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }));
}

#[tokio::test]
async fn a_name_that_would_leave_the_url_is_not_sent() {
    let (address, requests) = server(|_| answer("200 OK", "", "{}"));
    let error = repository(&address, None)
        .manifest("../../x")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_ignored_range_and_a_wrong_range_are_errors() {
    let content = blob(b"content");
    for (status, headers) in [
        ("200 OK", ""),
        ("206 Partial Content", ""),
        ("206 Partial Content", "Content-Range: bytes 0-1/7\r\n"),
        ("206 Partial Content", "Content-Range: bytes 2-3/8\r\n"),
    ] {
        let (address, _) = server(move |_| answer(status, headers, "nt"));
        let error = repository(&address, None)
            .download(&content, Some(2..4))
            .await
            .err()
            .unwrap();
        assert!(
            matches!(error, Error::RangeIgnored { .. }),
            "{status} {headers}"
        );
    }
    let headers = "Content-Range: bytes 2-3/7\r\n";
    let (address, requests) = server(move |_| answer("206 Partial Content", headers, "nt"));
    let mut reader = repository(&address, None)
        .download(&content, Some(2..4))
        .await
        .unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "nt");
    assert!(
        requests.lock().unwrap()[0]
            .to_lowercase()
            .contains("range: bytes=2-3")
    );
}

/// Uploads `bytes` as the blob with the content `expected`.
async fn upload(
    repository: &Repository,
    expected: &[u8],
    bytes: &'static str,
) -> Result<(), Error> {
    let (blob, source) = (blob(expected), Bytes::from(bytes));
    let stored = repository.store_blob(&blob, None, &source);
    stored.await.map(drop)
}

#[tokio::test]
async fn an_upload_location_at_another_host_is_refused() {
    let (address, requests) = server(|head| {
        if head.starts_with("POST") {
            answer("202 Accepted", "Location: http://evil.example/up\r\n", "")
        } else {
            answer("404 Not Found", "", "")
        }
    });
    let error = upload(&repository(&address, None), b"x", "x").await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Upload { .. }), "{error:?}");
    assert!(
        error.to_string().contains("http://evil.example/up"),
        "{error}"
    );
    assert_eq!(requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_source_that_has_changed_is_not_uploaded() {
    let (address, _) = server(|head| {
        if head.starts_with("POST") {
            answer("202 Accepted", "Location: /v2/up?state=1\r\n", "")
        } else {
            answer("404 Not Found", "", "")
        }
    });
    let repository = repository(&address, None);
    for wrong in ["c0ntent", "contents", "conten"] {
        let error = upload(&repository, b"content", wrong).await.unwrap_err();
        assert!(
            matches!(error, Error::SourceChanged { .. }),
            "{wrong}: {error:?}"
        );
        let source = std::error::Error::source(&error).unwrap();
        assert!(source.is::<VerifyError>());
    }
}

#[tokio::test]
async fn an_immutable_tag_is_a_conflict_unless_it_names_the_manifest_already() {
    let manifest = Bytes::from_static(b"{\"schemaVersion\":2}");
    for (existing, fits) in [(Digest::of(&manifest), true), (Digest::of(b"other"), false)] {
        let (address, _) = server(move |head| {
            if head.starts_with("PUT") {
                answer(
                    "400 Bad Request",
                    "",
                    r#"{"errors":[{"code":"TAG_INVALID","message":"the repository is immutable"}]}"#,
                )
            } else {
                answer(
                    "200 OK",
                    &format!(
                        "Content-Type: {}\r\nDocker-Content-Digest: {existing}\r\n\
                     Content-Length: 19\r\n",
                        media_type::OCI_MANIFEST
                    ),
                    "",
                )
            }
        });
        let result = repository(&address, None)
            .put_manifest(
                &Descriptor::of(media_type::OCI_MANIFEST, &manifest),
                &manifest,
                Some("1"),
            )
            .await;
        match result {
            Ok(_) => assert!(fits),
            Err(error) => assert!(!fits && error.kind() == ErrorKind::Conflict, "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_blob_that_is_stored_in_part_is_an_error() {
    let (address, _) = server(|head| match head.split(' ').next() {
        Some("POST") => answer("202 Accepted", "Location: /v2/up\r\n", ""),
        Some("PUT") => answer("201 Created", "", ""),
        _ => answer("200 OK", "Content-Length: 3\r\n", ""),
    });
    let error = upload(&repository(&address, None), b"content", "content").await;
    assert!(matches!(error, Err(Error::StoredDifferently { .. })));
}

#[tokio::test]
async fn a_size_of_0_in_an_answer_to_head_is_ignored() {
    let (address, requests) = server(|head| match head.split(' ').next() {
        Some("POST") => answer("202 Accepted", "Location: /v2/up\r\n", ""),
        Some("PUT") => answer("201 Created", "", ""),
        _ => answer("200 OK", "Content-Length: 0\r\n", ""),
    });
    let repository = repository(&address, None);
    for content in ["content", ""] {
        let descriptor = blob(content.as_bytes());
        assert!(has(&repository, &descriptor).await);
        upload(&repository, content.as_bytes(), content)
            .await
            .unwrap();
    }
    assert_eq!(requests.lock().unwrap().len(), 4, "nothing was sent");
}

#[tokio::test]
async fn a_redirect_carries_no_credentials_and_storage_that_refuses_head_has_the_blob() {
    let (storage, seen) = server(|_| answer("403 Forbidden", "", ""));
    let (address, _) = server(move |head| {
        if head.contains("authorization: Basic") {
            answer(
                "307 Temporary Redirect",
                &format!("Location: http://{storage}/blob?signature=secret\r\n"),
                "",
            )
        } else {
            answer(
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"x\"\r\n",
                "",
            )
        }
    });
    let repository = repository(&address, Some(("me", "hunter2")));
    assert!(has(&repository, &blob(b"x")).await);
    let error = repository.download(&blob(b"x"), None).await.err().unwrap();
    assert!(!format!("{error:?} {error}").contains("secret"));
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen.len(),
        4,
        "the registry is asked twice more for a new URL"
    );
    assert!(
        seen.iter()
            .all(|head| !head.to_lowercase().contains("authorization"))
    );
}

#[tokio::test]
async fn a_missing_registry_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let error = repository(&closed, None).manifest("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().starts_with("gave up after "), "{error}");
    let last = std::error::Error::source(&error).unwrap().to_string();
    assert!(last.contains(&closed) && last.contains("not answering"));
}
