//! An answer of every command, each from a real run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};

/// Returns an answer of each command by its name, such as `cache list`. The runner of the tests has checked each
/// by its schema.
pub(super) fn answers() -> &'static BTreeMap<String, Value> {
    static ANSWERS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    ANSWERS.get_or_init(|| {
        let mut runs = Runs::new();
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
        self.bill_of_materials();
    }

    /// The executable has the build information of Go, which a C compiler can write too.
    fn bill_of_materials(&mut self) {
        let source = r#"
            __attribute__((section(".go.buildinfo"), used, aligned(16)))
            const char info[] = "\xff Go buildinf:\x08\x02" "0123456789abcdef" "\x08" "go1.22.2" "\x00";
            int main(void) { return 0; }
        "#;
        self.environment.write("source.c", source);
        let compiled = std::process::Command::new("cc")
            .args(["source.c", "-o", "compiled"])
            .current_dir(self.environment.path(""))
            .status();
        assert!(compiled.unwrap().success());
        let bytes = std::fs::read(self.environment.path("compiled")).unwrap();
        let archive = ArchiveBuilder::empty().executable("x86_64-linux.bin", &bytes);
        self.environment.write("go.par", archive.build());
        self.run("sbom", &["go.par"]);
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
