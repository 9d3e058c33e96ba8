//! `par sbom`

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use jsonschema::{Retrieve, Uri};
use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use crate::support::archives::{ArchiveBuilder, LINUX, publisher};
use crate::support::{Environment, Outcome, Registry};

/// The record of `cargo auditable` 0.7.7 for a package with one dependency and one build dependency.
const LIST: &str = r#"{"packages":[{"name":"cfg_aliases","version":"0.2.2","source":"crates.io","kind":"build"},{"name":"demo-provider","version":"0.3.1","source":"local","dependencies":[0,2],"root":true},{"name":"itoa","version":"1.0.19","source":"crates.io"}],"format":1}"#;

/// Returns an executable of this machine with these bytes in a section.
fn with_section(section: &str, content: &[u8]) -> Vec<u8> {
    let bytes: Vec<String> = content.iter().map(u8::to_string).collect();
    let source = format!(
        "__attribute__((section(\"{section}\"), used, aligned(16)))\n\
         const unsigned char record[] = {{{}}};\n\
         int main(void) {{ return 0; }}\n",
        bytes.join(",")
    );
    compile(&source)
}

/// Compiles a C program so that its addresses are those in the file.
fn compile(source: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("program");
    let mut compiler = Command::new("cc")
        .args(["-no-pie", "-x", "c", "-", "-o"])
        .arg(&output)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = compiler.stdin.take().unwrap();
    input.write_all(source.as_bytes()).unwrap();
    drop(input);
    assert!(compiler.wait().unwrap().success());
    fs::read(output).unwrap()
}

/// Returns an executable with the record of `cargo auditable`.
fn auditable(list: &str) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(list.as_bytes()).unwrap();
    with_section(".dep-v0", &encoder.finish().unwrap())
}

/// Packs an archive of Rust for Linux on two processors, whose packages differ.
pub(crate) fn two_targets(environment: &Environment, name: &str) {
    let other = LIST.replace("1.0.19", "1.0.18");
    let (issuer, subject) = publisher();
    let archive = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", &auditable(LIST))
        .executable("aarch64-linux.bin", &auditable(&other))
        .keys(issuer, subject)
        .build();
    environment.write(name, archive);
}

/// Accepts anything for the schemas of licenses and signatures: the documents have neither.
struct Anything;

impl Retrieve for Anything {
    fn retrieve(&self, _: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Ok(json!({"definitions": {"signature": {}}}))
    }
}

/// Checks a document against the schema of CycloneDX, and that all its references are to its own elements.
#[track_caller]
fn check_cyclonedx(document: &Value) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/cyclonedx-1.6.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::options()
        .with_retriever(Anything)
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");

    let provider = &document["metadata"]["component"];
    let components = document["components"].as_array().unwrap();
    let references: Vec<&str> = std::iter::once(provider)
        .chain(components)
        .map(|component| component["bom-ref"].as_str().unwrap())
        .collect();
    let unique: BTreeSet<&str> = references.iter().copied().collect();
    assert_eq!(unique.len(), references.len(), "{references:?}");
    for dependency in document["dependencies"].as_array().unwrap() {
        let depending = dependency["dependsOn"].as_array().unwrap();
        for reference in depending.iter().chain([&dependency["ref"]]) {
            assert!(unique.contains(reference.as_str().unwrap()), "{reference}");
        }
    }
}

/// Returns the dependencies of an element of a CycloneDX document.
fn depends_on<'a>(document: &'a Value, reference: &str) -> Vec<&'a str> {
    let all = document["dependencies"].as_array().unwrap();
    let found = all.iter().find(|each| each["ref"] == reference).unwrap();
    let on = found["dependsOn"].as_array().unwrap();
    on.iter().map(|each| each.as_str().unwrap()).collect()
}

fn component<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let all = document["components"].as_array().unwrap();
    all.iter()
        .find(|each| each["bom-ref"] == reference)
        .unwrap_or_else(|| panic!("{document:#}"))
}

