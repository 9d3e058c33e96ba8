//! An answer of every command, each from a real run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::archives::ArchiveBuilder;
use crate::support::sigstore::{self, Sigstore, WrongAnswer};
use crate::support::{Environment, Outcome, Registry};

/// Returns an answer of each command by its name, such as `cache list`. The runner of the tests has compared each
/// answer with its schema.
pub(super) fn answers() -> &'static BTreeMap<String, Value> {
    &runs().answers
}

/// Returns the other answers of commands that have several forms, by the command lines that `docs/json/README.md` has
/// for these forms.
pub(super) fn other_forms() -> &'static BTreeMap<&'static str, Value> {
    &runs().other_forms
}

fn runs() -> &'static Runs {
    static RUNS: OnceLock<Runs> = OnceLock::new();
    RUNS.get_or_init(|| {
        let mut runs = Runs::new();
        runs.building();
        runs.keys_and_archives();
        runs.registries();
        runs.this_machine();
        runs
    })
}

/// The answers so far, and the environment of the commands.
struct Runs {
    environment: Environment,
    registry: Registry,
    answers: BTreeMap<String, Value>,
    other_forms: BTreeMap<&'static str, Value>,
}

impl Runs {
    fn new() -> Self {
        Self {
            environment: Environment::new(),
            registry: Registry::start(),
            answers: BTreeMap::new(),
            other_forms: BTreeMap::new(),
        }
    }

    /// Runs the command `name` with these arguments, and keeps its answer.
    #[track_caller]
    fn run(&mut self, name: &str, arguments: &[&str]) {
        let answer = self.json(name, arguments, 0);
        self.answers.insert(name.to_owned(), answer);
    }

    /// Runs the command `name` in another form. `line` is the command line for this form in the page.
    #[track_caller]
    fn run_as(&mut self, line: &'static str, name: &str, arguments: &[&str]) {
        let answer = self.json(name, arguments, 0);
        self.other_forms.insert(line, answer);
    }

