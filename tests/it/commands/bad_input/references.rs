//! References that are malformed or missing, and artifacts behind references that must not be used.

use std::fs;
use std::net::TcpListener;
use std::thread;

use oci_client::client::{Client, ClientConfig, ClientProtocol};
use serde_json::json;
use wasmcloud_par::content::Digest;

use super::super::good_archive;
use super::Refusal;
use super::archives::bad_archives;
use crate::support::archives::LINUX;
use crate::support::{Environment, shared_registry, unique};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const PAR_CONFIG: &str = "application/vnd.wasmcloud.provider.archive.config";
const PAR_LAYER: &str = "application/vnd.wasmcloud.provider.archive.layer.v1+par";

/// The commands that read an archive from a reference.
fn commands(reference: &str) -> [Vec<&str>; 6] {
    [
        vec!["pull", reference],
        vec!["pull", reference, "--destination", "pulled"],
        vec!["fetch", reference, "--target", LINUX.0],
        vec!["inspect", reference],
        vec!["verify", reference],
        vec!["extract", reference, "--target", LINUX.0],
    ]
}

fn manifest(config: &str, layer_type: &str, layer: &[u8]) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": config, "digest": Digest::of(b"{}").to_string(), "size": 2},
        "layers": [{
            "mediaType": layer_type,
            "digest": Digest::of(layer).to_string(),
            "size": layer.len(),
        }],
    })
    .to_string()
}

/// Writes an image layout to the directory `layout` by hand, without any check of its content.
fn layout(environment: &Environment, manifest: &str, layer: &[u8]) {
    let blob = |bytes: &[u8]| {
        let name = format!("layout/blobs/sha256/{}", Digest::of(bytes).hex());
        environment.write(&name, bytes);
    };
    blob(b"{}");
    blob(layer);
    blob(manifest.as_bytes());
    environment.write("layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": MANIFEST,
            "digest": Digest::of(manifest.as_bytes()).to_string(),
            "size": manifest.len(),
            "annotations": {"org.opencontainers.image.ref.name": "1"},
        }],
    });
    environment.write("layout/index.json", index.to_string());
}

/// Pushes an artifact that `par push` would refuse.
fn push_raw(reference: &str, manifest: &str, layer: &[u8]) {
    let push = async {
        // Another test may have installed the same provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::new(ClientConfig {
            protocol: ClientProtocol::Http,
            ..ClientConfig::default()
        });
        let reference: oci_client::Reference = reference.parse().unwrap();
        for blob in [b"{}".to_vec(), layer.to_vec()] {
            let digest = Digest::of(&blob).to_string();
            client.push_blob(&reference, blob, &digest).await.unwrap();
        }
        let manifest = manifest.to_owned().into_bytes();
        let media_type = MANIFEST.parse().unwrap();
        client
            .push_manifest_raw(&reference, manifest, media_type)
            .await
            .unwrap();
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(push);
}

#[test]
fn no_command_uses_a_bad_archive_from_an_image_layout() {
    for bad in bad_archives() {
        let environment = Environment::new();
        layout(
            &environment,
            &manifest(PAR_CONFIG, PAR_LAYER, &bad.bytes),
            &bad.bytes,
        );
        for command in commands("oci-layout://layout:1") {
            Refusal {
                code: 5,
                message: &["cannot use oci-layout://layout:1", bad.reason],
                hint: bad.hint,
            }
            .of(&environment, &command);
        }
    }
}

#[test]
fn no_command_uses_a_bad_archive_from_a_registry() {
    for bad in bad_archives()
        .into_iter()
        .filter(|bad| !bad.bytes.is_empty())
        .step_by(5)
    {
        let environment = Environment::new();
        let reference = format!("{}/{}:1", shared_registry(), unique("bad"));
        push_raw(
            &reference,
            &manifest(PAR_CONFIG, PAR_LAYER, &bad.bytes),
            &bad.bytes,
        );
        for command in commands(&reference) {
            Refusal {
                code: 5,
                message: &["cannot use", &reference, bad.reason],
                hint: bad.hint,
            }
            .of(&environment, &command);
        }
    }
}

