use crate::archive::keys::{Key, KeyKind};
use crate::content::unix_time;

use super::*;

fn signer() -> Signer {
    let subject = Key::generate(KeyKind::Service).public_key();
    Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap()
}

fn executables() -> BTreeMap<Target, Digest> {
    ["x86_64-linux", "aarch64-macos"]
        .into_iter()
        .map(|name| (name.parse().unwrap(), Digest::of(name.as_bytes())))
        .collect()
}

#[test]
fn signing_gives_verified_claims() {
    let signer = signer();
    let metadata = Metadata {
        name: Some("Provider".to_owned()),
        vendor: "Vendor".to_owned(),
        revision: Some(3),
        version: Some("1.2.3".to_owned()),
        schema: Some(serde_json::json!({"type": "object"})),
        ..Metadata::default()
    };
    let world = Digest::of(b"world");
    let claims = signer
        .draft(&metadata, Some(world.clone()))
        .sign(&executables())
        .unwrap();
    assert_eq!(claims.issuer(), signer.issuer());
    assert_eq!(claims.subject(), signer.subject());
    assert_eq!(claims.metadata(), metadata);
    assert_eq!(claims.executables(), &executables());
    assert_eq!(claims.world(), Some(&world));
}

#[test]
fn the_length_of_a_token_does_not_depend_on_the_hashes() {
    let signer = signer();
    let draft = signer.draft(&Metadata::default(), None);
    let first = draft.sign(&executables()).unwrap();
    let others = executables()
        .into_keys()
        .map(|target| (target, Digest::of(b"other")));
    let second = draft.sign(&others.collect()).unwrap();
    assert_ne!(first.token(), second.token());
    assert_eq!(first.token().len(), second.token().len());
}

#[test]
fn the_signature_of_a_changed_payload_is_not_valid() {
    let claims = signer()
        .draft(&Metadata::default(), None)
        .sign(&executables())
        .unwrap();
    let parts: Vec<&str> = claims.token().split('.').collect();
    let payload = BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap();
    let changed = String::from_utf8(payload)
        .unwrap()
        .replace(r#""vendor":"""#, r#""vendor":"Evil""#);
    let token = format!(
        "{}.{}.{}",
        parts[0],
        BASE64URL_NOPAD.encode(changed.as_bytes()),
        parts[2]
    );
    let error = UnverifiedClaims::decode(&token).unwrap().verify();
    assert!(
        matches!(error, Err(Error::BadSignature { .. })),
        "{error:?}"
    );
}

#[test]
fn the_same_claims_at_the_same_time_give_the_same_token() {
    let signer = signer();
    let token = |signer: &Signer, metadata: &Metadata| {
        let draft = signer.draft(metadata, None);
        draft.sign(&executables()).unwrap().token().to_owned()
    };
    let metadata = Metadata::default();
    assert_ne!(token(&signer, &metadata), token(&signer, &metadata));
    let signer = signer.at(unix_time(1_700_000_000));
    assert_eq!(token(&signer, &metadata), token(&signer, &metadata));
    let other = Metadata {
        revision: Some(2),
        ..Metadata::default()
    };
    assert_ne!(token(&signer, &metadata), token(&signer, &other));
}

#[test]
fn keys_of_other_types_cannot_sign() {
    let subject: Subject = Key::generate(KeyKind::Service)
        .public_key()
        .parse()
        .unwrap();
    assert!(matches!(
        Signer::new(Key::generate(KeyKind::Service), subject),
        Err(Error::WrongKeyType { role: "issuer", .. })
    ));
    assert!(matches!(
        Key::generate(KeyKind::Account)
            .public_key()
            .parse::<Subject>(),
        Err(Error::WrongKeyType {
            role: "subject",
            ..
        })
    ));
}

#[test]
fn the_same_claims_are_encoded_in_the_same_order() {
    let claims = signer()
        .draft(&Metadata::default(), None)
        .sign(&executables())
        .unwrap();
    let payload = claims.token().split('.').nth(1).unwrap();
    let text = String::from_utf8(BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap();
    assert!(text.find("aarch64-macos").unwrap() < text.find("x86_64-linux").unwrap());
}
