//! An isolated host: bad files and variables of the user have no effect on it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::at_home;
use crate::support::certificates::Authority;
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::hosting::Host;
use crate::transfer::{pack, par, text};

const USER: &str = "tester";
const PASSWORD: &str = "another-password";
/// An executable of this machine that runs until its standard input is closed.
const STAYS: &str = "/bin/cat";

/// A file or a variable that makes a program fail that reads it.
struct Poison {
    name: &'static str,
    /// The message of the command that reads it.
    said: &'static str,
    variables: Vec<(&'static str, String)>,
}

/// Writes bad files to the home directory. Returns the variables and the messages of a program that reads them.
fn poisons(environment: &Environment, registry: &Registry) -> Vec<Poison> {
    let broken = at_home(environment, "broken.json", "{");
    let docker = at_home(environment, "docker/config.json", "{");
    let docker = text(Path::new(&docker).parent().unwrap()).to_owned();
    let configuration = |name: &str, file: &str, content: &str| {
        at_home(
            environment,
            &format!("{name}/wasmcloud-par/{file}"),
            content,
        );
        text(&environment.home().join(name)).to_owned()
    };
    let trust = configuration("trust", "trust.toml", "no = toml = at all");
    let entry = format!("hosts/{}/hosts.toml", registry.address());
    let hosts = configuration("hosts", &entry, "no = toml = at all");
    vec![
        Poison {
            name: "Docker's credentials",
            said: "config.json",
            variables: vec![("DOCKER_CONFIG", docker)],
        },
        Poison {
            name: "a file with credentials",
            said: "broken.json",
            variables: vec![("REGISTRY_AUTH_FILE", broken)],
        },
        Poison {
            name: "the variables of wasmCloud's host",
            said: "refused the credentials of user somebody",
            variables: vec![
                ("WASMCLOUD_OCI_REGISTRY", registry.address().to_owned()),
                ("WASMCLOUD_OCI_REGISTRY_USER", "somebody".to_owned()),
                ("WASMCLOUD_OCI_REGISTRY_PASSWORD", "else".to_owned()),
            ],
        },
        Poison {
            name: "the trust policy",
            said: "trust.toml",
            variables: vec![("XDG_CONFIG_HOME", trust)],
        },
        Poison {
            name: "the settings of registries",
            said: "hosts.toml",
            variables: vec![("XDG_CONFIG_HOME", hosts)],
        },
    ]
}

fn published(environment: &Environment, registry: &Registry) -> (String, String) {
    let reference = registry.reference("org/provider:1.0.0");
    let file = pack(environment, "provider.par.gz", Path::new(STAYS));
    let push = ["push", &reference, text(&file), "-u", USER, "-p", PASSWORD];
    let pushed = par(environment, push).success();
    let (_, digest) = pushed.line().split_once('@').unwrap();
    (reference, digest.to_owned())
}

/// Returns the directory of a host that has the password of `registry`.
fn directory(environment: &Environment, registry: &Registry) -> String {
    let file = format!("host/credentials/{}/org/provider", registry.address());
    environment.write(&file, format!("{USER}:{PASSWORD}\n"));
    text(&environment.path("host")).to_owned()
}

#[test]
fn an_isolated_host_reads_no_file_and_no_variable_of_the_user() {
    for number in 0..5 {
        let environment = Environment::new();
        let registry = Registry::builder().htpasswd(USER, PASSWORD).start();
        let (reference, digest) = published(&environment, &registry);
        let directory = directory(&environment, &registry);
        let poison = poisons(&environment, &registry).remove(number);
        let poisoned = |mut command: Command| {
            command.envs(poison.variables.iter().map(|(name, value)| (name, value)));
            command
        };

        // The command, which is not isolated, fails.
        let mut fetch = poisoned(environment.command());
        fetch.args(["fetch", &reference]);
        let failed = Outcome::of(fetch, b"");
        assert_ne!(failed.code, 0, "{}\n{failed}", poison.name);
        assert!(
            failed.stderr.contains(poison.said),
            "{}\n{failed}",
            poison.name
        );

        let cached = |environment: &Environment| {
            let files = environment.files().into_iter();
            files
                .filter(|file| file.starts_with("home/"))
                .collect::<Vec<_>>()
        };
        fs::remove_dir_all(environment.home().join(".cache")).unwrap_or_default();
        let before = cached(&environment);
        let host = Host::start_with(&environment, &[&directory, "30", &reference], poisoned);
        host.expect("started", &digest);
        drop(host);
        assert_eq!(cached(&environment), before, "{}", poison.name);
    }
}

#[test]
fn an_isolated_host_uses_no_proxy_of_the_environment() {
    let environment = Environment::new();
    let unknown = Authority::new(&environment.path("a"));
    let registry = Registry::builder()
        .tls(&unknown.server("127.0.0.1"))
        .start();
    // This name is for this machine too, but is not a loopback address, for which no proxy is used.
    let reference = registry.reference("org/provider:1.0.0");
    let reference = reference.replace("127.0.0.1", "0.0.0.0");
    let proxied = |mut command: Command| {
        command.env("HTTPS_PROXY", "not://a proxy");
        command
    };
    let mut fetch = proxied(environment.command());
    fetch.args(["fetch", &reference]);
    let failed = Outcome::of(fetch, b"");
    assert!(failed.stderr.contains("HTTPS_PROXY"), "{failed}");

    let directory = text(&environment.path("host")).to_owned();
    let host = Host::start_with(&environment, &[&directory, "30", &reference], proxied);
    // The error shows that the host has reached the registry: it does not trust the certificate.
    host.expect("refused", &reference);
}
