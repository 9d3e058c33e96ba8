//! Manifests, and the requests for them.

use std::fs;
use std::path::PathBuf;

use crate::support::archives::{ArchiveBuilder, gzip};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Answer, Asked, Environment, Outcome, Registry, Server};
use crate::transfer::{push, text};

const HEAD_REFUSALS: [&str; 5] = [
    "501 Not Implemented",
    "405 Method Not Allowed",
    "404 Not Found",
    "400 Bad Request",
    "500 Internal Server Error",
];

/// Writes an archive that differs in each call.
fn archive(environment: &Environment, name: &str) -> PathBuf {
    environment.write(name, ArchiveBuilder::two_targets().build())
}

/// Starts a registry, and pushes an archive to `org/provider:1.0.0`. Returns the file of the archive too.
fn pushed(archive: Vec<u8>) -> (Environment, Registry, PathBuf) {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = environment.write("provider.par", archive);
    let reference = registry.reference("org/provider:1.0.0");
    push(&environment, &reference, &file);
    (environment, registry, file)
}

/// Starts a proxy that answers every HEAD with this status.
fn without_head(registry: &Registry, status: &'static str) -> Proxy {
    let rule = Rule::on("HEAD", "/", Fault::status(status)).always();
    Proxy::start(registry, vec![rule])
}

fn pull(environment: &Environment, reference: &str) -> (Outcome, PathBuf) {
    let destination = environment.path("pulled.par");
    let pulled = environment.par([
        "pull",
        reference,
        "--pull",
        "newer",
        "--destination",
        text(&destination),
    ]);
    (pulled, destination)
}

#[test]
fn an_update_arrives_from_a_registry_that_refuses_head() {
    let refusals = HEAD_REFUSALS.map(Fault::status);
    for fault in refusals.into_iter().chain([Fault::LoseAnswer]) {
        let (environment, registry) = (Environment::new(), Registry::start());
        let rule = Rule::on("HEAD", "/", fault.clone()).always();
        let proxy = Proxy::start(&registry, vec![rule]);
        let reference = proxy.reference("org/provider:1.0.0");
        for name in ["old.par", "new.par"] {
            let file = archive(&environment, name);
            push(
                &environment,
                &registry.reference("org/provider:1.0.0"),
                &file,
            );
            let (pulled, destination) = pull(&environment, &reference);
            pulled.success();
            let same = fs::read(&file).unwrap() == fs::read(destination).unwrap();
            assert!(same, "{fault:?}, {name}");
        }
        assert_is_not_served_when_it_is_gone(&environment, &reference, &proxy);
    }
}

/// Asserts that the cache does not serve a tag that was removed.
fn assert_is_not_served_when_it_is_gone(environment: &Environment, reference: &str, proxy: &Proxy) {
    let direct = ["delete", reference, "--force"];
    environment.par(direct).success();
    let (pulled, _) = pull(environment, reference);
    assert!(pulled.exit(3).stderr.contains("does not have the manifest"));
    assert!(!proxy.seen("HEAD", "/manifests/1.0.0").is_empty());
}

#[test]
fn every_command_works_with_a_registry_that_refuses_head() {
    for status in HEAD_REFUSALS {
        let (environment, registry) = (Environment::new(), Registry::start());
        let proxy = without_head(&registry, status);
        let file = archive(&environment, "provider.par");
        let reference = proxy.reference("org/provider:1.0.0");
        let pushed = push(&environment, &reference, &file);
        // Without HEAD, the client requests one byte of each blob to see whether it is stored.
        let blobs = proxy.seen("GET", "/blobs/");
        assert!(
            blobs
                .iter()
                .all(|seen| seen.down < 500 || seen.target.contains("uploads"))
        );
        push(&environment, &reference, &file);
        let other = proxy.reference("org/other:1.0.0");
        let list = environment.write("references.txt", &reference);
        for arguments in [
            &["resolve", &reference][..],
            &["fetch", &reference, "--target", "x86_64-linux"],
            &["lock", text(&list)],
            &["copy", &reference, &other],
            &["copy", &reference, "oci-layout://layout:1.0.0"],
            &["tag", &reference, "1.0"],
            &["doctor", &proxy.reference("org/provider")],
            &["doctor", &reference, "--push"],
        ] {
            let outcome = environment.par(arguments);
            assert_eq!(outcome.code, 0, "{status}\n{outcome}");
        }
        let resolved = environment.par(["resolve", &other]).success();
        assert!(resolved.line().ends_with(&pushed), "{resolved}");
        let pinned = proxy.reference(&format!("org/provider@{pushed}"));
        let deleted = environment.par(["delete", &pinned, "--force", "-o", "json"]);
        let deleted = deleted.success().json();
        assert_eq!(deleted["tags"].as_array().unwrap().len(), 2, "{deleted}");
    }
}

