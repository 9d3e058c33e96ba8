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
    for (location, part) in [
        ("/v2/a/up/1?_state=x", None),
        ("https://ghcr.io:443/up?b=c", None),
        ("1", None),
        ("http://ghcr.io/up", Some(UrlPart::Scheme)),
        ("http://ghcr.io:443/up", Some(UrlPart::Scheme)),
        ("https://ghcr.io:444/up", Some(UrlPart::Port)),
        ("https://storage.ghcr.io/up", Some(UrlPart::Host)),
        ("http://storage.ghcr.io:5000/up", Some(UrlPart::Host)),
        ("http://ghcr.io:5000/up", Some(UrlPart::Scheme)),
        ("//evil.example/up", Some(UrlPart::Host)),
        ("file:///etc/passwd", Some(UrlPart::Host)),
    ] {
        let url = asked.join(location).unwrap();
        assert_eq!(difference(&asked, &url), part, "{location}");
    }
}
