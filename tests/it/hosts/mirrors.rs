//! Mirrors that work: who is asked for what, and what is told to whom.

use data_encoding::BASE64;
use serde_json::json;

use super::{archive, assert_pulls, configure, par, pushed};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry};

/// How often our client has asked `registry`.
fn asked(registry: &Registry) -> usize {
    let _ = registry.requests();
    registry.log().matches("\"wasmcloud-par/").count()
}

#[test]
fn a_pull_through_mirror_gives_everything_and_is_told_for_whom() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let file = pushed(&environment, &origin, "provider:1.0.0");
    let before = asked(&origin);
    let upstream = format!("proxy:\n  remoteurl: http://{}", origin.address());
    let mirror = Registry::builder().section(&upstream).start();
    let hosts = format!(
        "[host.\"http://{}\"]\ncapabilities = [\"pull\", \"resolve\"]",
        mirror.address()
    );
    configure(&environment, origin.address(), &hosts);

    let reference = origin.reference("provider:1.0.0");
    assert_pulls(&environment, &reference, &file, &[]);

    assert_eq!(asked(&origin), before);
    let namespace = format!("?ns={}", origin.address().replace(':', "%3A"));
    let requests = mirror.requests();
    assert!(requests.len() >= 2, "{requests:?}");
    assert!(
        requests.iter().all(|request| request.ends_with(&namespace)),
        "{requests:?}"
    );
}

#[test]
fn each_host_is_asked_for_what_it_is_there_for() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let file = pushed(&environment, &origin, "provider:1.0.0");
    let mirror = Registry::builder().storage(origin.storage()).start();
    let reference = origin.reference("provider:1.0.0");
    let url = format!("http://{}", mirror.address());

    let only_content = format!("[host.{url:?}]\ncapabilities = [\"pull\"]");
    configure(&environment, origin.address(), &only_content);
    let before = asked(&origin);
    assert_pulls(&environment, &reference, &file, &[]);
    let requests = mirror.requests();
    assert!(
        !requests.iter().any(|request| request.contains("1.0.0")),
        "{requests:?}"
    );
    assert!(
        requests.iter().any(|request| request.contains("/blobs/")),
        "{requests:?}"
    );
    assert_eq!(asked(&origin) - before, 1, "the tag");

    // What takes content is not asked for any.
    let only_tags = format!("[host.{url:?}]\ncapabilities = [\"resolve\"]");
    configure(&environment, origin.address(), &only_tags);
    let before = mirror.requests().len();
    assert_pulls(&environment, &reference, &file, &[]);
    assert_eq!(mirror.requests().len() - before, 1);

    let nothing = "capabilities = [\"push\"]";
    configure(&environment, origin.address(), nothing);
    let refused = par(&environment, &["fetch", &reference], &[]).exit(2);
    assert!(refused.stderr.contains("capability `resolve`"), "{refused}");
}

#[test]
fn pushes_go_to_the_first_host_that_takes_them() {
    let (environment, origin, mirror) = (Environment::new(), Registry::start(), Registry::start());
    let file = archive(&environment);
    let reference = origin.reference("provider:1.0.0");
    let url = format!("http://{}", mirror.address());
    let push = ["push", &reference, &file];

    let hosts = format!("[host.{url:?}]\ncapabilities = [\"pull\", \"resolve\"]");
    configure(&environment, origin.address(), &hosts);
    par(&environment, &push, &[]).success();
    assert_eq!(mirror.requests(), [""; 0]);

    let hosts = format!("[host.{url:?}]\ncapabilities = [\"push\"]");
    configure(&environment, origin.address(), &hosts);
    let before = asked(&origin);
    par(&environment, &push, &[]).success();
    assert_eq!(asked(&origin), before);
    let elsewhere = mirror.reference("provider:1.0.0");
    assert_pulls(&environment, &elsewhere, &file, &[]);

    configure(&environment, origin.address(), "capabilities = [\"pull\"]");
    let refused = par(&environment, &push, &[]).exit(2);
    assert!(refused.stderr.contains("capability `push`"), "{refused}");
}

