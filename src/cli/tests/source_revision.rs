use super::*;

#[test]
fn a_remote_is_a_web_address_without_credentials() {
    for (remote, expected) in [
        ("git@github.com:org/x.git", "https://github.com/org/x"),
        ("github.com:/org/x", "https://github.com/org/x"),
        ("ssh://git@github.com/org/x.git", "https://github.com/org/x"),
        (
            "ssh://git@git.example.com:2222/org/x.git",
            "https://git.example.com/org/x",
        ),
        (
            "https://user:secret@github.com/org/x.git",
            "https://github.com/org/x",
        ),
        (
            "https://x-access-token:se@cret@github.com/org/x",
            "https://github.com/org/x",
        ),
        (
            "HTTPS://git.example.com:8443/a/b/x.git/",
            "https://git.example.com:8443/a/b/x",
        ),
        (
            "https://github.com/org/x.git?token=secret#secret",
            "https://github.com/org/x",
        ),
        ("http://localhost:3000/org/x", "http://localhost:3000/org/x"),
        ("git://example.com/x.git", "https://example.com/x"),
    ] {
        assert_eq!(public_url(remote).as_deref(), Some(expected), "{remote}");
    }
}

#[test]
fn a_remote_that_others_cannot_reach_is_not_a_source() {
    for remote in [
        "/srv/git/x.git",
        "../x",
        "./a:b/x",
        "file:///srv/git/x.git",
        "ext::sh -c anything",
        "https://",
        "https://user:secret@",
        "https://user:secret@/",
        "git@github.com:",
        "user:secret@github.com:org/x",
        "https://user:sec/ret@github.com/org/x",
        "https://user:secret/github.com/org/x",
        "ssh://user:sec/ret@github.com/org/x",
        r"C:\\org\\x",
        "",
    ] {
        assert_eq!(public_url(remote), None, "{remote}");
    }
}
