use serde_json::json;

use super::*;

fn date(name: &'static str, date: Value) -> Result<Claims<CapabilityProvider>, Error> {
    let mut payload = json!({"jti": "1", "iat": 5, "iss": "A", "sub": "V"});
    payload[name] = date;
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    decode(&format!("{}.{}.sig", encode(&json!({})), encode(&payload)))
}

#[test]
fn a_key_that_occurs_twice_is_refused_by_its_name() {
    let decoded = |payload: &str| {
        let payload = BASE64URL_NOPAD.encode(payload.as_bytes());
        decode(&format!("e30.{payload}.sig"))
    };
    for exp in ["null", "5", "4e9"] {
        let payload = format!(
            r#"{{"jti":"1","iat":5,"iss":"A","sub":"V","exp":{exp},"nbf":1,"wascap":{{"vendor":"v","name":"n",
            "target_hashes":{{"arm-linux":"AB"}}}},"aud":["all"]}}"#
        );
        decoded(&payload).unwrap();
        for key in [
            "iat",
            "iss",
            "sub",
            "exp",
            "nbf",
            "wascap",
            "vendor",
            "name",
            "target_hashes",
            "arm-linux",
            "aud",
        ] {
            let written = format!("\"{key}\":");
            let twice = payload.replace(&written, &format!("{written}null,{written}"));
            let message = decoded(&twice).unwrap_err().to_string();
            let expected = format!("the key `{key}` occurs twice");
            assert!(message.contains(&expected), "{message}");
        }
    }
    let header = BASE64URL_NOPAD.encode(br#"{"typ":"jwt","alg":"none","alg":"Ed25519"}"#);
    let error = is_signed_by(&format!("{header}.e30."), "A").unwrap_err();
    assert!(error.to_string().contains("`alg` occurs twice"), "{error}");
}

#[test]
fn dates_may_have_fractions_and_exponents() {
    for (written, floor, ceil) in [
        (json!(1_700_000_000), 1_700_000_000, 1_700_000_000),
        (json!(1_700_000_000.5), 1_700_000_000, 1_700_000_001),
        (json!(1.7e9), 1_700_000_000, 1_700_000_000),
        (json!(0.0), 0, 0),
        (json!(u64::MAX), u64::MAX, u64::MAX),
    ] {
        assert_eq!(date("exp", written.clone()).unwrap().expires, Some(floor));
        assert_eq!(date("nbf", written.clone()).unwrap().not_before, Some(ceil));
        assert_eq!(date("iat", written).unwrap().issued_at, floor);
    }
    assert_eq!(date("exp", Value::Null).unwrap().expires, None);
}

#[test]
fn an_impossible_date_is_refused_with_its_name() {
    for written in [
        json!(-1),
        json!(-0.5),
        json!(1e300),
        json!("1700000000"),
        json!(true),
        json!([]),
    ] {
        for name in ["exp", "nbf", "iat"] {
            // Rounding up leads to 1970.
            if written == json!(-0.5) && name == "nbf" {
                continue;
            }
            let message = date(name, written.clone()).unwrap_err().to_string();
            let expected = format!("the date `{name}` is {written}");
            assert!(message.contains(&expected), "{message}");
        }
    }
}
