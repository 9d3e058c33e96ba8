//! Credentials: which ones the registry gets, and that they appear nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use data_encoding::BASE64;
use serde_json::json;

use super::{small, text};
use crate::support::{Environment, Outcome, Registry};

/// The passwords. Neither may appear in any output.
const PASSWORD: &str = "another-password";
const WRONG: &str = "not-the-password";

fn registry() -> Registry {
    Registry::builder().htpasswd("tester", PASSWORD).start()
}

/// Returns a `config.json` of Docker for this registry.
fn config(registry: &Registry, password: &str) -> String {
    let auth = BASE64.encode(format!("tester:{password}").as_bytes());
    json!({ "auths": { registry.address(): { "auth": auth } } }).to_string()
}

/// The sources of a password.
#[derive(Default)]
struct Given<'a> {
    arguments: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
    input: &'a str,
}

impl Given<'_> {
    /// Pushes with these sources and all log output, and asserts that the output has no password.
    fn push(&self, environment: &Environment, registry: &Registry) -> Outcome {
        let file = small(environment, "provider.par");
        let mut command = environment.command();
        command.envs(self.variables.iter().copied());
        command.args(["push", &registry.reference("provider:1.0.0"), text(&file)]);
        command
            .args(["--verbose", "--verbose", "--verbose"])
            .args(self.arguments);
        let outcome = Outcome::of(command, self.input.as_bytes());
        assert!(
            outcome.stderr.contains("answered"),
            "the log is missing\n{}",
            outcome.stderr
        );
        for password in [PASSWORD, WRONG] {
            let encoded = BASE64.encode(format!("tester:{password}").as_bytes());
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(
                !said.contains(password) && !said.contains(&encoded),
                "{said}"
            );
        }
        outcome
    }
}

fn given<'a>(arguments: &'a [&'a str], variables: &'a [(&'a str, &'a str)]) -> Given<'a> {
    Given {
        arguments,
        variables,
        input: "",
    }
}

#[test]
fn without_credentials_access_is_denied_with_a_hint() {
    let (environment, registry) = (Environment::new(), registry());
    let outcome = Given::default().push(&environment, &registry).exit(4);
    assert!(outcome.stderr.contains("requires credentials"), "{outcome}");
    assert!(outcome.stderr.contains("--user"), "{outcome}");
    let reference = registry.reference("provider:1.0.0");
    for command in ["pull", "fetch", "inspect", "verify", "extract"] {
        let denied = super::par(&environment, [command, &reference, "-o", "json"]).exit(4);
        assert_eq!(denied.json()["error"]["kind"], "denied");
    }
}

#[test]
fn a_wrong_password_is_denied_and_the_user_is_named() {
    let (environment, registry) = (Environment::new(), registry());
    let wrong = ["-u", "tester", "-p", WRONG];
    let outcome = given(&wrong, &[]).push(&environment, &registry).exit(4);
    assert!(
        outcome
            .stderr
            .contains("refused the credentials of user tester"),
        "{outcome}"
    );
}

#[test]
fn options_standard_input_and_variables_give_a_password() {
    let (environment, registry) = (Environment::new(), registry());
    let right = [("WASH_REG_USER", "tester"), ("WASH_REG_PASSWORD", PASSWORD)];
    let wrong = [("WASH_REG_USER", "nobody"), ("WASH_REG_PASSWORD", WRONG)];
    given(&["-u", "tester", "-p", PASSWORD], &[])
        .push(&environment, &registry)
        .success();
    given(&[], &right).push(&environment, &registry).success();
    let input = format!("{PASSWORD}\r\nmore");
    let arguments = ["-u", "tester", "--password-stdin"];
    // In order of precedence: standard input, options, variables.
    let standard_input = Given {
        arguments: &arguments,
        variables: &wrong,
        input: &input,
    };
    standard_input.push(&environment, &registry).success();
    given(&["-u", "tester", "-p", PASSWORD], &wrong)
        .push(&environment, &registry)
        .success();
    given(&["-u", "tester", "-p", WRONG], &right)
        .push(&environment, &registry)
        .exit(4);
}

