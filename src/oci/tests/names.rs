use super::*;

#[test]
fn all_spellings_of_a_registry_have_one_canonical_name() {
    for (name, spellings) in [
        (
            "ghcr.io",
            &["ghcr.io", "GHCR.io", "ghcr.io:443", "ghcr.io:0443"][..],
        ),
        ("ghcr.io:8443", &["ghcr.io:8443", "ghcr.io:08443"]),
        (
            "docker.io",
            &[
                "docker.io:443",
                "index.docker.io",
                "index.docker.io:443",
                "registry-1.docker.io",
            ],
        ),
        (
            "127.0.0.1:5000",
            &["127.1:5000", "0x7f.1:5000", "2130706433:5000"],
        ),
        ("[::1]:5000", &["[0:0::1]:5000", "[::0001]:5000"]),
        ("docker.io.evil.test", &["docker.io.evil.test"]),
    ] {
        assert_eq!(canonical_name(name), name);
        for spelling in spellings {
            assert_eq!(canonical_name(spelling), name, "{spelling}");
        }
    }
}

#[test]
fn localhost_and_loopback_addresses_are_this_machine() {
    for registry in ["localhost", "localhost:5000", "127.8.8.8", "[::1]:5000"] {
        assert!(is_loopback(registry), "{registry}");
    }
    for registry in ["ghcr.io", "localhost.example", "10.0.0.1:5000", "[::2]"] {
        assert!(!is_loopback(registry), "{registry}");
    }
}