    /// Returns the answer of the command `name`, which ends with this exit code.
    #[track_caller]
    fn json(&self, name: &str, arguments: &[&str], code: i32) -> Value {
        let mut command = self.environment.command();
        command.args(name.split(' ')).args(arguments);
        command.args(["-o", "json"]);
        Outcome::of(command, b"password").exit(code).json()
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
        self.hand_over();

        std::fs::copy("/bin/true", self.environment.path("provider")).unwrap();
        self.environment.write("other", "another executable");
        let create = "-n Key-value -v Example --version 1.2.0 --revision 3 -b provider --compress";
        let create: Vec<&str> = create.split(' ').collect();
        // Another directory for keys is used, so that the answer has generated keys.
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

    /// Signs a statement by which another account hands over to the one that was generated last.
    fn hand_over(&mut self) {
        let keygen = self.environment.par(["keys", "gen", "account", "old"]);
        keygen.success();
        let to = self.text("keys gen", "/public_key");
        let rotate = ["--from", "old_account", "--to", &to];
        let rotate = [&rotate[..], &["--provider", "provider_service"]].concat();
        self.json("keys rotate", &rotate, 0);
        let file = ["--retire", "--destination", "rotation.jwt"];
        self.run("keys rotate", &[&rotate[..], &file].concat());
        assert_eq!(self.text("keys rotate", "/file"), "rotation.jwt");
    }

    /// Returns text in the answer of a command that was run.
    #[track_caller]
    fn text(&self, command: &str, pointer: &str) -> String {
        let text = self.answers[command].pointer(pointer);
        text.and_then(Value::as_str).unwrap().to_owned()
    }

    fn registries(&mut self) {
        let repository = self.registry.reference("org/provider");
        let reference = format!("{repository}:1.0.0");
        // Without a rule, registries on this machine are not pinned.
        let rule = format!("[[rule]]\nmatch = {repository:?}\npin = \"first-use\"\n");
        let policy = self
            .environment
            .home()
            .join(".config/wasmcloud-par/trust.toml");
        std::fs::create_dir_all(policy.parent().unwrap()).unwrap();
        std::fs::write(policy, rule).unwrap();
        self.run("push", &[&reference, "old.par.gz"]);
        // This push moves the tag.
        self.run("push", &[&reference, "provider.par.gz"]);
        self.run("pull", &[&reference]);
        // With a reference, the digests are compared too.
        let with_digest = "diff provider.par.gz ghcr.io/org/provider:1.0.0";
        self.run_as(with_digest, "diff", &["provider.par.gz", &reference]);
        self.attachments(&reference);
        let inspect = "inspect ghcr.io/org/provider:1.0.0";
        self.run_as(inspect, "inspect", &[&reference]);
        self.json("verify", &[&reference], 0);
        self.run("copy", &[&reference, "oci-layout://mirror:1.0.0"]);
        self.environment.write("mirrored.txt", &reference);
        let mirror = self.registry.reference("mirror");
        self.json("mirror", &["mirrored.txt", &mirror, "--check"], 5);
        self.run("mirror", &["mirrored.txt", &mirror]);
        self.run("export", &["old.par.gz", "image.tar"]);
        self.run("export", &[&reference, "oci-layout://image:1.0.0"]);
        self.run("tag", &[&reference, "1.0", "1"]);
        let address = self.registry.address().to_owned();
        self.run_as("tags registry.example.com", "tags", &[&address]);
        self.run("tags", &[&repository, "--long"]);
        // The tag that the other commands use is kept.
        self.run("prune-tags", &[&repository, "--keep-newest", "1"]);
        self.run("resolve", &[&reference]);
        self.environment.write("list.txt", &reference);
        self.run("lock", &["list.txt", "--write", "pinned.txt"]);
        assert_eq!(self.text("lock", "/written"), "pinned.txt");
        self.json("lock", &["list.txt", "--check"], 0);
        let missing = format!("{repository}:9.9.9");
        self.environment.write("other.txt", &missing);
        let partly = self.json("lock", &["list.txt", "other.txt"], 3);
        let several = "lock redis.yaml http.yaml";
        self.other_forms.insert(several, partly);
        self.run("fetch", &[&reference]);
        self.run_as("fetch --locked", "fetch", &["--locked"]);
        self.pins(&repository, &reference);
        self.run("doctor", &[&repository]);
        let login = [&*address, "-u", "tester", "--password-stdin"];
        self.run("login", &login);
        self.run("logout", &[&address]);
    }

    fn attachments(&mut self, reference: &str) {
        self.environment
            .write("provider.cdx.json", r#"{"specVersion":"1.6"}"#);
        let bill = "provider.cdx.json=application/vnd.cyclonedx+json";
        let attach = "push ghcr.io/org/provider:1.0.0 provider.par.gz --attach provider.cdx.json=application/vnd.cyclonedx+json";
        self.run_as(
            attach,
            "push",
            &[reference, "provider.par.gz", "--attach", bill],
        );
        let kind = ["--type", "application/vnd.cyclonedx+json"];
        let attach = [reference, "provider.cdx.json", "-a", "org.example.by=alice"];
        self.run("attach", &[&attach[..], &kind].concat());
        self.run("discover", &[reference]);
        let digest = self.text("attach", "/digest");
        let get = "discover ghcr.io/org/provider:1.0.0 --get --type application/vnd.cyclonedx+json";
        self.run_as(get, "discover", &[reference, "--get", &digest]);
        let go = self.registry.reference("org/go:1.0.0");
        self.json("push", &[&go, "go.par"], 0);
        let bill = "sbom ghcr.io/org/provider:1.0.0 --attach";
        self.run_as(bill, "sbom", &[&go, "--attach"]);
        self.signatures(reference);
    }

    fn signatures(&mut self, reference: &str) {
        let sigstore = Sigstore::start(&self.environment.path("sigstore"), WrongAnswer::None);
        self.environment.write("token", sigstore::token(300));
        let token = ["--identity-token", "token"];
        let signer = [&sigstore.options()[..], &token].concat();
        let predicate = ["--predicate", "provider.cdx.json", "--type", "cyclonedx"];
        self.run("attest", &[&[reference][..], &predicate, &signer].concat());
        let push = "push ghcr.io/org/provider:1.0.0 provider.par.gz --sigstore";
        let archive = [reference, "provider.par.gz", "--sigstore"];
        self.run_as(push, "push", &[&archive[..], &signer].concat());
    }

    fn pins(&mut self, repository: &str, reference: &str) {
        self.run("trust list", &[]);
        self.json("trust check", &[reference], 0);
        self.run("trust check", &[reference, "--locked"]);
        let other = self.text("keys rotate", "/from");
        let refused = ["--issuer", &*other];
        let refused = [&[reference][..], &refused].concat();
        let refused = self.json("trust check", &refused, 5);
        assert_eq!(refused["accepted"], false);
        let missing = format!("{repository}:9.9.9");
        let partly = self.json("trust accept", &[reference, &missing], 3);
        let several = "trust accept ghcr.io/org/http:1.2.0 ghcr.io/org/redis:3.0.1";
        self.other_forms.insert(several, partly);
        self.run("trust accept", &[reference]);
        self.json("trust export", &[], 0);
        self.run("trust export", &["--destination", "pins.json"]);
        self.run("trust forget", &[repository]);
        self.run("trust import", &["pins.json"]);
    }

    /// The commands of the cache run first, while the cache still has the content that is deleted in the registry.
    fn this_machine(&mut self) {
        self.run("cache path", &[]);
        self.run("cache list", &[]);
        let executable = self.text("fetch", "/file");
        self.run("cache which", &[&executable]);
        self.run("cache verify", &[]);
        self.run("cache prune", &["--all"]);
        self.run("completions", &["bash"]);
        self.run("manual", &["--destination", "manual"]);
        assert!(Path::new(&self.environment.path("manual")).is_dir());
        let tag = ["--tag", "oci-layout://mirror:1.0.0", "--force"];
        let line = "delete --tag ghcr.io/org/provider:1.0.0-rc1 --force";
        self.run_as(line, "delete", &tag);
        let pinned = self.text("resolve", "/reference");
        self.run("delete", &[&pinned, "--force"]);
    }
}
