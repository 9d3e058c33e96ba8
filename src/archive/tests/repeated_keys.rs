use super::*;

#[test]
fn the_first_repeated_key_is_found_at_any_depth() {
    for (json, expected) in [
        (r#"{"a":1,"a":1}"#, "a"),
        (r#"{"a":{"b":1},"a":{"c":1}}"#, "a"),
        (r#"{"a":[{"b":null,"c":[],"b":{}}]}"#, "b"),
        (r#"[1,{"a":-1.5,"b":"","\u0061":true}]"#, "a"),
        (r#"{"":0,"":0,"a":0,"a":0}"#, ""),
        // What follows is not read.
        (r#"{"a":1,"a":"#, "a"),
    ] {
        let found = repeated_key(json.as_bytes()).unwrap();
        assert_eq!(found.as_deref(), Some(expected), "{json}");
    }
}

#[test]
fn the_same_key_in_several_objects_is_not_repeated() {
    for json in [
        "null",
        "[]",
        r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#,
        r#"[{"a":1},{"a":1}]"#,
        r#"{"a":"a","A":"a"}"#,
    ] {
        assert_eq!(repeated_key(json.as_bytes()).unwrap(), None, "{json}");
    }
}

#[test]
fn malformed_json_is_an_error() {
    let nested = "[".repeat(100_000);
    for json in ["", "{", r#"{"a"}"#, "nul", nested.as_str()] {
        assert!(repeated_key(json.as_bytes()).is_err());
    }
}
