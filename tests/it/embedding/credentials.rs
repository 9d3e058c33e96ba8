//! Credentials for each repository, from the program.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde_json::json;
use wasmcloud_par::client::Client;
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::oci::{
    self, CredentialProvider, CredentialRequest, CredentialSource, Credentials,
    ProvidedCredentials, RegistryOptions,
};

use super::{answers, fetch, options, publish, publish_as};
use crate::support::{Environment, Registry, Rules, TokenService, User, block_on};

const RIGHT: (&str, &str) = ("tester", "another-password");
const WRONG: (&str, &str) = ("tester", "not-the-password");

type Answer = Result<Option<ProvidedCredentials>, String>;
type Asked = (String, String, Option<Credentials>);

/// A provider of credentials that returns what a test wants, and records the requests.
struct Provider {
    answer: Box<dyn Fn(&Asked) -> Answer + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
}

impl Provider {
    fn new(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl CredentialProvider for Provider {
    async fn credentials(
        &self,
        request: CredentialRequest<'_>,
    ) -> Result<Option<ProvidedCredentials>, Box<dyn std::error::Error + Send + Sync>> {
        let (registry, repository) = (request.registry.to_owned(), request.repository.to_owned());
        let asked = (registry, repository, request.refused.cloned());
        self.asked.lock().unwrap().push(asked.clone());
        Ok((self.answer)(&asked)?)
    }
}

fn basic((user, password): (&str, &str)) -> Credentials {
    Credentials::basic(user, password)
}

fn given(user: (&str, &str)) -> Answer {
    Ok(Some(basic(user).into()))
}

fn locked() -> Registry {
    Registry::builder().htpasswd(RIGHT.0, RIGHT.1).start()
}

fn client(environment: &Environment, provider: &Arc<Provider>) -> Client {
    let provider: Arc<Provider> = Arc::clone(provider);
    Client::new(options(environment).credentials(provider)).unwrap()
}

#[test]
fn each_repository_gets_the_credentials_that_are_for_it() {
    let environment = Environment::new();
    let user = |name, may| User {
        name,
        password: "password",
        may,
    };
    let service = TokenService::start(Rules {
        users: vec![
            user("anna", &[("a/*", "pull,push")]),
            user("ben", &[("b/*", "pull,push")]),
        ],
        ..Rules::default()
    });
    let registry = service.registry();
    let (a, b) = (registry.reference("a/x:1"), registry.reference("b/x:1"));
    let provider = Provider::new(|(_, repository, _)| {
        given(match repository.as_str() {
            "a/x" => ("anna", "password"),
            _ => ("ben", "password"),
        })
    });
    block_on(async {
        publish_as(&environment, ("anna", "password"), &a).await;
        publish_as(&environment, ("ben", "password"), &b).await;
        let client = client(&environment, &provider);
        fetch(&client, &a).await.unwrap();
        fetch(&client, &b).await.unwrap();
    });
    let asked = provider.asked();
    let expected =
        ["a/x", "b/x"].map(|name| (registry.address().to_owned(), name.to_owned(), None));
    assert_eq!(asked, expected);
}

#[test]
fn refused_credentials_are_asked_for_again() {
    let (environment, registry) = (Environment::new(), locked());
    let reference = registry.reference("x:1");
    let provider = Provider::new(|(_, _, refused)| match refused {
        None => given(WRONG),
        Some(_) => given(RIGHT),
    });
    block_on(async {
        publish_as(&environment, RIGHT, &reference).await;
        fetch(&client(&environment, &provider), &reference)
            .await
            .unwrap();
    });
    let refused: Vec<_> = provider.asked().into_iter().map(|asked| asked.2).collect();
    assert_eq!(refused, [None, Some(basic(WRONG))]);
}

#[test]
fn credentials_that_are_refused_again_are_an_error() {
    let (environment, registry) = (Environment::new(), locked());
    let reference = registry.reference("x:1");
    let provider = Provider::new(|_| given(WRONG));
    block_on(async {
        let failed = fetch(&client(&environment, &provider), &reference).await;
        let error = failed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        let is_refusal = matches!(error.as_oci(), Some(oci::Error::CredentialsRefused { .. }));
        assert!(is_refusal, "{error:?}");
    });
}

#[test]
fn a_token_service_that_refuses_the_credentials_gets_the_renewed_ones() {
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    let registry = service.registry();
    let reference = registry.reference("x:1");
    let provider = Provider::new(|(_, _, refused)| match refused {
        None => given(("tester", "expired")),
        Some(_) => given(("tester", "password")),
    });
    block_on(async {
        publish_as(&environment, ("tester", "password"), &reference).await;
        fetch(&client(&environment, &provider), &reference)
            .await
            .unwrap();
    });
    let refused: Vec<_> = provider.asked().into_iter().map(|asked| asked.2).collect();
    assert_eq!(refused, [None, Some(basic(("tester", "expired")))]);
}

#[test]
fn credentials_are_kept_until_they_expire() {
    let hour = Duration::from_secs(3600);
    for (expires, asks_again) in [
        (None, false),
        (Some(SystemTime::now() + hour), false),
        (Some(SystemTime::now() - hour), true),
    ] {
        let (environment, registry) = (Environment::new(), locked());
        let reference = registry.reference("x:1");
        let provider = Provider::new(move |_| {
            let mut provided = ProvidedCredentials::from(basic(RIGHT));
            provided.expires = expires;
            Ok(Some(provided))
        });
        block_on(async {
            publish_as(&environment, RIGHT, &reference).await;
            let client = client(&environment, &provider);
            fetch(&client, &reference).await.unwrap();
            let (asked, refused) = (provider.asked().len(), answers(&registry, 401));
            fetch(&client, &reference).await.unwrap();
            assert_eq!(provider.asked().len() > asked, asks_again, "{expires:?}");
            // They are renewed before the registry refuses them.
            assert_eq!(answers(&registry, 401), refused, "{expires:?}");
        });
    }
}

#[test]
fn a_failed_provider_is_an_error_only_where_credentials_are_needed() {
    let environment = Environment::new();
    let (locked, open) = (locked(), Registry::start());
    let provider = Provider::new(|_| Err("the vault is sealed".to_owned()));
    block_on(async {
        let reference = open.reference("x:1");
        publish(&environment, &reference).await;
        let client = client(&environment, &provider);
        fetch(&client, &reference).await.unwrap();
        let error = fetch(&client, &locked.reference("x:1")).await.unwrap_err();
        let said = "the vault is sealed";
        match error.as_oci() {
            Some(oci::Error::CredentialProvider { source, .. }) => {
                assert_eq!(source.to_string(), said);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(error.kind(), ErrorKind::Denied);
    });
}

#[test]
fn other_sources_are_asked_only_where_the_provider_has_no_credentials() {
    let (environment, registry) = (Environment::new(), locked());
    let reference = registry.reference("x:1");
    let auth = data_encoding::BASE64.encode(format!("{}:{}", RIGHT.0, RIGHT.1).as_bytes());
    let config = json!({ "auths": { registry.address(): { "auth": auth } } });
    let config = environment.write("config.json", config.to_string());
    let fetch = async |answer: fn(&Asked) -> Answer| {
        let source = CredentialSource::default()
            .registry_config(&config)
            .provider(Provider::new(answer));
        let registry = RegistryOptions::default().credentials(source);
        let client = Client::new(options(&environment).registry(registry)).unwrap();
        let fetched = fetch(&client, &reference).await;
        fetched.map(drop).map_err(|error| error.kind())
    };
    block_on(async {
        publish_as(&environment, RIGHT, &reference).await;
        assert_eq!(fetch(|_| Ok(None)).await, Ok(()));
        let nobody = fetch(|_| Ok(Some(Credentials::Anonymous.into()))).await;
        assert_eq!(nobody, Err(ErrorKind::Denied));
        assert_eq!(fetch(|_| given(WRONG)).await, Err(ErrorKind::Denied));
    });
}
