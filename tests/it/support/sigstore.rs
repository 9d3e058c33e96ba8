//! A small Sigstore for tests of signing: a certificate authority, a transparency log (Rekor v1) and the token service of
//! GitHub Actions, in one server. It has no log of certificates and no timestamp authority. It can give wrong answers,
//! which no real one does; `scripts/sigstore test` signs with a real one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SanType, SignatureAlgorithm, SigningKey, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Value, json};

use super::server::{Answer, Asked, Server};

/// The issuer of the identities.
pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The identity of the tokens.
pub(crate) const IDENTITY: &str =
    "https://github.com/acme/demo/.github/workflows/release.yml@refs/tags/v1";
/// The secret with which a job asks for tokens.
pub(crate) const REQUEST_TOKEN: &str = "secret-of-the-job";
/// The name with which the log signs.
pub(crate) const LOG: &str = "rekor.test";

/// What the instance does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongAnswer {
    None,
    /// The certificate is for a key that nobody has.
    OtherKey,
    /// The log has an entry about another statement.
    OtherEntry,
    /// The root of the log's tree is signed by somebody else.
    OtherLog,
    /// The answer of the certificate authority has no certificate.
    NoCertificate,
    /// The certificate authority accepts no token, and repeats the one that it got.
    NoToken,
    /// The log is full.
    NoEntry,
    /// The log cancels the first entry, as Rekor does when the client of another entry in its batch goes away.
    CancelledEntry,
}

/// A running instance.
pub(crate) struct Sigstore {
    server: Server,
    signing_config: PathBuf,
    trusted_root: PathBuf,
}

impl Sigstore {
    /// Starts an instance, which keeps its files in `directory`.
    pub(crate) fn start(directory: &Path, wrong: WrongAnswer) -> Self {
        let authority = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        parameters.distinguished_name = DistinguishedName::new();
        let name = &mut parameters.distinguished_name;
        name.push(DnType::CommonName, "authority of the tests");
        let root = parameters.self_signed(&authority).unwrap();
        let log = KeyPair::generate().unwrap();
        let document = trusted_root(root.der(), &log.subject_public_key_info());
        let services = Services {
            issuer: Issuer::new(parameters, authority),
            log,
            other: KeyPair::generate().unwrap(),
            wrong,
            cancelled: AtomicBool::new(false),
        };
        let server = Server::start(move |asked, _| services.answer(asked));
        let config = signing_config(server.address());
        fs::create_dir_all(directory).unwrap();
        let write = |name: &str, document: Value| {
            let path = directory.join(name);
            fs::write(&path, document.to_string()).unwrap();
            path
        };
        Self {
            signing_config: write("signing_config.json", config),
            trusted_root: write("trusted_root.json", document),
            server,
        }
    }

    /// Returns the options with which a command signs with this instance.
    pub(crate) fn options(&self) -> [&str; 4] {
        let (config, root) = (self.signing_config.to_str(), self.trusted_root.to_str());
        [
            "--signing-config",
            config.unwrap(),
            "--trusted-root",
            root.unwrap(),
        ]
    }

    pub(crate) fn signing_config(&self) -> &Path {
        &self.signing_config
    }

    pub(crate) fn trusted_root(&self) -> &Path {
        &self.trusted_root
    }

    /// Returns the variables of a job of GitHub Actions that may get tokens.
    pub(crate) fn job(&self) -> BTreeMap<&'static str, String> {
        let url = format!("http://{}/token?api-version=2.0", self.server.address());
        BTreeMap::from([
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_REPOSITORY", "acme/demo".to_owned()),
            ("GITHUB_REF", "refs/tags/v1".to_owned()),
            (
                "GITHUB_SHA",
                "0123456789abcdef0123456789abcdef01234567".to_owned(),
            ),
            (
                "GITHUB_WORKFLOW_REF",
                "acme/demo/.github/workflows/release.yml@refs/tags/v1".to_owned(),
            ),
            ("GITHUB_RUN_ID", "7".to_owned()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
        ])
    }

    /// Returns the requests so far with this method whose target contains `path`.
    pub(crate) fn asked(&self, method: &str, path: &str) -> usize {
        self.server.asked(method, path).len()
    }
}

