//! Registries and proxies that accept uploads in unusual ways, or not at all.

mod limits;
mod mounts;

use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Outcome, shared_registry, unique};
use crate::transfer::{pack_noise, text};

/// Pushes an archive of about `size` bytes through `proxy`.
fn push(proxy: &Proxy, size: usize) -> Outcome {
    let environment = Environment::new();
    let file = pack_noise(&environment, "provider.par", size);
    let reference = proxy.reference(&format!("{}:1.0.0", unique("uploads")));
    let pushed = environment.par(["push", &reference, text(&file)]);
    if pushed.code == 0 {
        let pull = ["pull", &reference, "--destination", "pulled.par"];
        environment.par(pull).success();
        let pulled = std::fs::read(environment.path("pulled.par")).unwrap();
        assert_eq!(pulled, std::fs::read(&file).unwrap());
    }
    pushed
}

fn proxy(rules: Vec<Rule>) -> Proxy {
    Proxy::to(shared_registry(), rules)
}

fn always(method: &'static str, path: &str, status: &'static str) -> Rule {
    Rule::on(method, path, Fault::status(status)).always()
}

#[test]
fn a_location_with_another_scheme_host_or_port_says_which_and_what_to_set() {
    let begin = |edit| vec![Rule::on("POST", "/blobs/uploads/", Fault::edit(edit)).always()];
    for (rules, part, hint) in [
        (
            begin(|answer| {
                let location = answer.get("location").unwrap();
                answer.set("location", location.replace("http:", "https:"));
            }),
            "has another scheme than http://127.0.0.1:",
            "X-Forwarded-Proto",
        ),
        (
            begin(|answer| answer.set("location", "http://127.0.0.1/v2/org/x/blobs/uploads/1")),
            "http://127.0.0.1/v2/org/x/blobs/uploads/1, has another port than",
            "Host",
        ),
        (
            begin(|answer| answer.set("location", "http://registry:5000/v2/a/blobs/uploads/1")),
            "http://registry:5000/v2/a/blobs/uploads/1, has another host than",
            "Host",
        ),
    ] {
        let proxy = proxy(rules);
        let refused = push(&proxy, 1000).exit(1);
        assert!(refused.stderr.contains(part), "{refused}");
        assert!(refused.stderr.contains(hint), "{refused}");
        assert!(proxy.seen("POST", "").len() <= 2, "{refused}");
    }
}

#[test]
fn the_hint_about_an_empty_location_does_not_blame_replicas() {
    let edit = Fault::edit(|answer| answer.set("location", ""));
    let proxy = proxy(vec![Rule::on("POST", "/blobs/uploads/", edit).always()]);
    let refused = push(&proxy, 1000).exit(1);
    assert!(
        refused.stderr.contains("gave no usable location"),
        "{refused}"
    );
    assert!(
        !refused.stderr.contains("REGISTRY_HTTP_SECRET"),
        "{refused}"
    );
}

#[test]
fn an_upload_that_the_registry_has_forgotten_starts_again() {
    let unknown = |status, code| Fault::Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: code,
    };
    const UNKNOWN: &str = r#"{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN", "message": "no"}]}"#;
    const INVALID: &str = r#"{"errors": [{"code": "BLOB_UPLOAD_INVALID", "message": "no"}]}"#;
    for (status, code) in [
        ("404 Not Found", UNKNOWN),
        ("404 Not Found", INVALID),
        ("404 Not Found", ""),
        ("400 Bad Request", INVALID),
        ("416 Range Not Satisfiable", INVALID),
    ] {
        let fault = unknown(status, code);
        let twice = Rule::on("PUT", "/blobs/uploads/", fault.clone()).times(2);
        push(&proxy(vec![twice]), 10_000).success();

        let never = ["PUT", "PATCH"]
            .map(|method| Rule::on(method, "/blobs/uploads/", fault.clone()).always());
        let proxy = proxy(never.into());
        let refused = push(&proxy, 10_000).exit(1);
        assert!(
            refused.stderr.contains("it opened 6 uploads in a row"),
            "{refused}"
        );
        assert!(refused.stderr.contains("REGISTRY_HTTP_SECRET"), "{refused}");
        assert!(
            proxy.seen("POST", "/blobs/uploads/").len() <= 8,
            "{refused}"
        );
    }
}

#[test]
fn a_repository_that_cannot_be_created_is_not_reported_as_missing_content() {
    const UNKNOWN: &str = r#"{"errors": [{"code": "NAME_UNKNOWN", "message": "create it first"}]}"#;
    let unknown = Fault::Answer {
        status: "404 Not Found",
        headers: Vec::new(),
        body: UNKNOWN,
    };
    for rules in [
        vec![always("POST", "/blobs/uploads/", "404 Not Found")],
        vec![Rule::on("POST", "/blobs/uploads/", unknown.clone()).always()],
        vec![Rule::on("PUT", "/manifests/", unknown).always()],
    ] {
        let refused = push(&proxy(rules), 1000).exit(4);
        assert!(
            refused.stderr.contains("the repository does not exist"),
            "{refused}"
        );
        assert!(refused.stderr.contains("create it first"), "{refused}");
    }
    let missing = always("PUT", "/manifests/", "404 Not Found");
    push(&proxy(vec![missing]), 1000).exit(1);
}

#[test]
fn an_upload_that_is_given_up_is_cancelled() {
    for (method, status, code) in [
        ("PUT", "403 Forbidden", 4),
        ("PUT", "507 Insufficient Storage", 1),
        ("PUT", "422 Unprocessable", 1),
        ("PUT", "503 Service Unavailable", 6),
    ] {
        let proxy = proxy(vec![always(method, "/blobs/uploads/", status)]);
        let refused = push(&proxy, 1000).exit(code);
        // The first DELETE cancels the upload that was opened to see whether the registry accepts uploads.
        let cancelled = proxy.seen("DELETE", "/blobs/uploads/").len();
        assert!(cancelled >= 2, "{cancelled} of {status}: {refused}");
    }
    // An upload that begins again, because its bytes were changed on the way, is cancelled too.
    let damaged = Fault::Answer {
        status: "400 Bad Request",
        headers: vec![("content-type", "application/json".to_owned())],
        body: r#"{"errors": [{"code": "DIGEST_INVALID"}]}"#,
    };
    let damaging = proxy(vec![Rule::on("PUT", "/blobs/uploads/", damaged)]);
    push(&damaging, 1000).success();
    assert!(damaging.seen("DELETE", "/blobs/uploads/").len() >= 2);
    // The chunks of a refused upload go into a new one.
    let proxy = proxy(vec![Rule::on(
        "PUT",
        "digest=",
        Fault::status("413 Too Large"),
    )]);
    push(&proxy, 1000).success();
    assert!(proxy.seen("DELETE", "/blobs/uploads/").len() >= 2);
}

#[test]
fn a_registry_without_chunks_is_not_asked_for_them_again() {
    for status in ["501 Not Implemented", "405 Method Not Allowed"] {
        let proxy = proxy(vec![
            always("PATCH", "/blobs/uploads/", status),
            always("PUT", "/blobs/uploads/", "400 Bad Request"),
        ]);
        let refused = push(&proxy, 1000).exit(1);
        assert!(refused.stderr.contains("HTTP 400"), "{refused}");
        assert_eq!(proxy.seen("PATCH", "").len(), 1, "{refused}");
    }
}
