//! An answer of every command, each from a real run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Environment, Outcome, Registry};

/// Returns an answer of each command by its name, such as `cache list`. The runner of the tests has checked each
/// by its schema.
pub(super) fn answers() -> &'static BTreeMap<String, Value> {
    static ANSWERS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    ANSWERS.get_or_init(|| {
        let mut runs = Runs::new();
        runs.building();
        runs.keys_and_archives();
        runs.registries();
        runs.this_machine();
        runs.answers
    })
}

/// The answers so far, and where the commands run.
struct Runs {
    environment: Environment,
    registry: Registry,
    answers: BTreeMap<String, Value>,
}

impl Runs {
    fn new() -> Self {
        Self {
            environment: Environment::new(),
            registry: Registry::start(),
            answers: BTreeMap::new(),
        }
    }

    /// Runs the command `name` with these arguments, and keeps its answer.
    #[track_caller]
    fn run(&mut self, name: &str, arguments: &[&str]) {
        let mut command = self.environment.command();
        command.args(name.split(' ')).args(arguments);
        command.args(["-o", "json"]);
        let outcome = Outcome::of(command, b"password").success();
        self.answers.insert(name.to_owned(), outcome.json());
    }

    /// Compiles a crate in a directory of its own, with the compiler of the machine.
    fn building(&mut self) {
        let environment = &self.environment;
        environment.write("project/Cargo.toml", "[package]\nname = \"small\"\n");
        environment.write("project/src/main.rs", "fn main() {}\n");
        let home = std::env::var("HOME").unwrap_or_default();
        let rustup = std::env::var("RUSTUP_HOME");
        let rustup = rustup.unwrap_or_else(|_| format!("{home}/.rustup"));
        for (name, arguments) in [
            ("init", &["project"][..]),
            (
                "build",
                &[
                    "--config-path",
                    "project",
                    "--directory",
                    "built",
                    "--keygen",
                ],
            ),
        ] {
            let mut command = self.environment.command();
            command.env("RUSTUP_HOME", &rustup);
            command.arg(name).args(arguments).args(["-o", "json"]);
            let outcome = Outcome::of(command, b"").success();
            self.answers.insert(name.to_owned(), outcome.json());
        }
    }

    fn keys_and_archives(&mut self) {
        self.run("keys gen", &["service", "provider"]);
        self.run("keys gen", &["account"]);
        self.run("keys list", &[]);
        self.run("keys get", &["provider_service"]);

        std::fs::copy("/bin/true", self.environment.path("provider")).unwrap();
        self.environment.write("other", "another executable");
        let create = "-n Key-value -v Example --version 1.2.0 --revision 3 -b provider --compress";
        let create: Vec<&str> = create.split(' ').collect();
        // The keys are others, so that the answer has generated ones.
        let keys = ["--directory", "keys", "--keygen"];
        self.run("create", &[&create[..], &keys].concat());
        let file = "provider.par.gz";
        let copy = |environment: &Environment| {
            std::fs::copy(environment.path(file), environment.path("old.par.gz")).unwrap();
        };
        copy(&self.environment);
        let keys = ["--directory", "keys"];
        let insert = [file, "-b", "riscv64gc-linux=other"];
        self.run("insert", &[&insert[..], &keys].concat());
        self.run("diff", &["old.par.gz", file]);
        let remove = [file, "--target", "riscv64gc-linux"];
        self.run("remove", &[&remove[..], &keys].concat());
        self.run("sign", &[&[file, "--revision", "4"][..], &keys].concat());
        self.run("inspect", &[file]);
        self.run("verify", &[file]);
        self.run("extract", &[file]);
    }

    fn registries(&mut self) {
        let repository = self.registry.reference("org/provider");
        let reference = format!("{repository}:1.0.0");
        // Registries on this machine are not pinned otherwise.
        let rule = format!("[[rule]]\nmatch = {repository:?}\npin = \"first-use\"\n");
        let policy = self
            .environment
            .home()
            .join(".config/wasmcloud-par/trust.toml");
        std::fs::create_dir_all(policy.parent().unwrap()).unwrap();
        std::fs::write(policy, rule).unwrap();
        self.run("push", &[&reference, "old.par.gz"]);
        // Moves the tag.
        self.run("push", &[&reference, "provider.par.gz"]);
        self.run("pull", &[&reference]);
        self.run("fetch", &[&reference]);
        self.run("copy", &[&reference, "oci-layout://mirror:1.0.0"]);
        self.run("tag", &[&reference, "1.0", "1"]);
        self.run("tags", &[&repository, "--long"]);
        self.run("resolve", &[&reference]);
        self.environment.write("list.txt", &reference);
        self.run("lock", &["list.txt"]);
        self.run("trust list", &[]);
        self.run("trust accept", &[&reference]);
        self.run("trust forget", &[&repository]);
        self.run("doctor", &[&repository]);
        let (address, user) = (self.registry.address().to_owned(), ["-u", "tester"]);
        let login = [&[&*address, "--password-stdin"][..], &user].concat();
        self.run("login", &login);
        self.run("logout", &[&address]);
    }

    /// The cache goes first: what is deleted in the registry is still in it.
    fn this_machine(&mut self) {
        self.run("cache path", &[]);
        self.run("cache list", &[]);
        self.run("cache verify", &[]);
        self.run("cache prune", &["--all"]);
        self.run("completions", &["bash"]);
        self.run("manual", &["--destination", "manual"]);
        assert!(Path::new(&self.environment.path("manual")).is_dir());
        let resolved = &self.answers["resolve"]["reference"];
        let pinned = resolved.as_str().unwrap().to_owned();
        self.run("delete", &[&pinned, "--force"]);
    }
}