#[test]
fn errors_about_other_artifacts_name_their_kind() {
    let wasm = ("application/vnd.wasm.config.v0+json", "application/wasm");
    let image = (
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    );
    let cases = [
        (wasm, "is a WebAssembly component", "wkg oci"),
        (image, "is not a provider archive", "par push"),
    ];
    for ((config, layer), reason, hint) in cases {
        let environment = Environment::new();
        let reference = format!("{}/{}:1", shared_registry(), unique("other"));
        push_raw(
            &reference,
            &manifest(config, layer, b"something"),
            b"something",
        );
        for command in commands(&reference) {
            Refusal {
                code: 5,
                message: &[&reference, reason],
                hint,
            }
            .of(&environment, &command);
        }
    }
}

#[test]
fn a_damaged_blob_of_a_layout_is_refused() {
    let environment = Environment::new();
    let layer = b"these bytes are what the digest says";
    layout(&environment, &manifest(PAR_CONFIG, PAR_LAYER, layer), layer);
    let name = format!("layout/blobs/sha256/{}", Digest::of(layer).hex());
    environment.write(&name, b"these bytes are not what it is named");
    for command in commands("oci-layout://layout:1") {
        Refusal {
            code: 5,
            message: &[&Digest::of(layer).to_string()],
            hint: "",
        }
        .of(&environment, &command);
    }
}

#[test]
fn errors_about_malformed_references_show_the_right_form() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let cases = [
        ("localhost:1/Org/Echo:V1", "write `localhost:1/org/echo:V1`"),
        ("org/echo:1", "names no registry"),
        ("echo:1/", "echo:1/"),
        ("http://localhost:1/echo:1", "write `localhost:1/echo:1`"),
        ("https://localhost:1/echo:1", "write `localhost:1/echo:1`"),
        ("localhost:1/echo:1@sha256:abc", "sha256:abc"),
        ("localhost:1/echo:not a tag", "not a tag"),
        (
            "localhost:1/echo//provider:1",
            "localhost:1/echo//provider:1",
        ),
        ("localhost:1/../echo:1", "localhost:1/../echo:1"),
        ("localhost:99999/echo:1", "localhost:99999/echo:1"),
    ];
    for (reference, message) in cases {
        let commands = commands(reference).into_iter();
        for command in commands.chain([vec!["push", reference, "good.par"]]) {
            Refusal {
                code: 2,
                message: &[message],
                hint: "",
            }
            .of(&environment, &command);
        }
    }
}

#[test]
fn the_hint_about_a_path_names_the_scheme_of_the_layout() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    environment.write("there.tar", "an image layout");
    fs::create_dir(environment.path("directory")).unwrap();
    let good = "localhost:1/echo:1";
    for (path, hint) in [
        ("out.tar", "write oci-archive://out.tar[:TAG] for"),
        ("out.tar:1", "write oci-archive://out.tar:1 for"),
        ("new/out.tar:1.0", "write oci-archive://new/out.tar:1.0 for"),
        ("there.tar", "write oci-archive://there.tar[:TAG] for"),
        ("directory", "write oci-layout://directory[:TAG] for"),
        ("directory:1.0", "write oci-layout://directory:1.0 for"),
        ("./new", "write oci-layout://./new[:TAG] for"),
        ("/new/layout:1", "or oci-archive:///new/layout:1 for"),
    ] {
        for command in [
            &["copy", good, path][..],
            &["copy", path, good],
            &["push", path, "good.par"],
            &["attach", path, "good.par", "--type", "text/plain"],
            &["resolve", path],
            &["tag", path, "1"],
        ] {
            Refusal {
                code: 2,
                message: &[path],
                hint,
            }
            .of(&environment, command);
        }
    }
}

#[test]
fn the_name_of_a_file_is_not_that_of_a_registry() {
    let environment = Environment::new();
    environment.write("image.tar", "an image layout");
    environment.write("notes.txt", "text");
    let cases: [(&[&str], &str, &str); 8] = [
        (&["tags"], "image.tar", "write oci-archive://image.tar"),
        (&["tags"], "notes.txt", "write oci://notes.txt"),
        (&["doctor"], "image.tar", "write oci://image.tar"),
        (&["doctor", "--host"], "notes.txt", "write oci://notes.txt"),
        (&["prune-tags"], "image.tar", ""),
        (&["trust", "forget"], "image.tar", ""),
        (&["login"], "image.tar", ""),
        (&["logout"], "image.tar", ""),
    ];
    for (command, file, hint) in cases {
        Refusal {
            code: 2,
            message: &[file, "is a file, not a re"],
            hint,
        }
        .of(&environment, &[command, &[file]].concat());
    }
}

