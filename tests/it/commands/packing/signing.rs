//! `par sign`, and the dates of `par create`.

use std::fs;

use nkeys::KeyPair;
use serde_json::{Value, json};

use super::super::{good_archive, lasting, normalized};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, create_arguments};

/// A date in the year 2100.
const LATER: &str = "4102444800";
/// The date [`LATER`] in answers.
const LATER_DATE: &str = "2100-01-01T00:00:00Z";
/// The date 17 in answers.
const EARLY_DATE: &str = "1970-01-01T00:00:17Z";

fn inspect(environment: &Environment) -> Value {
    let inspected = environment.par(["inspect", "good.par", "-o", "json"]);
    lasting(inspected.success().json())
}

fn dates(environment: &Environment) -> (Value, Value) {
    let object = environment
        .par(["verify", "good.par", "-o", "json"])
        .success()
        .json();
    (object["not_before"].clone(), object["expires"].clone())
}

fn sign(environment: &Environment, arguments: &[&str]) -> Outcome {
    environment.par([&["sign", "good.par"], arguments].concat())
}

#[test]
fn only_the_named_claims_change() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    environment.write("keys/whatever.nk", &seed);
    let mut expected = inspect(&environment);
    let outcome = sign(&environment, &["-d", "keys", "--revision", "8"]).success();
    assert_eq!(outcome.line(), "good.par");
    expected["revision"] = json!("8");
    assert_eq!(inspect(&environment), expected);

    let others = [
        "-i",
        &seed,
        "--rev",
        "9",
        "--version",
        "2.0.0",
        "--name",
        "Echo",
        "--vendor",
        "Acme",
    ];
    sign(&environment, &others).success();
    expected["revision"] = json!("9");
    expected["version"] = json!("2.0.0");
    expected["name"] = json!("Echo");
    expected["vendor"] = json!("Acme");
    assert_eq!(inspect(&environment), expected);
    assert_eq!(dates(&environment), (Value::Null, Value::Null));
}

#[test]
fn dates_can_be_added_and_removed() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    let give = ["-i", &seed, "--expires", LATER, "--not-before", "17"];
    sign(&environment, &give).success();
    assert_eq!(dates(&environment), (json!(EARLY_DATE), json!(LATER_DATE)));
    sign(&environment, &["-i", &seed, "--expires", "none"]).success();
    assert_eq!(dates(&environment), (json!(EARLY_DATE), Value::Null));
    sign(&environment, &["-i", &seed, "--not-before", "none"]).success();
    assert_eq!(dates(&environment), (Value::Null, Value::Null));
}

#[test]
fn dates_may_be_calendar_dates_or_spans_after_signing() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    let at = ["-i", &seed, "--created", "4000000000"];
    let dated = ["--not-before", "2023-11-14T22:13:20Z", "--expires", "30d"];
    environment.write("echo", "an executable");
    let more = [&["--destination", "good.par"][..], &at, &dated].concat();
    environment
        .par(create_arguments("x86_64-linux=echo", &more))
        .success();
    // Signed at 2096-10-02T07:06:40Z.
    let not_before = json!("2023-11-14T22:13:20Z");
    let month = json!("2096-11-01T07:06:40Z");
    assert_eq!(dates(&environment), (not_before.clone(), month));
    sign(&environment, &[&at[..], &["--expires", "1d"]].concat()).success();
    assert_eq!(
        dates(&environment),
        (not_before, json!("2096-10-03T07:06:40Z"))
    );
    sign(&environment, &["-i", &seed, "--expires", "2100-01-01"]).success();
    assert_eq!(dates(&environment).1, LATER_DATE);
}

#[test]
fn create_and_sign_refuse_an_invalid_date_with_one_message() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let create = create_arguments("good.par", &[]);
    for command in [&create[..], &["sign", "good.par"]] {
        for option in ["--expires", "--not-before"] {
            let refused = environment.par([command, &[option, "soon"]].concat());
            let refused = refused.exit(2);
            let said = format!("invalid value 'soon' for '{option} <DATE");
            assert!(refused.stderr.contains(&said), "{refused}");
            let ways = "a date such as `2027-01-31` or";
            assert!(refused.stderr.contains(ways), "{refused}");
        }
    }
}

