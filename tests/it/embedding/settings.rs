//! Settings of one registry beside those of others, and those of hosts of wasmCloud v1.

use std::path::PathBuf;

use wasmcloud_par::client::{Client, Error, PullPolicy};
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::oci::{ClientCertificate, Credentials, RegistrySettings};
use wasmcloud_par::registry_settings;

use super::{fetch, options, parsed, publish, publish_as, push};
use crate::support::certificates::Authority;
use crate::support::{Environment, Registry, block_on};

const USERS: [(&str, &str); 2] = [("anna", "password"), ("ben", "another-password")];

#[test]
fn each_registry_has_its_own_certificates() {
    let environment = Environment::new();
    let authority = Authority::new(&environment.path("a"));
    let secure = Registry::builder()
        .tls(&authority.server("127.0.0.1"))
        .client_authority(authority.file())
        .start();
    let plain = Registry::start();
    let (certificate, key) = authority.client();
    let settings = RegistrySettings::default()
        .certificate_authority(authority.file())
        .client_certificate(ClientCertificate::new(certificate, Some(key)));
    let reference = secure.reference("x:1");
    block_on(async {
        let with = options(&environment).for_registry(secure.address(), settings);
        let client = Client::new(with).unwrap();
        push(&environment, &client, &reference).await;
        fetch(&client, &reference).await.unwrap();
        // Settings for TLS would make a loopback registry speak it.
        let other = plain.reference("x:1");
        push(&environment, &client, &other).await;
        fetch(&client, &other).await.unwrap();

        let without = options(&environment).pull_policy(PullPolicy::Always);
        let without = Client::new(without).unwrap();
        fetch(&without, &reference).await.unwrap_err();
    });
}

#[test]
fn plain_http_is_used_only_for_the_registry_with_that_setting() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let authority = Authority::new(&environment.path("a"));
    let (certificate, key) = authority.client();
    let certificate = ClientCertificate::new(certificate, Some(key));
    let reference = registry.reference("x:1");
    block_on(async {
        publish(&environment, &reference).await;
        // The certificate makes a loopback registry speak TLS, unless its settings say otherwise.
        for (plain, reached) in [(true, true), (false, false)] {
            let settings = RegistrySettings::default().plain_http(plain);
            let mut with = options(&environment).pull_policy(PullPolicy::Always);
            with.registry = with.registry.client_certificate(certificate.clone());
            let with = with.for_registry(registry.address(), settings);
            let fetched = fetch(&Client::new(with).unwrap(), &reference).await;
            assert_eq!(fetched.is_ok(), reached, "{fetched:?}");
        }
    });
}

#[test]
fn each_registry_gets_its_own_credentials() {
    let environment = Environment::new();
    let registries =
        USERS.map(|(user, password)| Registry::builder().htpasswd(user, password).start());
    block_on(async {
        let mut with = options(&environment);
        for (registry, user) in registries.iter().zip(USERS) {
            publish_as(&environment, user, &registry.reference("x:1")).await;
            let credentials = Credentials::basic(user.0, user.1);
            let settings = RegistrySettings::default().credentials(credentials);
            with = with.for_registry(registry.address(), settings);
        }
        let client = Client::new(with).unwrap();
        for registry in &registries {
            fetch(&client, &registry.reference("x:1")).await.unwrap();
        }
    });
}

#[test]
fn the_tag_latest_is_refused_where_it_is_not_allowed() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let (latest, fixed) = (registry.reference("x:latest"), registry.reference("x:1"));
    let client = |allow: bool| {
        let settings = RegistrySettings::default().allow_latest(allow);
        let with = options(&environment).for_registry(registry.address(), settings);
        Client::new(with).unwrap()
    };
    let is_refused = |error: Error| {
        assert!(matches!(error.root(), Error::LatestRefused(_)), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Usage);
    };
    block_on(async {
        let strict = client(false);
        let digest = push(&environment, &strict, &latest).await;
        push(&environment, &strict, &fixed).await;
        is_refused(fetch(&strict, &latest).await.unwrap_err());
        is_refused(strict.resolve(&parsed(&latest)).await.unwrap_err());
        is_refused(strict.inspect(&parsed(&latest)).await.unwrap_err());
        let mut moves = strict.watch(&parsed(&latest), std::time::Duration::ZERO);
        is_refused(moves.next().await.unwrap().unwrap_err());
        let seen = registry.requests().len();
        is_refused(fetch(&strict, &latest).await.unwrap_err());
        assert_eq!(registry.requests().len(), seen);
        fetch(&strict, &fixed).await.unwrap();
        let pinned = format!("{latest}@{digest}");
        fetch(&strict, &pinned).await.unwrap();

        let lax = client(true);
        fetch(&lax, &latest).await.unwrap();
        let untagged = registry.reference("x");
        let unnamed = strict.fetch_provider(&untagged, "host").await;
        assert!(matches!(unnamed, Err(Error::Unnamed(_))));
        // The archive has no executable for every machine that runs tests.
        match lax.fetch_provider(&untagged, "host").await {
            Ok((path, _)) => assert!(path.is_file()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}"),
        }
    });
}

