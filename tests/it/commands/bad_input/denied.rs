//! Actions that the system or a registry does not permit.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::good_archive;
use super::Refusal;
use crate::support::archives::LINUX;
use crate::support::{
    Environment, Registry, Unprivileged, create_arguments, shared_registry, unique,
};

#[track_caller]
fn refused(user: &Unprivileged, arguments: &[&str], message: &[&str]) {
    Refusal {
        code: 4,
        message,
        hint: "",
    }
    .of_command(user.environment(), || user.command(arguments));
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn unreadable_files_are_denied() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    environment.write("secret.nk", "a seed, perhaps");
    good_archive(&environment, "good.par");
    good_archive(&environment, "closed.par");
    for name in ["closed.par", "secret.nk"] {
        set_mode(&environment.path(name), 0o000);
    }
    let user = Unprivileged::new(&environment);
    let reference = format!("{}/{}:1", shared_registry(), unique("denied"));
    let commands: [&[&str]; 5] = [
        &["inspect", "closed.par"],
        &["verify", "closed.par"],
        &["extract", "closed.par", "--target", LINUX.0],
        &["insert", "closed.par", "-b", "arm-linux=provider"],
        &["push", &reference, "closed.par"],
    ];
    for command in commands {
        refused(
            &user,
            command,
            &["cannot read closed.par", "ermission denied"],
        );
    }
    let create = create_arguments("closed.par", &[]);
    refused(&user, &create, &["cannot read closed.par"]);
    let with_key = create_arguments("provider", &["-i", "secret.nk"]);
    refused(&user, &with_key, &["cannot read secret.nk"]);
}

#[test]
fn unwritable_directories_are_denied_and_no_key_is_generated() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    let seed = good_archive(&environment, "good.par");
    let reference = format!("{}/{}:1", shared_registry(), unique("denied"));
    environment.par(["push", &reference, "good.par"]).success();
    good_archive(&environment, "closed/good.par");
    let closed = environment.path("closed");
    fs::copy(environment.path("good.par"), closed.join("good.par")).unwrap();
    let user = Unprivileged::new(&environment);
    set_mode(&closed, 0o555);
    let commands: [&[&str]; 4] = [
        &create_arguments("provider", &["--destination", "closed/new"]),
        &[
            "extract",
            "good.par",
            "--target",
            LINUX.0,
            "--destination",
            "closed/new",
        ],
        &["pull", &reference, "--destination", "closed/new"],
        &["pull", &reference, "--destination", "closed"],
    ];
    for command in commands {
        refused(
            &user,
            command,
            &["cannot write closed/", "ermission denied"],
        );
    }
    let insert = [
        "insert",
        "closed/good.par",
        "-b",
        "arm-linux=provider",
        "--issuer",
        &seed,
    ];
    refused(&user, &insert, &["closed", "ermission denied"]);
    // A cache that belongs to another user.
    let foreign = ["pull", &reference, "--cache-dir", "closed/cache"];
    refused(&user, &foreign, &["closed/cache", "ermission denied"]);
    set_mode(&closed, 0o755);
}

#[test]
fn a_registry_that_wants_credentials_is_denied_without_them() {
    let registry = Registry::builder().htpasswd("jane", "password").start();
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let reference = registry.reference("team/provider:1");
    let commands: [&[&str]; 6] = [
        &["push", &reference, "good.par"],
        &["pull", &reference],
        &["fetch", &reference],
        &["inspect", &reference],
        &["verify", &reference],
        &["extract", &reference],
    ];
    for command in commands {
        Refusal {
            code: 4,
            message: &[registry.address(), "requires credentials", "401"],
            hint: "par login",
        }
        .of(&environment, command);
        let wrong = ["-u", "jane", "-p", "another-password"];
        Refusal {
            code: 4,
            message: &[
                registry.address(),
                "refused the credentials of user jane",
                "401",
            ],
            hint: "check user and password",
        }
        // `--quiet` hides the warning about a password on the command line.
        .of(&environment, &[command, &wrong, &["--quiet"]].concat());
        for verbosity in [&["--verbose"; 3][..], &["-o", "json"]] {
            let outcome = environment
                .par([command, &wrong, verbosity].concat())
                .exit(4);
            let all = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(!all.contains("another-password"), "{outcome}");
        }
    }
    let right = ["-u", "jane", "-p", "password"];
    environment.par([commands[0], &right].concat()).success();
}
