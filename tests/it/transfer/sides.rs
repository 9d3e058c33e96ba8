//! Commands that reach two registries with different options.

use std::process::Command;

use super::{digest, par, small, text};
use crate::support::certificates::Authority;
use crate::support::{Environment, Outcome, Registry};

const NAME: &str = "provider:1.0.0";

/// A plain registry, and one with TLS that requires a user.
struct Two {
    environment: Environment,
    plain: String,
    secure: String,
    authority: String,
    _registries: [Registry; 2],
}

impl Two {
    fn new() -> Self {
        let environment = Environment::new();
        let authority = Authority::new(&environment.path("authority"));
        let plain = Registry::start();
        let secure = Registry::builder()
            .tls(&authority.server("127.0.0.1"))
            .htpasswd("jane", "password")
            .start();
        let two = Self {
            plain: plain.reference(NAME),
            secure: secure.reference(NAME),
            authority: text(authority.file()).to_owned(),
            _registries: [plain, secure],
            environment,
        };
        let file = small(&two.environment, "provider.par");
        two.run(&["push", &two.plain, text(&file)]).success();
        two
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Outcome {
        self.environment.par(arguments)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.environment.command();
        command.args(arguments);
        command
    }
}

#[test]
fn a_copy_has_options_for_each_side() {
    let two = Two::new();
    let copy = ["copy", &two.plain, &two.secure, "--to-ca", &two.authority];
    let denied = two.run(&copy).exit(4);
    assert!(denied.stderr.contains("127.0.0.1"), "{denied}");
    let user = ["--to-user", "jane", "--to-password-stdin"];
    let command = two.command(&[&copy[..], &user].concat());
    Outcome::of(command, b"password\n").success();

    // The copy back has the authority for both sides. The plain registry can still be reached.
    let back = two.plain.replace(":1.0.0", ":copied");
    let copy = ["copy", &two.secure, &back, "--ca", &two.authority];
    let user = ["--from-user", "jane", "--from-password", "password"];
    let copied = two.run(&[&copy[..], &user].concat()).success();
    assert!(copied.stderr.contains("visible"), "{copied}");
    assert_eq!(copied.stderr.matches("visible").count(), 1, "{copied}");
    // A user for the side that needs none does not help.
    let wrong = ["--to-user", "jane", "--to-password", "password"];
    two.run(&[&copy[..], &wrong].concat()).exit(4);
}

#[test]
fn credentials_for_one_side_leave_the_common_ones_for_the_other_side() {
    let two = Two::new();
    let copy = ["copy", &two.plain, &two.secure, "--to-ca", &two.authority];
    let both = ["--user=jane", "--password=password"];
    let refused = two.run(&[&copy[..], &both].concat()).exit(2);
    assert!(refused.stderr.contains("two registries"), "{refused}");
    assert!(refused.stderr.contains("--to-user"), "{refused}");
    let from = ["--from-user=x", "--from-password=y"];
    // The plain registry asks for no password.
    two.run(&[&copy[..], &both, &from].concat()).success();
}

#[test]
fn a_common_password_is_for_the_side_that_has_a_user() {
    let two = Two::new();
    let copy = ["copy", &two.plain, &two.secure, "--to-ca", &two.authority];
    let command = |options: &[&str]| two.command(&[&copy[..], options].concat());
    let run = |options: &[&str]| Outcome::of(command(options), b"");
    run(&["--to-user=jane", "--password=password"]).success();
    run(&["--user=jane", "--to-password=password"]).success();
    let piped = command(&["--to-user=jane", "--password-stdin"]);
    Outcome::of(piped, b"password\n").success();
    let mut with_variable = command(&["--to-user=jane"]);
    with_variable.env("WASH_REG_PASSWORD", "password");
    Outcome::of(with_variable, b"").success();

    // A variable may be set for another command.
    let mut complete = command(&["--to-user=jane", "--to-password=password"]);
    complete.env("WASH_REG_PASSWORD", "another");
    Outcome::of(complete, b"").success();
    // Where only one registry is reached, the options for both sides are enough.
    let copy = ["copy", "oci-layout://layout:1", &two.secure, "--password=x"];
    let refused = two.run(&copy).exit(2);
    let said = "error: a password is given without a user\nhint: give --user or";
    assert!(refused.stderr.contains(said), "{refused}");

    for (options, message, hint) in [
        (
            &["--to-user=jane"][..],
            "a user is given without a password for the second side",
            "hint: give --to-password-stdin or --to-password\n",
        ),
        (
            &["--to-password=password"],
            "a password is given without a user for the second side",
            "hint: give --to-user\n",
        ),
        (
            &["--password=password"],
            "a password is given without a user",
            "hint: give --from-user or --to-user\n",
        ),
        (
            &["--to-user=jane", "--to-password=password", "--password=x"],
            "a password is given without a user for the first side",
            "hint: give --from-user\n",
        ),
    ] {
        let refused = run(options).exit(2);
        let said = format!("error: {message}\n{hint}");
        assert!(refused.stderr.contains(&said), "{refused}");
    }
}

#[test]
fn missing_credentials_of_one_side_have_a_hint_with_its_options() {
    let two = Two::new();
    let (address, _) = two.secure.split_once('/').unwrap();
    let mirror = format!("{address}/mirror");
    let back = two.plain.replace(":1.0.0", ":copied");
    let other = two.secure.replace(":1.0.0", ":other");
    let (plain, secure) = (two.plain.as_str(), two.secure.as_str());
    for (command, ca, said, options) in [
        (
            ["copy", plain, secure],
            "--to-ca",
            "the second side",
            "--to-user and --to-password",
        ),
        (
            ["diff", plain, secure],
            "--to-ca",
            "the second side",
            "--to-user and --to-password",
        ),
        (
            ["mirror", plain, &mirror],
            "--to-ca",
            "the second side",
            "--to-user and --to-password",
        ),
        (
            ["copy", secure, &back],
            "--from-ca",
            "the first side",
            "--from-user and --from-password",
        ),
    ] {
        let denied = two.run(&[&command[..], &[ca, &two.authority]].concat());
        let denied = denied.exit(4);
        let said = format!("{said} needs a user and a password: {address} requires credentials");
        assert!(denied.stderr.contains(&said), "{denied}");
        let hint = format!("hint: run `par login {address}`, or give {options}; check");
        assert!(denied.stderr.contains(&hint), "{denied}");
    }
    // There is only one registry, so the options for both sides can be used.
    let denied = two.run(&["copy", secure, &other, "--ca", &two.authority]);
    let denied = denied.exit(4);
    assert!(
        denied.stderr.contains("give --user and --password;"),
        "{denied}"
    );
}

#[test]
fn passwords_of_both_sides_are_lines_of_standard_input() {
    let two = Two::new();
    let authority = Authority::new(&two.environment.path("other"));
    let other = Registry::builder()
        .tls(&authority.server("127.0.0.1"))
        .htpasswd("john", "another-password")
        .start();
    let target = other.reference(NAME);
    let to = ["--to-ca", &two.authority, "--to-user=jane"];
    let copy = [&["copy", &two.plain, &two.secure][..], &to].concat();
    let command = two.command(&[&copy[..], &["--to-password-stdin"]].concat());
    Outcome::of(command, b"password").success();
    let copy = [
        "copy",
        &two.secure,
        &target,
        "--from-ca",
        &two.authority,
        "--from-user=jane",
        "--from-password-stdin",
        "--to-ca",
        text(authority.file()),
        "--to-user=john",
        "--to-password-stdin",
    ];
    Outcome::of(two.command(&copy), b"password\nanother-password\n").success();
    Outcome::of(two.command(&copy), b"another-password\npassword\n").exit(4);

    let mut diff = copy.to_vec();
    diff[0] = "diff";
    diff.push("--exit-code");
    let same = Outcome::of(two.command(&diff), b"password\nanother-password\n").success();
    assert_eq!(same.stdout, "");
}

#[test]
fn different_bytes_are_a_difference_if_one_archive_is_a_reference() {
    let two = Two::new();
    let (file, plain) = (two.environment.path("provider.par"), two.plain.as_str());
    let compare = |from: &str, to: &str| two.run(&["diff", from, to, "--exit-code"]);
    let same = compare("provider.par", plain).success();
    assert_eq!(same.stdout, "");
    let json = ["diff", "provider.par", plain, "-o", "json"];
    let layer = digest(&file);
    let expected = serde_json::json!({ "from": layer, "to": layer, "same": true });
    assert_eq!(two.run(&json).success().json()["digest"], expected);
    let mut piped = two.command(&["diff", plain, "-", "--exit-code"]);
    piped.args(["-o", "json"]);
    let piped = Outcome::of(piped, &std::fs::read(&file).unwrap()).success();
    assert_eq!(piped.json()["digest"], expected);

    // The claims and the executables of the compressed archive are the same.
    let compressed = crate::support::archives::gzip(&std::fs::read(&file).unwrap());
    let other = two.environment.write("other.par.gz", compressed);
    let differs = compare("other.par.gz", plain).exit(1);
    let line = format!("digest: {} -> {layer}\n", digest(&other));
    assert_eq!(differs.stdout, line);
    let object = two.run(&["diff", plain, "other.par.gz", "-o", "json"]);
    let object = object.success().json();
    assert_eq!(object["same"], false);
    assert_eq!(object["digest"]["same"], false);
    assert_eq!(object["digest"]["from"], layer.as_str());
    // Two files have no layer, so their bytes are not compared.
    assert_eq!(compare("provider.par", "other.par.gz").success().stdout, "");
    let copy = plain.replace(":1.0.0", ":copy");
    par(&two.environment, ["copy", plain, &copy]).success();
    compare(plain, &copy).success();
}

#[test]
fn standard_input_is_not_both_a_password_and_an_archive() {
    let two = Two::new();
    let archive = std::fs::read(two.environment.path("provider.par")).unwrap();
    let input = [b"password\n", &archive[..]].concat();
    let user = ["--user=jane", "--password-stdin"];
    let connection = ["--ca", &two.authority];
    let options = [&connection[..], &user].concat();
    let push = ["push", &two.secure, "-"];
    let command = two.command(&[&push[..], &options].concat());
    let refused = Outcome::of(command, &input).exit(2);
    assert!(
        refused.stderr.contains("standard input cannot be both"),
        "{refused}"
    );
}
