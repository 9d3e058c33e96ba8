//! Keys that cannot be used. Seeds are never printed, even if they are malformed.

use data_encoding::{BASE64, HEXLOWER};
use nkeys::KeyPair;

use super::super::good_archive;
use super::Refusal;
use crate::support::{Environment, Outcome, create_arguments};

fn environment() -> Environment {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    environment
}

/// Runs `par`, and asserts that no eight characters of the secret are printed.
#[track_caller]
fn refused_without_printing(environment: &Environment, arguments: &[&str], secret: &str) {
    Refusal {
        code: 2,
        message: &[],
        hint: "",
    }
    .of(environment, arguments);
    for verbosity in [
        &[][..],
        &["--verbose", "--verbose", "--verbose"],
        &["-o", "json"],
    ] {
        let outcome = environment.par([arguments, verbosity].concat()).exit(2);
        let all = format!("{}{}", outcome.stdout, outcome.stderr).to_ascii_uppercase();
        let secret = secret.trim_matches(|character: char| !character.is_alphanumeric());
        for part in secret.to_ascii_uppercase().as_bytes().windows(8) {
            let part = String::from_utf8_lossy(part);
            assert!(!all.contains(part.as_ref()), "{part} is in {all}");
        }
    }
}

#[test]
fn bad_seeds_are_refused_and_never_printed() {
    let environment = environment();
    let seed = KeyPair::new_account().seed().unwrap();
    let mut mistyped = seed.clone();
    mistyped.replace_range(20..24, "AAAA");
    let secrets = [
        mistyped,
        seed[..57].to_owned(),
        seed[..30].to_owned(),
        format!("{seed}!"),
        format!("'{seed}'"),
        format!("{seed} {seed}"),
        seed.to_ascii_lowercase(),
        KeyPair::new_user().seed().unwrap(),
    ];
    for secret in &secrets {
        for option in ["-i", "-s"] {
            let create = create_arguments("provider", &[option, secret]);
            refused_without_printing(&environment, &create, secret);
        }
        let insert = [
            "insert",
            "good.par",
            "-b",
            "arm-linux=provider",
            "--issuer",
            secret,
        ];
        refused_without_printing(&environment, &insert, secret);
    }
}

#[test]
fn a_seed_in_another_encoding_or_with_a_name_is_not_printed() {
    let environment = environment();
    let seed = KeyPair::new_account().seed().unwrap();
    let secrets = [
        BASE64.encode(seed.as_bytes()),
        BASE64.encode(format!("{seed}\n").as_bytes()),
        HEXLOWER.encode(seed.as_bytes()),
        format!("issuer={seed}"),
        format!("export WASH_ISSUER_KEY={seed}"),
        format!("-----BEGIN SEED-----\n{seed}\n-----END SEED-----"),
        format!("{{\"seed\":\"{seed}\"}}"),
    ];
    for secret in &secrets {
        for option in ["-i", "-s"] {
            for variable in [true, false] {
                let mut command = environment.command();
                command.args(create_arguments("provider", &["--verbose"]));
                if variable {
                    let name = ["WASH_SUBJECT_KEY", "WASH_ISSUER_KEY"][usize::from(option == "-i")];
                    command.env(name, secret);
                } else {
                    command.arg(format!("{option}{secret}"));
                }
                let outcome = Outcome::of(command, b"");
                assert!(outcome.code != 0, "{}", outcome.stderr);
                let error = outcome.stderr.to_ascii_lowercase();
                assert!(error.contains("key"), "{outcome}");
                for part in secret.as_bytes().windows(12) {
                    let part = String::from_utf8_lossy(part);
                    let is_secret = seed.contains(part.as_ref()) || !secret.contains(&seed);
                    assert!(
                        !is_secret || !outcome.stderr.contains(part.as_ref()),
                        "{}",
                        outcome.stderr
                    );
                }
            }
        }
    }
    // A path that is in a variable is not printed either.
    let mut command = environment.command();
    command.args(create_arguments("provider", &[]));
    command.env("WASH_ISSUER_KEY", "secrets/hunter2.nk");
    let outcome = Outcome::of(command, b"").exit(3);
    assert!(
        outcome.stderr.contains("WASH_ISSUER_KEY is neither"),
        "{outcome}"
    );
    assert!(!outcome.stderr.contains("hunter2"), "{outcome}");
}

#[test]
fn a_seed_in_place_of_a_public_key_is_not_printed() {
    let environment = environment();
    let seed = KeyPair::new_account().seed().unwrap();
    refused_without_printing(
        &environment,
        &["verify", "good.par", "--issuer", &seed],
        &seed,
    );
}

#[test]
fn seeds_of_the_wrong_kind_are_refused() {
    let environment = environment();
    let account = KeyPair::new_account().seed().unwrap();
    let service = KeyPair::new_service().seed().unwrap();
    for (option, seed, expected) in [("-i", service, "account"), ("-s", account, "service")] {
        Refusal {
            code: 2,
            message: &[expected, "is not the seed of"],
            hint: "",
        }
        .of(
            &environment,
            &create_arguments("provider", &[option, &seed]),
        );
    }
}

#[test]
fn the_error_about_a_file_without_a_seed_does_not_print_its_content() {
    let environment = environment();
    for content in [&b"not a seed"[..], b"", &[0xff, 0xfe, 0, 1], &[b'S'; 5000]] {
        environment.write("key.nk", content);
        Refusal {
            code: 2,
            message: &["key.nk", "malformed"],
            hint: "",
        }
        .of(
            &environment,
            &create_arguments("provider", &["-i", "key.nk"]),
        );
    }
}

#[test]
fn missing_keys_are_not_found_if_none_may_be_generated() {
    let environment = environment();
    let create = create_arguments("provider", &["--disable-keygen"]);
    Refusal {
        code: 3,
        message: &["no account key `tester_account.nk`", ".wash/keys"],
        hint: "par keys gen",
    }
    .of(&environment, &create);
    Refusal {
        code: 3,
        message: &["the key of its issuer, A", "is missing"],
        hint: "--change-identity",
    }
    .of(
        &environment,
        &["insert", "good.par", "-b", "arm-linux=provider"],
    );
    Refusal {
        code: 3,
        message: &["there is no key `nobody`", ".wash/keys"],
        hint: "par keys list",
    }
    .of(&environment, &["keys", "get", "nobody"]);
}

#[test]
fn a_service_key_needs_a_name_that_stays_in_its_directory() {
    let environment = environment();
    Refusal {
        code: 2,
        message: &["the name of the service key is missing"],
        hint: "par keys gen service NAME",
    }
    .of(&environment, &["keys", "gen", "service"]);
    for name in ["../evil", "", "a/b", ".hidden"] {
        Refusal {
            code: 2,
            message: &["cannot be part of a file name"],
            hint: "",
        }
        .of(&environment, &["keys", "gen", "account", name]);
    }
}
