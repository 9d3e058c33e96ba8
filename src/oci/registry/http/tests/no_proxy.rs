use super::*;

#[track_caller]
fn covers(list: &str, url: &str) -> bool {
    NoProxy::parse(list).covers(&Url::parse(url).unwrap())
}

#[test]
fn a_domain_covers_the_hosts_below_it() {
    for (list, url, expected) in [
        ("r.test", "https://r.test", true),
        ("r.test", "https://a.r.test/v2", true),
        ("r.test", "https://other.test", false),
        ("r.test", "https://bar.test", false),
        ("R.Test", "https://r.test", true),
        (".r.test", "https://a.r.test", true),
        (".r.test", "https://r.test", false),
        ("*.r.test", "https://a.b.r.test", true),
        ("*.r.test", "https://r.test", false),
        ("*", "https://any", true),
        ("x, *", "http://10.0.0.1", true),
        ("bücher.test", "https://bücher.test", true),
        ("", "https://r.test", false),
        (",, ,.,:,:80,*.", "https://r.test", false),
    ] {
        assert_eq!(covers(list, url), expected, "{list} {url}");
    }
}

#[test]
fn a_port_limits_an_entry_to_it() {
    for (list, url, expected) in [
        ("r.test:5000", "http://r.test:5000", true),
        ("r.test:5000", "http://a.r.test:5000", true),
        ("r.test:5000", "http://r.test", false),
        ("r.test:443", "https://r.test", true),
        ("r.test:80", "http://r.test", true),
        (".r.test:80", "http://a.r.test", true),
        ("*.r.test:81", "http://a.r.test", false),
        ("10.0.0.1:5000", "http://10.0.0.1:5000", true),
        ("10.0.0.1:5000", "http://10.0.0.1:5001", false),
        ("[fd00::1]:5000", "http://[fd00::1]:5000", true),
        ("[fd00::1]:5000", "http://[fd00::1]", false),
    ] {
        assert_eq!(covers(list, url), expected, "{list} {url}");
    }
}

#[test]
fn addresses_and_networks_are_compared_as_numbers() {
    for (list, url, expected) in [
        ("10.0.0.1", "http://10.0.0.1:5000", true),
        ("10.0.0.1", "http://10.0.0.10", false),
        ("10.0.0.0/8", "http://10.200.0.1", true),
        ("10.0.0.0/8", "http://11.0.0.1", false),
        ("192.168.1.0/24", "http://192.168.1.255", true),
        ("192.168.1.0/24", "http://192.168.2.0", false),
        ("0.0.0.0/0", "http://9.9.9.9", true),
        ("0.0.0.0/0", "http://[fd00::1]", false),
        ("fd00::/8", "http://[fdab::1]", true),
        ("fd00::/8", "http://[fe00::1]", false),
        ("fd00::1", "http://[fd00:0::1]", true),
        ("[fd00::1]", "http://[fd00::1]", true),
        ("10.0.0.0/33", "http://10.0.0.1", false),
        ("10.0.0.0/x", "http://10.0.0.1", false),
    ] {
        assert_eq!(covers(list, url), expected, "{list} {url}");
    }
}

#[test]
fn entries_are_separated_by_commas_or_spaces_and_this_machine_needs_no_entry() {
    for url in ["https://a.test", "https://b.test", "https://c.test"] {
        assert!(covers(" a.test ,b.test\tc.test", url), "{url}");
    }
    for url in [
        "http://localhost:5000",
        "http://127.0.0.1",
        "http://[::1]:5000",
    ] {
        assert!(covers("", url), "{url}");
    }
}