/// Returns a token for this instance, which expires in so many seconds.
pub(crate) fn token(lasts: i64) -> String {
    let expires = seconds(SystemTime::now()) as i64 + lasts;
    let claims = json!({ "iss": ISSUER, "aud": "sigstore", "sub": IDENTITY, "exp": expires });
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let header = part(r#"{"alg":"RS256","typ":"JWT"}"#);
    let signature = part("the signature of a token");
    format!("{header}.{}.{signature}", part(&claims.to_string()))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signing_config(address: &str) -> Value {
    let service = json!([{
        "url": format!("http://{address}"),
        "majorApiVersion": 1,
        "validFor": { "start": "2024-01-01T00:00:00Z" },
        "operator": "tests",
    }]);
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service,
        "rekorTlogUrls": service,
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaConfig": { "selector": "ANY" },
    })
}

fn trusted_root(certificate: &[u8], log: &[u8]) -> Value {
    let valid = json!({ "start": "2024-01-01T00:00:00Z" });
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [{
            "baseUrl": format!("https://{LOG}"),
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": BASE64.encode(log),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": valid,
            },
            "logId": { "keyId": BASE64.encode(&sha256(log)) },
        }],
        "certificateAuthorities": [{
            "subject": { "organization": "tests", "commonName": "authority of the tests" },
            "uri": "https://fulcio.test",
            "certChain": { "certificates": [{ "rawBytes": BASE64.encode(certificate) }] },
            "validFor": valid,
        }],
        "ctlogs": [],
        "timestampAuthorities": [],
    })
}

/// The keys of an instance, and what it does wrong.
struct Services {
    issuer: Issuer<'static, KeyPair>,
    log: KeyPair,
    /// A key that belongs to nobody.
    other: KeyPair,
    wrong: WrongAnswer,
    /// Whether the log has cancelled an entry.
    cancelled: AtomicBool,
}

