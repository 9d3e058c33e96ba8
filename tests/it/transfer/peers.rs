//! Archives go in both directions between this crate and the crates of `wash` and the hosts.

use std::fs;
use std::path::{Path, PathBuf};

use provider_archive::ProviderArchive;
use serde_json::json;
use wasmcloud_par::content::Digest;

use super::peer::{self, MANIFEST, PAR_CONFIG, PAR_LAYER, TAR_LAYER};
use super::{block_on, digest, par, push, text};
use crate::support::archives::{ArchiveBuilder, LINUX, MACOS, PeerArchive, peer_archive};
use crate::support::{Environment, shared_registry, unique};

/// Returns archives by this crate and by `provider-archive`, plain and compressed.
fn archives(environment: &Environment) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for compress in [false, true] {
        let what = PeerArchive {
            compress,
            ..PeerArchive::default()
        };
        let (issuer, subject) = (nkeys::KeyPair::new_account(), nkeys::KeyPair::new_service());
        let folder = environment.path("");
        paths.push(block_on(peer_archive(&folder, &what, &issuer, &subject)));
        let [linux, macos] = [LINUX, MACOS].map(|(target, executable)| {
            let path = environment.write(target, executable);
            format!("{target}={}", text(&path))
        });
        let name = ["ours.par", "ours.par.gz"][usize::from(compress)];
        let mut arguments = vec!["create", "-n", "Test Provider", "-v", "Test Vendor"];
        arguments.extend(["-b", &linux, "-b", &macos, "--destination", name]);
        if compress {
            arguments.push("--compress");
        }
        environment.par(arguments).success();
        paths.push(environment.path(name));
    }
    paths
}

fn reference(name: &str) -> String {
    format!("{}/{}:1.0.0", shared_registry(), unique(name))
}

#[test]
fn hosts_read_what_we_push() {
    let environment = Environment::new();
    for path in archives(&environment) {
        let reference = reference("read-by-hosts");
        let digest = push(&environment, &reference, &path);

        let data = peer::pull(&reference);

        assert_eq!(data.digest.as_deref(), Some(digest.as_str()));
        let theirs = serde_json::to_vec(&data.manifest).unwrap();
        assert_eq!(Digest::of(&theirs).to_string(), digest, "not their bytes");
        assert_eq!(data.config.media_type, PAR_CONFIG);
        assert_eq!(data.config.data, "{}");
        assert_eq!(data.layers.len(), 1);
        assert_eq!(data.layers[0].media_type, PAR_LAYER);
        assert_eq!(data.layers[0].data, fs::read(&path).unwrap());
        block_on(loads(&data.layers[0].data, &path));
    }
}

/// Loads all targets, then each alone, as hosts do.
async fn loads(bytes: &[u8], path: &Path) {
    let archive = ProviderArchive::try_load(bytes).await.unwrap();
    let mut targets = archive.targets();
    targets.sort();
    assert_eq!(targets, [MACOS.0, LINUX.0], "{}", path.display());
    for (target, executable) in [LINUX, MACOS] {
        assert_eq!(archive.target_bytes(target).as_deref(), Some(executable));
        let single = ProviderArchive::try_load_target(bytes, target)
            .await
            .unwrap();
        assert_eq!(single.target_bytes(target).as_deref(), Some(executable));
        assert!(single.claims().is_some());
    }
}

/// Asserts that all commands that read a reference read an archive of [`LINUX`] and [`MACOS`].
#[track_caller]
fn we_read(environment: &Environment, reference: &str, archive: &[u8]) {
    let pulled = par(environment, ["pull", reference, "--destination", "pulled"]).success();
    assert_eq!(fs::read(environment.path(pulled.line())).unwrap(), archive);

    let inspected = par(environment, ["inspect", reference, "-o", "json"]).success();
    assert_eq!(inspected.json()["targets"], json!([MACOS.0, LINUX.0]));
    par(environment, ["verify", reference]).success();
    for (target, executable) in [LINUX, MACOS] {
        let target = ["--target", target];
        let extracted = par(environment, ["extract", reference, target[0], target[1]]);
        let path = environment.path(extracted.success().line());
        assert_eq!(fs::read(path).unwrap(), executable);
        let fetched = par(environment, ["fetch", reference, target[0], target[1]]);
        assert_eq!(fs::read(fetched.success().line()).unwrap(), executable);
    }
}

#[test]
fn we_read_what_wash_pushes() {
    let environment = Environment::new();
    for path in archives(&environment) {
        let reference = reference("pushed-by-wash");
        let archive = fs::read(&path).unwrap();
        peer::push(&reference, &archive);
        we_read(&environment, &reference, &archive);
    }
}

#[test]
fn layers_of_container_images_are_read_too() {
    let environment = Environment::new();
    let archive = ArchiveBuilder::two_targets().build();
    let reference = reference("tar-layer");
    let image_config = "application/vnd.oci.image.config.v1+json";
    peer::push_layers(&reference, image_config, &[(TAR_LAYER, &archive)]);
    we_read(&environment, &reference, &archive);
}

#[test]
fn a_manifest_need_not_name_its_media_type() {
    let environment = Environment::new();
    let archive = ArchiveBuilder::two_targets().build_gzip();
    let reference = reference("no-media-type");
    let manifest = json!({
        "schemaVersion": 2,
        "config": peer::push_blob(&reference, PAR_CONFIG, b"{}"),
        "layers": [peer::push_blob(&reference, PAR_LAYER, &archive)],
    });
    peer::push_manifest(&reference, MANIFEST, &manifest);
    we_read(&environment, &reference, &archive);
}

#[test]
fn layers_are_joined_in_the_order_of_the_manifest() {
    let environment = Environment::new();
    let archive = ArchiveBuilder::two_targets().build_gzip();
    // The last layer is the smallest: in the order of completion it would come first.
    let (start, rest) = archive.split_at(archive.len() / 2);
    let (middle, end) = rest.split_at(rest.len() - 5);
    let reference = reference("several-layers");
    let layers = [(PAR_LAYER, start), (PAR_LAYER, middle), (PAR_LAYER, end)];
    peer::push_layers(&reference, PAR_CONFIG, &layers);
    we_read(&environment, &reference, &archive);
}

#[test]
fn annotations_arrive_and_the_layer_has_the_name_of_the_repository() {
    let environment = Environment::new();
    let path = super::small(&environment, "built.par");
    let reference = reference("annotated");
    let source = "org.opencontainers.image.source=https://example.com/a=b";
    let push = [
        "push",
        &reference,
        text(&path),
        "-a",
        source,
        "-a",
        "empty=",
    ];
    environment.par(push).success();

    let manifest = peer::pull(&reference).manifest.unwrap();

    let annotations = manifest.annotations.unwrap();
    let expected = "https://example.com/a=b";
    assert_eq!(annotations["org.opencontainers.image.source"], expected);
    assert_eq!(annotations["empty"], "");
    let layer = &manifest.layers[0];
    assert_eq!(layer.digest, digest(&path));
    let title = &layer.annotations.as_ref().unwrap()["org.opencontainers.image.title"];
    let name = reference.rsplit_once('/').unwrap().1;
    let name = name.strip_suffix(":1.0.0").unwrap();
    assert_eq!(title, &format!("{name}.par"));
}