#[test]
fn dockers_configuration_is_used_from_all_its_places() {
    let (environment, registry) = (Environment::new(), registry());
    let (right, wrong) = (config(&registry, PASSWORD), config(&registry, WRONG));
    let (none, none_at_all) = (given(&[], &[]), given(&[], &[("DOCKER_CONFIG", "")]));

    environment.write("../home/.docker/config.json", &right);
    none.push(&environment, &registry).success();
    none_at_all.push(&environment, &registry).success();

    // $DOCKER_CONFIG replaces ~/.docker.
    environment.write("docker/config.json", &wrong);
    let named = [("DOCKER_CONFIG", "docker")];
    given(&[], &named).push(&environment, &registry).exit(4);
    environment.write("../home/.docker/config.json", &wrong);
    environment.write("docker/config.json", &right);
    none.push(&environment, &registry).exit(4);
    given(&[], &named).push(&environment, &registry).success();

    // A named file has to exist.
    let reference = registry.reference("provider:1.0.0");
    let resolve = ["resolve", &reference, "--registry-config", "nowhere.json"];
    let missing = environment.par(resolve).exit(3);
    assert!(missing.stderr.contains("nowhere.json"), "{missing}");

    // --registry-config replaces both, and user and password replace all three.
    let file = environment.write("elsewhere.json", &wrong);
    let option = ["--registry-config", text(&file)];
    given(&option, &named).push(&environment, &registry).exit(4);
    let both = [option[0], option[1], "-u", "tester", "-p", PASSWORD];
    given(&both, &named).push(&environment, &registry).success();
    fs::write(&file, &right).unwrap();
    given(&option, &[]).push(&environment, &registry).success();
    let wrong = [("WASH_REG_USER", "tester"), ("WASH_REG_PASSWORD", WRONG)];
    given(&option, &wrong).push(&environment, &registry).exit(4);
}

#[test]
fn variables_are_ignored_where_a_command_reaches_two_registries() {
    let (environment, from, to) = (Environment::new(), registry(), registry());
    let file = small(&environment, "provider.par");
    let logged_in = |registry: &Registry| {
        let options = ["-u", "tester", "-p", PASSWORD];
        let login = ["login", registry.address()].into_iter().chain(options);
        environment.par(login).success();
    };
    logged_in(&from);
    let (source, copy) = (from.reference("provider:1"), to.reference("provider:1"));
    environment.par(["push", &source, text(&file)]).success();
    let run = |arguments: &[&str]| {
        let mut command = environment.command();
        command.args(arguments);
        command.envs([("WASH_REG_USER", "somebody"), ("WASH_REG_PASSWORD", WRONG)]);
        Outcome::of(command, b"")
    };
    let outcome = run(&["copy", &source, &copy]).exit(4);
    assert!(outcome.stderr.contains("`par login"), "{outcome}");
    logged_in(&to);
    for command in ["copy", "diff"] {
        let outcome = run(&[command, &source, &copy]).success();
        assert!(
            outcome.stderr.contains("warning: ignoring WASH_REG_USER"),
            "{outcome}"
        );
    }
    // With one registry, the variables are used, and their password is wrong.
    run(&["copy", &source, &from.reference("other:1")]).exit(4);
}

#[test]
fn credentials_of_another_registry_are_not_used() {
    let (environment, registry) = (Environment::new(), registry());
    let other = Registry::start();
    environment.write("../home/.docker/config.json", config(&other, PASSWORD));
    let outcome = Given::default().push(&environment, &registry).exit(4);
    assert!(outcome.stderr.contains("none were found"), "{outcome}");
}

#[test]
fn podmans_files_are_used_after_dockers_and_with_their_namespaces() {
    let (environment, registry) = (Environment::new(), registry());
    let (right, wrong) = (config(&registry, PASSWORD), config(&registry, WRONG));
    let runtime = [("XDG_RUNTIME_DIR", "runtime")];
    let push = |variables| given(&[], variables).push(&environment, &registry);

    environment.write("../home/.config/containers/auth.json", &right);
    push(&[]).success();
    environment.write("runtime/containers/auth.json", &wrong);
    push(&[]).success();
    push(&runtime).exit(4);
    // Docker's file has an entry for another registry, and then for this one.
    let other = Registry::start();
    environment.write("../home/.docker/config.json", config(&other, WRONG));
    push(&runtime).exit(4);
    environment.write("../home/.docker/config.json", &right);
    push(&runtime).success();

    // REGISTRY_AUTH_FILE replaces all of them.
    let named = [runtime[0], ("REGISTRY_AUTH_FILE", "named.json")];
    push(&named).exit(4);
    environment.write("named.json", &right);
    push(&named).success();
    environment.write("named.json", &wrong);
    push(&named).exit(4);

    let entry =
        |password| json!({ "auth": BASE64.encode(format!("tester:{password}").as_bytes()) });
    let (right, wrong) = (entry(PASSWORD), entry(WRONG));
    let address = registry.address();
    let scoped = json!({ "auths": {
        address: wrong, format!("{address}/provider"): right, format!("{address}/prov"): wrong,
    } });
    environment.write("named.json", scoped.to_string());
    push(&named).success();
}

