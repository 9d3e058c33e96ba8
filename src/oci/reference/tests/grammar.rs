use super::*;

#[test]
fn the_names_are_those_that_oci_client_accepts() {
    let hosts = [
        "ghcr.io",
        "a.b",
        "localhost",
        "localhost:5000",
        "127.0.0.1:1",
        "A.b",
        "x-y.z",
        "x--y.z",
        "-x.y",
        "x-.y",
        "x..y",
        ".x",
        "x.",
        "x_y.z",
        "a.b:",
        "a.b:x",
        "a.b:1:2",
        "ä.b",
        "a b.c",
        "",
    ];
    let repositories = [
        "a", "a/b/c", "a.b", "a..b", "a_b", "a__b", "a___b", "a-b", "a---b", "a-_b", "a._b", "-a",
        "a-", "a/", "/a", "a//b", "A", "a/B", "ä", "a b", "a/.b", "a_/b", "0/1", "",
    ];
    let long = "a".repeat(REPOSITORY_LIMIT);
    let longer = "a".repeat(REPOSITORY_LIMIT + 1);
    let repositories = repositories.into_iter().chain([long.as_str(), &longer]);
    let both = |host: &str, repository: &str| {
        // Without a dot or a port, `oci-client` takes the host for a part of the repository.
        let host = if host.contains(['.', ':']) {
            host
        } else {
            "a.b"
        };
        format!("{host}/{repository}:tag").parse::<oci_client::Reference>()
    };
    for host in hosts {
        let named = host.contains(['.', ':']) && both(host, "a").is_ok();
        assert_eq!(is_host(host), named || host == "localhost", "{host}");
    }
    for repository in repositories {
        assert_eq!(
            is_repository(repository),
            both("", repository).is_ok(),
            "{repository}"
        );
    }
}

#[test]
fn a_port_is_a_number_from_1_to_65535() {
    assert!(is_host("a.b:65535"));
    for port in ["0", "65536", "+1", ""] {
        assert!(!is_host(&format!("a.b:{port}")), "{port}");
    }
}
