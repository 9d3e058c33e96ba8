//! Claims that are not those of a provider, not signed, or not valid now.

use std::time::{Duration, SystemTime};

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};
use wasmcloud_par::archive::internals::read_claims;
use wasmcloud_par::archive::{Error, Limits};

use super::{Case, case, none_loads};
use crate::support::archives::{ArchiveBuilder, Entry, LINUX};

#[test]
fn claims_with_a_bad_signature_do_not_load() {
    none_loads(signatures());
}

#[test]
fn keys_of_another_type_do_not_sign_providers() {
    none_loads(keys());
}

#[test]
fn claims_outside_their_dates_do_not_load() {
    none_loads(dates());
}

#[test]
fn claims_that_are_malformed_do_not_load() {
    none_loads(malformed());
}

/// Readers differ in which of the two values they use.
#[test]
fn claims_with_a_key_twice_do_not_load() {
    let twice = |first: &'static str| {
        let (key, _) = first.split_once(':').unwrap();
        ArchiveBuilder::two_targets().payload_text(move |text| {
            let (before, after) = text.split_once(key).unwrap();
            format!("{before}{first},{key}{after}")
        })
    };
    // A date with a fraction is read in another way.
    let with_fraction = ArchiveBuilder::two_targets().payload_text(|text| {
        let rest = text.strip_prefix('{').unwrap();
        format!(r#"{{"nbf":0.5,"sub":"",{rest}"#)
    });
    none_loads(vec![
        case("an issuer", twice(r#""iss":"""#), is_malformed),
        case("a subject", twice(r#""sub":null"#), is_malformed),
        case("a subject, with a fraction", with_fraction, is_malformed),
        case("claims", twice(r#""wascap":{}"#), is_malformed),
        case("a vendor", twice(r#""vendor":"another""#), is_malformed),
        case("hashes", twice(r#""target_hashes":{}"#), is_malformed),
        case("a hash", twice(r#""x86_64-linux":"00""#), is_malformed),
    ]);
}

/// A remote archive is inspected by its claims alone.
#[test]
fn reading_the_claims_alone_verifies_them_too() {
    let cases = [signatures(), keys(), dates(), malformed()];
    for case in cases.into_iter().flatten() {
        let error = read_claims(case.bytes.as_slice(), &Limits::default()).expect_err(case.name);
        assert!((case.expected)(&error), "{}: {error:?}", case.name);
    }
}

fn signatures() -> Vec<Case> {
    let bad: fn(&Error) -> bool = |error| matches!(error, Error::BadSignature { .. });
    vec![
        case(
            "signed by another account",
            ArchiveBuilder::two_targets().signed_by(KeyPair::new_account()),
            bad,
        ),
        case("no signature", with_signature(|_| Vec::new()), bad),
        case(
            "half a signature",
            with_signature(|signature| signature[..32].to_vec()),
            bad,
        ),
        case(
            "a signature of zeros",
            with_signature(|signature| vec![0; signature.len()]),
            bad,
        ),
        case(
            "a signature and a byte more",
            with_signature(|signature| [signature, &[0]].concat()),
            bad,
        ),
        case(
            "the issuer replaced after signing",
            edited_after_signing(|payload| {
                payload["iss"] = json!(KeyPair::new_account().public_key());
            }),
            bad,
        ),
        case(
            "a hash replaced after signing",
            edited_after_signing(|payload| {
                payload["wascap"]["target_hashes"][LINUX.0] = json!("00".repeat(32));
            }),
            bad,
        ),
        case(
            "alg: none",
            header(r#"{"typ":"jwt","alg":"none"}"#),
            is_malformed,
        ),
        case(
            "alg: none and no signature",
            header(r#"{"typ":"jwt","alg":"none"}"#).token(|token| {
                let (signed, _) = token.rsplit_once('.').unwrap();
                format!("{signed}.").into_bytes()
            }),
            is_malformed,
        ),
        case(
            "alg: HS256",
            header(r#"{"typ":"jwt","alg":"HS256"}"#),
            is_malformed,
        ),
        case("no alg", header(r#"{"typ":"jwt"}"#), is_malformed),
        case(
            "another typ",
            header(r#"{"typ":"at+jwt","alg":"Ed25519"}"#),
            is_malformed,
        ),
    ]
}

fn keys() -> Vec<Case> {
    let issuer: fn(&Error) -> bool =
        |error| matches!(error, Error::WrongKeyType { role: "issuer", .. });
    let subject: fn(&Error) -> bool = |error| {
        matches!(
            error,
            Error::WrongKeyType {
                role: "subject",
                ..
            }
        )
    };
    let keys = |issuer, subject| ArchiveBuilder::two_targets().keys(issuer, subject);
    let with = |field: &'static str, value: Value| {
        ArchiveBuilder::two_targets().payload(move |payload| {
            payload.insert(field.to_owned(), value);
        })
    };
    let service = KeyPair::new_service;
    let account = KeyPair::new_account;
    vec![
        case(
            "a user as issuer",
            keys(KeyPair::new_user(), service()),
            issuer,
        ),
        case("a service as issuer", keys(service(), service()), issuer),
        case(
            "an operator as issuer",
            keys(KeyPair::new_operator(), service()),
            issuer,
        ),
        case("an account as subject", keys(account(), account()), subject),
        case(
            "a component as subject",
            keys(account(), KeyPair::new_module()),
            subject,
        ),
        case("no issuer", with("iss", json!("")), issuer),
        case("no subject", with("sub", json!("")), subject),
        case(
            "an issuer of control characters",
            with("iss", json!("A\u{1b}[2J\n")),
            issuer,
        ),
        case(
            "a subject of 56 letters",
            with("sub", json!("V".repeat(56))),
            subject,
        ),
        case(
            "a subject of 56 bytes that are no key",
            with("sub", json!("ü".repeat(28))),
            subject,
        ),
        case(
            "a very long issuer",
            with("iss", json!("A".repeat(100_000))),
            issuer,
        ),
    ]
}

fn dates() -> Vec<Case> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let hour = Duration::from_secs(3600);
    let at = |field: &'static str, seconds: u64| {
        ArchiveBuilder::two_targets().payload(move |payload| {
            payload.insert(field.to_owned(), json!(seconds));
        })
    };
    let expired: fn(&Error) -> bool = |error| matches!(error, Error::Expired(_));
    let early: fn(&Error) -> bool = |error| matches!(error, Error::NotYetValid(_));
    vec![
        case(
            "expired an hour ago",
            at("exp", (now - hour).as_secs()),
            expired,
        ),
        case("expired in 1970", at("exp", 0), expired),
        case("valid in an hour", at("nbf", (now + hour).as_secs()), early),
        case("valid in a far future", at("nbf", i64::MAX as u64), early),
        case("valid at the end of time", at("nbf", u64::MAX), early),
    ]
}

fn malformed() -> Vec<Case> {
    let two_targets = ArchiveBuilder::two_targets;
    let token = |token: &'static [u8]| two_targets().token(move |_| token.to_vec());
    let payload = |payload: &'static str| {
        two_targets().token(move |token| {
            let mut parts: Vec<&str> = token.split('.').collect();
            let encoded = BASE64URL_NOPAD.encode(payload.as_bytes());
            parts[1] = &encoded;
            parts.join(".").into_bytes()
        })
    };
    let hashes = |name: &'static str, hash: &'static str| {
        two_targets().wascap(move |wascap| wascap["target_hashes"][name] = json!(hash))
    };
    let no_wascap = two_targets().payload(|payload| drop(payload.remove("wascap")));
    let null_wascap = two_targets().payload(|payload| payload["wascap"] = Value::Null);
    let no_hashes = two_targets().wascap(|wascap| drop(wascap.remove("target_hashes")));
    let no_vendor = two_targets().wascap(|wascap| drop(wascap.remove("vendor")));
    let negative = two_targets().payload(|payload| payload["iat"] = json!(-1));
    let lower_case = two_targets().wascap(|wascap| {
        let hash = &mut wascap["target_hashes"][LINUX.0];
        *hash = json!(hash.as_str().unwrap().to_ascii_lowercase());
    });
    // The token of a component has other hashes and keys.
    let component = two_targets().payload(|payload| {
        payload["sub"] = json!(KeyPair::new_module().public_key());
        payload["wascap"] = json!({"name": "component", "hash": "00", "prov": false});
    });
    vec![
        case("no wascap section", no_wascap, is_malformed),
        case("wascap: null", null_wascap, is_malformed),
        case("no hashes", no_hashes, is_malformed),
        case("no vendor", no_vendor, is_malformed),
        case("issued before 1970", negative, is_malformed),
        case("the token of a component", component, is_malformed),
        case("an empty token", token(b""), is_malformed),
        case("a token of one part", token(b"abc"), is_malformed),
        case("a token of two parts", token(b"e30.e30"), is_malformed),
        case(
            "a token of four parts",
            token(b"e30.e30.e30.e30"),
            is_malformed,
        ),
        case("a token of dots", token(b".."), is_malformed),
        case(
            "a token that is not text",
            token(b"e30.\xff\xfe.e30"),
            is_malformed,
        ),
        case(
            "a token that is not base64",
            token(b"e30.*.e30"),
            is_malformed,
        ),
        case("a payload that is not JSON", payload("{"), is_malformed),
        case("a payload that is a list", payload("[]"), is_malformed),
        case("a payload that is empty", payload("{}"), is_malformed),
        case(
            "a hash that is none",
            hashes(LINUX.0, "\u{1b}[2J"),
            is_malformed,
        ),
        case("a hash that is short", hashes(LINUX.0, "AB"), is_malformed),
        case("a hash in lower case", lower_case, is_malformed),
        case(
            "a hash of another entry",
            hashes("../../x", ZERO_HASH),
            is_malformed,
        ),
        case(
            "a hash of the claims",
            hashes("claims.jwt", ZERO_HASH),
            is_malformed,
        ),
        case(
            "a token with a second behind it",
            two_targets().token(|token| format!("{token}\n{token}").into_bytes()),
            is_malformed,
        ),
        case(
            "a payload nested without end",
            ArchiveBuilder::bare()
                .claims(Entry::file("claims.jwt", ""))
                .token(|_| {
                    let nested = BASE64URL_NOPAD.encode("[".repeat(100_000).as_bytes());
                    format!("e30.{nested}.e30").into_bytes()
                }),
            is_malformed,
        ),
    ]
}

const ZERO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn is_malformed(error: &Error) -> bool {
    matches!(error, Error::MalformedClaims { .. })
}

fn header(header: &str) -> ArchiveBuilder {
    ArchiveBuilder::two_targets().header(header)
}

fn with_signature(change: fn(&[u8]) -> Vec<u8>) -> ArchiveBuilder {
    ArchiveBuilder::two_targets().token(move |token| {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&change(&signature))).into_bytes()
    })
}

fn edited_after_signing(edit: fn(&mut Value)) -> ArchiveBuilder {
    ArchiveBuilder::two_targets().token(move |token| {
        let mut parts: Vec<&str> = token.split('.').collect();
        let payload = BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap();
        let mut payload: Value = serde_json::from_slice(&payload).unwrap();
        edit(&mut payload);
        let payload = BASE64URL_NOPAD.encode(payload.to_string().as_bytes());
        parts[1] = &payload;
        parts.join(".").into_bytes()
    })
}