#[test]
fn settings_are_for_the_name_of_a_registry() {
    let environment = Environment::new();
    let new = |name: &str| {
        let with = options(&environment).for_registry(name, RegistrySettings::default());
        Client::new(with).map(drop).map_err(|error| error.kind())
    };
    for name in ["ghcr.io", "GHCR.io", "localhost:5000", "[::1]:5000"] {
        assert_eq!(new(name), Ok(()), "{name}");
    }
    for name in [
        "https://ghcr.io",
        "ghcr.io/org",
        "ghcr.io/",
        "",
        "oci://ghcr.io",
    ] {
        assert_eq!(new(name), Err(ErrorKind::Usage), "{name}");
    }
    let missing = RegistrySettings::default().certificate_authority(environment.path("missing"));
    let failed = Client::new(options(&environment).for_registry("ghcr.io", missing));
    assert_eq!(failed.map(drop).unwrap_err().kind(), ErrorKind::NotFound);
}

/// The types of `wasmcloud-core` 0.21 that the macro reads. The crate itself depends on Wasmtime, which takes minutes
/// to build.
mod wasmcloud_core {
    use super::PathBuf;

    #[non_exhaustive]
    #[allow(dead_code, reason = "each test uses another one")]
    pub(super) enum RegistryAuth {
        Basic(String, String),
        Token(String),
        Anonymous,
    }

    pub(super) struct RegistryConfig {
        pub(super) auth: RegistryAuth,
        pub(super) allow_latest: bool,
        pub(super) allow_insecure: bool,
        pub(super) additional_ca_paths: Vec<PathBuf>,
    }

    impl RegistryConfig {
        pub(super) fn auth(&self) -> &RegistryAuth {
            &self.auth
        }

        pub(super) fn allow_latest(&self) -> bool {
            self.allow_latest
        }

        pub(super) fn allow_insecure(&self) -> bool {
            self.allow_insecure
        }

        pub(super) fn additional_ca_paths(&self) -> &Vec<PathBuf> {
            &self.additional_ca_paths
        }
    }
}

#[test]
fn the_configuration_of_a_host_of_version_1_is_taken_over() {
    let environment = Environment::new();
    let (user, password) = USERS[0];
    let registry = Registry::builder().htpasswd(user, password).start();
    let mut config = wasmcloud_core::RegistryConfig {
        auth: wasmcloud_core::RegistryAuth::Basic(user.to_owned(), password.to_owned()),
        allow_latest: false,
        allow_insecure: true,
        additional_ca_paths: Vec::new(),
    };
    block_on(async {
        let latest = registry.reference("x:latest");
        publish_as(&environment, USERS[0], &latest).await;
        let with = options(&environment);
        let with = with.for_registry(registry.address(), registry_settings!(&config));
        let error = fetch(&Client::new(with).unwrap(), &latest)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::LatestRefused(_)));

        config.allow_latest = true;
        let with = options(&environment);
        let with = with.for_registry(registry.address(), registry_settings!(config));
        fetch(&Client::new(with).unwrap(), &latest).await.unwrap();
    });

    config.auth = wasmcloud_core::RegistryAuth::Token("token".to_owned());
    config.additional_ca_paths = vec!["ca.pem".into()];
    let settings = registry_settings!(&config);
    let token = Credentials::RegistryToken("token".to_owned());
    assert_eq!(settings.credentials, Some(token));
    assert_eq!(settings.certificate_authorities, config.additional_ca_paths);
    assert_eq!(settings.plain_http, Some(true));
    config.auth = wasmcloud_core::RegistryAuth::Anonymous;
    let settings = registry_settings!(&config);
    assert_eq!(settings.credentials, Some(Credentials::Anonymous));
}