#[test]
fn a_refusal_of_get_is_final_and_not_an_outage() {
    let (environment, registry, _) = pushed(ArchiveBuilder::two_targets().build());
    let refuse = |method| {
        let status = Fault::status("501 Not Implemented");
        Rule::on(method, "/manifests/1.0.0", status).always()
    };
    let rules = vec![refuse("HEAD"), refuse("GET").after(1)];
    let proxy = Proxy::start(&registry, rules);
    let reference = proxy.reference("org/provider:1.0.0");
    pull(&environment, &reference).0.success();
    let (refused, _) = pull(&environment, &reference);
    assert!(refused.exit(1).stderr.contains("HTTP 501"));
    assert_eq!(proxy.seen("GET", "/manifests/1.0.0").len(), 2);
}

#[test]
fn a_refusal_by_storage_is_not_an_outage_of_the_registry() {
    let (environment, registry, _) = pushed(ArchiveBuilder::two_targets().build());
    let storage = Server::start(|_, _| Answer::status("403 Forbidden"));
    let redirect = |method| {
        let location = format!("http://{}/manifest", storage.address());
        let redirect = Fault::answer("307 Temporary Redirect", "location", location);
        Rule::on(method, "/manifests/1.0.0", redirect).always()
    };
    let rules = vec![redirect("HEAD"), redirect("GET").after(1)];
    let proxy = Proxy::start(&registry, rules);
    let reference = proxy.reference("org/provider:1.0.0");
    pull(&environment, &reference).0.success();
    let (refused, _) = pull(&environment, &reference);
    assert!(refused.exit(6).stderr.contains("HTTP 403"));
}

#[test]
fn a_push_sends_no_get_where_head_is_answered() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let proxy = Proxy::start(&registry, Vec::new());
    let file = archive(&environment, "provider.par");
    push(&environment, &proxy.reference("org/provider:1.0.0"), &file);
    assert!(proxy.seen("GET", "/").is_empty());
    // It is still reported that the registry does not have the manifest under its digest.
    let lost = ["HEAD", "GET"].map(|method| {
        let missing = Fault::status("404 Not Found");
        Rule::on(method, "/manifests/sha256:", missing).always()
    });
    let proxy = Proxy::start(&registry, lost.to_vec());
    let arguments = ["push", &proxy.reference("org/provider:2.0.0"), text(&file)];
    let refused = environment.par(arguments).exit(5);
    assert!(refused.stderr.contains("nothing"), "{refused}");
}

#[test]
fn headers_about_other_content_are_not_believed_unless_get_confirms_them() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = archive(&environment, "provider.par");
    let page = Fault::Answer {
        status: "200 OK",
        headers: vec![("content-type", "text/html".to_owned())],
        body: "<html></html>",
    };
    let rule = Rule::on("HEAD", "/sha256:", page).always();
    let proxy = Proxy::start(&registry, vec![rule]);
    let reference = proxy.reference("org/provider:1.0.0");
    push(&environment, &reference, &file);
    let (pulled, destination) = pull(&environment, &reference);
    pulled.success();
    assert_eq!(fs::read(&file).unwrap(), fs::read(destination).unwrap());
}

#[test]
fn requests_have_one_line_of_accepted_types_and_ask_for_no_compression() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = archive(&environment, "provider.par");
    let upstream = registry.address().to_owned();
    let server = Server::start(move |asked, _| {
        let accepted = asked.head.get("accept").unwrap_or_default();
        let all = accepted.contains("image.index.v1+json")
            && accepted.contains("distribution.manifest.v2+json")
            && accepted.contains("oci.artifact.manifest.v1+json");
        if asked.target.contains("/manifests/") && asked.method != "PUT" && !all {
            return Answer::status("404 Not Found");
        }
        asked.forward(&upstream)
    });
    let reference = server.reference("org/provider:1.0.0");
    push(&environment, &reference, &file);
    pull(&environment, &reference).0.success();
    for method in ["GET", "HEAD", "POST", "PUT"] {
        let asked = server.asked(method, "/");
        let encoding = |asked: &Asked| asked.head.get("accept-encoding") == Some("identity");
        assert!(!asked.is_empty() && asked.iter().all(encoding), "{method}");
    }
}

