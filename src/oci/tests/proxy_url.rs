use super::*;

#[test]
fn a_proxy_has_a_url_or_a_host_with_a_port() {
    for (text, expected) in [
        ("http://proxy:3128", "http://proxy:3128"),
        ("https://proxy/", "https://proxy"),
        (" proxy:3128 ", "http://proxy:3128"),
        ("proxy", "http://proxy"),
        ("10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("HTTP://u:p@proxy", "http://proxy"),
        ("u:p@proxy:3128", "http://proxy:3128"),
        ("socks5://proxy:1080", "socks5://proxy:1080"),
        ("socks://proxy:1080/", "socks5h://proxy:1080"),
    ] {
        let url = proxy_url(text).unwrap();
        assert_eq!(proxy_name(&url), expected, "{text}");
    }
}

#[test]
fn the_error_for_a_value_that_is_not_a_proxy_contains_no_password() {
    for text in [
        "http://",
        "://proxy",
        "http://secret@:3128",
        "not a url",
        "http//secret@proxy",
        "ftp://secret@proxy",
        "http://proxy:port",
        "socks5://",
        "http://a b/",
    ] {
        let reason = proxy_url(text).unwrap_err();
        assert!(!reason.contains("secret"), "{text}: {reason}");
    }
}
