//! The examples of the tutorial and of the how-to guides, each page in an environment of its own.
//!
//! The names of registries are those of the page: a `hosts.toml` directs requests for them to registries of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::examples::Examples;
use super::{project, read};
use crate::commands::reading::bills::two_targets;
use crate::support::certificates::Authority;
use crate::support::forwarder::Forwarder;
use crate::support::{Environment, Outcome, Registry, tool};

/// The environment of the examples of a page, and its registry.
struct Site {
    environment: Environment,
    /// The registry that gets the requests for the names of the page.
    registry: Registry,
    /// Variables of the shell, besides those of [`Environment`].
    variables: Vec<(&'static str, String)>,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            environment: Environment::new(),
            registry: Registry::start(),
            variables: Vec::new(),
        };
        site.serve("_default", &site.registry);
        site
    }

    /// Directs requests for a name to a registry.
    fn serve(&self, name: &str, registry: &Registry) {
        let path = self.hosts().join(name).join("hosts.toml");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let server = format!("server = \"http://{}\"\n", registry.address());
        std::fs::write(path, server).unwrap();
    }

    fn hosts(&self) -> PathBuf {
        self.environment.home().join(".config/wasmcloud-par/hosts")
    }

    /// Gives a command `par` and the compilers, without a network.
    fn prepare(&self, command: &mut Command) {
        let home = std::env::var("HOME").unwrap_or_default();
        let rustup = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
        let rustup = rustup.unwrap_or_else(|| Path::new(&home).join(".rustup"));
        let par = Path::new(env!("CARGO_BIN_EXE_par")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{path}", par.display()))
            .env("RUSTUP_HOME", rustup)
            .env("CARGO_NET_OFFLINE", "true")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    /// Runs a script that does what a page takes for granted.
    #[track_caller]
    fn given(&self, script: &str) {
        let mut shell = self.environment.command_for(Path::new("bash"));
        self.prepare(&mut shell);
        shell.args(["-euc", script]);
        let outcome = Outcome::of(shell, b"");
        assert_eq!(outcome.code, 0, "{script}\n{outcome}");
    }

    /// Runs the examples of a page in `docs/`. `known` are texts of the page, each with its replacement, which only the
    /// test knows.
    #[track_caller]
    fn run(&self, page: &str, known: &[(&str, &str)]) {
        let mut text = read(&project("docs").join(page));
        for (name, value) in known {
            assert!(text.contains(name), "{page} does not have {name}");
            text = text.replace(name, value);
        }
        let examples = Examples::of(&text);
        examples.run(&self.environment, page, |shell| self.prepare(shell));
    }
}

/// Packs an executable of this machine into `demo.par.gz`.
const DEMO: &str = "mkdir build; cp /bin/true build/demo; par create --name Demo --vendor Example --version 1.0.0 \
                    --binary build/demo --compress --destination demo.par.gz\n";

/// Pushes archives, and leaves one in `demo.par.gz` that another account has signed.
const DEMO_OF_TWO_ACCOUNTS: &str = "mkdir build; cp /bin/true build/demo; export WASH_KEYS=~/others\n\
    demo() { par create -n Demo -v Example -b build/demo --compress --destination demo.par.gz \"$@\"; }\n\
    demo; par push ghcr.io/org/demo:1.2.3 demo.par.gz\n\
    par push ghcr.io/org/redis:2.0.1 demo.par.gz; par push ghcr.io/org/redis:2.1.0 demo.par.gz\n\
    par keys gen account another; demo -i ~/others/another_account.nk\n";

#[test]
fn the_tutorial() {
    Site::new().run("tutorial.md", &[]);
}

#[test]
fn building() {
    let site = Site::new();
    site.given(
        "cargo new --quiet kvredis; mv kvredis/* kvredis/.git* .; sed -i 's/^version = .*/version = \"1.2.0\"/' Cargo.toml\n\
         git add -A; git -c user.name=t -c user.email=t commit -qm t",
    );
    site.run("build.md", &[]);
}

#[test]
fn continuous_integration() {
    let site = Site::new();
    site.given("cargo new --quiet --vcs none demo; mv demo/* .; par init --vendor Example");
    site.run("ci.md", &[]);
}

#[test]
fn moving_over_from_wash() {
    let site = Site::new();
    site.given(
        "mkdir build; cp /bin/true build/kvredis; cp /bin/true build/kvredis-arm64\n\
         par create --name Redis --vendor Example --binary build/kvredis --compress --destination kvredis.par.gz\n\
         cp kvredis.par.gz old.par.gz; cp kvredis.par.gz new.par.gz",
    );
    site.run("from-wash.md", &[]);
}

#[test]
fn air_gaps() {
    let site = Site::new();
    let inside = Registry::start();
    site.serve("registry.site", &inside);
    site.given(DEMO);
    site.given(
        "par push ghcr.io/org/demo:1.0.0 demo.par.gz; par push ghcr.io/org/other:2.0.0 demo.par.gz",
    );
    site.run("air-gap.md", &[]);
}

/// Pushes the artifacts of a wadm manifest under these names.
fn deployed(site: &Site, names: &[&str]) {
    let mut script = DEMO.to_owned();
    script += "printf 'kind: Application\\nspec:\\n  components:\\n' >wadm.yaml\n";
    for name in names {
        script += &format!("par push {name} demo.par.gz\n");
        let image = format!("{{name: a, type: capability, properties: {{image: {name}}}}}");
        script += &format!("echo '    - {image}' >>wadm.yaml\n");
    }
    site.given(&script);
}

#[test]
fn mirrors() {
    let site = Site::new();
    let inside = Registry::start();
    site.serve("registry.internal", &inside);
    deployed(
        &site,
        &["ghcr.io/org/http:1.2.0", "ghcr.io/org/redis:3.0.1"],
    );
    site.given("par lock wadm.yaml; par mirror ghcr.io/org/redis:3.0.1 registry.internal/mirror");
    let url = format!("http://{}/v2", inside.address());
    site.run("mirroring.md", &[("https://registry.internal/v2", &url)]);
}

#[test]
fn fleets() {
    let site = Site::new();
    let inside = Registry::start();
    site.serve("registry.internal", &inside);
    deployed(&site, &["ghcr.io/org/http:1.0.0"]);
    site.run("fleets.md", &[]);
}

#[test]
fn attachments() {
    let site = Site::new();
    two_targets(&site.environment, "old.par");
    let (oras, address) = (tool("oras"), site.registry.address());
    site.given(
        "par sbom old.par --destination demo.cdx.json\n\
         par push ghcr.io/org/demo:0.9.0 old.par; par push ghcr.io/org/demo:1.0.0 old.par\n\
         at=target/x86_64-unknown-linux-musl/release; mkdir -p $at\n\
         par extract old.par --target x86_64-linux --destination $at/demo",
    );
    // As cosign 2 stores a signature.
    site.given(&format!(
        "tag=$(par discover ghcr.io/org/demo:1.0.0); tag=${{tag#*@}}; echo '{{}}' >config.json; echo signed >payload\n\
         {} push --plain-http {address}/org/demo:${{tag/:/-}}.sig \
         --config config.json:application/vnd.oci.image.config.v1+json \
         payload:application/vnd.dev.cosign.simplesigning.v1+json",
        oras.display(),
    ));
    site.run("attachments.md", &[]);
}

#[test]
fn private_authorities() {
    let mut site = Site::new();
    std::fs::remove_dir_all(site.hosts()).unwrap();
    let authority = Authority::new(&site.environment.path("authority"));
    let secure = Registry::builder()
        .tls(&authority.server("registry.lan"))
        .start();
    // The name cannot be resolved, so a proxy connects to the registry.
    let proxy = Forwarder::to(secure.address());
    site.variables.push(("HTTPS_PROXY", proxy.url()));
    site.given(DEMO);
    let file = authority.file().display().to_string();
    site.run("private-registry.md", &[("/etc/ssl/lan.pem", &file)]);
}

#[test]
fn reaching_registries() {
    let site = Site::new();
    // This registry asks for no password. The password of the page is for another name.
    let lan = Registry::start();
    site.serve("registry.lan", &lan);
    Authority::new(&site.environment.path("authority"));
    site.given(DEMO);
    site.given(
        "par push ghcr.io/org/demo:1.0.0 demo.par.gz; cp authority/authority.pem lan.pem; echo password >password",
    );
    site.run("registries.md", &[]);
}

#[test]
fn deployments() {
    let site = Site::new();
    site.given(DEMO);
    site.given(
        "par push ghcr.io/org/demo:1.0.0 demo.par.gz\n\
         git init -q .; cat >wadm.yaml <<E\n\
         apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: demo}\nspec:\n  components:\n\
         \x20   - name: demo\n      type: capability\n      properties:\n        image: ghcr.io/org/demo:1.0.0   # the demo\nE\n",
    );
    site.run("deployments.md", &[]);
}

#[test]
fn leaving() {
    let site = Site::new();
    site.given(DEMO);
    site.given(
        "par push ghcr.io/org/provider:1.0.0 demo.par.gz; cp demo.par.gz provider.par.gz\n\
         par export demo.par.gz docker.io/library/debian:12-slim",
    );
    site.run("leaving.md", &[]);
}

#[test]
fn keys() {
    let mut site = Site::new();
    site.variables.push(("USER", "jane".to_owned()));
    // The keys of the other archives are in another directory, because the page makes its own keys.
    site.given(DEMO_OF_TWO_ACCOUNTS);
    site.given("cp /bin/true build/kvredis; par keys gen account new");
    site.run(
        "keys.md",
        &[
            (
                "--provider VAG3…",
                "--provider \"$(par keys get kvredis_service)\"",
            ),
            ("-s VAG3…", "-s \"$(par keys get kvredis_service)\""),
            ("--to ACGZ…", "--to \"$(par keys get team_account)\""),
        ],
    );
}

/// The pages whose examples run, and how many blocks of each are not run.
const RUN: [(&str, usize); 15] = [
    ("air-gap.md", 0),
    ("attachments.md", 1),
    ("build.md", 0),
    ("ci.md", 2),
    ("deployments.md", 0),
    ("embedding.md", 1),
    ("fleets.md", 0),
    ("from-wash.md", 0),
    ("keys.md", 0),
    ("leaving.md", 1),
    ("mirroring.md", 0),
    ("private-registry.md", 0),
    ("registries.md", 1),
    ("signing.md", 3),
    ("tutorial.md", 2),
];

#[test]
fn the_examples_that_are_not_run_are_counted() {
    let mut commands = 0;
    for (page, not_run) in RUN {
        let examples = Examples::of(&read(&project("docs").join(page)));
        commands += examples.count();
        assert!(examples.count() + not_run > 0, "{page} has no examples");
        assert_eq!(examples.not_run, not_run, "{page}");
    }
    assert!(commands > 60, "only {commands} commands are run");
}