/// Starts a server that compresses the bodies whose path contains `path`, and says that they are `encoding`.
fn compressing(registry: &Registry, path: &'static str, encoding: &'static str) -> Server {
    let upstream = registry.address().to_owned();
    Server::start(move |asked, _| {
        let answer = asked.forward(&upstream);
        if !asked.target.contains(path) || asked.method == "POST" || asked.method == "PUT" {
            return answer;
        }
        let answer = answer.header("content-encoding", encoding);
        // The length of the compressed body is not known before.
        let answer = answer.without("content-length");
        if asked.method == "HEAD" {
            return answer.header("content-length", 20);
        }
        answer.edit_body(gzip)
    })
}

#[test]
fn compressed_manifests_and_lists_are_decoded() {
    let (environment, registry, file) = pushed(ArchiveBuilder::two_targets().build());
    for path in ["/manifests/", "/tags/"] {
        let server = compressing(&registry, path, "gzip");
        let reference = server.reference("org/provider:1.0.0");
        push(&environment, &reference, &file);
        pull(&environment, &reference).0.success();
        let repository = server.reference("org/provider");
        for arguments in [
            &["resolve", &reference][..],
            &["tags", &repository],
            &["copy", &reference, "oci-layout://layout:1"],
            &["doctor", &repository],
            &["doctor", &reference],
        ] {
            let outcome = environment.par(arguments);
            assert_eq!(outcome.code, 0, "{path}\n{outcome}");
        }
    }
}

#[test]
fn an_encoding_that_is_not_known_is_named() {
    let (environment, registry, _) = pushed(ArchiveBuilder::two_targets().build());
    for encoding in ["br", "zstd", "gzip, br"] {
        let server = compressing(&registry, "/manifests/", encoding);
        let reference = server.reference("org/provider:1.0.0");
        for command in ["resolve", "doctor"] {
            let refused = environment.par([command, &reference]).exit(5);
            let said = format!("{}{}", refused.stdout, refused.stderr);
            let named = format!("content encoding `{encoding}`");
            assert!(said.contains(&named), "{refused}");
        }
    }
    // A refusal whose text cannot be read is still a refusal.
    let server = compressing(&registry, "/manifests/", "br");
    let missing = server.reference("org/provider:2.0.0");
    environment.par(["resolve", &missing]).exit(3);
}

#[test]
fn the_answer_of_a_token_service_is_decoded_or_its_encoding_is_named() {
    let (environment, registry, _) = pushed(ArchiveBuilder::two_targets().build());
    for (encoding, code) in [("gzip", 0), ("x-gzip, identity", 0), ("br", 5)] {
        let upstream = registry.address().to_owned();
        let server = Server::start(move |asked, address| {
            if asked.target.starts_with("/token") {
                let token = Answer::body(gzip(br#"{"token": "t"}"#));
                return token.header("content-encoding", encoding);
            }
            if asked.head.get("authorization").is_none() {
                let challenge = format!("Bearer realm=\"http://{address}/token\"");
                let wants = Answer::status("401 Unauthorized");
                return wants.header("www-authenticate", challenge);
            }
            asked.forward(&upstream)
        });
        let resolve = ["resolve", &server.reference("org/provider:1.0.0")];
        let resolved = environment.par(resolve);
        assert_eq!(resolved.code, code, "{encoding}\n{resolved}");
        let named = resolved.stderr.contains("content encoding `br`");
        assert_eq!(named, code == 5, "{resolved}");
    }
}

#[test]
fn a_blob_that_is_compressed_on_its_way_is_refused_by_name() {
    for content in [
        ArchiveBuilder::two_targets().build(),
        ArchiveBuilder::two_targets().build_gzip(),
    ] {
        let (environment, registry, _) = pushed(content);
        let server = compressing(&registry, "/blobs/", "gzip");
        let (refused, _) = pull(&environment, &server.reference("org/provider:1.0.0"));
        let refused = refused.exit(5);
        assert!(refused.stderr.contains("encoding `gzip`"), "{refused}");
    }
}

#[test]
fn a_blob_whose_own_compression_is_named_as_the_encoding_is_read_as_it_is() {
    let content = ArchiveBuilder::two_targets().build_gzip();
    let (_publisher, registry, file) = pushed(content);
    let labelled = Fault::edit(|answer| answer.set("content-encoding", "gzip"));
    let chunked = Fault::edit(|answer| {
        answer.set("content-encoding", "gzip");
        answer.remove("content-length");
    });
    for fault in [labelled, chunked] {
        let proxy = Proxy::start(&registry, vec![Rule::on("GET", "/blobs/", fault).always()]);
        let environment = Environment::new();
        let (pulled, destination) = pull(&environment, &proxy.reference("org/provider:1.0.0"));
        pulled.success();
        assert_eq!(fs::read(destination).unwrap(), fs::read(&file).unwrap());
    }
}
