//! Tokens are nowhere: not in what a command says, and not in what it leaves behind.

use super::*;
use crate::support::sigstore::REQUEST_TOKEN;

/// Runs a command as chatty as can be, with the token of a variable.
fn said(site: &Site, arguments: &[&str], token: &str) -> String {
    let mut command = site.environment.command();
    command.args(arguments).args(site.sigstore.options());
    command.args(["--verbose", "--verbose", "--verbose"]);
    command.env("SIGSTORE_ID_TOKEN", token);
    Outcome::of(command, b"").to_string()
}

/// Asserts that no part of a token is in a text.
#[track_caller]
fn assert_hidden(text: &str, token: &str) {
    for part in token.split('.') {
        assert!(!text.contains(&part[..20]), "{part} is in\n{text}");
    }
}

#[test]
fn no_message_and_no_file_has_the_token() {
    for wrong in [
        WrongAnswer::None,
        WrongAnswer::NoToken,
        WrongAnswer::NoCertificate,
    ] {
        let site = Site::with(wrong);
        let token = sigstore::token(300);
        let file = small(&site.environment, "provider.par");
        let reference = site.reference();
        let push = ["push", &reference, text(&file), "--sigstore"];
        let text = said(&site, &push, &token);
        assert!(text.contains("signingCert"), "{wrong:?}: {text}");
        // The command line of the test has no token: it is in the environment.
        let text = text.replace(&format!("SIGSTORE_ID_TOKEN=\"{token}\""), "");
        assert_hidden(&text, &token);
        for name in site.environment.files() {
            let path = site.environment.home().join("..").join(&name);
            let bytes = std::fs::read(path).unwrap_or_default();
            if name != "work/token" {
                assert_hidden(&String::from_utf8_lossy(&bytes), &token);
            }
        }
    }
}

#[test]
fn a_token_in_the_place_of_its_file_is_refused_and_not_repeated() {
    let site = Site::new();
    let file = small(&site.environment, "provider.par");
    let (reference, token) = (site.reference(), sigstore::token(300));
    let push = ["push", &reference, text(&file), "--sigstore"];
    let given = ["--identity-token", &*token];
    let refused = site
        .run_without_token(&[&push[..], &given].concat())
        .exit(2);
    assert!(refused.stderr.contains("names a file"), "{refused}");
    assert_hidden(&refused.stderr, &token);
}

#[test]
fn the_secret_of_a_job_is_not_in_what_a_command_says() {
    let site = Site::new();
    site.push_unsigned();
    for (name, value) in [
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "http://127.0.0.1:1/token?secret=hidden",
        ),
        ("GITHUB_RUN_ID", "7"),
    ] {
        let mut command = site.environment.command();
        let reference = site.reference();
        command.args(["attest", &reference, "--patience", "0", "-v", "-v", "-v"]);
        command.args(site.sigstore.options());
        command.envs(site.sigstore.job()).env(name, value);
        let outcome = Outcome::of(command, b"");
        assert!(!outcome.stderr.contains(REQUEST_TOKEN), "{outcome}");
        assert!(!outcome.stderr.contains("hidden"), "{outcome}");
    }
}
