//! `par login` and `par logout`: which credentials are stored, and where.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{good_archive, mode};
use crate::support::{Environment, Outcome, Registry, Rules, Terminal, TokenService};

const PASSWORD: &str = "another-password";
const CONFIG: &str = "../home/.docker/config.json";

fn registry() -> Registry {
    Registry::builder().htpasswd("tester", PASSWORD).start()
}

fn login(environment: &Environment, registry: &str, options: &[&str], input: &str) -> Outcome {
    let mut command = environment.command();
    command.args(["login", registry, "-u", "tester", "--password-stdin"]);
    command.args(options);
    Outcome::of(command, input.as_bytes())
}

fn stored(environment: &Environment, name: &str) -> Value {
    serde_json::from_slice(&fs::read(environment.path(name)).unwrap()).unwrap()
}

/// Pushes with the stored credentials.
fn push(environment: &Environment, registry: &Registry) -> Outcome {
    good_archive(environment, "provider.par");
    environment.par([
        "push",
        &registry.reference("provider:1.0.0"),
        "provider.par",
    ])
}

#[test]
fn stored_credentials_are_used_until_logout() {
    let (environment, registry) = (Environment::new(), registry());
    let address = registry.address();
    let outcome = login(&environment, address, &[], PASSWORD).success();
    let expected = format!("logged in to {address} as tester; the password is in ");
    assert!(outcome.line().starts_with(&expected), "{outcome}");
    assert!(outcome.stderr.contains("stored unencrypted"), "{outcome}");
    let path = environment.path(CONFIG);
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let auth = "dGVzdGVyOmFub3RoZXItcGFzc3dvcmQ=";
    let expected = json!({ "auths": { address: { "auth": auth } } });
    assert_eq!(stored(&environment, CONFIG), expected);
    push(&environment, &registry).success();

    let logout = |removed: bool| {
        let outcome = environment.par(["logout", address, "-o", "json"]).success();
        let expected = json!({
            "success": true, "warnings": [], "registry": address, "removed": removed,
        });
        assert_eq!(outcome.json(), expected);
    };
    logout(true);
    push(&environment, &registry).exit(4);
    logout(false);
    let outcome = environment.par(["logout", address]).success();
    assert_eq!(outcome.line(), format!("nothing is stored for {address}"));
}

#[test]
fn credentials_that_the_registry_refuses_are_not_stored() {
    let (environment, registry) = (Environment::new(), registry());
    let options = ["-o", "json"];
    let refused = login(&environment, registry.address(), &options, "wrong").exit(4);
    assert_eq!(refused.json()["error"]["kind"], "denied");
    let nobody = login(&environment, "127.0.0.1:1", &[], PASSWORD).exit(6);
    assert!(nobody.stderr.contains("not answering"), "{nobody}");
    login(&environment, registry.address(), &[], "").exit(2);
    for wrong in ["ghcr", "ghcr.io/org", "a b"] {
        login(&environment, wrong, &[], PASSWORD).exit(2);
    }
    assert_eq!(environment.files(), [""; 0]);
}

#[test]
fn login_asks_the_token_service_of_a_registry() {
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    let registry = service.registry();
    let refused = login(&environment, registry.address(), &[], "wrong").exit(4);
    assert!(
        refused.stderr.contains("refused the credentials"),
        "{refused}"
    );
    let outcome = login(
        &environment,
        registry.address(),
        &["-o", "json"],
        "password",
    )
    .success();
    let path = environment.home().join(".docker/config.json");
    let path = fs::canonicalize(path).unwrap();
    let expected = json!({
        "success": true, "registry": registry.address(), "user": "tester", "helper": null,
        "file": path, "warnings": outcome.json()["warnings"],
    });
    assert_eq!(outcome.json(), expected);
    let warning = outcome.json()["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("stored unencrypted"), "{outcome}");
    push(&environment, &registry).success();
    assert!(
        service.asked()[..2]
            .iter()
            .all(|asked| asked.scopes.is_empty())
    );
}

#[test]
fn a_registry_without_authentication_is_warned_about() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let outcome = login(&environment, registry.address(), &[], "any").success();
    assert!(outcome.stderr.contains("needs no credentials"), "{outcome}");
}

