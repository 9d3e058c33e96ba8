//! The repositories of a registry.

use serde_json::json;

use super::{par, push, small};
use crate::support::{Answer, Environment, Registry, Server};

#[test]
fn the_repositories_of_a_registry_are_listed_on_a_line_each() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let listed = par(&environment, ["tags", registry.address()]).success();
    assert_eq!(listed.stdout, "");
    for name in ["org/b:1", "org/a:1", "c:1"] {
        push(&environment, &registry.reference(name), &file);
    }
    let listed = par(&environment, ["tags", registry.address()]).success();
    assert_eq!(listed.stdout, "c\norg/a\norg/b\n");
    let listed = par(&environment, ["tags", registry.address(), "-o", "json"]);
    let expected = json!(["c", "org/a", "org/b"]);
    let object = listed.success().json();
    assert_eq!(object["repositories"], expected);
    assert_eq!(object["registry"], registry.address());
    assert_eq!(object["from"], json!([registry.address()]));
    let refused = par(&environment, ["tags", registry.address(), "--long"]).exit(2);
    assert!(refused.stderr.contains("/REPOSITORY"), "{refused}");
}

#[test]
fn a_registry_with_more_repositories_than_a_page_lists_all() {
    let environment = Environment::new();
    let server = Server::start(|asked, _| match asked.target.as_str() {
        "/v2/_catalog" => Answer::body(r#"{"repositories":["b","a"]}"#)
            .header("link", "</v2/_catalog?last=b&n=2>; rel=\"next\""),
        "/v2/_catalog?last=b&n=2" => Answer::body(r#"{"repositories":["c","b"]}"#),
        _ => Answer::body("{}"),
    });
    let listed = par(&environment, ["tags", server.address()]).success();
    assert_eq!(listed.stdout, "a\nb\nc\n");
    for (link, said) in [
        ("</v2/_catalog>; rel=\"next\"", "leads to the same page"),
        (
            "</v2/x/tags/list?n=1>; rel=\"next\"",
            "leads to another list",
        ),
    ] {
        let server = Server::start(move |_, _| {
            Answer::body(r#"{"repositories":["a"]}"#).header("link", link)
        });
        let refused = par(&environment, ["tags", server.address()]).exit(5);
        assert!(refused.stderr.contains(said), "{refused}");
    }
}

#[test]
fn a_registry_without_a_list_of_repositories_says_so() {
    let environment = Environment::new();
    for (status, code, said) in [
        ("404 Not Found", 3, "has no list of its repositories"),
        (
            "405 Method Not Allowed",
            3,
            "has no list of its repositories",
        ),
        (
            "403 Forbidden",
            4,
            "does not list its repositories for this user",
        ),
    ] {
        let server = Server::start(move |asked, _| match asked.target.as_str() {
            "/v2/_catalog" => Answer::status(status),
            _ => Answer::body("{}"),
        });
        let refused = par(&environment, ["tags", server.address()]).exit(code);
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(refused.stderr.contains("GHCR"), "{refused}");
    }
    for (body, code) in [("<html>", 5), ("{}", 5), (r#"{"repositories":null}"#, 0)] {
        let server = Server::start(move |_, _| Answer::body(body));
        par(&environment, ["tags", server.address()]).exit(code);
    }
    let registry = Registry::builder().htpasswd("jane", "password").start();
    par(&environment, ["tags", registry.address()]).exit(4);
    let user = ["tags", registry.address(), "-u=jane", "-p=password"];
    par(&environment, user).success();
}
