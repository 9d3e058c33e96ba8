use super::*;

#[test]
fn a_registry_starts_and_answers() {
    let started = Instant::now();
    let registry = Registry::start();
    eprintln!("started in {:?}", started.elapsed());

    let answer = get(registry.address(), "/v2/", "").unwrap();

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(
        registry.reference("org/provider:0.1.0"),
        format!("{}/org/provider:0.1.0", registry.address())
    );
}

#[test]
fn requests_are_listed_in_order_since_the_start() {
    let registry = Registry::start();
    assert_eq!(registry.requests(), [""; 0]);

    get(registry.address(), "/v2/org/provider/tags/list?n=3", "").unwrap();
    get(registry.address(), "/v2/", "").unwrap();

    assert_eq!(
        registry.requests(),
        ["GET /v2/org/provider/tags/list?n=3", "GET /v2/"]
    );
}

#[test]
fn a_registry_with_users_refuses_all_others() {
    let registry = Registry::builder()
        .htpasswd("user", "password")
        .htpasswd("robot", "another-password")
        .start();
    let status = |headers| {
        let answer = get(registry.address(), "/v2/", headers).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };

    assert_eq!(status(""), "401");
    assert_eq!(
        status("Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n"),
        "200"
    );
    assert_eq!(
        status("Authorization: Basic cm9ib3Q6YW5vdGhlci1wYXNzd29yZA==\r\n"),
        "200"
    );
    assert_eq!(
        status("Authorization: Basic cm9ib3Q6cGFzc3dvcmQ=\r\n"),
        "401",
        "robot:password"
    );
}

#[test]
fn a_read_only_registry_serves_the_storage_of_another() {
    let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let writable = Registry::start();
    let read_only = Registry::builder()
        .storage(writable.storage())
        .read_only()
        .start();

    let refused = upload(&read_only, digest, "hello");
    assert!(refused.starts_with("HTTP/1.1 405"), "{refused}");
    let created = upload(&writable, digest, "hello");
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");

    assert_eq!(fs::read_to_string(read_only.blob(digest)).unwrap(), "hello");
    let answer = get(read_only.address(), &format!("/v2/a/b/blobs/{digest}"), "").unwrap();
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");

    // The registry serves a file that a test has changed.
    fs::write(writable.blob(digest), "jello").unwrap();
    let answer = get(writable.address(), &format!("/v2/a/b/blobs/{digest}"), "").unwrap();
    assert!(answer.ends_with("\r\n\r\njello"), "{answer}");
}

#[test]
#[should_panic(expected = "the registry ended with")]
fn a_registry_that_cannot_start_shows_its_log() {
    Registry::builder()
        .section("auth:\n  nonsense:\n    realm: none")
        .start();
}

#[test]
fn dropping_a_registry_ends_it_and_removes_its_storage() {
    let registry = Registry::start();
    let (address, log) = (registry.address().to_owned(), registry.log.clone());

    drop(registry);

    assert!(TcpStream::connect(address).is_err());
    assert!(!log.exists());
}

/// Uploads a blob with a POST and a PUT. Returns the last answer.
fn upload(registry: &Registry, digest: &str, content: &str) -> String {
    let opened = request(registry.address(), "POST", "/v2/a/b/blobs/uploads/", "");
    let Some((_, rest)) = opened.split_once("Location: http://") else {
        return opened;
    };
    let (location, _) = rest.split_once("\r\n").unwrap();
    let (_, path) = location.split_once('/').unwrap();
    request(
        registry.address(),
        "PUT",
        &format!("/{path}&digest={digest}"),
        content,
    )
}

fn request(address: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
