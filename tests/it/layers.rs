//! Which layer may import which, and what belongs in one place only: design rules that the compiler
//! does not check.
//!
//! The tests read the text of the sources, so that they also cover code behind features and platforms.

mod circles;
mod modules;
mod rules;
mod source;
mod wording;

use std::fs;
use std::path::Path;

use circles::circles;
use rules::{LAYERS, violations};
use source::Source;

#[test]
fn the_sources_follow_the_rules() {
    let sources = product();

    // Without files there are no violations.
    let declared = ["lib.rs", "main.rs"].iter().flat_map(|path| {
        let source = sources.iter().find(|source| source.path == *path);
        source.unwrap_or_else(|| panic!("no src/{path}")).modules()
    });
    let declared: Vec<_> = declared.collect();
    assert!(
        declared.contains(&"content".to_owned()),
        "lib.rs declares {declared:?}"
    );
    for layer in &declared {
        assert!(
            LAYERS.iter().any(|(name, _)| name == layer),
            "`{layer}` is not a layer"
        );
        let count = sources
            .iter()
            .filter(|source| source.layer() == Some(layer.as_str()))
            .count();
        assert!(count > 0, "no file found of `{layer}`");
    }

    let violations: Vec<_> = sources.iter().flat_map(violations).collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn no_files_or_directories_of_a_layer_use_each_other_in_a_circle() {
    let circles = circles(&product());
    assert!(circles.is_empty(), "\n{}\n", circles.join("\n"));
}

/// A step of a flow is a method of the value that it works on. Only the flows themselves are methods of `Client`.
#[test]
fn the_client_has_its_methods_in_few_files() {
    let sources = product();
    let files: Vec<_> = sources
        .iter()
        .filter(|source| source.implements("Client"))
        .map(|source| source.path.as_str())
        .collect();
    // One file for each verb.
    let limit = 16;
    assert!(
        files.len() <= limit,
        "`impl Client` is in {} files; at most {limit}: {files:?}",
        files.len()
    );
}

/// The sources of the crate.
fn product() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut sources = Vec::new();
    read(&root, &root, &mut sources);
    sources
}