#[test]
fn tags_of_one_manifest_are_not_listed() {
    let environment = Environment::new();
    let digest = format!("@{}", Digest::of(b"a manifest"));
    for (place, message) in [
        ("localhost:1/echo", "names a manifest, not a repository"),
        (
            "oci-layout://layout",
            "names a manifest, not an image layout",
        ),
        (
            "oci-archive://layout.tar",
            "names a manifest, not an image layout",
        ),
    ] {
        for name in [":1.0.0", &digest] {
            let reference = format!("{place}{name}");
            Refusal {
                code: 2,
                message: &[&reference, message],
                hint: place,
            }
            .of(&environment, &["tags", &reference]);
        }
    }
}

#[test]
fn latest_is_refused_before_any_request() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    // Nothing listens there, so a request would give another error.
    for reference in [
        "localhost:1/echo",
        "localhost:1/echo:latest",
        "oci://localhost:1/echo",
    ] {
        let commands = commands(reference).into_iter();
        for command in commands.chain([vec!["push", reference, "good.par"]]) {
            Refusal {
                code: 2,
                message: &["localhost:1/echo", "latest"],
                hint: "--allow-latest",
            }
            .of(&environment, &command);
        }
    }
}

#[test]
fn a_registry_that_is_down_is_unavailable() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let reference = format!("{address}/echo:1");
    let refused = |command: &[&str]| {
        // A warning about each retry comes before the error.
        let outcome = environment.par(command).exit(6);
        let (warning, _) = outcome.stderr.split_once('\n').unwrap();
        assert!(warning.contains("retrying for"), "{outcome}");
        Refusal {
            code: 6,
            message: &[&address.to_string(), "is not answering", "refused"],
            hint: "running",
        }
        .of(&environment, &[command, &["--quiet"]].concat());
    };
    let commands = commands(&reference).into_iter();
    // The commands run in parallel, because each retries for some time.
    thread::scope(|scope| {
        for command in commands.chain([vec!["push", &reference, "good.par"]]) {
            scope.spawn(move || refused(&command));
        }
    });
}

#[test]
fn missing_tags_and_repositories_are_not_found() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let repository = format!("{}/{}", shared_registry(), unique("there"));
    environment
        .par(["push", &format!("{repository}:1"), "good.par"])
        .success();
    fs::remove_file(environment.path("good.par")).unwrap();
    let digest = Digest::of(b"of something that was never pushed");
    let missing = [
        (format!("{repository}:2"), "manifest 2 of"),
        (format!("{repository}-not:1"), "manifest 1 of"),
        (format!("{repository}@{digest}"), digest.hex()),
    ];
    for (reference, what) in &missing {
        for command in commands(reference) {
            Refusal {
                code: 3,
                message: &[&repository, "does not have the", what, "404"],
                hint: "check the repository",
            }
            .of(&environment, &command);
        }
    }
    for (reference, message) in [
        ("oci-layout://nowhere:1", "there is no such directory"),
        ("oci-layout://.:1", "no `oci-layout` file"),
    ] {
        for command in commands(reference) {
            Refusal {
                code: 3,
                message: &["is not an OCI image layout", message],
                hint: "",
            }
            .of(&environment, &command);
        }
    }
}

#[test]
fn a_password_in_front_of_a_host_is_not_repeated() {
    let environment = Environment::new();
    for place in [
        "http://me:geheim@localhost:1/org/x:1",
        "me:geheim@localhost:1/org/x:1",
    ] {
        for command in [
            &["inspect", place][..],
            &["pull", place],
            &["copy", place, "oci-layout://layout:1"],
            &["copy", "oci-layout://layout:1", place],
            &["tags", place],
            &["mirror", place, "localhost:1"],
            &["prune-tags", place],
            &["login", place],
        ] {
            let told = environment.par(command);
            assert_ne!(told.code, 0, "{told}");
            let said = format!("{}{}", told.stdout, told.stderr);
            assert!(!said.contains("geheim"), "{told}");
            let told = environment.par([command, &["-o", "json"]].concat());
            assert!(!told.stdout.contains("geheim"), "{told}");
        }
    }
    let pulled = environment.par(["pull", "https://me:geheim@ghcr.io/org/x:1"]);
    let pulled = pulled.exit(2);
    assert!(
        pulled.stderr.contains("write `ghcr.io/org/x:1`"),
        "{pulled}"
    );
    assert!(pulled.stderr.contains("par login"), "{pulled}");
}
