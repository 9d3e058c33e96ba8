use serde_json::{Value, json};

use super::super::keys::KeyKind;
use super::*;
use crate::content::ErrorKind;

fn account() -> Key {
    Key::generate(KeyKind::Account)
}

fn issuer(key: &Key) -> Issuer {
    key.public_key().parse().unwrap()
}

fn provider() -> Subject {
    Key::generate(KeyKind::Service)
        .public_key()
        .parse()
        .unwrap()
}

/// Signs any payload.
fn token(key: &Key, payload: &Value) -> String {
    let parts = [token::HEADER.to_owned(), payload.to_string()];
    let parts = parts.map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
    let signed = parts.join(".");
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

#[test]
fn a_statement_contains_the_signed_values_and_is_reproducible() {
    let (old, new, provider) = (account(), account(), provider());
    let sign = || {
        Rotation::sign(
            &old,
            &issuer(&new),
            std::slice::from_ref(&provider),
            true,
            unix_time(9),
        )
    };
    let statement = sign().unwrap();
    assert_eq!(sign().unwrap().token(), statement.token());
    let read = Rotation::verify(&format!(" {}\n", statement.token())).unwrap();
    assert_eq!(read, statement);
    assert_eq!((read.from(), read.to()), (&issuer(&old), &issuer(&new)));
    assert_eq!(read.providers(), [provider]);
    assert!(read.retires());
    assert_eq!(read.date(), unix_time(9));
}

#[test]
fn statements_that_do_not_verify_are_refused() {
    let (old, new) = (account(), account());
    let now = unix_seconds(SystemTime::now());
    let whole = json!({
        "jti": "x", "iat": now, "iss": old.public_key(), "sub": new.public_key(),
        "com.wasmcloud.par.rotation": { "providers": [provider().as_str()] },
    });
    assert!(!Rotation::verify(&token(&old, &whole)).unwrap().retires());
    let with = |change: &dyn Fn(&mut Value)| {
        let mut payload = whole.clone();
        change(&mut payload);
        token(&old, &payload)
    };
    let section = "com.wasmcloud.par.rotation";
    let refused = [
        (
            token(&new, &whole),
            "its signature is not a valid signature of A",
        ),
        (with(&|p| p["iat"] = (now + 300).into()), "in the future"),
        (with(&|p| p["exp"] = (now - 1).into()), "has expired"),
        (with(&|p| p["nbf"] = (now + 300).into()), "not valid yet"),
        (
            with(&|p| p["sub"] = p["iss"].clone()),
            "the former and the new account are the same",
        ),
        (
            with(&|p| p["sub"] = provider().as_str().into()),
            "not a token of that kind",
        ),
        (
            with(&|p| p["iss"] = provider().as_str().into()),
            "not a token of that kind",
        ),
        (
            with(&|p| p[section]["providers"] = json!([])),
            "names no provider",
        ),
        (
            with(&|p| p[section]["providers"] = json!(["V"])),
            "not a token of that kind",
        ),
        (
            with(&|p| p[section] = Value::Null),
            "not a token of that kind",
        ),
        (
            with(&|p| p["jti"] = "x".repeat(LONGEST).into()),
            "has more than",
        ),
        ("x".to_owned(), "not a token of that kind"),
    ];
    for (token, reason) in refused {
        let error = Rotation::verify(&token).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}: {reason}");
    }
}

#[test]
fn only_accounts_sign_statements_and_only_about_providers() {
    let (old, new) = (account(), account());
    let now = SystemTime::now();
    let service = Key::generate(KeyKind::Service);
    assert!(Rotation::sign(&service, &issuer(&new), &[provider()], false, now).is_err());
    let refused: [(&Key, Vec<Subject>); 3] = [
        (&new, Vec::new()),
        (&old, vec![provider()]),
        (&new, (0..300).map(|_| provider()).collect()),
    ];
    for (to, providers) in refused {
        let error = Rotation::sign(&old, &issuer(to), &providers, false, now).unwrap_err();
        assert!(matches!(error, Error::CannotRotate { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}
