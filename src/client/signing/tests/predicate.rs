use super::*;
use crate::content::unix_time;

fn predicate(name: &str, content: &str) -> Result<Predicate, SigningError> {
    Predicate::at(name, content.as_bytes(), unix_time(1_700_000_000))
}

#[test]
fn a_type_is_a_name_that_cosign_has_or_a_uri() {
    for (name, uri) in [
        ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
        ("spdxjson", "https://spdx.dev/Document"),
        ("cyclonedx", "https://cyclonedx.org/bom"),
        ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
        (
            "https://example.org/audit/v1",
            "https://example.org/audit/v1",
        ),
        ("urn:audit", "urn:audit"),
    ] {
        assert_eq!(predicate(name, "{}").unwrap().predicate_type(), uri);
    }
    for name in [
        "",
        "audit",
        "https:",
        ":a",
        "1a:b",
        "https://a b",
        "https://a\n",
    ] {
        let error = predicate(name, "{}").unwrap_err();
        assert!(matches!(error, SigningError::PredicateType(_)), "{name}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn the_content_is_kept_as_it_is_written() {
    let content = "{\"big\": 12345678901234567890123, \"z\": 1,\n \"a\": 1.0}";
    let kept = predicate("urn:a", &format!("\n{content}\n")).unwrap();
    assert_eq!(kept.content().get(), content);
}

#[test]
fn the_type_custom_wraps_the_text_with_the_time() {
    let wrapped = predicate("custom", "{\"a\": 1}").unwrap();
    let value: Value = serde_json::from_str(wrapped.content().get()).unwrap();
    let expected = json!({ "Data": "{\"a\": 1}", "Timestamp": "2023-11-14T22:13:20Z" });
    assert_eq!(value, expected);
}

#[test]
fn what_is_no_json_object_is_refused() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    for content in ["", "[]", "\"a\"", "{", "{} {}", "{\"a\":}", &deep] {
        let error = predicate("urn:a", content).unwrap_err();
        assert!(matches!(error, SigningError::Predicate(_)), "{content}");
    }
    let error = Predicate::new("urn:a", b"{\"a\":\"\xff\"}").unwrap_err();
    assert!(matches!(error, SigningError::Predicate(_)), "{error}");
    let long = format!(
        "{{\"a\":\"{}\"}}",
        "b".repeat(usize::try_from(LIMIT).unwrap())
    );
    let error = predicate("urn:a", &long).unwrap_err();
    assert!(
        matches!(error, SigningError::PredicateTooLarge { .. }),
        "{error}"
    );
}

#[test]
fn what_custom_wraps_still_fits_into_a_bundle_that_is_read() {
    let most = usize::try_from(LIMIT).unwrap();
    let letters = format!("{{\"a\":\"{}\"}}", "b".repeat(most - 8));
    assert!(predicate("custom", &letters).is_ok());
    // Each line feed becomes an escape sequence of two bytes.
    let lines = format!("{{{}}}", "\n".repeat(most - 2));
    assert!(predicate("vuln", &lines).is_ok());
    let error = predicate("custom", &lines).unwrap_err();
    assert!(
        matches!(error, SigningError::WrappedTooLarge { .. }),
        "{error}"
    );
}
