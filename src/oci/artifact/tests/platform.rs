use serde_json::{Value, json};

use super::*;

const ANY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Returns the chosen one of the platforms, such as `linux/arm/v7`.
fn choose<'a>(platforms: &[&'a str], os: &str, architecture: &str) -> Result<&'a str, Error> {
    let entries = platforms.iter().enumerate().map(|(number, platform)| {
        let mut parts = platform.splitn(3, '/');
        let mut platform = json!({ "os": parts.next(), "architecture": parts.next() });
        if let Some(variant) = parts.next() {
            platform["variant"] = json!(variant);
        }
        json!({
            "mediaType": media_type::OCI_MANIFEST, "digest": ANY, "size": number,
            "platform": platform,
        })
    });
    let index = json!({ "schemaVersion": 2, "manifests": entries.collect::<Vec<Value>>() });
    let chosen = choose_from_index(index.to_string().as_bytes(), os, architecture)?;
    Ok(platforms[usize::try_from(chosen.size).unwrap()])
}

#[test]
fn the_platform_is_chosen_by_the_names_of_rust_or_of_oci() {
    let platforms = [
        "linux/arm64/v8",
        "linux/amd64",
        "linux/386",
        "linux/ppc64le",
        "darwin/arm64",
        "windows/amd64",
    ];
    for (os, architecture, expected) in [
        ("linux", "x86_64", "linux/amd64"),
        ("linux", "amd64", "linux/amd64"),
        ("linux", "amd64/v3", "linux/amd64"),
        ("linux", "aarch64", "linux/arm64/v8"),
        ("linux", "arm64", "linux/arm64/v8"),
        ("linux", "x86", "linux/386"),
        ("linux", "powerpc64le", "linux/ppc64le"),
        ("macos", "aarch64", "darwin/arm64"),
        ("darwin", "arm64", "darwin/arm64"),
        ("windows", "x86_64", "windows/amd64"),
    ] {
        let chosen = choose(&platforms, os, architecture).unwrap();
        assert_eq!(chosen, expected, "{os} {architecture}");
    }
}

#[test]
fn the_newest_variant_that_a_machine_runs_is_chosen() {
    let arm = ["linux/arm/v6", "linux/arm/v7", "linux/arm/v5"];
    for (architecture, expected) in [
        ("armv7", "linux/arm/v7"),
        ("arm/v7", "linux/arm/v7"),
        ("armv6", "linux/arm/v6"),
        ("armv5", "linux/arm/v5"),
        ("arm", "linux/arm/v6"),
    ] {
        assert_eq!(choose(&arm, "linux", architecture).unwrap(), expected);
    }
    let only_newer = ["linux/arm/v7", "linux/amd64/v3"];
    assert_eq!(choose(&only_newer, "linux", "arm").unwrap(), "linux/arm/v7");
    assert!(choose(&only_newer, "linux", "armv6").is_err());
    assert!(choose(&only_newer, "linux", "x86_64").is_err());
    let unnamed = ["linux/arm64", "linux/arm", "linux/amd64/v2", "linux/amd64"];
    assert_eq!(choose(&unnamed, "linux", "armv7").unwrap(), "linux/arm");
    assert_eq!(choose(&unnamed, "linux", "x86_64").unwrap(), "linux/amd64");
    let arm64 = ["linux/arm64/v9", "linux/arm64/v8.1", "linux/arm64"];
    assert_eq!(choose(&arm64, "linux", "aarch64").unwrap(), "linux/arm64");
    assert_eq!(
        choose(&arm64, "linux", "arm64/v8.5").unwrap(),
        "linux/arm64/v8.1"
    );
}

#[test]
fn a_single_manifest_is_chosen_for_every_platform() {
    let single = ["linux/arm64", "unknown/unknown"];
    assert_eq!(choose(&single, "linux", "x86_64").unwrap(), "linux/arm64");
    let error = choose(&["linux/arm64", "darwin/arm64"], "linux", "x86_64");
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("linux/amd64") && error.contains("darwin/arm64"),
        "{error}"
    );
    assert!(choose(&[], "linux", "x86_64").is_err());
}
