use serde_json::json;

use super::*;

fn basic(user: &str, password: &str) -> Result<Option<Credentials>, &'static str> {
    Ok(Some(Credentials::Basic {
        user: user.to_owned(),
        password: password.to_owned(),
    }))
}

#[test]
fn an_entry_has_a_password_a_token_or_no_credentials() {
    let held = |entry: Value| credentials(&entry);
    for nothing in [
        json!({}),
        json!({ "auth": "" }),
        json!({ "auth": null, "identitytoken": null, "username": null }),
        json!({ "password": "alone", "email": 7, "other": [{}] }),
        Value::Null,
    ] {
        assert_eq!(held(nothing.clone()), Ok(None), "{nothing}");
    }
    assert_eq!(held(json!({ "auth": "YTpiOmM=" })), basic("a", "b:c"));
    assert_eq!(held(json!({ "auth": "YTpiOmM" })), basic("a", "b:c"));
    let plain = json!({ "username": "a", "password": "b" });
    assert_eq!(held(plain), basic("a", "b"));
    for (entry, user) in [
        (
            json!({ "auth": "YTpi", "identitytoken": "token" }),
            Some("a"),
        ),
        (
            json!({ "auth": "YTo=", "identitytoken": "token" }),
            Some("a"),
        ),
        (
            json!({ "username": "a", "identitytoken": "token" }),
            Some("a"),
        ),
        (json!({ "auth": "Og==", "identitytoken": "token" }), None),
        (json!({ "auth": "!", "identitytoken": "token" }), None),
        (json!({ "identitytoken": "token" }), None),
    ] {
        let expected = Credentials::IdentityToken {
            user: user.map(str::to_owned),
            token: "token".to_owned(),
        };
        assert_eq!(held(entry), Ok(Some(expected)));
    }
    let token = json!({ "auth": "YTpi", "identitytoken": "other", "registrytoken": "token" });
    let expected = Credentials::RegistryToken("token".to_owned());
    assert_eq!(held(token), Ok(Some(expected)));
}

#[test]
fn names_of_fields_are_found_in_any_case() {
    let entry = json!({ "Auth": "YTpi" });
    assert_eq!(credentials(&entry), basic("a", "b"));
    let both = json!({ "AUTH": "eDp5", "auth": "YTpi" });
    assert_eq!(credentials(&both), basic("a", "b"));
}

#[test]
fn base64_may_be_broken_into_lines_and_end_with_zeros_or_a_line_end() {
    for auth in [
        "YT\npi",
        "YTpi\n",
        " YT\r\npi\r\n",
        "YTpiAAA=",
        "YTpiCg==",
        "YTpiDQo=",
    ] {
        assert_eq!(
            credentials(&json!({ "auth": auth })),
            basic("a", "b"),
            "{auth:?}"
        );
    }
    assert_eq!(credentials(&json!({ "auth": "YToA" })), basic("a", ""));
}

#[test]
fn the_error_names_the_malformed_field() {
    for (entry, said) in [
        (json!({ "auth": "!" }), "not base64"),
        (json!({ "auth": "YQ==" }), "without a password"),
        (json!({ "auth": "/w==" }), "not text"),
        (json!({ "auth": 7 }), "not text"),
        (json!({ "identitytoken": {} }), "`identitytoken`"),
        (json!({ "registrytoken": [] }), "`registrytoken`"),
        (json!("YTpi"), "not an object"),
    ] {
        let reason = credentials(&entry).unwrap_err();
        assert!(reason.contains(said), "{entry}: {reason}");
    }
}
