use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    registry: RegistryArgs,
}

fn args(line: &str) -> RegistryArgs {
    Line::parse_from(line.split(' ')).registry
}

fn settled(line: &str, reference: &str) -> Option<String> {
    let settled = args(line).reference(OsStr::new(reference), false);
    settled.ok().map(|reference| reference.to_string())
}

#[test]
fn latest_and_missing_tags_need_permission() {
    let digest = crate::content::Digest::of(b"");
    let pinned = format!("ghcr.io/org/provider@{digest}");
    for reference in ["ghcr.io/org/provider", "ghcr.io/org/provider:latest"] {
        assert_eq!(settled("par", reference), None);
        let allowed = settled("par --allow-latest", reference);
        assert_eq!(allowed.as_deref(), Some("ghcr.io/org/provider:latest"));
    }
    assert_eq!(settled("par", &pinned), Some(pinned.clone()));
    assert_eq!(settled("par --allow-latest", &pinned), Some(pinned));
    let unpinned = args("par").reference(OsStr::new("ghcr.io/org/provider"), true);
    assert!(unpinned.is_ok());
}

#[test]
fn a_registry_is_a_host_and_docker_hub_has_one_name() {
    let name = |written: &str| written.parse::<RegistryName>().map(|name| name.0).ok();
    assert_eq!(name("https://GHCR.io/").as_deref(), Some("ghcr.io"));
    assert_eq!(name("localhost:5000").as_deref(), Some("localhost:5000"));
    assert_eq!(name("index.docker.io").as_deref(), Some("docker.io"));
    for wrong in ["", "ghcr", "ghcr.io/org", "ghcr.io:x", "me@ghcr.io"] {
        assert_eq!(name(wrong), None, "{wrong}");
    }
}
