//! `par verify`

use nkeys::KeyPair;

use super::super::{good_archive, normalized};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome};

fn account(seed: &str) -> String {
    KeyPair::from_seed(seed).unwrap().public_key()
}

#[test]
fn every_check_is_listed() {
    let environment = Environment::new();
    good_archive(&environment, "good.par.gz");
    let outcome = environment.par(["verify", "good.par.gz"]).success();
    assert_eq!(outcome.stderr, "");
    insta::assert_snapshot!(normalized(&outcome.stdout, &environment), @"
    verified good.par.gz
      archive        gzip and tar, to the last byte
      signature      by [ACCOUNT] (any issuer is allowed)
      service        [SERVICE]
      dates          valid for ever
      aarch64-macos  sha256:[HASH] (27 bytes)
      x86_64-linux   sha256:[HASH] (29 bytes)
    ");
}

#[test]
fn standard_input_is_verified_like_a_file() {
    let environment = Environment::new();
    let mut command = environment.command();
    command.args(["verify", "-", "-o", "json"]);
    let bytes = ArchiveBuilder::two_targets().world(b"a world").build();
    let object = Outcome::of(command, &bytes).success().json();
    let text = normalized(
        &serde_json::to_string_pretty(&object).unwrap(),
        &environment,
    );
    insta::assert_snapshot!(text, @r#"
    {
      "absent": [],
      "compressed": false,
      "digest": null,
      "expires": null,
      "identity": null,
      "issuer": "[ACCOUNT]",
      "issuer_checked": false,
      "not_before": null,
      "pin": null,
      "service": "[SERVICE]",
      "source": "standard input",
      "success": true,
      "targets": {
        "aarch64-macos": {
          "digest": "sha256:[HASH]",
          "size": 27
        },
        "x86_64-linux": {
          "digest": "sha256:[HASH]",
          "size": 29
        }
      },
      "warnings": [],
      "world": "sha256:[HASH]"
    }
    "#);
}

#[test]
fn one_of_the_named_issuers_must_have_signed() {
    let environment = Environment::new();
    let right = account(&good_archive(&environment, "good.par"));
    let wrong = KeyPair::new_account().public_key();
    let verify = ["verify", "good.par"];
    for issuers in [
        &["--issuer", &right][..],
        &["--issuer", &wrong, "--issuer", &right],
    ] {
        let outcome = environment.par([&verify, issuers].concat()).success();
        let expected = format!("by {right} (allowed by --issuer)");
        assert!(outcome.stdout.contains(&expected), "{outcome}");
        let json = environment
            .par([&verify, issuers, &["-o", "json"]].concat())
            .success();
        assert_eq!(json.json()["issuer_checked"], true);
    }
    let outcome = environment
        .par([&verify[..], &["--issuer", &wrong]].concat())
        .exit(5);
    assert_eq!(outcome.stdout, "");
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"
    error: good.par was published by [ACCOUNT], which is not among the issuers that are allowed
    hint: allow the issuer with --issuer if you trust it
    ");
}

#[test]
fn an_issuer_must_be_the_public_key_of_an_account() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let service = KeyPair::new_service().public_key();
    for issuer in ["", "A", "acme", &service] {
        let outcome = environment
            .par(["verify", "good.par", "--issuer", issuer])
            .exit(2);
        assert!(
            outcome.stderr.contains("public key of an account"),
            "{outcome}"
        );
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn dates_are_shown_if_the_claims_have_them() {
    let environment = Environment::new();
    let bytes = ArchiveBuilder::two_targets().payload(|payload| {
        payload.insert("nbf".to_owned(), 1_700_000_000.into());
        payload.insert("exp".to_owned(), 4_000_000_000_u64.into());
    });
    environment.write("dated.par", bytes.build());
    let outcome = environment.par(["verify", "dated.par"]).success();
    let expected = "valid from 2023-11-14T22:13:20Z to 2096-10-02T07:06:40Z\n";
    assert!(outcome.stdout.contains(expected), "{outcome}");
}

#[test]
fn quiet_and_verbose_do_not_change_the_answer() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let plain = environment.par(["verify", "good.par"]).success().stdout;
    for option in [["-q", "--no-progress"], ["--verbose", "--verbose"]] {
        let outcome = environment
            .par([&["verify", "good.par"], &option[..]].concat())
            .success();
        assert_eq!(outcome.stdout, plain);
    }
}
