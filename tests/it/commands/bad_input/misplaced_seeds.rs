//! Seeds as the values of other arguments, and standard input without a seed.

use data_encoding::{BASE64, HEXLOWER};
use nkeys::KeyPair;

use super::super::good_archive;
use crate::support::{Environment, Outcome};

fn environment() -> Environment {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    environment
}

/// Asserts that a command fails and prints no twelve characters of the secret.
#[track_caller]
fn fails_without_printing(environment: &Environment, arguments: &[&str], secret: &str) {
    for format in [&[][..], &["-o", "json"], &["--log-format", "json"]] {
        let outcome = environment.par([format, arguments].concat());
        assert_ne!(outcome.code, 0, "{outcome}");
        prints_no_part(&outcome, secret);
    }
}

#[track_caller]
fn prints_no_part(outcome: &Outcome, secret: &str) {
    let printed = format!("{}{}", outcome.stdout, outcome.stderr);
    for part in secret.as_bytes().windows(12) {
        let part = String::from_utf8_lossy(part);
        assert!(!printed.contains(part.as_ref()), "{part} is in {printed}");
    }
}

#[test]
fn a_seed_in_the_place_of_a_file_or_a_reference_is_not_printed() {
    let environment = environment();
    let seed = KeyPair::new_account().seed().unwrap();
    for seed in [
        seed.clone(),
        seed[1..].to_owned(),
        format!("{} {}", &seed[..28], &seed[28..]),
        BASE64.encode(seed.as_bytes()),
    ] {
        no_command_prints(&environment, &seed);
    }
}

#[track_caller]
fn no_command_prints(environment: &Environment, seed: &str) {
    for arguments in [
        &["sign", "good.par", seed][..],
        &["inspect", seed],
        &["verify", seed],
        &["push", "oci-layout://layout:1.0.0", seed],
        &["push", seed, "good.par"],
        &["pull", seed],
        &["fetch", seed],
        &["trust", "check", seed],
        &["create", "-n", "N", "-v", "V", "-b", seed],
        &[seed],
        &["push", "a", "b", "--rotation", seed],
        &["keys", "gen", "account", seed],
        &["keys", "gen", "service", seed],
    ] {
        // A name may have several words.
        if arguments.starts_with(&["keys", "gen"]) && seed.contains(' ') {
            continue;
        }
        fails_without_printing(environment, arguments, seed);
    }
}

#[test]
fn a_seed_is_not_printed_by_the_parser_of_arguments() {
    let environment = environment();
    let seed = KeyPair::new_account().seed().unwrap();
    let block = format!("-----BEGIN SEED-----\n{seed}\n-----END SEED-----");
    let create = ["create", "-n", "N", "-v", "V", "-b", "provider"];
    for option in ["-i", "-s"] {
        let arguments = [&create[..], &[option, &block]].concat();
        fails_without_printing(&environment, &arguments, &seed);
    }
    fails_without_printing(&environment, &["keys", "get", &block], &seed);
}

#[test]
fn a_seed_in_the_place_of_the_name_of_a_key_is_not_printed() {
    let environment = environment();
    let seed = KeyPair::new_account().seed().unwrap();
    for secret in [
        seed.clone(),
        seed[..40].to_owned(),
        seed.to_ascii_lowercase(),
        BASE64.encode(seed.as_bytes()),
        HEXLOWER.encode(seed.as_bytes()),
        format!("issuer={seed}"),
    ] {
        fails_without_printing(&environment, &["keys", "get", &secret], &secret);
    }
}

#[test]
fn a_seed_in_the_place_of_a_directory_is_not_in_the_warning_about_it() {
    let environment = Environment::new();
    let issuer = good_archive(&environment, "good.par");
    environment.write("../home/.wash/keys/issuer.nk", issuer);
    let seed = KeyPair::new_account().seed().unwrap();
    for options in [
        &[][..],
        &["-o", "json"],
        &["--log-format", "json"],
        &["--verbose", "--verbose", "--verbose"],
    ] {
        let arguments = [&["sign", "good.par", "-d", &seed], options].concat();
        let outcome = environment.par(arguments).success();
        let printed = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(printed.contains("S… does not exist"), "{outcome}");
        prints_no_part(&outcome, &seed);
    }
}

#[test]
fn standard_input_without_a_seed_is_reported() {
    let environment = environment();
    for input in [&b""[..], b"\n"] {
        let mut command = environment.command();
        command.args(["create", "-n", "N", "-v", "V", "-b", "provider", "-i", "-"]);
        let outcome = Outcome::of(command, input);
        assert_eq!(outcome.code, 2, "{outcome}");
        let expected = "the seed in standard input is malformed: it is empty";
        assert!(outcome.stderr.contains(expected), "{outcome}");
    }
}
