//! The findings of `par doctor` agree with the results of other commands.

use crate::support::archives::{ArchiveBuilder, gzip};
use crate::support::{Answer, Asked, Environment, Outcome, Registry, Server};
use crate::transfer::{push, text};

/// Starts a server in front of a registry with one archive. `answer` changes the answers of the registry.
fn serve(
    environment: &Environment,
    answer: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static,
) -> (Server, Registry) {
    let registry = Registry::start();
    let file = environment.write("provider.par", ArchiveBuilder::two_targets().build());
    push(
        environment,
        &registry.reference("org/provider:1.0.0"),
        &file,
    );
    let upstream = registry.address().to_owned();
    let server = Server::start(move |asked, _| answer(asked, asked.forward(&upstream)));
    (server, registry)
}

/// Returns the outcomes of `par doctor` for the repository and for the tag, and of `par pull`.
fn compared(environment: &Environment, server: &Server) -> [Outcome; 3] {
    let tagged = server.reference("org/provider:1.0.0");
    let repository = server.reference("org/provider");
    let destination = environment.path("pulled.par");
    let pull = [
        "pull",
        &tagged,
        "--pull",
        "always",
        "--destination",
        text(&destination),
    ];
    [
        environment.par(["doctor", &repository, "-o", "json"]),
        environment.par(["doctor", &tagged, "-o", "json"]),
        environment.par(pull),
    ]
}

#[test]
fn a_refusal_of_the_root_does_not_matter_when_the_repository_can_be_read() {
    for (status, check) in [
        ("404 Not Found", "answer"),
        ("403 Forbidden", "authentication"),
    ] {
        let environment = Environment::new();
        let (server, _registry) = serve(&environment, move |asked, answer| {
            if asked.target == "/v2/" {
                return Answer::status(status);
            }
            answer
        });
        let outcomes = compared(&environment, &server);
        for outcome in &outcomes {
            assert_eq!(outcome.code, 0, "{status}\n{outcome}");
        }
        let report = outcomes[0].json();
        let findings = report["findings"].as_array().unwrap();
        let limited = findings.iter().find(|finding| finding["check"] == check);
        assert_eq!(limited.unwrap()["verdict"], "limited", "{report:#}");
    }
}

#[test]
fn the_diagnosis_fails_where_every_command_fails() {
    type Edit = fn(&Asked, Answer) -> Answer;
    let refusals: [(&str, i32, Edit); 5] = [
        ("whole blobs are compressed", 5, |asked, answer| {
            if !asked.target.contains("/blobs/") || asked.head.get("range").is_some() {
                return answer;
            }
            let answer = answer.without("content-length").edit_body(gzip);
            answer.header("content-encoding", "gzip")
        }),
        ("everything is missing", 3, |_, _| {
            Answer::status("404 Not Found")
        }),
        ("everything is forbidden", 4, |_, _| {
            Answer::status("403 Forbidden")
        }),
        ("the repository is forbidden", 4, |asked, answer| {
            if asked.target == "/v2/" {
                return answer;
            }
            Answer::status("403 Forbidden")
        }),
        (
            "manifests are compressed, and no header says so",
            5,
            |asked, answer| {
                if !asked.target.contains("/manifests/") {
                    return answer;
                }
                let answer = answer.without("docker-content-digest");
                answer.without("content-length").edit_body(gzip)
            },
        ),
    ];
    for (case, code, answer) in refusals {
        let environment = Environment::new();
        let (server, _registry) = serve(&environment, answer);
        for outcome in compared(&environment, &server) {
            assert_eq!(outcome.code, code, "{case}\n{outcome}");
        }
    }
}

#[test]
fn a_login_where_there_is_no_registry_stores_nothing() {
    let page = Answer::body("<html>Welcome</html>").header("content-type", "text/html");
    for (answer, said) in [
        (page, "it answers with a web page"),
        (Answer::status("404 Not Found"), "it answers with HTTP 404"),
    ] {
        let environment = Environment::new();
        let server = Server::start(move |_, _| answer.clone());
        let login = ["login", server.address(), "-u", "jane", "-p", "secret"];
        let refused = environment.par(login).exit(3);
        assert!(
            refused.stderr.contains("there is no registry at"),
            "{refused}"
        );
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(
            refused.stderr.contains("check the name and the port"),
            "{refused}"
        );
        assert!(!environment.path("../home/.docker/config.json").exists());
    }
}

#[test]
fn a_refusal_of_anonymous_tokens_at_the_root_does_not_matter_when_the_repository_can_be_read() {
    let environment = Environment::new();
    let (server, _registry) = serve(&environment, |asked, answer| {
        if asked.target.starts_with("/token") {
            return Answer::body(r#"{"token": "anybody"}"#);
        }
        let realm = format!(
            "Bearer realm=\"http://{}/token\"",
            asked.head.get("host").unwrap()
        );
        match asked.head.get("authorization") {
            None => Answer::status("401 Unauthorized").header("www-authenticate", realm),
            Some(_) if asked.target == "/v2/" => Answer::status("404 Not Found"),
            Some(_) => answer,
        }
    });
    for outcome in compared(&environment, &server) {
        outcome.success();
    }
}

#[test]
fn a_deletion_that_is_not_found_is_a_success_only_when_the_manifest_is_gone() {
    for is_gone in [true, false] {
        let environment = Environment::new();
        let (upstream, _registry) = serve(&environment, |_, answer| answer);
        let upstream = upstream.address().to_owned();
        let server = Server::start(move |asked, _| {
            // Lookups by the tag are answered before the deletion, and by the digest after it.
            let is_looked_up = asked.target.contains("/manifests/sha256:");
            if asked.method == "DELETE" || is_gone && is_looked_up {
                return Answer::status("404 Not Found");
            }
            asked.forward(&upstream)
        });
        let tagged = server.reference("org/provider:1.0.0");
        let deleted = environment.par(["delete", &tagged, "--force"]);
        if is_gone {
            deleted.success();
            continue;
        }
        let refused = deleted.exit(1);
        assert!(
            refused.stderr.contains("the registry does not delete"),
            "{refused}"
        );
    }
}