#[test]
fn another_identity_is_refused_until_it_is_allowed() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let before = inspect(&environment);
    let (account, service) = (KeyPair::new_account(), KeyPair::new_service());
    let (issuer, subject) = (account.seed().unwrap(), service.seed().unwrap());
    let keys = ["-i", &issuer, "-s", &subject];
    let outcome = sign(&environment, &keys).exit(2);
    assert!(outcome.stderr.contains("--change-identity"), "{outcome}");
    let outcome = sign(&environment, &[]).exit(3);
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"
    error: cannot sign the archive again: the key of its issuer, [ACCOUNT], is missing: there is no account key `[ACCOUNT]` in [ROOT]/home/.wash/keys, [ROOT]/home/.local/share/wash/keys
    hint: name that key with --issuer, or its directory with --directory; --change-identity allows another issuer
    ");
    assert_eq!(inspect(&environment), before);
    sign(&environment, &[&keys[..], &["--change-identity"]].concat()).success();
    let after = inspect(&environment);
    assert_eq!(after["issuer"], account.public_key());
    assert_eq!(after["service"], service.public_key());
}

#[test]
fn an_expired_archive_needs_a_new_date() {
    let environment = Environment::new();
    let issuer = KeyPair::new_account();
    let seed = issuer.seed().unwrap();
    let expired = ArchiveBuilder::two_targets()
        .keys(issuer, KeyPair::new_service())
        .payload(|payload| {
            payload.insert("exp".to_owned(), 1_700_000_000.into());
        });
    environment.write("good.par", expired.build());
    let before = fs::read(environment.path("good.par")).unwrap();
    let outcome = sign(&environment, &["-i", &seed, "--revision", "8"]).exit(5);
    assert!(outcome.stderr.contains("par sign --expires"), "{outcome}");
    let outcome = sign(&environment, &["-i", &seed, "--expires", "1700000001"]).exit(2);
    let past = "would expire at 2023-11-14T22:13:21Z, which is past: it is 2";
    assert!(outcome.stderr.contains(past), "{outcome}");
    assert_eq!(fs::read(environment.path("good.par")).unwrap(), before);
    sign(&environment, &["-i", &seed, "--expires", LATER]).success();
    assert_eq!(dates(&environment), (Value::Null, json!(LATER_DATE)));
}

#[test]
fn an_archive_is_created_with_dates() {
    let environment = Environment::new();
    environment.write("echo", "an executable");
    let create = ["create", "-n", "Echo", "-v", "Acme", "-b", "echo"];
    let create = [&create[..], &["--destination", "good.par"]].concat();
    let with = |dates: &[&str]| environment.par([&create[..], dates].concat());

    for dates in [
        &["--expires", "17"][..],
        &["--expires", LATER, "--not-before", LATER],
        &["--expires", "tomorrow"],
    ] {
        with(dates).exit(2);
    }
    assert_eq!(environment.files(), ["work/echo"], "not even keys");

    with(&["--expires", LATER, "--not-before", "17"]).success();
    assert_eq!(dates(&environment), (json!(EARLY_DATE), json!(LATER_DATE)));

    with(&["--not-before", LATER]).success();
    let outcome = environment.par(["verify", "good.par"]).exit(5);
    assert!(outcome.stderr.contains("become valid only"), "{outcome}");
    sign(&environment, &["--not-before", "none"]).success();
    assert_eq!(dates(&environment), (Value::Null, Value::Null));
}

#[test]
fn an_empty_key_is_refused() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    environment.write("keys/whatever.nk", &seed);
    environment.write("provider", "an executable");
    let before = fs::read(environment.path("good.par")).unwrap();
    let create = create_arguments("x86_64-linux=provider", &["-d", "keys"]);
    let edit = ["sign", "good.par", "--revision", "8", "-d", "keys"];
    for command in [&create[..], &edit] {
        for option in ["--issuer", "--subject"] {
            let outcome = environment.par([command, &[option, ""]].concat()).exit(2);
            assert!(outcome.stderr.contains("the key is empty"), "{outcome}");
        }
        for variable in ["WASH_ISSUER_KEY", "WASH_SUBJECT_KEY"] {
            let mut command_with = environment.command();
            command_with.args(command).env(variable, "");
            let outcome = Outcome::of(command_with, b"").exit(2);
            assert!(outcome.stderr.contains("the key is empty"), "{outcome}");
        }
    }
    assert_eq!(fs::read(environment.path("good.par")).unwrap(), before);
    let files = ["work/good.par", "work/keys/whatever.nk", "work/provider"];
    assert_eq!(environment.files(), files);
}
