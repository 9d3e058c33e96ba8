//! Claims beside those of `wash build` 0.43, which has the crate `provider-archive` sign them. `scripts/v1-host` compares with the
//! program itself.

use std::fs;
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use serde_json::Value;

use super::{RUST, command, par, write_crate};
use crate::support::{Environment, Outcome};

/// What `wash build` takes from a project and its crate.
struct Project {
    file: String,
    name: &'static str,
    vendor: &'static str,
    version: &'static str,
    revision: i32,
    wit: bool,
}

#[tokio::test]
async fn a_project_gets_the_claims_that_wash_signs_for_it() {
    let named = "name = \"Key-value store\"\nversion = \"2.0.0-rc.1\"\nrevision = 7\n";
    let vendor = "[provider]\nvendor = \"Example & Söhne\"\n";
    let projects = [
        Project {
            file: RUST.to_owned(),
            name: "key-value",
            vendor: "NoVendor",
            version: "1.2.3",
            revision: 0,
            wit: false,
        },
        Project {
            file: format!("{named}{RUST}{vendor}"),
            name: "Key-value store",
            vendor: "Example & Söhne",
            version: "2.0.0-rc.1",
            revision: 7,
            wit: true,
        },
    ];
    for project in projects {
        claims_are_equal(&project).await;
    }
}

async fn claims_are_equal(project: &Project) {
    let environment = Environment::new();
    let main = "fn main() { println!(\"hello\"); }\n";
    write_crate(&environment, "", "key-value", main);
    environment.write("wasmcloud.toml", &project.file);
    if project.wit {
        let world = "package example:store;\ninterface keys { get: func() -> u8; }\nworld provider { export keys; }\n";
        environment.write("wit/world.wit", world);
    }
    let issuer = KeyPair::new_from_raw(KeyPairType::Account, [7; 32]).unwrap();
    let subject = KeyPair::new_from_raw(KeyPairType::Service, [8; 32]).unwrap();
    let mut build = command(&environment);
    build
        .arg("build")
        .env("WASH_ISSUER_KEY", issuer.seed().unwrap())
        .env("WASH_SUBJECT_KEY", subject.seed().unwrap());
    Outcome::of(build, b"").success();
    let ours = environment.path("build/key-value.par.gz");

    // The steps of `build_provider` in wash.
    let mut archive = provider_archive::ProviderArchive::new(
        project.name,
        project.vendor,
        Some(project.revision),
        Some(project.version.to_owned()),
    );
    if project.wit {
        archive
            .add_wit_world(&entry(&ours, "world.wasm").unwrap())
            .unwrap();
    }
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let executable = entry(&ours, &format!("{target}.bin")).unwrap();
    archive.add_library(&target, &executable).unwrap();
    let theirs = environment.path("theirs.par.gz");
    archive
        .write(&theirs, &issuer, &subject, true)
        .await
        .unwrap();

    assert_eq!(claims(&environment, &ours), claims(&environment, &theirs));
    let world = entry(&ours, "world.wasm");
    assert_eq!(world.is_some(), project.wit);
    assert_eq!(world, entry(&theirs, "world.wasm"));
}

#[test]
fn the_options_of_wash_build_mean_the_same_or_are_refused() {
    let environment = Environment::new();
    write_crate(&environment, "member", "small", "fn main() {}");
    environment.write("member/wasmcloud.toml", RUST);
    let built = par(
        &environment,
        &[
            "build",
            "--config-path",
            "member",
            "--keys-directory",
            "keys",
        ],
    );
    assert_eq!(built.success().line(), "member/build/small.par.gz");
    assert!(environment.path("keys/small_service.nk").is_file());

    // `wash build -p` names the project, and `par build -p` is a password.
    write_crate(&environment, "", "other", "fn main() {}");
    environment.write("wasmcloud.toml", RUST);
    let confused = par(&environment, &["build", "-p", "member"]).exit(2);
    assert!(confused.stderr.contains("--config-path"), "{confused}");
    assert!(!environment.path("build").exists());
}

/// Returns everything that is signed but the identifier of the token and its time.
#[track_caller]
fn claims(environment: &Environment, archive: &Path) -> Value {
    let archive = archive.to_str().unwrap();
    let token = par(environment, &["inspect", archive, "--jwt-only"]).success();
    let payload = token.line().split('.').nth(1).unwrap();
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    let fields = claims.as_object_mut().unwrap();
    assert!(fields.remove("jti").is_some());
    assert!(fields.remove("iat").is_some());
    claims
}

/// Returns the bytes of an entry of a compressed archive, if it is there.
fn entry(archive: &Path, name: &str) -> Option<Vec<u8>> {
    let file = fs::File::open(archive).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap() == Path::new(name) {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            return Some(bytes);
        }
    }
    None
}
