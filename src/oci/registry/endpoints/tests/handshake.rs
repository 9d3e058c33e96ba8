use std::net::TcpListener;
use std::thread;

use super::*;

/// Serves one connection, and answers the first bytes of it with `answer`.
fn answered(answer: &'static [u8]) -> Option<bool> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut start = [0; 3];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(start.get(..2), Some(&[22, 3][..]));
        stream.write_all(answer).unwrap();
    });
    let found = speaks_tls(&Url::parse(&format!("https://{address}/v2")).unwrap());
    server.join().unwrap();
    found
}

#[test]
fn the_first_byte_of_the_answer_shows_whether_it_is_tls() {
    assert_eq!(answered(&[22, 3, 3, 0, 0]), Some(true));
    assert_eq!(answered(&[21, 3, 3, 0, 2, 2, 40]), Some(true));
    assert_eq!(answered(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Some(false));
    assert_eq!(answered(b""), Some(false));
}

#[test]
fn it_is_unknown_whether_a_missing_server_speaks_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = Url::parse(&format!("https://{address}/v2")).unwrap();
    assert_eq!(speaks_tls(&url), None);
}