#[test]
fn the_variables_of_wasmclouds_host_are_for_one_registry() {
    let (environment, registry) = (Environment::new(), registry());
    let variables = |named| {
        [
            ("WASMCLOUD_OCI_REGISTRY", named),
            ("WASMCLOUD_OCI_REGISTRY_USER", "tester"),
            ("WASMCLOUD_OCI_REGISTRY_PASSWORD", PASSWORD),
        ]
    };
    let push = |variables: &[_]| given(&[], variables).push(&environment, &registry);
    push(&variables(registry.address())).success();
    let denied = push(&variables("127.0.0.1:1")).exit(4);
    assert!(denied.stderr.contains("none were found"), "{denied}");
}

/// Installs a credential helper called `test`, and returns a `PATH` with its directory.
fn helper(environment: &Environment, script: &str) -> String {
    let path = environment.write("bin/docker-credential-test", script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let directory: &Path = path.parent().unwrap();
    format!("{}:{}", text(directory), std::env::var("PATH").unwrap())
}

#[test]
fn a_credential_helper_is_asked_for_the_registry() {
    let (environment, registry) = (Environment::new(), registry());
    let answer = json!({ "ServerURL": "", "Username": "tester", "Secret": PASSWORD });
    let script = format!("#!/bin/sh\necho \"$1 $(cat)\" >>asked\necho '{answer}'\n");
    let path = helper(&environment, &script);
    let variables = [("PATH", path.as_str())];
    for config in [
        json!({ "credsStore": "test" }),
        json!({ "credHelpers": { registry.address(): "test" } }),
    ] {
        environment.write("../home/.docker/config.json", config.to_string());
        given(&[], &variables)
            .push(&environment, &registry)
            .success();
        let asked = fs::read_to_string(environment.path("asked")).unwrap();
        assert_eq!(
            asked.lines().next(),
            Some(format!("get {}", registry.address()).as_str())
        );
        fs::remove_file(environment.path("asked")).unwrap();
        // The helper does not run when the user is named.
        let named = ["-u", "tester", "-p", PASSWORD];
        given(&named, &variables)
            .push(&environment, &registry)
            .success();
        assert!(!environment.path("asked").exists());
    }
}

#[test]
fn a_helper_without_credentials_means_anonymous_and_one_that_fails_is_named() {
    let (environment, registry) = (Environment::new(), registry());
    environment.write("../home/.docker/config.json", r#"{ "credsStore": "test" }"#);
    let nothing =
        "#!/bin/sh\ncat >/dev/null\necho 'credentials not found in native keychain'\nexit 1\n";
    let path = helper(&environment, nothing);
    let outcome = given(&[], &[("PATH", &path)])
        .push(&environment, &registry)
        .exit(4);
    assert!(outcome.stderr.contains("none were found"), "{outcome}");

    let script = format!(
        "#!/bin/sh\ncat >/dev/null\necho '{PASSWORD}'\necho the keychain is locked >&2\nexit 1\n"
    );
    let path = helper(&environment, &script);
    let outcome = given(&[], &[("PATH", &path)])
        .push(&environment, &registry)
        .exit(4);
    assert!(
        outcome.stderr.contains("docker-credential-test"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("the keychain is locked"),
        "{outcome}"
    );
}

#[test]
fn a_credential_helper_need_not_read_its_input() {
    let (environment, registry) = (Environment::new(), registry());
    environment.write("../home/.docker/config.json", r#"{ "credsStore": "test" }"#);
    let answer = json!({ "ServerURL": "", "Username": "tester", "Secret": PASSWORD });
    let path = helper(&environment, &format!("#!/bin/sh\necho '{answer}'\n"));
    given(&[], &[("PATH", &path)])
        .push(&environment, &registry)
        .success();
    let path = helper(&environment, "#!/bin/sh\nexit 3\n");
    let outcome = given(&[], &[("PATH", &path)])
        .push(&environment, &registry)
        .exit(4);
    assert!(outcome.stderr.contains("exit status: 3"), "{outcome}");
}
