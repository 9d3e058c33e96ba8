//! What is not signed, and what is then not attached and not tagged.

use super::*;
use crate::support::Server;

/// Signs with an instance that does something wrong, and returns what the command says. Nothing is attached, and no tag
/// is given.
#[track_caller]
fn refusal(wrong: WrongAnswer, code: i32) -> String {
    let site = Site::with(wrong);
    let refused = site.push(&[]).exit(code);
    let reference = site.reference();
    site.environment.par(["resolve", &reference]).exit(3);

    site.push_unsigned();
    site.environment.write("audit.json", "{}");
    let attest = [
        "attest",
        &reference,
        "--predicate",
        "audit.json",
        "--type",
        "vuln",
    ];
    site.run(&attest).exit(code);
    assert_eq!(site.attached(&reference), [""; 0]);
    refused.stderr.clone()
}

#[test]
fn wrong_answers_of_an_instance_are_noticed_before_anything_is_attached() {
    for (wrong, reason) in [
        (WrongAnswer::OtherKey, "its signature is wrong"),
        (
            WrongAnswer::OtherEntry,
            "its entry in the transparency log is about something else",
        ),
        (
            WrongAnswer::OtherLog,
            "its transparency log is not one of the trusted root",
        ),
        (
            WrongAnswer::NoCertificate,
            "answered with something that is not a certificate",
        ),
    ] {
        let said = refusal(wrong, 5);
        assert!(said.contains(reason), "{wrong:?}: {said}");
    }
}

#[test]
fn a_service_that_refuses_is_named_with_its_reason() {
    let said = refusal(WrongAnswer::NoToken, 4);
    assert!(
        said.contains("cannot get a certificate from http://127.0.0.1:"),
        "{said}"
    );
    assert!(said.contains("HTTP 400"), "{said}");
    let said = refusal(WrongAnswer::NoEntry, 1);
    assert!(said.contains("the tree is frozen"), "{said}");
}

#[test]
fn another_trusted_root_refuses_what_the_instance_signs() {
    let (site, other) = (Site::new(), Site::new());
    let file = small(&site.environment, "provider.par");
    let reference = site.reference();
    let config = text(site.sigstore.signing_config());
    let root = text(other.sigstore.trusted_root());
    let push = [
        "push",
        &reference,
        text(&file),
        "--sigstore",
        "--identity-token",
        "token",
    ];
    let instance = ["--signing-config", config, "--trusted-root", root];
    let refused = site
        .environment
        .par([&push[..], &instance].concat())
        .exit(5);
    assert!(
        refused.stderr.contains("what was signed does not verify"),
        "{refused}"
    );
    site.environment.par(["resolve", &reference]).exit(3);
}

#[test]
fn an_instance_that_is_unavailable_leaves_nothing_behind() {
    let site = Site::new();
    // Nothing listens at the port of a server that has ended.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let config = std::fs::read_to_string(site.sigstore.signing_config()).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["caUrls"][0]["url"] = format!("http://{address}").into();
    site.environment.write("away.json", config.to_string());
    let file = small(&site.environment, "provider.par");
    let (reference, root) = (site.reference(), site.sigstore.trusted_root());
    let push = [
        "push",
        &reference,
        text(&file),
        "--sigstore",
        "--identity-token",
        "token",
    ];
    let instance = [
        "--signing-config",
        "away.json",
        "--trusted-root",
        text(root),
    ];
    let patience = ["--patience", "0"];
    let refused = [&push[..], &instance, &patience].concat();
    let refused = site.environment.par(refused).exit(6);
    assert!(refused.stderr.contains("is not answering"), "{refused}");
    site.environment.par(["resolve", &reference]).exit(3);
}

#[test]
fn an_answer_without_an_end_is_not_read_to_it() {
    use crate::support::Answer;
    let site = Site::new();
    let server = Server::start(|_, _| Answer::body(vec![b' '; 5 * 1024 * 1024]));
    let config = std::fs::read_to_string(site.sigstore.signing_config()).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["caUrls"][0]["url"] = format!("http://{}", server.address()).into();
    site.environment.write("large.json", config.to_string());
    site.push_unsigned();
    site.environment.write("audit.json", "{}");
    let (reference, root) = (site.reference(), site.sigstore.trusted_root());
    let attest = [
        "attest",
        &reference,
        "--predicate",
        "audit.json",
        "--type",
        "vuln",
    ];
    let instance = [
        "--signing-config",
        "large.json",
        "--trusted-root",
        text(root),
    ];
    let token = ["--identity-token", "token"];
    let refused = [&attest[..], &instance, &token].concat();
    let refused = site.environment.par(refused).exit(5);
    assert!(refused.stderr.contains("4194304 bytes"), "{refused}");
}

#[test]
fn without_a_token_the_error_says_where_to_get_one() {
    let site = Site::new();
    let file = small(&site.environment, "provider.par");
    let reference = site.reference();
    let push = ["push", &reference, text(&file), "--sigstore"];
    let refused = site.run_without_token(&push).exit(4);
    assert!(refused.stderr.contains("`cosign sign`"), "{refused}");
    let attest = ["attest", &*reference];
    let refused = site.run_without_token(&attest).exit(2);
    assert!(refused.stderr.contains("`cosign attest"), "{refused}");
    for (variable, expected) in [
        ("GITHUB_ACTIONS", "id-token: write"),
        ("GITLAB_CI", "SIGSTORE_ID_TOKEN: {aud: sigstore}"),
    ] {
        let mut command = site.environment.command();
        command.args(push).args(site.sigstore.options());
        command.env(variable, "true");
        let refused = Outcome::of(command, b"").exit(4);
        assert!(refused.stderr.contains(expected), "{refused}");
    }
    // The registry was not asked for anything.
    site.environment.par(["resolve", &reference]).exit(3);
    assert_eq!(site.sigstore.asked("POST", "/"), 0);
}

#[test]
fn an_expired_token_is_refused_before_anybody_is_asked() {
    let site = Site::new();
    site.environment.write("token", sigstore::token(-60));
    let refused = site.push(&[]).exit(4);
    assert!(
        refused.stderr.contains("the identity token expired at 20"),
        "{refused}"
    );
    assert_eq!(site.sigstore.asked("POST", "/"), 0);
}

#[test]
fn a_job_that_github_gives_no_token_is_told_so() {
    let site = Site::new();
    site.push_unsigned();
    let reference = site.reference();
    let mut command = site.environment.command();
    command
        .args(["attest", &reference])
        .args(site.sigstore.options());
    command.envs(site.sigstore.job());
    command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "another");
    let refused = Outcome::of(command, b"").exit(4);
    assert!(
        refused.stderr.contains("cannot get an identity token from"),
        "{refused}"
    );
    assert_eq!(site.attached(&reference), [""; 0]);
}
