//! Command lines that are wrong.

use super::Refusal;
use crate::support::{Environment, Outcome};

#[test]
fn arguments_that_cannot_be_parsed_are_usage_errors() {
    let environment = Environment::new();
    let cases: [(&[&str], &str, &str); 9] = [
        (&["nosuch"], "nosuch", ""),
        (&["inspct", "x.par"], "inspct", "inspect"),
        (&["inspect", "x.par", "--nosuch"], "--nosuch", ""),
        (&["verify", "x.par", "--isuer", "A"], "--isuer", "--issuer"),
        (&["inspect"], "required", "--help"),
        (
            &["inspect", "x.par", "--wit", "--jwt-only"],
            "cannot be used with",
            "",
        ),
        (&["create", "-n", "N", "-v", "V"], "required", ""),
        (
            &["fetch", "localhost:1/x:1", "--target", "linux/none"],
            "linux/none",
            "",
        ),
        (
            &["push", "localhost:1/x:1", "x.par", "-a", "nothing"],
            "KEY=VALUE",
            "",
        ),
    ];
    for (arguments, message, hint) in cases {
        Refusal {
            code: 2,
            message: &[message],
            hint,
        }
        .of(&environment, arguments);
    }
}

#[test]
fn empty_options_are_refused_and_empty_variables_are_ignored() {
    let environment = Environment::new();
    let reference = "localhost:1/provider:1";
    let create = ["create", "-n", "N", "-v", "V", "-b", "file"];
    for (arguments, option) in [
        (&["fetch", reference][..], "--lock-file"),
        (&["fetch", reference], "--trust"),
        (&["pull", reference], "--lock-file"),
        (&["pull", reference], "--trust"),
        (&["pull", reference], "--cache-dir"),
        (&["pull", reference], "--hosts-dir"),
        (&["pull", reference], "--registry-config"),
        (&["pull", reference], "--destination"),
        (&["logout", "localhost:1"], "--registry-config"),
        (&create, "--schema"),
        (&create, "--wit-directory"),
        (&create, "--directory"),
    ] {
        let message = format!("a value is required for '{option} ");
        Refusal {
            code: 2,
            message: &[&message],
            hint: "",
        }
        .of(&environment, &[arguments, &[option, ""]].concat());
    }
    let mut command = environment.command();
    for variable in [
        "PAR_LOCK",
        "PAR_TRUST",
        "PAR_CACHE_DIR",
        "PAR_HOSTS_DIR",
        "PAR_PULL",
        "PAR_PATIENCE",
        "PAR_CONNECTIONS",
        "PAR_LOG_FORMAT",
    ] {
        command.env(variable, "");
    }
    command.args(["fetch", "oci-layout://none:1"]);
    let outcome = Outcome::of(command, b"").exit(3);
    assert!(outcome.stderr.contains("none"), "{outcome}");
}

#[test]
fn a_dash_is_refused_as_destination() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    let commands: [&[&str]; 5] = [
        &["create", "-n", "N", "-v", "V", "-b", "provider"],
        &["pull", "localhost:1/provider:1"],
        &["extract", "x.par"],
        &["lock", "list.txt"],
        &["manual"],
    ];
    for command in commands {
        Refusal {
            code: 2,
            message: &["--destination", "cannot write to standard output", "`./-`"],
            hint: "",
        }
        .of(&environment, &[command, &["--destination", "-"]].concat());
    }
    let arguments = [commands[0], &["--destination", "./-"]].concat();
    environment.par(arguments).success();
    assert!(environment.path("-").is_file());
}

#[test]
fn without_arguments_the_help_is_shown_on_stderr() {
    let environment = Environment::new();
    for arguments in [&[][..], &["keys"]] {
        let outcome = environment.par(arguments).exit(2);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains("Usage: par"), "{outcome}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let environment = Environment::new();
    for arguments in [["--help"], ["--version"]] {
        let outcome = environment.par(arguments).success();
        assert!(outcome.stdout.contains("par"), "{outcome}");
        assert_eq!(outcome.stderr, "");
    }
    let help = environment.par(["--help"]).stdout;
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    let codes: Vec<&str> = codes.trim().lines().map(str::trim).collect();
    insta::assert_snapshot!(codes.join("\n"), @"
    0    done
    1    anything else
    2    usage
    3    not found: reference, tag, file, target, key
    4    denied: credentials missing, wrong or insufficient
    5    not verified: digest, signature, hash, trust policy, malformed archive, configuration
    6    unavailable: network or registry; trying again may help
    7    conflict: the name exists with other content
    130  interrupted
    ");
}

#[test]
fn credentials_come_in_pairs() {
    let environment = Environment::new();
    let pull = ["pull", "localhost:1/provider:1"];
    for (option, message) in [
        ("-u", "a user is given without a password"),
        ("-p", "a password is given without a user"),
    ] {
        Refusal {
            code: 2,
            message: &[message],
            hint: "WASH_REG_",
        }
        .of(&environment, &[&pull[..], &[option, "something"]].concat());
    }
    Refusal {
        code: 2,
        message: &["standard input has no password"],
        hint: "",
    }
    .of(
        &environment,
        &[&pull[..], &["-u", "jane", "--password-stdin"]].concat(),
    );
}