fn parse(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn one_cyclonedx_document_has_the_packages_of_all_targets() {
    let environment = Environment::new();
    two_targets(&environment, "echo.par");
    let outcome = environment.par(["sbom", "echo.par"]).success();
    assert_eq!(outcome.stderr, "");
    let document = parse(&outcome);
    check_cyclonedx(&document);
    // The time of signing in the archives of these tests.
    assert_eq!(document["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(document["metadata"]["component"]["name"], "Test Provider");
    let targets = ["target:aarch64-linux", "target:x86_64-linux"];
    assert_eq!(depends_on(&document, "provider"), targets);
    let root = "cargo:demo-provider@0.3.1?source=local";
    assert_eq!(depends_on(&document, targets[0]), [root]);
    let packages = [
        "pkg:cargo/cfg_aliases@0.2.2",
        "pkg:cargo/itoa@1.0.18",
        "pkg:cargo/itoa@1.0.19",
    ];
    assert_eq!(depends_on(&document, root), packages);
    let build = component(&document, packages[0]);
    assert_eq!(build["scope"], "excluded");
    let itoa = component(&document, packages[2]);
    assert_eq!(
        (&itoa["scope"], &itoa["purl"]),
        (&json!("required"), &json!(packages[2]))
    );
    let property = json!([{"name": "com.wasmcloud.par:target", "value": "x86_64-linux"}]);
    assert_eq!(itoa["properties"], property);
    assert!(component(&document, root).get("purl").is_none());
    let hash = &component(&document, targets[1])["hashes"][0]["content"];
    let digest = Digest::of(&auditable(LIST));
    assert_eq!(hash.as_str().unwrap(), digest.hex());
}

#[test]
fn a_package_that_only_one_executable_contains_is_in_scope() {
    let environment = Environment::new();
    let contained = LIST.replace(r#","kind":"build""#, "");
    let archive = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", &auditable(&contained))
        .executable("aarch64-linux.bin", &auditable(LIST))
        .build();
    environment.write("echo.par", archive);
    let document = parse(&environment.par(["sbom", "echo.par"]).success());
    let package = component(&document, "pkg:cargo/cfg_aliases@0.2.2");
    assert_eq!(package["scope"], "required");
}

#[test]
fn the_spdx_document_has_the_same_packages() {
    let environment = Environment::new();
    two_targets(&environment, "echo.par");
    let document = parse(
        &environment
            .par(["sbom", "echo.par", "--format", "spdx"])
            .success(),
    );
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    assert_eq!(document["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    let packages = document["packages"].as_array().unwrap();
    let ids: BTreeSet<&str> = packages
        .iter()
        .map(|each| each["SPDXID"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), packages.len());
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    for id in &ids {
        let name = id.strip_prefix("SPDXRef-").unwrap();
        assert!(name.chars().all(allowed), "{id}");
    }
    let names: Vec<&str> = packages
        .iter()
        .map(|each| each["name"].as_str().unwrap())
        .collect();
    let expected = [
        "Test Provider",
        "Test Provider for aarch64-linux",
        "Test Provider for x86_64-linux",
        "demo-provider",
        "cfg_aliases",
        "itoa",
        "itoa",
    ];
    assert_eq!(names, expected);
    let purl = &packages[6]["externalRefs"][0];
    assert_eq!(purl["referenceLocator"], "pkg:cargo/itoa@1.0.19");
    assert_eq!(packages[6]["comment"], "targets: x86_64-linux");
    let mut kinds = Vec::new();
    for relationship in document["relationships"].as_array().unwrap() {
        for end in ["spdxElementId", "relatedSpdxElement"] {
            let id = relationship[end].as_str().unwrap();
            assert!(id == "SPDXRef-DOCUMENT" || ids.contains(id), "{id}");
        }
        kinds.push(relationship["relationshipType"].as_str().unwrap());
    }
    assert_eq!(kinds[0], "DESCRIBES");
    assert!(kinds.contains(&"BUILD_DEPENDENCY_OF"), "{kinds:?}");
}

#[test]
fn the_same_archive_gives_the_same_document_wherever_it_is() {
    let environment = Environment::new();
    two_targets(&environment, "echo.par");
    let registry = Registry::start();
    let reference = format!("{}:1.0.0", registry.reference("org/provider"));
    environment.par(["push", &reference, "echo.par"]).success();
    for format in ["cyclonedx", "spdx"] {
        let of = |archive: &str| environment.par(["sbom", archive, "--format", format]);
        let printed = of("echo.par").success().stdout;
        assert_eq!(of(&reference).success().stdout, printed);
        let mut command = environment.command();
        command.args(["sbom", "-", "--format", format]);
        let input = fs::read(environment.path("echo.par")).unwrap();
        assert_eq!(Outcome::of(command, &input).success().stdout, printed);
        let mut command = environment.command();
        command.args(["sbom", "echo.par", "--format", format]);
        command.env("SOURCE_DATE_EPOCH", "86400");
        let later = Outcome::of(command, b"").success().stdout;
        assert!(later.contains("1970-01-02T00:00:00Z"), "{later}");
        assert_ne!(later, printed);
    }
    let leftovers: Vec<String> = environment
        .files()
        .into_iter()
        .filter(|f| f.starts_with("tmp/"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn only_the_targets_of_the_option_are_read() {
    let environment = Environment::new();
    two_targets(&environment, "echo.par");
    let arguments = [
        "sbom",
        "echo.par",
        "-o",
        "json",
        "--target",
        "aarch64-linux",
    ];
    let answer = environment.par(arguments).success().json();
    assert_eq!(answer["targets"], json!(["aarch64-linux"]));
    assert_eq!(
        (&answer["packages"], &answer["without"]),
        (&json!(3), &json!([]))
    );
    check_cyclonedx(&answer["document"]);
    let outcome = environment
        .par(["sbom", "echo.par", "--target", "riscv64gc-linux"])
        .exit(3);
    assert!(
        outcome.stderr.contains("no executable for riscv64gc-linux"),
        "{outcome}"
    );
}

#[test]
fn the_document_is_written_to_a_file() {
    let environment = Environment::new();
    two_targets(&environment, "echo.par");
    let printed = environment.par(["sbom", "echo.par"]).success().stdout;
    let arguments = ["sbom", "echo.par", "--destination", "echo.cdx.json"];
    assert_eq!(environment.par(arguments).success().line(), "echo.cdx.json");
    assert_eq!(
        fs::read_to_string(environment.path("echo.cdx.json")).unwrap(),
        printed
    );
    let outcome = environment
        .par(["sbom", "echo.par", "--destination", "echo.par"])
        .exit(2);
    assert!(
        outcome.stderr.contains("would replace the archive"),
        "{outcome}"
    );
}

#[test]
fn an_executable_without_a_record_gives_a_warning_and_an_archive_without_any_record_an_error() {
    let environment = Environment::new();
    let archive = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", &auditable(LIST))
        .executable("aarch64-linux.bin", LINUX.1)
        .build();
    environment.write("half.par", archive);
    let outcome = environment
        .par(["sbom", "half.par", "-o", "json"])
        .success();
    let answer = outcome.json();
    assert_eq!(answer["without"], json!(["aarch64-linux"]));
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("executable for aarch64-linux says nothing"),
        "{outcome}"
    );
    let archive = ArchiveBuilder::two_targets().build();
    environment.write("none.par", archive);
    let outcome = environment
        .par(["sbom", "none.par", "--destination", "none.json"])
        .exit(3);
    assert!(
        outcome.stderr.contains("cargo auditable build"),
        "{outcome}"
    );
    assert!(!environment.path("none.json").exists());
}

#[test]
fn a_damaged_record_is_an_error_that_names_the_target() {
    let environment = Environment::new();
    let archive = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", &with_section(".dep-v0", b"no zlib"))
        .build();
    environment.write("bad.par", archive);
    let outcome = environment.par(["sbom", "bad.par"]).exit(5);
    assert!(
        outcome.stderr.contains("executable for x86_64-linux"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("`.dep-v0` is damaged"), "{outcome}");
}

#[test]
fn an_archive_that_does_not_verify_gives_no_document() {
    let environment = Environment::new();
    let archive = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", &auditable(LIST))
        .token(|token| token.replace('.', ".A").into_bytes())
        .build();
    environment.write("bad.par", archive);
    let outcome = environment.par(["sbom", "bad.par"]).exit(5);
    assert_eq!(outcome.stdout, "");
}

/// Go before 1.18 has the addresses of two strings in the header.
#[test]
fn modules_of_older_go_are_read_by_address() {
    let environment = Environment::new();
    let source = r#"
        struct text { const char *bytes; unsigned long size; };
        static const char version_bytes[] = "go1.17.13";
        static const char modules_bytes[] = "0123456789abcdefpath\texample.com/old\nmod\texample.com/old\tv1.0.0\t\ndep\texample.com/b\tv0.2.0\th1:x=\n0123456789abcdef";
        const struct text version = { version_bytes, sizeof version_bytes - 1 };
        const struct text modules = { modules_bytes, sizeof modules_bytes - 1 };
        __attribute__((section(".go.buildinfo"), used, aligned(16)))
        struct { char magic[14]; char width; char flags; const struct text *version, *modules; } info =
            { "\xff Go buildinf:", sizeof(void *), 0, &version, &modules };
        int main(void) { return 0; }
    "#;
    let archive = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", &compile(source))
        .build();
    environment.write("old.par", archive);
    let document = parse(&environment.par(["sbom", "old.par"]).success());
    check_cyclonedx(&document);
    let main = "pkg:golang/example.com/old@v1.0.0";
    assert_eq!(depends_on(&document, "target:x86_64-linux"), [main]);
    let packages = [
        "pkg:golang/example.com/b@v0.2.0",
        "pkg:golang/stdlib@1.17.13",
    ];
    assert_eq!(depends_on(&document, main), packages);
}

/// A module without dependencies needs no network.
#[test]
fn modules_are_read_from_what_go_builds_for_each_system() {
    let environment = Environment::new();
    environment.write("go.mod", "module example.com/Hello\n\ngo 1.18\n");
    environment.write(
        "main.go",
        "package main\n\nfunc main() { println(\"hello\") }\n",
    );
    let mut archive = ArchiveBuilder::empty();
    for (system, processor, target) in [
        ("linux", "arm64", "aarch64-linux"),
        ("darwin", "arm64", "aarch64-macos"),
        ("windows", "amd64", "x86_64-windows"),
    ] {
        let built = Command::new("go")
            .args(["build", "-o", "built", "."])
            .current_dir(environment.path(""))
            .envs([
                ("GOOS", system),
                ("GOARCH", processor),
                ("CGO_ENABLED", "0"),
            ])
            .env("GOFLAGS", "-mod=mod -buildvcs=false")
            .status();
        assert!(built.expect("go is on the PATH").success());
        let name = format!("{target}.bin");
        archive = archive.executable(&name, &fs::read(environment.path("built")).unwrap());
    }
    environment.write("hello.par", archive.build());
    let document = parse(&environment.par(["sbom", "hello.par"]).success());
    check_cyclonedx(&document);
    let main = "pkg:golang/example.com/hello";
    let properties = component(&document, main)["properties"].as_array().unwrap();
    let targets: Vec<&Value> = properties.iter().map(|each| &each["value"]).collect();
    assert_eq!(
        targets,
        ["aarch64-linux", "aarch64-macos", "x86_64-windows"]
    );
    let on = depends_on(&document, main);
    assert!(
        on.len() == 1 && on[0].starts_with("pkg:golang/stdlib@1."),
        "{on:?}"
    );
}