#[test]
fn login_keeps_the_rest_of_the_file_and_never_replaces_a_malformed_one() {
    let (environment, registry) = (Environment::new(), registry());
    let address = registry.address();
    let before = json!({
        "auths": { "ghcr.io": { "auth": "eDp5", "email": "x@y.z" } },
        "HttpHeaders": { "X": "y" }, "detachKeys": "ctrl-e,e", "proxies": {},
    });
    let path = environment.write(CONFIG, before.to_string());
    login(&environment, address, &[], PASSWORD).success();
    assert_eq!(mode(&path), 0o600);
    let mut after = stored(&environment, CONFIG);
    assert!(after["auths"][address]["auth"].is_string());
    environment.par(["logout", address]).success();
    after["auths"].as_object_mut().unwrap().remove(address);
    assert_eq!(after, before);
    assert_eq!(stored(&environment, CONFIG), before);

    environment.write(CONFIG, "{ broken");
    login(&environment, address, &[], PASSWORD).exit(4);
    environment.par(["logout", address]).exit(4);
    assert_eq!(fs::read(&path).unwrap(), b"{ broken");
    let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "nothing half-written");
}

#[test]
fn a_named_file_is_written_in_place_of_the_default() {
    let (environment, registry) = (Environment::new(), registry());
    let address = registry.address();
    let option = ["--registry-config", "named/config.json"];
    login(&environment, address, &option, PASSWORD).success();
    assert!(stored(&environment, "named/config.json")["auths"][address].is_object());

    let variable = |arguments: &[&str]| {
        let mut command = environment.command();
        command
            .args(arguments)
            .env("REGISTRY_AUTH_FILE", "auth.json");
        Outcome::of(command, PASSWORD.as_bytes())
    };
    variable(&["login", address, "-u", "tester", "--password-stdin"]).success();
    assert!(stored(&environment, "auth.json")["auths"][address].is_object());
    let logout = variable(&["logout", address, option[0], option[1]]).success();
    assert!(logout.stdout.contains("named/config.json"), "{logout}");
    variable(&["logout", address]).success();
    assert_eq!(stored(&environment, "auth.json"), json!({ "auths": {} }));
    assert!(!environment.path(CONFIG).exists());
}

/// Installs a credential helper that keeps one answer in a file, and logs its arguments.
fn helper(environment: &Environment) -> String {
    let script = "#!/bin/sh\necho \"$*\" >>arguments\ncase $1 in\nstore) cat >kept ;;\n\
        get) test -f kept && cat kept || { echo credentials not found; exit 1; } ;;\n\
        erase) rm -f kept ;;\nesac\n";
    let path = environment.write("bin/docker-credential-test", script);
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let directory: &Path = path.parent().unwrap();
    format!("{}:{}", directory.display(), std::env::var("PATH").unwrap())
}

