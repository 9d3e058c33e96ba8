use std::path::Path;

use crate::content::{Digest, ManifestName};

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(text: &str) -> Reference {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_reference_is_displayed_as_it_was_written() {
    for text in [
        "ghcr.io/org/provider",
        "ghcr.io/org/provider:1.0-RC",
        "localhost/provider:1",
        "[::1]:5000/provider:1",
        "oci:5000/provider:1",
        "oci-layout:5000/provider:1",
        &format!("registry:5000/a/b__c/d:1.0@{DIGEST}"),
        &format!("ghcr.io/org/provider@{DIGEST}"),
        "oci-layout:///var/lib/layout:1.0",
        "oci-layout://a:b/c",
        &format!("oci-layout://layout:1.0@{DIGEST}"),
        "oci-archive://image",
        "oci-archive:///a b/image.tar:ghcr.io/org/provider:1.0",
        "oci-archive:5000/provider:1",
        &format!("oci-archive://image.tar:1.0@{DIGEST}"),
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
    assert_eq!(parse("oci://ghcr.io/a:1"), parse("ghcr.io/a:1"));
}

#[test]
fn a_missing_tag_has_no_default_and_a_digest_is_resolved_before_a_tag() {
    assert_eq!(parse("ghcr.io/org/provider").name(), None);
    assert_eq!(
        parse("ghcr.io/org/provider:1").name().unwrap().to_string(),
        "1"
    );
    assert_eq!(
        parse(&format!("ghcr.io/a:1@{DIGEST}")).name(),
        Some(ManifestName::Digest(DIGEST.parse().unwrap()))
    );
    let pinned = parse("ghcr.io/a:1").pinned(&DIGEST.parse().unwrap());
    assert_eq!(pinned, format!("ghcr.io/a@{DIGEST}"));
}

#[test]
fn a_tag_is_set_only_when_it_is_valid() {
    for text in [
        "ghcr.io/a:1",
        "oci-layout://layout:1",
        "oci-layout://layout",
        "oci-archive://image.tar:1",
        "oci-archive://image",
    ] {
        let tagged = parse(text).with_tag("2").unwrap();
        assert_eq!(tagged.tag(), Some("2"), "{text}");
        assert_eq!(parse(&tagged.to_string()), tagged);
        for tag in ["", "/", "a/b", "a:b", "2@sha256"] {
            assert!(parse(text).with_tag(tag).is_err(), "{text} with {tag}");
        }
    }
}

#[test]
fn hosts_are_in_lower_case_and_docker_hub_has_one_name() {
    assert_eq!(parse("GHCR.io/org/p:TAG").to_string(), "ghcr.io/org/p:TAG");
    assert_eq!(
        parse("index.docker.io/redis").to_string(),
        "docker.io/library/redis"
    );
    assert_eq!(parse("docker.io/org/p").to_string(), "docker.io/org/p");
}

#[test]
fn a_reference_gives_a_file_a_name() {
    assert_eq!(parse("ghcr.io/org/provider:1").file_stem(), "provider");
    assert_eq!(parse("oci-layout:///var/layout/:1").file_stem(), "layout");
    assert_eq!(parse("oci-layout://..").file_stem(), "provider");
    assert_eq!(parse("oci-archive:///a/image.tar:1").file_stem(), "image");
    assert_eq!(parse("oci-archive://image:1").file_stem(), "image");
    assert_eq!(parse("oci-archive://.tar").file_stem(), "provider");
}

#[test]
fn the_error_for_a_text_that_is_not_a_reference_says_what_to_write() {
    for (text, expected) in [
        ("", "registry/repository:tag"),
        ("provider:1.0", "docker.io/provider:1.0"),
        ("org/provider:1.0", "docker.io/org/provider:1.0"),
        ("ghcr.io", "names no repository"),
        ("ghcr.io/", "names no repository"),
        ("localhost", "names no repository"),
        ("localhost:5000", "names no repository"),
        ("127.0.0.1:5931", "names no repository"),
        ("[::1]:5000", "names no repository"),
        ("echo:1", "names no registry"),
        ("oci:layout:1", "write `oci-layout://layout:1`"),
        ("oci:./a/Layout:1", "write `oci-layout://./a/Layout:1`"),
        ("oci-layout:/a/b:1", "write `oci-layout:///a/b:1`"),
        ("ghcr.io/Org/Provider:V1", "write `ghcr.io/org/provider:V1`"),
        ("Ex.io/Ex:1", "write `ex.io/ex:1`"),
        (
            &format!("oci://Ex.io/a/Ex:V@{DIGEST}"),
            &format!("write `ex.io/a/ex:V@{DIGEST}`"),
        ),
        ("ghcr.io/a:-1", "is not a tag"),
        ("ghcr.io/a:\u{e9}", "is not a tag"),
        ("ghcr.io/a@sha256:abc", "64 digits"),
        ("ghcr.io/../a", "malformed"),
        ("ghcr.io:99999/a", "malformed"),
        ("[::g]/a", "malformed"),
        ("http://ghcr.io/a", "allow plain HTTP"),
        ("docker://ghcr.io/a", "write `ghcr.io/a`"),
        ("file:///tmp/a", "write the path `/tmp/a`"),
        ("oci-layout://", "names no directory"),
        ("oci-layout://:1", "names no directory"),
        ("oci-layout://a:b c", "`b c` in"),
        ("oci-archive:a.tar:1", "write `oci-archive://a.tar:1`"),
        ("oci-archive:/a/b.tar", "write `oci-archive:///a/b.tar`"),
        ("oci-archive://", "names no file"),
        ("oci-archive://:1", "names no file"),
        ("oci-archive://a.tar:", "`` in"),
        ("oci-archive://a.tar:-", "`-` in"),
        ("oci-archive://a.tar:b c", "`b c` in"),
        ("oci-archive://a:b:c", "not clear where the file ends"),
        (
            "oci-archive://a.tar@:b.tarb",
            "not clear where the file ends",
        ),
        ("oci-archive://a.tar@b", "64 digits"),
        ("oci-archive://a@sha256:b", "64 digits"),
        ("docker-archive://a.tar", "oci-archive://FILE.tar:TAG"),
        (
            &format!("ghcr.io/a:{}", "1".repeat(129)),
            "129 bytes long, but the limit is 128",
        ),
        (
            &format!("ghcr.io/{}:1", "a".repeat(256)),
            "the repository in",
        ),
        (&format!("{}io/a:1", "a.".repeat(127)), "the host in"),
        (
            &format!("{}.io/a:1", "a".repeat(64)),
            "the part of the host in",
        ),
    ] {
        let message = text.parse::<Reference>().unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
    assert!("a".repeat(5000).parse::<Reference>().is_err());
}

fn directory_and_name(text: &str) -> (String, Option<String>) {
    match parse(text) {
        Reference::Layout(layout) => {
            let directory = layout.path().display().to_string();
            (directory, layout.tag().map(str::to_owned))
        }
        Reference::Registry(_) => panic!("{text}"),
    }
}

#[test]
fn the_name_in_a_layout_begins_at_the_first_colon_if_no_directory_exists() {
    for (text, directory, name) in [
        ("oci-layout://dir:1.0", "dir", Some("1.0")),
        ("oci-layout://dir:org/name:1.0", "dir", Some("org/name:1.0")),
        (
            "oci-layout://dir:ghcr.io/org/x:1.0",
            "dir",
            Some("ghcr.io/org/x:1.0"),
        ),
        (
            "oci-layout://dir:host:5000/x:1.0",
            "dir",
            Some("host:5000/x:1.0"),
        ),
        ("oci-layout://a/b:redis:7", "a/b", Some("redis:7")),
        ("oci-layout://dir", "dir", None),
        ("oci-layout://a:b/../dir:1", "a:b/../dir", Some("1")),
        ("oci-layout:///a b/dir:1", "/a b/dir", Some("1")),
    ] {
        let expected = (directory.to_owned(), name.map(str::to_owned));
        assert_eq!(directory_and_name(text), expected, "{text}");
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn directories_that_exist_decide_where_the_name_in_a_layout_begins() {
    let parent = tempfile::tempdir().unwrap();
    let parent = parent.path().to_str().unwrap();
    let make = |name: &str| {
        let layout = format!("{parent}/{name}");
        std::fs::create_dir_all(&layout).unwrap();
        std::fs::write(format!("{layout}/oci-layout"), "{}").unwrap();
    };
    make("build-12:30/layout");
    make("a");
    make("a:org");
    make("only:this");
    std::fs::create_dir_all(format!("{parent}/x:y")).unwrap();
    for (text, directory, name) in [
        ("build-12:30/layout:1", "build-12:30/layout", Some("1")),
        ("build-12:30/layout", "build-12:30/layout", None),
        ("a:org", "a", Some("org")),
        ("a:org:1", "a:org", Some("1")),
        ("a:name/x:1", "a", Some("name/x:1")),
        ("only:this", "only:this", None),
        ("only:this:1", "only:this", Some("1")),
        ("x:y/new:1", "x:y/new", Some("1")),
        ("x:z/new:1", "x", Some("z/new:1")),
    ] {
        let found = directory_and_name(&format!("oci-layout://{parent}/{text}"));
        let expected = (format!("{parent}/{directory}"), name.map(str::to_owned));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_reference_with_another_name_is_read_with_its_directory() {
    let digest: Digest = DIGEST.parse().unwrap();
    for (text, directory) in [
        (
            "oci-layout://a:b c:5000/provider:1.0:2",
            "a:b c:5000/provider",
        ),
        ("oci-layout://a/:b:1", "a/"),
        ("oci-layout://[a:/b:c/:d", "[a:/b:c/"),
        ("oci-layout://dir:1", "dir"),
        ("oci-layout://a@b:1/1", "a@b"),
    ] {
        let reference = parse(text);
        let Reference::Layout(layout) = &reference else {
            panic!("{text}");
        };
        assert_eq!(layout.path(), Path::new(directory), "{text}");
        for other in [
            reference.with_digest(digest.clone()),
            reference.with_tag("3.0").unwrap(),
            reference.with_name("ghcr.io:443/org/x:1"),
        ] {
            assert_eq!(parse(&other.to_string()), other, "{text}");
            let Reference::Layout(other) = &other else {
                panic!("{text}");
            };
            assert_eq!(other.path(), layout.path(), "{text}");
        }
    }
}

#[test]
fn localhost_and_loopback_addresses_are_on_this_machine() {
    let is_loopback = |text: &str| match parse(text) {
        Reference::Registry(reference) => reference.is_loopback(),
        Reference::Layout(_) => panic!("{text}"),
    };
    for text in [
        "localhost/a",
        "LOCALHOST:5000/a",
        "127.0.0.2:5000/a",
        "[::1]:5000/a",
    ] {
        assert!(is_loopback(text), "{text}");
    }
    for text in [
        "ghcr.io/a",
        "localhost.example/a",
        "10.0.0.1:5000/a",
        "[fe80::1]/a",
    ] {
        assert!(!is_loopback(text), "{text}");
    }
}

#[test]
fn a_file_ends_at_its_extension_or_at_the_colon_of_a_tag() {
    let at = format!("@{DIGEST}");
    for (text, file, name, digest) in [
        ("image.tar", "image.tar", None, false),
        ("image.tar:1.0", "image.tar", Some("1.0"), false),
        (
            "/a b/image.tar:ghcr.io/org/provider:1.0",
            "/a b/image.tar",
            Some("ghcr.io/org/provider:1.0"),
            false,
        ),
        ("a:b/image.tar", "a:b/image.tar", None, false),
        ("a:b/image.tar:c.tar", "a:b/image.tar", Some("c.tar"), false),
        ("image", "image", None, false),
        ("image:1", "image", Some("1"), false),
        ("a:b/c", "a:b/c", None, false),
        ("a@b.tar:1", "a@b.tar", Some("1"), false),
        ("a.tar@b.tar:1", "a.tar@b.tar", Some("1"), false),
        ("a@b:1", "a@b", Some("1"), false),
        (r"C:\a\b.tar:1", r"C:\a\b.tar", Some("1"), false),
        (r"C:\a\b", r"C:\a\b", None, false),
        (&format!("image.tar{at}"), "image.tar", None, true),
        (
            &format!("a.tar@b.tar:1{at}"),
            "a.tar@b.tar",
            Some("1"),
            true,
        ),
        (&format!("image:1{at}"), "image", Some("1"), true),
        (&format!("a@b{at}"), "a@b", None, true),
    ] {
        let reference = parse(&format!("oci-archive://{text}"));
        let Reference::Layout(layout) = &reference else {
            panic!("{text}");
        };
        assert_eq!(layout.form(), LayoutForm::File);
        let found = (layout.path(), layout.tag(), layout.digest().is_some());
        assert_eq!(found, (Path::new(file), name, digest), "{text}");
        let digest: Digest = DIGEST.parse().unwrap();
        for other in [
            reference.with_digest(digest.clone()),
            reference.with_tag("3.0").unwrap(),
        ] {
            let again = parse(&other.to_string());
            assert_eq!(again, other, "{text}");
            let Reference::Layout(again) = again else {
                panic!("{text}");
            };
            assert_eq!(again.path(), layout.path(), "{text}");
        }
    }
}
