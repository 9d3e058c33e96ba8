//! Tokens that expire before the work is done.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::super::pack_noise;
use super::*;
use crate::support::wait_until;

const UPLOAD: &[u8] = b"PUT /v2/org/provider/blobs";

/// Starts a proxy that delays the first request that begins with `beginning`: the whole request, or only its body.
fn slow_proxy(
    registry: &Registry,
    beginning: &'static [u8],
    held: Held,
    delay: Duration,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let registry = registry.address().to_owned();
    let once = Arc::new(AtomicBool::new(true));
    // The thread ends with the test process.
    thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), TcpStream::connect(&registry).unwrap());
            carry(&far, &near, |_, _| {});
            let once = Arc::clone(&once);
            carry(&near, &far, move |bytes, now| {
                let matches = bytes.starts_with(beginning) && held == now;
                if matches && once.swap(false, Ordering::Relaxed) {
                    thread::sleep(delay);
                }
            });
        }
    });
    address
}

/// Returns the arguments of a push that waits for longer than the proxy delays it.
fn patient<'a>(reference: &'a str, file: &'a Path) -> [&'a str; 5] {
    ["push", reference, text(file), "--patience", "60"]
}

#[derive(Clone, Copy, PartialEq)]
enum Held {
    All,
    Body,
}

fn carry(from: &TcpStream, to: &TcpStream, pause: impl Fn(&[u8], Held) + Send + 'static) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            pause(&buffer[..count], Held::All);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
            pause(&buffer[..count], Held::Body);
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[test]
fn a_token_that_expires_during_a_slow_upload_is_renewed_in_time() {
    let environment = Environment::new();
    let service = TokenService::start(Rules {
        life: 5,
        expires_in: Some(5),
        ..Rules::default()
    });
    let registry = service.registry();
    let before = answers(&registry, 401);
    let file = pack_noise(&environment, "provider.par", 8 << 20);
    let line = slow_proxy(&registry, UPLOAD, Held::Body, Duration::from_millis(6000));
    let reference = format!("{line}/org/provider:1.0.0");
    run(&environment, patient(&reference, &file)).success();

    assert!(service.asked().len() > 1, "the first one, and a new one");
    let refused = answers(&registry, 401) - before;
    assert_eq!(
        refused, 2,
        "the first request, and cancelling its upload, which takes another permission"
    );
    run(&environment, ["verify", &reference]).success();
}

#[test]
fn an_upload_whose_token_is_refused_is_repeated_with_a_new_token() {
    let environment = Environment::new();
    // The token expires earlier than the token service says.
    let service = TokenService::start(Rules {
        life: 5,
        expires_in: Some(3600),
        ..Rules::default()
    });
    let registry = service.registry();
    let before = answers(&registry, 401);
    let file = pack_noise(&environment, "provider.par", 16 << 20);
    let line = slow_proxy(&registry, UPLOAD, Held::All, Duration::from_millis(7000));
    let reference = format!("{line}/org/provider:1.0.0");
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            // Once the slow push has its token, the next tokens do not expire.
            wait_until("a token", || !service.asked().is_empty());
            service.change(|rules| rules.life = 3600);
        });
        run(&environment, patient(&reference, &file))
    });
    outcome.success();
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
    let service = TokenService::start(Rules {
        life: 4,
        expires_in: Some(4),
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
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(5500)).await;
            client.inspect(&reference).await.unwrap();
        }
        assert_eq!(service.asked().len(), tokens + 2);
        assert_eq!(answers(&registry, 401), refused);

        // A changed password is an error until it is changed back.
        service.change(|rules| rules.users[0].password = "changed");
        tokio::time::sleep(Duration::from_millis(5500)).await;
        let error = client.inspect(&reference).await.unwrap_err();
        assert_eq!(error.kind(), wasmcloud_par::content::ErrorKind::Denied);
        service.change(|rules| rules.users[0].password = PASSWORD);
        client.inspect(&reference).await.unwrap();
    });
}
