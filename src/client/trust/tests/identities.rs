use std::path::PathBuf;

use super::*;

#[derive(Deserialize)]
struct Document {
    identity: Spanned<Vec<IdentityTable>>,
}

fn identities(text: &str) -> Result<Vec<SigstoreRule>, String> {
    let document: Document = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    read(document.identity, Path::new("/etc/par")).map_err(|problem| problem.reason)
}

#[test]
fn an_identity_has_the_values_of_the_file_and_the_defaults_for_the_rest() {
    let read = identities(
        r#"
        [[identity]]
        issuer = "https://token.actions.githubusercontent.com"
        subject = "https://github.com/org/*"
        [[identity]]
        issuer = "https://issuer.example"
        subject = "dev@example.com"
        predicate = "https://slsa.dev/provenance/v1"
        root = "github"
        [[identity]]
        issuer = "https://issuer.example"
        subject = "*"
        root = "roots/trusted_root.json"
        "#,
    )
    .unwrap();
    let github = "https://token.actions.githubusercontent.com";
    let file = SigstoreRoot::File(PathBuf::from("/etc/par/roots/trusted_root.json"));
    let expected = [
        SigstoreRule::new(github, "https://github.com/org/*"),
        SigstoreRule::new("https://issuer.example", "dev@example.com")
            .predicate("https://slsa.dev/provenance/v1")
            .root(SigstoreRoot::GitHub),
        SigstoreRule::new("https://issuer.example", "*").root(file),
    ];
    assert_eq!(read, expected);
}

#[test]
fn a_table_that_allows_no_identity_or_is_misspelled_is_an_error() {
    let table = |issuer: &str, subject: &str, more: &str| {
        let head = "[[identity]]\nissuer = ";
        identities(&format!(
            "{head}\"{issuer}\"\nsubject = \"{subject}\"\n{more}"
        ))
    };
    let url = "https://issuer.example";
    assert!(table(url, "a", "").is_ok());
    for (issuer, subject, more, reason) in [
        ("issuer.example", "a", "", "OpenID Connect"),
        ("https://*.example", "a", "", "`*` is for subjects"),
        (url, "", "", "empty subject"),
        (url, "a", "predicate = \"\"", "a predicate is"),
        (url, "a", "predicate = \"*\"", "a predicate is"),
        (url, "a", "root = \"publik\"", "a root is"),
        (url, "a", "roots = \"public\"", "unknown field"),
    ] {
        let refused = table(issuer, subject, more).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
    assert!(
        identities("identity = []")
            .unwrap_err()
            .contains("empty list")
    );
    assert!(identities("[[identity]]\nsubject = \"a\"").is_err());
}
