use super::*;

#[test]
fn a_pattern_matches_its_repositories_and_none_with_similar_names() {
    for (pattern, matching, others) in [
        (
            "ghcr.io/org/provider",
            &["ghcr.io/org/provider:1", "GHCR.io:443/org/provider"][..],
            &[
                "ghcr.io/org/provider2",
                "ghcr.io/org",
                "ghcr.io:8443/org/provider",
            ][..],
        ),
        (
            "ghcr.io/org/*",
            &["ghcr.io/org/a", "ghcr.io/org/a/b", "ghcr.io:0443/org/a"],
            &["ghcr.io/org", "ghcr.io/organ/a", "evil.io/ghcr.io/org/a"],
        ),
        (
            "*.example.com",
            &["a.example.com/x", "a.b.example.com/y/z"],
            &[
                "example.com/x",
                "example.com.evil.io/x",
                "evil.io/a.example.com",
            ],
        ),
        (
            "*.example.com/org/*",
            &["a.example.com/org/x"],
            &["evil.io/a.example.com/org/x", "a.example.com/other/x"],
        ),
        (
            "ghcr.io/*/provider-*-v*",
            &["ghcr.io/a/provider-x-v2", "ghcr.io/a/b/provider-a-b-v"],
            &["ghcr.io/a/provider-v2", "ghcr.io/provider-x-v2"],
        ),
        (
            "ghcr.io",
            &["ghcr.io/a", "ghcr.io/a/b"],
            &["ghcr.io.evil/a"],
        ),
        ("localhost:5000", &["localhost:5000/a"], &["localhost/a"]),
        (
            "127.0.0.1:5000/a",
            &["127.1:5000/a", "127.0.0.1:05000/a"],
            &["127.0.0.1/a"],
        ),
        (
            "docker.io/library/demo",
            &[
                "docker.io/demo",
                "index.docker.io/demo",
                "index.docker.io:443/library/demo",
                "registry-1.docker.io/library/demo",
                "registry-1.docker.io:443/demo",
            ],
            &["docker.io/org/demo", "docker.io:8443/library/demo"],
        ),
        ("*", &["ghcr.io/a", "oci-layout://x:1"], &[]),
        ("oci-layout", &["oci-layout://x:1"], &["ghcr.io/oci-layout"]),
    ] {
        let parsed: Pattern = pattern.parse().unwrap();
        assert_eq!(parsed.to_string(), pattern);
        let matches = |text: &&str| parsed.matches(&text.parse().unwrap());
        for text in matching {
            assert!(matches(text), "{pattern}: {text}");
        }
        for text in others {
            assert!(!matches(text), "{pattern}: {text}");
        }
    }
}

#[test]
fn a_pattern_is_parsed_like_the_references_that_it_matches() {
    for (written, meant) in [
        ("docker.io/demo", "docker.io/library/demo"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io:443/org/*", "docker.io/org/*"),
        ("*.example.com:443/a", "*.example.com/a"),
        ("127.1:5000", "127.0.0.1:5000"),
        ("[0::1]:5000/*", "[::1]:5000/*"),
    ] {
        let pattern: Pattern = written.parse().unwrap();
        assert_eq!(pattern.to_string(), meant);
    }
}

#[test]
fn a_text_that_no_reference_can_fit_is_not_a_pattern() {
    for text in [
        "",
        "org/provider",
        "ghcr.io/Org/*",
        "ghcr.io/org/provider:1.0",
        "ghcr.io/org@sha256:0",
        "https://ghcr.io/org",
        "ghcr.io/",
        "ghcr.io/a b",
        "oci-layout/folder/layout",
        "oci-layout/*",
        "127.0.0.1:99999",
        "127.0.0.1:99999/*",
        "ghcr.io/org/a..b",
        "ghcr.io/org/a..b*",
        "ghcr.io/org/-*",
        "*/org/a..b",
        "[::x]:5000",
        "*.docker.io",
    ] {
        assert!(text.parse::<Pattern>().is_err(), "{text}");
    }
}
