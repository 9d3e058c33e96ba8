use super::*;

#[test]
fn a_registry_and_a_reference_to_a_repository_are_places() {
    for (text, place, named) in [
        ("ghcr.io", "ghcr.io", false),
        ("oci://GHCR.io/", "ghcr.io", false),
        ("localhost:5000", "localhost:5000", false),
        ("[::1]:5000", "[::1]:5000", false),
        ("ghcr.io/org/provider", "ghcr.io/org/provider", true),
        ("ghcr.io/org/provider:1.0", "ghcr.io/org/provider", true),
    ] {
        let parsed: Place = text.parse().unwrap();
        assert_eq!(parsed.to_string(), place);
        assert_eq!(parsed.reference().is_some(), named, "{text}");
    }
}

#[test]
fn a_text_that_is_not_a_registry_is_an_error() {
    for text in [
        "",
        "provider",
        "ghcr.io:0",
        "a b.c",
        "oci-layout://x/y",
        "provider:1.0",
    ] {
        let error = text.parse::<Place>().unwrap_err();
        assert!(error.to_string().contains("is not a registry"), "{error}");
    }
    assert!("https://ghcr.io".parse::<Place>().is_err());
    let long = format!("{}.io", "a".repeat(300)).parse::<Place>();
    assert!(long.unwrap_err().to_string().contains("303 bytes long"));
}
