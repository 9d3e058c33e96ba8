//! Mirrors that work: which host gets which request, and with which headers and credentials.

use data_encoding::BASE64;
use serde_json::json;

use super::{archive, assert_pulls, configure, par, pushed};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry};

/// Returns the number of requests that `registry` got from this client.
fn requests_to(registry: &Registry) -> usize {
    let _ = registry.requests();
    registry.log().matches("\"wasmcloud-par/").count()
}

/// Lets the user read `origin` from `mirror`.
fn mirror_by(environment: &Environment, origin: &Registry, mirror: &Registry) {
    let url = format!("http://{}", mirror.address());
    let hosts = format!("[host.{url:?}]\ncapabilities = [\"pull\", \"resolve\"]");
    configure(environment, origin.address(), &hosts);
}

#[test]
fn a_pull_through_mirror_serves_everything_and_gets_the_parameter_ns() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let file = pushed(&environment, &origin, "provider:1.0.0");
    let before = requests_to(&origin);
    let upstream = format!("proxy:\n  remoteurl: http://{}", origin.address());
    let mirror = Registry::builder().section(&upstream).start();
    mirror_by(&environment, &origin, &mirror);

    let reference = origin.reference("provider:1.0.0");
    assert_pulls(&environment, &reference, &file, &[]);

    assert_eq!(requests_to(&origin), before);
    let namespace = format!("?ns={}", origin.address().replace(':', "%3A"));
    let requests = mirror.requests();
    assert!(requests.len() >= 2, "{requests:?}");
    assert!(
        requests.iter().all(|request| request.ends_with(&namespace)),
        "{requests:?}"
    );
}

#[test]
fn a_host_gets_only_requests_for_its_capabilities() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let file = pushed(&environment, &origin, "provider:1.0.0");
    let mirror = Registry::builder().storage(origin.storage()).start();
    let reference = origin.reference("provider:1.0.0");
    let url = format!("http://{}", mirror.address());

    let only_content = format!("[host.{url:?}]\ncapabilities = [\"pull\"]");
    configure(&environment, origin.address(), &only_content);
    let before = requests_to(&origin);
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
    assert_eq!(requests_to(&origin) - before, 1, "the tag");

    // A host without `pull` is not asked for content.
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
fn a_push_goes_to_the_first_host_with_that_capability() {
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
    let before = requests_to(&origin);
    par(&environment, &push, &[]).success();
    assert_eq!(requests_to(&origin), before);
    let elsewhere = mirror.reference("provider:1.0.0");
    assert_pulls(&environment, &elsewhere, &file, &[]);

    configure(&environment, origin.address(), "capabilities = [\"pull\"]");
    let refused = par(&environment, &push, &[]).exit(2);
    assert!(refused.stderr.contains("capability `push`"), "{refused}");
}

#[test]
fn a_directory_or_a_file_that_cannot_be_used_is_named() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let fetch = ["fetch", &origin.reference("provider:1.0.0")];
    configure(
        &environment,
        origin.address(),
        "\n[host.\"https://m\"]\ncapabilities = 1",
    );
    let refused = par(&environment, &fetch, &[]).exit(2);
    assert!(
        refused.stderr.contains("hosts.toml, line 3, column 16: "),
        "{refused}"
    );
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
    // An empty directory replaces the user's own.
    std::fs::create_dir(environment.path("empty")).unwrap();
    par(&environment, &fetch, &["--hosts-dir", "empty"]).exit(3);
    assert_eq!(requests_to(&origin), 1);
}

#[test]
fn headers_are_sent_and_override_path_keeps_the_path() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let file = pushed(&environment, &origin, "provider:1.0.0");
    let before = requests_to(&origin);
    let storage = Registry::builder().storage(origin.storage()).start();
    // Requests without the header get no answer from the registry.
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
    assert_eq!(requests_to(&origin), before);
    assert!(mirror.seen("GET", "/hub/provider/blobs/").len() == 1);
}

