//! Passwords and tokens, which must not be printed.

use data_encoding::BASE64;
use serde_json::json;
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::oci::{CredentialSource, Credentials, RegistryOptions};

use super::{block_on, small, text};
use crate::support::{Environment, Outcome, Registry, Rules, TokenService, User};

const PASSWORD: &str = "another-password";
const WRONG: &str = "not-the-password";
const IDENTITY: &str = "the-identity-token";

/// Asserts that a text contains none of the secrets, in any of the encodings in which they are sent.
#[track_caller]
fn assert_hidden(said: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} is in\n{said}");
    }
}

fn secrets() -> Vec<String> {
    let passwords = [PASSWORD, WRONG];
    let encoded = passwords.map(|password| BASE64.encode(format!("tester:{password}").as_bytes()));
    let plain = [PASSWORD, WRONG, IDENTITY].map(str::to_owned);
    plain.into_iter().chain(encoded).collect()
}

fn token_service() -> TokenService {
    let users = [("tester", PASSWORD), (IDENTITY, "")].map(|(name, password)| User {
        name,
        password,
        may: &[("org/*", "pull,push")],
    });
    TokenService::start(Rules {
        users: users.to_vec(),
        ..Rules::default()
    })
}

/// Runs every command that reaches a registry, with all log output. The password is in the variable, or else the stored
/// credentials are used.
fn run_all(environment: &Environment, registry: &Registry, password: Option<&str>) -> String {
    let file = small(environment, "provider.par");
    let (mine, other) = (
        registry.reference("org/provider:1.0.0"),
        registry.reference("other/provider:1.0.0"),
    );
    let mut said = String::new();
    let mut run = |arguments: &[&str]| {
        let mut command = environment.command();
        command.args(arguments);
        command.args(["--verbose", "--verbose", "--verbose"]);
        if let Some(password) = password {
            command.env("WASH_REG_USER", "tester");
            command.env("WASH_REG_PASSWORD", password);
        }
        let outcome = Outcome::of(command, b"");
        said += &format!("{arguments:?} {}\n", outcome.code);
        said += &outcome.stdout;
        said += &outcome.stderr;
    };
    for reference in [&mine, &other] {
        run(&["push", reference, text(&file)]);
        for command in ["pull", "fetch", "inspect", "verify", "extract"] {
            run(&[command, reference]);
            run(&[command, reference, "-o", "json"]);
        }
    }
    run(&["login", registry.address()]);
    run(&["logout", registry.address()]);
    said
}

#[test]
fn no_command_prints_a_secret_whether_the_registry_accepts_or_refuses_it() {
    let service = token_service();
    let registries = [
        Registry::builder().htpasswd("tester", PASSWORD).start(),
        service.registry(),
    ];
    for registry in &registries {
        let environment = Environment::new();
        let right = run_all(&environment, registry, Some(PASSWORD));
        assert!(right.contains("logged in"), "{right}");
        assert_hidden(&right, &secrets());
        let wrong = run_all(&environment, registry, Some(WRONG));
        assert!(wrong.contains("refused the credentials"), "{wrong}");
        assert_hidden(&wrong, &secrets());
        let tokens = service.asked().into_iter().filter_map(|asked| asked.token);
        let tokens: Vec<String> = tokens.collect();
        assert_hidden(&format!("{right}{wrong}"), &tokens);
    }
    assert!(service.asked().iter().any(|asked| asked.token.is_some()));

    let environment = Environment::new();
    let entry = json!({ "identitytoken": IDENTITY });
    let config = json!({ "auths": { registries[1].address(): entry } });
    environment.write("../home/.docker/config.json", config.to_string());
    let taken = run_all(&environment, &registries[1], None);
    assert!(taken.contains("asked for a token"), "{taken}");
    assert_hidden(&taken, &secrets());
    service.change(|rules| rules.users.clear());
    environment.write("../home/.docker/config.json", config.to_string());
    let refused = run_all(&environment, &registries[1], None);
    assert!(refused.contains("stored identity token"), "{refused}");
    assert_hidden(&refused, &secrets());
}

#[test]
fn passwords_in_references_of_a_deployment_are_not_printed() {
    let environment = Environment::new();
    let components = ["plain", "sla/shed"].map(|beginning| {
        let image = format!("https://tester:{beginning}{PASSWORD}@ghcr.io/org/provider:1");
        json!({ "name": "provider", "type": "capability", "properties": { "image": image } })
    });
    let manifest = json!({
        "apiVersion": "core.oam.dev/v1beta1",
        "kind": "Application",
        "metadata": { "name": "application", "annotations": { "version": "v1" } },
        "spec": { "components": components },
    });
    environment.write("wadm.yaml", manifest.to_string());
    for command in [
        &["lock", "wadm.yaml"][..],
        &["mirror", "wadm.yaml", "oci-layout://mirror"],
    ] {
        for format in [&[][..], &["-o", "json"]] {
            let outcome = environment.par(command.iter().chain(format)).exit(2);
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(said.contains("ghcr.io/org/provider:1"), "{said}");
            assert!(!said.contains("; sent"), "{said}");
            assert_hidden(&said, &secrets());
        }
    }
}

#[test]
fn nothing_of_the_library_prints_a_secret() {
    let registry = Registry::builder().htpasswd("tester", PASSWORD).start();
    let folder = tempfile::tempdir().unwrap();
    let mut registries = RegistryOptions::default();
    registries.credentials = CredentialSource::default().explicit("tester", WRONG);
    let credentials = [
        Credentials::Basic {
            user: "tester".to_owned(),
            password: PASSWORD.to_owned(),
        },
        Credentials::IdentityToken {
            user: None,
            token: IDENTITY.to_owned(),
        },
    ];
    let mut said = format!("{registries:?} {credentials:?}");
    let options = ClientOptions::default()
        .cache_directory(folder.path())
        .registry(registries);
    let client = Client::new(options).unwrap();
    let reference = registry.reference("org/provider:1.0.0").parse().unwrap();
    let error = block_on(client.inspect(&reference)).unwrap_err();
    said += &format!("{error:?} {error}");
    assert!(said.contains("tester"), "{said}");
    assert_hidden(&said, &secrets());
}
