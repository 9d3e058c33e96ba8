//! `oras`, `regctl` and `par` list the attachments of one another.

use std::fs;

use super::{KIND, OTHER, archive, attach, digests};
use crate::support::{ApiRegistry, Environment, Outcome, Registry, tool};
use crate::transfer::{par, push as push_archive};

/// A place of an archive, as each program writes it.
struct Place {
    par: String,
    oras: Vec<String>,
    regctl: String,
}

impl Place {
    fn registry(reference: String) -> Self {
        Self {
            oras: vec!["--plain-http".to_owned(), reference.clone()],
            regctl: reference.clone(),
            par: reference,
        }
    }

    fn layout() -> Self {
        Self {
            par: "oci-layout://layout:1.0.0".to_owned(),
            oras: vec!["--oci-layout".to_owned(), "layout:1.0.0".to_owned()],
            regctl: "ocidir://layout:1.0.0".to_owned(),
        }
    }
}

/// Runs another program.
#[track_caller]
fn run(environment: &Environment, program: &str, arguments: &[&str], input: &[u8]) -> Outcome {
    let mut command = environment.command_for(&tool(program));
    command.args(arguments);
    Outcome::of(command, input).success()
}

/// Attaches with each program, and asserts that each program lists all attachments.
#[track_caller]
fn assert_all_list_all_attachments(environment: &Environment, place: &Place) {
    push_archive(environment, &place.par, &archive(environment));
    let file = environment.write("note.json", "{}\n");
    let ours = attach(environment, &place.par, &file, KIND);
    let (repository, _) = place.par.rsplit_once(':').unwrap();
    let below = attach(environment, &format!("{repository}@{ours}"), &file, OTHER);

    let oras: Vec<&str> = place.oras.iter().map(String::as_str).collect();
    fs::write(environment.path("oras.txt"), "by oras").unwrap();
    let kind = "application/vnd.example.oras";
    let attached = ["attach", "--artifact-type", kind];
    let file = ["oras.txt:text/plain"];
    run(
        environment,
        "oras",
        &[&attached[..], &oras, &file].concat(),
        b"",
    );
    let put = [
        "artifact",
        "put",
        "--artifact-type",
        "application/vnd.example.regctl",
    ];
    let subject = ["--subject", &place.regctl];
    run(
        environment,
        "regctl",
        &[&put[..], &subject].concat(),
        b"by regctl",
    );

    let found = par(environment, ["discover", &place.par, "-o", "json"])
        .success()
        .json();
    let found = digests(&found);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.contains(&ours) && found.contains(&below), "{found:?}");
    for (kind, content) in [
        (kind, "by oras"),
        ("application/vnd.example.regctl", "by regctl"),
    ] {
        let get = ["discover", &place.par, "--get", "--type", kind];
        assert_eq!(par(environment, get).success().stdout, content);
    }
    let oras = run(
        environment,
        "oras",
        &[&["discover"][..], &oras].concat(),
        b"",
    );
    let regctl = run(
        environment,
        "regctl",
        &["artifact", "tree", &place.regctl],
        b"",
    );
    // In a layout, ORAS does not write a list of referrers, and regctl finds only attachments on a list.
    let type_of_oras = ["discover", &place.par, "--type", kind, "-o", "json"];
    let by_oras = par(environment, type_of_oras).success().json();
    let by_oras = digests(&by_oras);
    let is_layout = place.regctl.starts_with("ocidir:");
    for digest in &found {
        assert!(oras.stdout.contains(digest), "{digest}\n{oras}");
        let is_seen = regctl.stdout.contains(digest);
        assert!(
            is_seen || (is_layout && by_oras.contains(digest)),
            "{digest}\n{regctl}"
        );
    }
}

#[test]
fn all_clients_list_all_attachments_in_a_registry_without_the_referrers_api() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let tls = ["registry", "set", "--tls", "disabled", registry.address()];
    run(&environment, "regctl", &tls, b"");
    let place = Place::registry(registry.reference("org/provider:1.0.0"));
    assert_all_list_all_attachments(&environment, &place);
}

#[test]
fn all_clients_list_all_attachments_in_a_registry_with_the_referrers_api() {
    let (environment, registry) = (Environment::new(), ApiRegistry::start());
    let tls = ["registry", "set", "--tls", "disabled", registry.address()];
    run(&environment, "regctl", &tls, b"");
    let place = Place::registry(registry.reference("org/provider:1.0.0"));
    assert_all_list_all_attachments(&environment, &place);
    // The registry itself lists referrers, so no client writes a list under a tag.
    let tags = ["tags", &registry.reference("org/provider"), "--all"];
    assert_eq!(par(&environment, tags).success().line(), "1.0.0");
}

#[test]
fn all_clients_list_all_attachments_in_an_image_layout() {
    assert_all_list_all_attachments(&Environment::new(), &Place::layout());
}
