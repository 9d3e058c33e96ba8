//! A token service that a real registry trusts, with tokens that the registry itself checks.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use rcgen::CertifiedKey;
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Registry;
use super::registry::Builder;

const ISSUER: &str = "token-service";
const SERVICE: &str = "tests";
/// How long `docker-registry` accepts a token after it has expired, in seconds.
const LEEWAY: u64 = 60;

/// A running token service. Its thread ends with the test process.
pub(crate) struct TokenService {
    address: String,
    state: Arc<State>,
    directory: TempDir,
}

/// A request for a token.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The user or the identity token, if the client is not anonymous.
    pub(crate) who: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// The token that the service returned, if any.
    pub(crate) token: Option<String>,
}

/// A user that the service knows. An anonymous one has an empty name and password.
#[derive(Clone)]
pub(crate) struct User {
    /// The name, or an identity token.
    pub(crate) name: &'static str,
    /// Empty for an identity token.
    pub(crate) password: &'static str,
    /// The repositories and actions that are allowed. A repository that ends in `*` is a prefix.
    pub(crate) may: &'static [(&'static str, &'static str)],
}

/// The behaviour of the service.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) users: Vec<User>,
    /// For how many seconds the registry accepts a token.
    pub(crate) life: u64,
    /// The value of `expires_in` in the answer. `None`: the answer has no such field.
    pub(crate) expires_in: Option<u64>,
    /// Whether the token is in the field `access_token` of the answer.
    pub(crate) is_access_token: bool,
    /// How long the service waits before it answers.
    pub(crate) delay: Duration,
    /// The actions that the service knows, if it refuses others with 400, as Quay's does.
    pub(crate) known: Option<&'static [&'static str]>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            users: vec![User {
                name: "tester",
                password: "password",
                may: &[("*", "pull,push")],
            }],
            life: 300,
            expires_in: Some(300),
            is_access_token: false,
            delay: Duration::ZERO,
            known: None,
        }
    }
}

struct State {
    rules: Mutex<Rules>,
    asked: Mutex<Vec<Asked>>,
    key: EcdsaKeyPair,
    certificate: String,
}

impl TokenService {
    pub(crate) fn start(rules: Rules) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["token-service".to_owned()]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("certificate.pem"), cert.pem()).unwrap();
        let state = Arc::new(State {
            rules: Mutex::new(rules),
            asked: Mutex::default(),
            key: EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &signing_key.serialize_der(),
                &SystemRandom::new(),
            )
            .unwrap(),
            certificate: BASE64.encode(cert.der()),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&serving));
                thread::spawn(move || state.serve(stream));
            }
        });
        Self {
            address,
            state,
            directory,
        }
    }

    /// Starts a registry that trusts this service, and sends its users to it.
    pub(crate) fn registry(&self) -> Registry {
        self.registry_with_realm(&format!("http://{}/token", self.address))
    }

    /// Starts a registry that trusts this service, and sends its users to `realm`.
    pub(crate) fn registry_with_realm(&self, realm: &str) -> Registry {
        let certificate = self.directory.path().join("certificate.pem");
        section(Registry::builder(), realm, &certificate).start()
    }

    /// Changes the behaviour of the service from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.state.rules.lock().unwrap());
    }

    /// Returns the requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }
}

fn section(builder: Builder, realm: &str, certificate: &Path) -> Builder {
    builder.section(&format!(
        "auth:\n  token:\n    realm: {realm}\n    service: {SERVICE}\n    issuer: {ISSUER}\n    \
         rootcertbundle: {}",
        certificate.display()
    ))
}

impl State {
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap_or(0) > 2 {}
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (first.next().unwrap_or(""), first.next().unwrap_or("/"));
        let fields: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut body = String::new();
        let length = fields
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        reader.take(length).read_to_string(&mut body).unwrap();
        let query = match method {
            "POST" => format!("http://localhost/?{body}"),
            _ => format!("http://localhost{target}"),
        };
        let query: Vec<(String, String)> = Url::parse(&query)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        let answer = self.answer(method, &query, fields.get("authorization"));
        let (status, answer) = match answer {
            Ok(answer) => ("200 OK", answer),
            Err(status) => (status, json!({ "details": "not like this" })),
        };
        let answer = answer.to_string();
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn answer(
        &self,
        method: &str,
        query: &[(String, String)],
        authorization: Option<&String>,
    ) -> Result<Value, &'static str> {
        let rules = self.rules.lock().unwrap().clone();
        thread::sleep(rules.delay);
        let all = |name: &str| {
            let values = query.iter().filter(|(key, _)| key == name);
            let values = values.flat_map(|(_, value)| value.split_whitespace());
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(all("service"), [SERVICE]);
        let (who, password) = match method {
            "POST" => {
                assert_eq!(all("grant_type"), ["refresh_token"]);
                assert_eq!(all("client_id").len(), 1);
                (all("refresh_token").concat(), String::new())
            }
            _ => match authorization {
                Some(value) => {
                    let encoded = value.strip_prefix("Basic ").unwrap();
                    let decoded = BASE64.decode(encoded.as_bytes()).unwrap();
                    let decoded = String::from_utf8(decoded).unwrap();
                    let (user, password) = decoded.split_once(':').unwrap();
                    (user.to_owned(), password.to_owned())
                }
                None => (String::new(), String::new()),
            },
        };
        let scopes = all("scope");
        let mut actions = scopes
            .iter()
            .flat_map(|scope| scope.rsplit(':').next().unwrap().split(','));
        if let Some(known) = rules.known
            && actions.any(|action| !known.contains(&action))
        {
            return Err("400 Bad Request");
        }
        let users = &rules.users;
        let known = users
            .iter()
            .find(|user| user.name == who && user.password == password);
        let token = known.map(|user| self.sign(&scopes, user.may, rules.life));
        self.asked.lock().unwrap().push(Asked {
            method: method.to_owned(),
            who: Some(who).filter(|who| !who.is_empty()),
            scopes,
            token: token.clone(),
        });
        let name = if rules.is_access_token {
            "access_token"
        } else {
            "token"
        };
        let token = token.ok_or("401 Unauthorized")?;
        let mut answer = json!({ name: token });
        if let Some(expires_in) = rules.expires_in {
            answer["expires_in"] = expires_in.into();
        }
        Ok(answer)
    }

    /// Returns a token for the part of `scopes` that is allowed.
    fn sign(&self, scopes: &[String], allowed: &[(&str, &str)], life: u64) -> String {
        let access = scopes.iter().map(|scope| {
            let [kind, name, actions] = scope.split(':').collect::<Vec<_>>()[..] else {
                panic!("{scope} is not a scope")
            };
            let may = |action: &&str| {
                allowed.iter().any(|(repository, actions)| {
                    let fits = match repository.strip_suffix('*') {
                        Some(start) => name.starts_with(start),
                        None => name == *repository,
                    };
                    fits && actions.split(',').any(|allowed| allowed == *action)
                })
            };
            let actions: Vec<&str> = actions.split(',').filter(may).collect();
            json!({ "type": kind, "name": name, "actions": actions })
        });
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.certificate] });
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": "", "jti": now.to_string(),
            "iat": now - LEEWAY, "nbf": now - LEEWAY, "exp": now + life - LEEWAY,
            "access": access.collect::<Vec<_>>(),
        });
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }
}
