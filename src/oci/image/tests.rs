//! Images without a storage.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{BaseImage, Image, ImageConfig, ImageLayer, ImagePlatform, image_index};
use crate::content::{Descriptor, Digest};
use crate::oci::{Error, media_type};

fn platform(architecture: &str, big_endian: bool, arm: Option<u8>) -> Option<String> {
    let platform = ImagePlatform::of(architecture, "linux", big_endian, arm);
    platform.map(|platform| platform.to_string())
}

#[test]
fn a_target_gets_the_platform_names_of_go() {
    for (architecture, big_endian, expected) in [
        ("x86_64", false, "linux/amd64"),
        ("x86", false, "linux/386"),
        ("aarch64", false, "linux/arm64/v8"),
        ("arm", false, "linux/arm/v7"),
        ("armv7", false, "linux/arm/v7"),
        ("armv6", false, "linux/arm/v6"),
        ("riscv64", false, "linux/riscv64"),
        ("riscv64gc", false, "linux/riscv64"),
        ("s390x", true, "linux/s390x"),
        ("powerpc64", false, "linux/ppc64le"),
        ("powerpc64", true, "linux/ppc64"),
        ("mips64", false, "linux/mips64le"),
        ("mips64", true, "linux/mips64"),
        ("mips", false, "linux/mipsle"),
        ("loongarch64", false, "linux/loong64"),
    ] {
        let found = platform(architecture, big_endian, None);
        assert_eq!(found.as_deref(), Some(expected), "{architecture}");
    }
    let arm = |version| platform("arm", false, Some(version)).unwrap();
    assert_eq!(
        [arm(5), arm(6), arm(8)],
        ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"]
    );
    assert_eq!(platform("vax", false, None), None);
    assert_eq!(platform("aarch64", true, None), None);
    assert_eq!(ImagePlatform::of("x86_64", "macos", false, None), None);
}

fn amd64() -> ImagePlatform {
    ImagePlatform::of("x86_64", "linux", false, None).unwrap()
}

fn base(manifest: &Value, config: &Value) -> Result<BaseImage, Error> {
    let bytes = bytes::Bytes::from(manifest.to_string());
    let descriptor = Descriptor::of(media_type::OCI_MANIFEST, &bytes);
    let mut base = BaseImage::parse(descriptor, &bytes)?;
    base.set_config(config.to_string().as_bytes(), &amd64())?;
    Ok(base)
}

fn layer(media_type: &str) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(b"base").to_string(), "size": 4})
}

fn manifest(layers: Value) -> Value {
    json!({"schemaVersion": 2, "config": layer(media_type::IMAGE_CONFIG), "layers": layers})
}

#[test]
fn a_base_that_cannot_be_used_is_refused() {
    let tar = layer(media_type::IMAGE_LAYER_TAR);
    let config = |architecture: &str, layers: usize| {
        let diff_ids = vec![Digest::of(b"base").to_string(); layers];
        json!({"os": "linux", "architecture": architecture, "rootfs": {"diff_ids": diff_ids}})
    };
    assert!(base(&manifest(json!([tar])), &config("amd64", 1)).is_ok());
    assert!(base(&manifest(json!([])), &config("amd64", 0)).is_ok());
    let mut foreign = tar.clone();
    foreign["urls"] = json!(["https://example.com"]);
    let other = layer("application/vnd.wasm.content.layer.v1+wasm");
    for (manifest, config) in [
        (manifest(json!([tar])), config("arm64", 1)),
        (manifest(json!([tar])), config("amd64", 2)),
        (manifest(json!([foreign])), config("amd64", 1)),
        (manifest(json!([other])), config("amd64", 1)),
        (manifest(Value::Null), config("amd64", 0)),
        (json!({"layers": []}), config("amd64", 0)),
        (manifest(json!([tar])), json!([])),
    ] {
        assert!(base(&manifest, &config).is_err(), "{manifest} {config}");
    }
}

#[test]
fn a_base_without_a_history_gets_one_entry_for_each_layer() {
    let tar = layer(media_type::IMAGE_LAYER_TAR);
    let digest = Digest::of(b"base").to_string();
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [digest]}});
    let base = base(&manifest(json!([tar])), &config).unwrap();
    let config = ImageConfig {
        entry_point: "/provider".to_owned(),
        labels: BTreeMap::new(),
        created: 0,
    };
    let layer = ImageLayer {
        descriptor: Descriptor::of(media_type::IMAGE_LAYER_GZIP, b"gzip"),
        diff_id: Digest::of(b"tar"),
    };
    let image = |base| Image::build(&config, amd64(), &layer, base, None, &BTreeMap::new());
    let image = image(Some(&base));
    let written: Value = serde_json::from_slice(&image.config.1).unwrap();
    assert_eq!(written["history"].as_array().unwrap().len(), 2);
    assert_eq!(written["created"], "1970-01-01T00:00:00Z");
    let (index, bytes) = image_index([&image].into_iter(), None, &BTreeMap::new());
    assert_eq!(index, Descriptor::of(media_type::OCI_INDEX, &bytes));
    let written: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        written["manifests"][0]["digest"],
        image.manifest.0.digest.to_string()
    );
    assert_eq!(written.get("subject"), None);
}