#[test]
fn the_credential_helper_in_the_file_stores_the_password() {
    let registry = registry();
    let address = registry.address();
    for config in [
        json!({ "credsStore": "test", "auths": { address: { "auth": "eDp5" } } }),
        json!({ "credHelpers": { address: "test" } }),
    ] {
        let environment = Environment::new();
        let path = helper(&environment);
        environment.write(CONFIG, config.to_string());
        let run = |arguments: &[&str], input: &str| {
            let mut command = environment.command();
            command.args(arguments).env("PATH", &path);
            Outcome::of(command, input.as_bytes())
        };
        let arguments = ["login", address, "-u", "tester", "--password-stdin"];
        let outcome = run(&arguments, PASSWORD).success();
        assert!(
            outcome.line().ends_with("docker-credential-test"),
            "{outcome}"
        );
        assert!(!outcome.stderr.contains("unencrypted"), "{outcome}");
        let kept = stored(&environment, "kept");
        let expected = json!({ "ServerURL": address, "Username": "tester", "Secret": PASSWORD });
        assert_eq!(kept, expected);
        assert_eq!(
            stored(&environment, CONFIG)["auths"],
            json!({ address: {} })
        );

        good_archive(&environment, "provider.par");
        let reference = registry.reference("provider:1.0.0");
        let push = ["push", &reference, "provider.par", "--change-identity"];
        run(&push, "").success();
        run(&["logout", address], "").success();
        assert!(!environment.path("kept").exists());
        assert_eq!(stored(&environment, CONFIG)["auths"], json!({}));
        run(&["push", &reference, "provider.par"], "").exit(4);
        // Secrets are not visible in the list of processes.
        let arguments = fs::read_to_string(environment.path("arguments")).unwrap();
        let known = ["store", "get", "erase"];
        assert!(
            arguments.lines().all(|line| known.contains(&line)),
            "{arguments}"
        );
    }
}

#[test]
fn a_password_is_asked_for_only_on_a_terminal_and_warned_about_on_the_command_line() {
    let (environment, registry) = (Environment::new(), registry());
    let address = registry.address();
    let outcome = environment.par(["login", address]).exit(2);
    assert!(outcome.stderr.contains("--user"), "{outcome}");
    let outcome = environment.par(["login", address, "-u", "tester"]).exit(2);
    assert!(outcome.stderr.contains("--password-stdin"), "{outcome}");

    let seen = ["login", address, "-u", "tester", "-p", PASSWORD];
    let outcome = environment.par(seen).success();
    assert!(outcome.stderr.contains("on the command line"), "{outcome}");
    let mut command = environment.command();
    command.args(["login", address]);
    command.env("WASH_REG_USER", "tester");
    command.env("WASH_REG_PASSWORD", PASSWORD);
    let outcome = Outcome::of(command, b"").success();
    assert!(!outcome.stderr.contains("on the command line"), "{outcome}");
}

#[test]
fn a_terminal_does_not_show_the_password() {
    let (environment, registry) = (Environment::new(), registry());
    let mut terminal = Terminal::run(&environment, &["login", registry.address()]);
    terminal.expect("User: ");
    terminal.press("tester\n");
    terminal.expect_hidden("Password: ");
    terminal.press(&format!("{PASSWORD}\n"));
    let (shown, code) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("tester"), "the user is shown\n{shown}");
    assert!(shown.contains("logged in"), "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
fn control_c_ends_the_questions_of_login() {
    let (environment, registry) = (Environment::new(), registry());
    for user in ["", "tester\n"] {
        let mut terminal = Terminal::run(&environment, &["login", registry.address()]);
        terminal.expect("User: ");
        if !user.is_empty() {
            terminal.press(user);
            terminal.expect_hidden("Password: ");
        }
        terminal.press("another\u{3}");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(130), "{shown}");
        assert!(shown.contains("interrupted"), "{shown}");
        assert_eq!(environment.files(), [""; 0]);
    }
}

#[test]
fn one_user_is_not_sent_to_two_registries() {
    let environment = Environment::new();
    let (one, two) = ("127.0.0.1:1/provider:1.0.0", "127.0.0.1:2/provider:1.0.0");
    let outcome = environment.par(["diff", one, two, "-u", "tester", "-p", PASSWORD]);
    assert!(outcome.exit(2).stderr.contains("two registries"));
}

#[test]
fn an_interruption_at_the_question_for_the_password_switches_the_echo_on_again() {
    let (environment, registry) = (Environment::new(), registry());
    let login = [
        "login",
        registry.address(),
        "-u",
        "tester",
        ";",
        "stty",
        "-a",
    ];
    let mut terminal = Terminal::run(&environment, &login);
    terminal.expect_hidden("Password: ");
    terminal.terminate();
    let (shown, _) = terminal.end();
    assert!(
        shown.split_whitespace().any(|word| word == "echo"),
        "{shown}"
    );
}