fn read(root: &Path, directory: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            sources.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The violations in a made-up file.
fn found(path: &str, text: &str) -> String {
    violations(&Source::new(path, text)).join("\n")
}

#[track_caller]
fn caught(path: &str, text: &str, expected: &str) {
    let found = found(path, text);
    assert!(found.contains(expected), "{path}: {text}\nfound: {found:?}");
}

#[track_caller]
fn fine(path: &str, text: &str) {
    assert_eq!(found(path, text), "", "{path}: {text}");
}

#[test]
fn an_import_from_above_or_beside_is_caught_however_it_is_written() {
    caught(
        "content/digest.rs",
        "use crate::cli::Options;",
        "may not use `cli`",
    );
    caught(
        "archive/writer.rs",
        "use crate::oci::Reference;",
        "may not use `oci`",
    );
    caught(
        "cache/blobs.rs",
        "fn f() { crate::archive::open() }",
        "may not use `archive`",
    );
    caught(
        "oci/registry/auth.rs",
        "use crate::{content::Digest, client::Client};",
        "`client`",
    );
    caught(
        "oci/auth.rs",
        "use crate::{content::{self, Digest}, cache};",
        "`cache`",
    );
    caught("oci/auth.rs", "use super::super::cache::Cache;", "`cache`");
    caught("oci/mod.rs", "use super::cache::Cache;", "`cache`");
    caught(
        "oci/mod.rs",
        "mod tests { use super::super::cache::Cache; }",
        "`cache`",
    );
    caught(
        "oci/auth.rs",
        "use super::{super::cache::Cache, Error};",
        "`cache`",
    );
    caught("oci/auth.rs", "use self::super::super::cache;", "`cache`");
    caught("client/push.rs", "use wasmcloud_par::cli;", "`cli`");
    caught(
        "client/push.rs",
        "macro_rules! m { () => { $crate::cli::run() } }",
        "`cli`",
    );
    caught("main.rs", "use wasmcloud_par::client::Client;", "`client`");
}

#[test]
fn an_import_through_the_root_of_the_crate_is_caught() {
    caught("archive/mod.rs", "use crate::Reference;", "not a layer");
    caught("archive/mod.rs", "use crate::*;", "everything");
    caught("archive/mod.rs", "use crate as par;", "another name");
    caught("archive/mod.rs", "use super::*;", "everything");
}

#[test]
fn imports_from_below_and_within_are_fine() {
    fine(
        "content/verify.rs",
        "use super::digest::Digest; pub(crate) struct A; pub(super) fn f() {}",
    );
    fine(
        "oci/registry/auth.rs",
        "use super::super::Error; use crate::{content::Digest, oci};",
    );
    fine(
        "oci/mod.rs",
        "mod tests { use super::*; mod inner { use super::super::Error; } }",
    );
    fine(
        "oci/mod.rs",
        "mod a { fn f() {} } mod b { use super::Error; }",
    );
    fine(
        "client/mod.rs",
        "use crate::{archive, cache, content, oci::{self, Reference}};",
    );
    fine(
        "main.rs",
        "use wasmcloud_par::cli; fn main() { std::process::exit(1) }",
    );
    fine("lib.rs", "pub use crate::client::Client; pub mod cli;");
}

#[test]
fn paths_in_comments_and_literals_are_fine() {
    fine(
        "content/a.rs",
        "//! [`crate::cli`]\n/* crate::cli /* println!() */ anyhow */ fn f() {}",
    );
    fine(
        "content/a.rs",
        r##"const A: &str = "crate::cli \" crate::oci"; const B: &str = r#"" crate::oci"#;"##,
    );
    fine(
        "content/a.rs",
        "const A: [char; 2] = ['\"', '\\'']; fn f<'a>(a: &'a str) {}",
    );
    // Code after a literal is code.
    caught(
        "content/a.rs",
        "const A: &str = \"//\"; use crate::oci;",
        "`oci`",
    );
    caught(
        "content/a.rs",
        "const A: [char; 2] = ['\"', '\\'']; use crate::oci;",
        "`oci`",
    );
    caught(
        "content/a.rs",
        "const A: &str = r\"\\\"; use crate::oci; /* \" */",
        "`oci`",
    );
    caught(
        "content/a.rs",
        "fn f<'a>(a: &'a str) { crate::oci::g(a) }",
        "`oci`",
    );
}

#[test]
fn code_of_the_command_in_the_library_is_caught() {
    for text in [
        "use anyhow::Context;",
        "fn f() { println!(\"\") }",
        "fn f() { eprint!(\"\") }",
    ] {
        caught("client/push.rs", text, "only in cli/");
        fine("cli/push.rs", text);
    }
    caught(
        "client/push.rs",
        "fn f() { std::process::exit(1) }",
        "only in cli/",
    );
    caught(
        "client/push.rs",
        "use std::process::exit; fn f() { exit(1) }",
        "only in cli/",
    );
    fine(
        "client/push.rs",
        "use std::process::Command; impl A { fn exit(self) {} }",
    );
}

#[test]
fn async_code_and_network_access_in_archive_are_caught() {
    caught("archive/reader.rs", "pub async fn read() {}", "async fn");
    fine("archive/provider_archive.rs", "pub async fn write() {}");
    caught(
        "archive/provider_archive.rs",
        "use reqwest::Client;",
        "no network",
    );
    caught(
        "archive/reader.rs",
        "use tokio::{io, net::TcpStream};",
        "no network",
    );
    caught(
        "archive/reader.rs",
        "use std::net::TcpStream;",
        "no network",
    );
    fine(
        "oci/registry/transport.rs",
        "use reqwest::Client; async fn send() {}",
    );
}

#[test]
fn tar_in_oci_is_caught() {
    caught(
        "oci/layout.rs",
        "fn f() { tar::Archive::new(()) }",
        "not tar",
    );
    caught("oci/layout.rs", "use tar::Archive;", "not tar");
    fine("oci/layout_file/scan.rs", "use tar::Builder;");
    fine(
        "oci/media_type.rs",
        "const TAR: &str = \"application/tar\";",
    );
    fine("archive/reader.rs", "use tar::Archive;");
}

#[test]
fn renaming_a_file_outside_atomic_rs_is_caught() {
    caught(
        "cache/blobs.rs",
        "fn f() { file.persist(path) }",
        "content/atomic.rs",
    );
    caught(
        "cache/blobs.rs",
        "fn f() { std::fs::rename(a, b) }",
        "content/atomic.rs",
    );
    caught(
        "cache/blobs.rs",
        "fn f() { rename(a, b) }",
        "content/atomic.rs",
    );
    fine("content/atomic.rs", "fn f() { file.persist(path) }");
    fine("cache/blobs.rs", "#[serde(rename = \"a\")] struct A;");
}

#[test]
fn methods_of_a_type_are_found() {
    let implements = |text| Source::new("client/push.rs", text).implements("Client");
    assert!(implements("impl Client { fn f() {} }"));
    assert!(implements(
        "use super::Client; impl crate::client::Client { fn f() {} }"
    ));
    assert!(!implements("impl Clone for Client {}"));
    assert!(!implements(
        "struct Client { a: A } impl ClientOptions {} fn f(a: Client) {}"
    ));
    assert!(!implements(
        "impl A { fn client() -> Client { Client {} } }"
    ));
}

#[test]
fn long_files_and_names_without_meaning_are_caught() {
    fine("client/push.rs", &"\n".repeat(400));
    caught("client/push.rs", &"\n".repeat(401), "401 lines");
    for path in ["utils.rs", "cli/helpers.rs", "cache/common/mod.rs"] {
        caught(path, "", "has no meaning");
    }
    caught("network/mod.rs", "", "not in a layer");
}
