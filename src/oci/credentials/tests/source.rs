use super::*;
use crate::content::ErrorKind;

async fn find(config: &str, registry: &str) -> Result<Credentials, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, config).unwrap();
    let source = CredentialSource {
        registry_config: Some(path),
        ..CredentialSource::default()
    };
    source.find(registry, "org/provider").await
}

fn basic(user: &str, password: &str) -> Credentials {
    Credentials::Basic {
        user: user.to_owned(),
        password: password.to_owned(),
    }
}

#[tokio::test]
async fn explicit_credentials_win_and_an_absent_file_means_anonymous() {
    let mut source = CredentialSource {
        explicit: None,
        registry_config: Some(PathBuf::from("/nonexistent/config.json")),
        ..CredentialSource::default()
    };
    let found = source.find("ghcr.io", "a").await.unwrap();
    assert_eq!(found, Credentials::Anonymous);
    source.explicit = Some(("me".to_owned(), String::new()));
    assert_eq!(source.find("ghcr.io", "a").await.unwrap(), basic("me", ""));
}

#[tokio::test]
async fn a_malformed_file_and_a_missing_helper_are_errors_that_name_the_file() {
    for config in [
        "not json",
        "[]",
        r#"{"credsStore": "does-not-exist-anywhere"}"#,
    ] {
        let error = find(config, "ghcr.io").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains("config.json"), "{error}");
    }
}

#[tokio::test]
async fn secrets_are_not_printed() {
    let source = CredentialSource {
        explicit: Some(("me".to_owned(), "hunter2".to_owned())),
        registry_config: None,
        ..CredentialSource::default()
    };
    let credentials = source.find("ghcr.io", "a").await.unwrap();
    let token = Credentials::IdentityToken {
        user: None,
        token: "hunter2".to_owned(),
    };
    assert!(!format!("{source:?} {credentials:?} {token:?}").contains("hunter2"));
    for config in [
        r#"{"auths": {"ghcr.io": {"auth": "hunter2"}}}"#,
        r#"{"auths": {"ghcr.io": {"password": hunter2}}}"#,
        r#"{"auths": "hunter2"}"#,
    ] {
        let found = find(config, "ghcr.io").await;
        assert!(!format!("{found:?}").contains("hunter2"));
    }
}

/// A provider with credentials for all registries.
struct Generous;

#[async_trait::async_trait]
impl CredentialProvider for Generous {
    async fn credentials(
        &self,
        _: CredentialRequest<'_>,
    ) -> Result<Option<crate::oci::ProvidedCredentials>, Box<dyn std::error::Error + Send + Sync>>
    {
        Ok(Some(basic("provided", "secret").into()))
    }
}

#[tokio::test]
async fn credentials_for_the_registry_are_sent_to_no_mirror_and_to_no_target_of_a_redirect() {
    let source = CredentialSource {
        given: Some(basic("given", "secret")),
        isolated: true,
        ..CredentialSource::default()
    };
    let source = source
        .explicit("explicit", "secret")
        .provider(Arc::new(Generous));
    let found = async |source: &CredentialSource| source.find("r.test", "a").await.unwrap();
    assert_eq!(found(&source).await, basic("given", "secret"));
    // A provider is asked for the credentials of a mirror by the name of the mirror.
    let mirror = source.for_mirror();
    assert_eq!(found(&mirror).await, basic("provided", "secret"));
    assert_eq!(found(&source.for_redirects()).await, Credentials::Anonymous);

    let only = CredentialSource {
        given: None,
        ..source
    };
    assert_eq!(found(&only).await, basic("explicit", "secret"));
    assert!(!format!("{only:?}").contains("secret"));
}
