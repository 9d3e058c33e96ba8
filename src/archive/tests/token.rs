use serde_json::json;

use super::*;

fn date(name: &'static str, date: Value) -> Result<Claims<CapabilityProvider>, Error> {
    let mut payload = json!({"jti": "1", "iat": 5, "iss": "A", "sub": "V"});
    payload[name] = date;
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    decode(&format!("{}.{}.sig", encode(&json!({})), encode(&payload)))
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
