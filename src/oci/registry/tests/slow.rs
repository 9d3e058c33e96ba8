//! Servers that send an answer slowly.

use super::*;

/// Starts a server that answers each request with `length` bytes of JSON, a byte at a time with `pause` between them.
fn dripping(length: usize, pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while reader.read_line(&mut String::new()).unwrap_or(0) > 2 {}
            let media_type = media_type::OCI_MANIFEST;
            let headers = format!("Content-Length: {length}\r\nContent-Type: {media_type}\r\n");
            let mut sent = stream.write_all(answer("200 OK", &headers, "{}").as_bytes());
            for _ in 2..length {
                std::thread::sleep(pause);
                sent = sent.and_then(|()| stream.write_all(b" "));
                if sent.is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn a_manifest_may_arrive_slowly_if_no_silence_is_too_long() {
    // The patience is a second, and the manifest takes two.
    let address = dripping(42, Duration::from_millis(50));
    let manifest = repository(&address, None).manifest("1").await;
    assert_eq!(manifest.unwrap().1.len(), 42);
}

#[tokio::test]
async fn a_manifest_that_never_ends_is_given_up() {
    let address = dripping(1_000_000, Duration::from_millis(5));
    let repository = repository(&address, None).with_patience(Duration::from_millis(500));
    let error = repository.manifest("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(reason, "the answer was not complete after 5 s");
}

#[tokio::test]
async fn a_silence_in_a_manifest_is_as_long_as_any_other_one() {
    let address = dripping(3, Duration::from_secs(3600));
    let repository = repository(&address, None).with_patience(Duration::from_millis(200));
    let error = repository.manifest("1").await.unwrap_err();
    assert!(matches!(error.root(), Error::Stalled { .. }), "{error:?}");
}
