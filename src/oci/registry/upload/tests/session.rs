use super::*;

#[test]
fn the_range_header_names_the_last_byte_that_arrived() {
    let arrived = |range: &'static str| {
        received(&HeaderMap::from_iter([(
            RANGE,
            HeaderValue::from_static(range),
        )]))
    };
    assert_eq!(arrived("0-9"), 10);
    assert_eq!(arrived("bytes=0-9"), 10);
    assert_eq!(arrived("0-0"), 0);
    assert_eq!(arrived("5-9"), 0);
    assert_eq!(arrived("0-18446744073709551615"), u64::MAX);
    assert_eq!(received(&HeaderMap::new()), 0);
}

#[test]
fn an_upload_continues_only_at_the_same_scheme_host_and_port() {
    let asked: Url = "https://ghcr.io/v2/a/blobs/uploads/".parse().unwrap();
    let within = |location| within_registry(&asked, location).map(String::from);
    for (location, url) in [
        ("/v2/a/up/1?_state=x", "https://ghcr.io/v2/a/up/1?_state=x"),
        ("https://ghcr.io:443/up?b=c", "https://ghcr.io/up?b=c"),
        ("1", "https://ghcr.io/v2/a/blobs/uploads/1"),
    ] {
        assert_eq!(within(location).as_deref(), Ok(url));
    }
    for elsewhere in [
        "http://ghcr.io/up",
        "http://ghcr.io:443/up",
        "https://ghcr.io:444/up",
        "https://storage.ghcr.io/up",
        "//evil.example/up",
        "file:///etc/passwd",
        "https://",
    ] {
        assert!(within(elsewhere).is_err(), "{elsewhere}");
    }
}