#[test]
fn credentials_are_sent_only_to_their_own_host() {
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

    // The mirror requires credentials, and gets none.
    assert_pulls(&environment, &reference, &file, &jane);
    config(&[(origin.address(), "jane:password")]);
    assert_pulls(&environment, &reference, &file, &[]);
    assert!(!mirror.seen("GET", "/").is_empty());
    for method in ["GET", "HEAD"] {
        assert!(mirror.seen(method, "/").iter().all(|seen| !seen.authorized));
    }

    // The mirror has an entry of its own.
    let robot = (mirror.address(), "robot:another-password");
    config(&[(origin.address(), "jane:password"), robot]);
    let before = requests_to(&origin);
    assert_pulls(&environment, &reference, &file, &[]);
    assert_eq!(requests_to(&origin), before);
}

#[test]
fn the_tags_are_those_of_the_registry_itself_unless_it_does_not_answer() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let mirror = Registry::start();
    for name in ["provider:1.0.0", "provider:1.1.0"] {
        pushed(&environment, &origin, name);
    }
    pushed(&environment, &mirror, "provider:1.0.0");
    mirror_by(&environment, &origin, &mirror);
    let tags = ["tags", &origin.reference("provider"), "-o", "json"];
    let listed = par(&environment, &tags, &[]).success().json();
    assert_eq!(listed["tags"], json!(["1.0.0", "1.1.0"]));
    assert_eq!(listed["from"], json!([origin.address()]));
    let missing = ["tags", &origin.reference("unknown")];
    par(&environment, &missing, &[]).exit(3);

    drop(origin);
    let listed = par(&environment, &tags, &["--patience", "0"]).success();
    assert_eq!(listed.json()["tags"], json!(["1.0.0"]));
    assert_eq!(listed.json()["from"], json!([mirror.address()]));
    let said = format!("the tags are those of the mirror {}", mirror.address());
    assert!(listed.stderr.contains(&said), "{listed}");
}

#[test]
fn the_tags_of_a_mirror_are_listed_where_the_registry_itself_denies_access() {
    let environment = Environment::new();
    let origin = Registry::builder().htpasswd("jane", "password").start();
    let mirror = Registry::start();
    pushed(&environment, &mirror, "provider:1.0.0");
    mirror_by(&environment, &origin, &mirror);
    let tags = ["tags", &origin.reference("provider"), "-o", "json"];
    let listed = par(&environment, &tags, &[]).success();
    assert_eq!(listed.json()["tags"], json!(["1.0.0"]));
    assert!(listed.stderr.contains("requires credentials"), "{listed}");
}

#[test]
fn the_host_that_receives_pushes_is_also_read() {
    let (environment, origin, host) = (Environment::new(), Registry::start(), Registry::start());
    // Without a list of capabilities, the host has all of them.
    let hosts = format!("[host.\"http://{}\"]", host.address());
    configure(&environment, origin.address(), &hosts);
    let file = pushed(&environment, &origin, "provider:dev");
    for (from, to) in [
        ("provider:dev", "provider:1.0.0"),
        ("provider:dev", "other:1.0.0"),
    ] {
        let copy = ["copy", &origin.reference(from), &origin.reference(to)];
        par(&environment, &copy, &[]).success();
        assert_pulls(&environment, &origin.reference(to), &file, &[]);
    }
    let tags = ["tags", &origin.reference("provider")];
    let listed = par(&environment, &tags, &[]).success();
    assert_eq!(listed.stdout, "dev\n1.0.0\n");
}

#[test]
fn a_copy_reads_from_another_repository_of_the_destination_that_mirrors_the_source() {
    let (environment, mirror) = (Environment::new(), Registry::start());
    let file = pushed(&environment, &mirror, "proxy/provider:1.0.0");
    // Nothing answers at the source.
    let (origin, url) = (
        "127.0.0.1:1",
        format!("http://{}/v2/proxy", mirror.address()),
    );
    let hosts =
        format!("[host.{url:?}]\ncapabilities = [\"pull\", \"resolve\"]\noverride_path = true");
    configure(&environment, origin, &hosts);
    let from = format!("{origin}/provider:1.0.0");
    let copy = |to: &str| {
        let arguments = ["copy", &from, to, "--without-referrers"];
        par(&environment, &arguments, &["--patience", "0"])
    };
    let own = mirror.reference("own/provider:1.0.0");
    copy(&own).success();
    assert_pulls(&environment, &own, &file, &[]);
    copy(&mirror.reference("proxy/provider:2.0.0")).exit(6);
}