/// A public key that a client has sent: a point of the curve.
struct Point(Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Services {
    fn answer(&self, asked: &Asked) -> Answer {
        let (path, _) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        match (&*asked.method, path) {
            ("GET", "/token") => give_token(asked),
            ("POST", "/api/v2/signingCert") => self.certify(asked),
            ("POST", "/api/v1/log/entries") => self.log(asked),
            _ => Answer::status("404 Not Found"),
        }
    }

    /// Issues a certificate, as Fulcio does.
    fn certify(&self, asked: &Asked) -> Answer {
        let request: Value = serde_json::from_slice(&asked.body).unwrap();
        let token = request["credentials"]["oidcIdentityToken"]
            .as_str()
            .unwrap();
        if self.wrong == WrongAnswer::NoToken {
            let body =
                json!({ "code": 3, "message": format!("wrong token {token}"), "details": [] });
            return Answer::status("400 Bad Request").with_body(body.to_string());
        }
        let payload = token.split('.').nth(1).unwrap();
        let claims = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let subject = claims["sub"].as_str().unwrap();

        let request = &request["publicKeyRequest"];
        let pem = request["publicKey"]["content"].as_str().unwrap();
        let text: String = pem
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        let key = BASE64.decode(text.as_bytes()).unwrap();
        let point = key[key.len() - 65..].to_vec();
        let proof = request["proofOfPossession"].as_str().unwrap();
        let proof = BASE64.decode(proof.as_bytes()).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point)
            .verify(subject.as_bytes(), &proof)
            .expect("the client has the key");

        let point = if self.wrong == WrongAnswer::OtherKey {
            self.other.der_bytes().to_vec()
        } else {
            point
        };
        let certificate = self.certificate(subject, claims["iss"].as_str().unwrap(), point);
        let certificates = if self.wrong == WrongAnswer::NoCertificate {
            json!([])
        } else {
            json!([certificate])
        };
        let chain = json!({ "chain": { "certificates": certificates } });
        json_answer(&json!({ "signedCertificateEmbeddedSct": chain }))
    }

    fn certificate(&self, subject: &str, issuer: &str, point: Vec<u8>) -> String {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name = DistinguishedName::new();
        let name: Ia5String = subject.try_into().unwrap();
        parameters.subject_alt_names = vec![SanType::URI(name)];
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        parameters.use_authority_key_identifier_extension = true;
        // A UTF8String of less than 128 bytes.
        let length = u8::try_from(issuer.len()).unwrap();
        let issuer = [&[0x0c, length], issuer.as_bytes()].concat();
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, 8], issuer);
        parameters.custom_extensions = vec![extension];
        let now = Duration::from_secs(seconds(SystemTime::now()));
        let begins = date_time_ymd(1970, 1, 1) + now;
        parameters.not_before = begins;
        parameters.not_after = begins + Duration::from_secs(600);
        parameters
            .signed_by(&Point(point), &self.issuer)
            .unwrap()
            .pem()
    }

    /// Makes an entry, as Rekor does in its first version. It is the only one of its tree.
    fn log(&self, asked: &Asked) -> Answer {
        if self.wrong == WrongAnswer::NoEntry {
            let body = json!({ "code": 409, "message": "the tree is frozen" });
            return Answer::status("409 Conflict").with_body(body.to_string());
        }
        if self.wrong == WrongAnswer::CancelledEntry
            && !self.cancelled.swap(true, Ordering::Relaxed)
        {
            let body = json!({ "code": 1, "message": "add entry: await: context canceled" });
            return Answer::status("499 Canceled").with_body(body.to_string());
        }
        let request: Value = serde_json::from_slice(&asked.body).unwrap();
        let proposed = &request["spec"]["proposedContent"];
        let envelope = proposed["envelope"].as_str().unwrap();
        let parsed: Value = serde_json::from_str(envelope).unwrap();
        let payload = parsed["payload"].as_str().unwrap();
        let mut payload = BASE64.decode(payload.as_bytes()).unwrap();
        if self.wrong == WrongAnswer::OtherEntry {
            payload.push(b' ');
        }
        let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex(&sha256(bytes)) });
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash(envelope.as_bytes()),
                "payloadHash": hash(&payload),
                "signatures": [{
                    "signature": parsed["signatures"][0]["sig"],
                    "verifier": proposed["verifiers"][0],
                }],
            },
        });
        let body = body.to_string();
        let root = sha256(&[&[0], body.as_bytes()].concat());
        let (key, body) = (
            self.log.subject_public_key_info(),
            BASE64.encode(body.as_bytes()),
        );
        let id = sha256(&key);
        let now = seconds(SystemTime::now());
        let promise = format!(
            r#"{{"body":"{body}","integratedTime":{now},"logID":"{}","logIndex":0}}"#,
            hex(&id)
        );
        let note = format!("{LOG}\n1\n{}\n", BASE64.encode(&root));
        let signer = if self.wrong == WrongAnswer::OtherLog {
            &self.other
        } else {
            &self.log
        };
        let signature = signer.sign(note.as_bytes()).unwrap();
        let signature = BASE64.encode(&[&id[..4], &signature].concat());
        let promise = self.log.sign(promise.as_bytes()).unwrap();
        let entry = json!({
            "body": body,
            "integratedTime": now,
            "logID": hex(&id),
            "logIndex": 0,
            "verification": {
                "inclusionProof": {
                    "checkpoint": format!("{note}\n\u{2014} {LOG} {signature}\n"),
                    "hashes": [],
                    "logIndex": 0,
                    "rootHash": hex(&root),
                    "treeSize": 1,
                },
                "signedEntryTimestamp": BASE64.encode(&promise),
            },
        });
        let name = hex(&root);
        json_answer(&json!({ name: entry }))
    }
}

/// Gives a token to a job of GitHub Actions.
fn give_token(asked: &Asked) -> Answer {
    let authorization = asked.head.get("authorization");
    let is_for_sigstore = asked.target.ends_with("?api-version=2.0&audience=sigstore");
    if authorization != Some(&*format!("Bearer {REQUEST_TOKEN}")) || !is_for_sigstore {
        return Answer::status("401 Unauthorized");
    }
    json_answer(&json!({ "count": 1, "value": token(300) }))
}

fn json_answer(document: &Value) -> Answer {
    Answer::body(document.to_string()).header("content-type", "application/json")
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