#[test]
fn a_folder_or_a_file_that_cannot_be_used_is_named() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let fetch = ["fetch", &origin.reference("provider:1.0.0")];
    configure(
        &environment,
        origin.address(),
        "\n[host.\"https://m\"]\ncapabilities = 1",
    );
    let refused = par(&environment, &fetch, &[]).exit(2);
    assert!(refused.stderr.contains("hosts.toml, line 3: "), "{refused}");
    let refused = par(&environment, &fetch, &["--hosts-dir", "missing"]).exit(3);
    assert!(refused.stderr.contains("missing"), "{refused}");
    environment.write("file", "");
    for file in ["file", "file/below"] {
        let refused = par(&environment, &fetch, &["--hosts-dir", file]).exit(2);
        assert!(
            refused.stderr.contains("is a file, not a directory"),
            "{refused}"
        );
        assert!(refused.stderr.contains("--hosts-dir"), "{refused}");
    }
    // An empty folder has nothing to say, and counts instead of the user's own.
    std::fs::create_dir(environment.path("empty")).unwrap();
    par(&environment, &fetch, &["--hosts-dir", "empty"]).exit(3);
    assert_eq!(asked(&origin), 1);
}

#[test]
fn headers_are_sent_and_a_path_is_taken_as_it_is() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let file = pushed(&environment, &origin, "provider:1.0.0");
    let before = asked(&origin);
    let storage = Registry::builder().storage(origin.storage()).start();
    // Who does not say the word is not let in.
    let gate = Fault::Edit(
        |request| {
            if request.get("x-word") == Some("sesame") {
                request.replace_target("/hub/", "/v2/");
            }
        },
        |_| {},
    );
    let rules = ["GET", "HEAD"].map(|method| Rule::on(method, "/hub/", gate.clone()).always());
    let mirror = Proxy::start(&storage, rules.to_vec());
    let hosts = format!(
        "[host.\"http://{}/hub\"]\noverride_path = true\nheader = {{ x-word = \"sesame\" }}",
        mirror.address()
    );
    configure(&environment, origin.address(), &hosts);
    let reference = origin.reference("provider:1.0.0");
    assert_pulls(&environment, &reference, &file, &[]);
    assert_eq!(asked(&origin), before);
    assert!(mirror.seen("GET", "/hub/provider/blobs/").len() == 1);
}

#[test]
fn credentials_are_for_the_host_that_they_were_given_for() {
    let environment = Environment::new();
    let origin = Registry::builder().htpasswd("jane", "password").start();
    let file = archive(&environment);
    let reference = origin.reference("provider:1.0.0");
    let jane = ["--user", "jane", "--password", "password"];
    par(&environment, &["push", &reference, &file], &jane).success();
    let locked = Registry::builder()
        .htpasswd("robot", "another-password")
        .storage(origin.storage())
        .start();
    let mirror = Proxy::start(&locked, Vec::new());
    let hosts = format!("[host.\"http://{}\"]", mirror.address());
    configure(&environment, origin.address(), &hosts);
    let config = |entries: &[(&str, &str)]| {
        let entries = entries.iter().map(|(registry, user)| {
            let auth = BASE64.encode(user.as_bytes());
            ((*registry).to_owned(), json!({ "auth": auth }))
        });
        let auths: serde_json::Map<_, _> = entries.collect();
        environment.write(
            "../home/.docker/config.json",
            json!({ "auths": auths }).to_string(),
        )
    };

    // The mirror lets nobody in, and is not told who asks.
    assert_pulls(&environment, &reference, &file, &jane);
    config(&[(origin.address(), "jane:password")]);
    assert_pulls(&environment, &reference, &file, &[]);
    assert!(!mirror.seen("GET", "/").is_empty());
    for method in ["GET", "HEAD"] {
        assert!(mirror.seen(method, "/").iter().all(|seen| !seen.authorized));
    }

    // It has an entry of its own.
    let robot = (mirror.address(), "robot:another-password");
    config(&[(origin.address(), "jane:password"), robot]);
    let before = asked(&origin);
    assert_pulls(&environment, &reference, &file, &[]);
    assert_eq!(asked(&origin), before);
}
