//! Tokens that expire before the work is done.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::super::pack_noise;
use super::*;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::wait_until;

const UPLOAD: &[u8] = b"PUT /v2/org/provider/blobs";

#[test]
fn a_token_that_expires_during_a_slow_upload_is_renewed_in_time() {
    let environment = Environment::new();
    let service = TokenService::start(Rules {
        expires_in: Some(1),
        ..Rules::default()
    });
    let registry = service.registry();
    let file = pack_noise(&environment, "provider.par", 8 << 20);
    let gate = Arc::new(Barrier::new(2));
    let held = Rule::on("PUT", "/blobs/", Fault::Together(Arc::clone(&gate)));
    let proxy = Proxy::start(&registry, vec![held]);
    let reference = proxy.reference("org/provider:1.0.0");
    let (asked, refused) = thread::scope(|scope| {
        let pushing = scope.spawn(|| run(&environment, ["push", &reference, text(&file)]));
        wait_until("an upload", || {
            !proxy.seen("PUT", "/blobs/").is_empty() || pushing.is_finished()
        });
        assert!(!pushing.is_finished(), "the push uploads nothing");
        let before = (service.asked().len(), answers(&registry, 401));
        // The upload has the token, and lasts longer than it. Only the clock of the client tells when it expires.
        thread::sleep(Duration::from_secs(1));
        gate.wait();
        pushing.join().unwrap().success();
        before
    });

    assert!(service.asked().len() > asked, "no new token");
    assert_eq!(answers(&registry, 401), refused);
    run(&environment, ["verify", &reference]).success();
}

/// Starts a proxy that damages the token of the first upload, so that the registry refuses it.
fn damaging_proxy(registry: &Registry) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let registry = registry.address().to_owned();
    let once = Arc::new(AtomicBool::new(true));
    // The thread ends with the test process.
    thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), TcpStream::connect(&registry).unwrap());
            carry(&far, &near, |_| {});
            let once = Arc::clone(&once);
            carry(&near, &far, move |bytes| {
                if bytes.starts_with(UPLOAD) && once.swap(false, Ordering::Relaxed) {
                    damage_token(bytes);
                }
            });
        }
    });
    address
}

/// Forwards all bytes, after `edit` has changed them.
fn carry(from: &TcpStream, to: &TcpStream, edit: impl Fn(&mut [u8]) + Send + 'static) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            edit(&mut buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// Changes the first byte of the token in the head of a request.
fn damage_token(request: &mut [u8]) {
    let before = b"authorization: Bearer ";
    let found = request
        .windows(before.len())
        .position(|part| part.eq_ignore_ascii_case(before));
    request[found.unwrap() + before.len()] ^= 1;
}

#[test]
fn an_upload_whose_token_is_refused_is_repeated_with_a_new_token() {
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    let registry = service.registry();
    let before = answers(&registry, 401);
    let file = pack_noise(&environment, "provider.par", 16 << 20);
    let reference = format!("{}/org/provider:1.0.0", damaging_proxy(&registry));
    run(&environment, ["push", &reference, text(&file)]).success();
    let refused = answers(&registry, 401) - before;
    assert_eq!(
        refused, 3,
        "the first request, cancelling its upload, which takes another permission, and the upload"
    );
    run(&environment, ["verify", &reference]).success();
}

#[test]
fn a_client_renews_its_tokens_before_the_registry_refuses_them() {
    let environment = Environment::new();
    // The registry accepts a token for longer than the service says, so a slow machine does not change the result.
    let service = TokenService::start(Rules {
        life: 30,
        expires_in: Some(1),
        ..Rules::default()
    });
    let registry = service.registry();
    let file = small(&environment, "provider.par");
    let reference = registry.reference("org/provider:1.0.0");
    run(&environment, ["push", &reference, text(&file)]).success();
    let directory = tempfile::tempdir().unwrap();
    block_on(async {
        let client = client(directory.path());
        let reference: Reference = reference.parse().unwrap();
        client.inspect(&reference).await.unwrap();
        let (tokens, refused) = (service.asked().len(), answers(&registry, 401));
        while service.asked().len() < tokens + 2 {
            client.inspect(&reference).await.unwrap();
        }
        assert_eq!(answers(&registry, 401), refused);

        // A changed password is an error, once the last token has expired, until it is changed back.
        service.change(|rules| rules.users[0].password = "changed");
        let error = loop {
            if let Err(error) = client.inspect(&reference).await {
                break error;
            }
        };
        assert_eq!(error.kind(), wasmcloud_par::content::ErrorKind::Denied);
        service.change(|rules| rules.users[0].password = PASSWORD);
        client.inspect(&reference).await.unwrap();
    });
}
