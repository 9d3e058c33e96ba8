use serde_json::json;

use super::*;

#[test]
fn unchanged_parts_keep_their_bytes() {
    let text = r#"{ "z": 1.50, "manifests": [ {"b": 1e3,  "a": 12345678901234567890123}, {"c":1} ], "a": "\u0041" }"#;
    let before: Value = serde_json::from_str(r#"[{"b": 1, "a": 2}, {"c": 1}]"#).unwrap();
    let before = before.as_array().unwrap();
    let mut after = before.clone();
    after[1] = json!({"c": 2});
    after.push(json!({"d": 3}));
    assert_eq!(
        with_entries(text, before, &after).unwrap(),
        r#"{"z":1.50,"manifests":[{"b": 1e3,  "a": 12345678901234567890123},{"c":2},{"d":3}],"a":"\u0041"}"#
    );
}

#[test]
fn a_missing_or_null_list_is_created() {
    let after = [json!({"d": 3})];
    for (text, expected) in [
        ("{}", r#"{"manifests":[{"d":3}]}"#),
        (
            r#"{"a":1,"manifests":null}"#,
            r#"{"a":1,"manifests":[{"d":3}]}"#,
        ),
    ] {
        assert_eq!(with_entries(text, &[], &after).unwrap(), expected);
    }
    assert!(with_entries("[]", &[], &after).is_err());
}

#[test]
fn entries_after_a_removed_one_keep_their_bytes() {
    let text = r#"{"manifests": [{"a": 1e3}, {"b":  1.50}, {"c": 2}]}"#;
    let before: Value = serde_json::from_str(r#"[{"a": 1e3}, {"b": 1.50}, {"c": 2}]"#).unwrap();
    let before = before.as_array().unwrap();
    let after = [before[1].clone(), json!({"c": 3})];
    assert_eq!(
        with_entries(text, before, &after).unwrap(),
        r#"{"manifests":[{"b":  1.50},{"c":3}]}"#
    );
}
