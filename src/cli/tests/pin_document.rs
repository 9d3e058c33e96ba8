use serde_json::Map;

use crate::archive::{Key, KeyKind};
use crate::content::unix_time;

use super::*;

fn pin() -> Pin {
    let [issuer, former] = [(); 2].map(|()| Key::generate(KeyKind::Account).public_key());
    let mut pin = Pin::new(&issuer, &Key::generate(KeyKind::Service).public_key());
    pin.since = unix_time(1_700_000_000);
    pin.revisions = [("1.0".to_owned(), 3)].into();
    pin.former.entry(former).or_default().retired = true;
    pin.rotated = Some(unix_time(1_700_000_009));
    pin.digests = vec![Digest::of(b"")];
    pin
}

fn document(pins: &BTreeMap<String, Pin>) -> Value {
    let fields = fields(pins).map(|(name, value)| (name.to_owned(), value));
    Value::Object(fields.into_iter().collect::<Map<_, _>>())
}

#[test]
fn exported_pins_are_imported_unchanged() {
    let places = ["ghcr.io/org/b", "ghcr.io/org/a", "localhost:5000/x"];
    let pins: BTreeMap<_, _> = places.map(|place| (place.to_owned(), pin())).into();
    let document = document(&pins);
    assert_eq!(document["pins"][0]["repository"], "ghcr.io/org/a");
    assert_eq!(document["pins"][0]["since"], "2023-11-14T22:13:20Z");
    assert_eq!(read(document.to_string().as_bytes()), Ok(pins));
}

#[test]
fn other_spellings_of_a_repository_are_one_pin() {
    let pins = [("index.docker.io/demo".to_owned(), pin())].into();
    let read = read(document(&pins).to_string().as_bytes()).unwrap();
    assert!(read.contains_key("docker.io/library/demo"), "{read:?}");
}

#[test]
fn a_document_with_anything_wrong_is_refused_as_a_whole() {
    let pins = [("ghcr.io/org/a".to_owned(), pin())].into();
    let whole = document(&pins);
    let refused = |change: &dyn Fn(&mut Value), reason: &str| {
        let mut document = whole.clone();
        change(&mut document);
        let error = read(document.to_string().as_bytes()).unwrap_err();
        assert!(error.contains(reason), "{error}: {reason}");
    };
    refused(&|d| d["version"] = 2.into(), "only version 1");
    refused(&|d| d["pins"] = Value::Null, "invalid type");
    refused(
        &|d| d["pins"][0]["repository"] = "ghcr.io".into(),
        "not the name of a repository",
    );
    refused(
        &|d| d["pins"][0]["issuer"] = "A".into(),
        "not the public key of an account",
    );
    refused(
        &|d| d["pins"][0]["former"] = json!({"A": {}}),
        "not the public key of an account",
    );
    refused(
        &|d| d["pins"][0]["service"] = "V".into(),
        "not the public key of a service",
    );
    refused(
        &|d| d["pins"][0]["since"] = "yesterday".into(),
        "is not a date",
    );
    refused(&|d| d["pins"][0]["digests"] = json!(["x"]), "digest");
    refused(&|d| d["pins"][0]["isuer"] = "x".into(), "unknown field");
    refused(
        &|d| {
            let first = d["pins"][0].clone();
            d["pins"].as_array_mut().unwrap().push(first);
        },
        "two pins",
    );
}
