use super::*;

#[test]
fn a_warning_is_unquoted_and_logged_once() {
    let said = |warning| text(warning).unwrap_or_default();
    assert_eq!(said(r#"299 - "Your plan ends""#), "Your plan ends");
    assert_eq!(said(r#"299 - "say \"please\"""#), "say \"please\"");
    for other in [
        "",
        "299",
        "299 -",
        "299 - \"",
        "110 - \"stale\"",
        "299 - bare",
    ] {
        assert_eq!(text(other), None, "{other}");
    }
    let warnings = Warnings::default();
    assert!(warnings.is_new("a") && warnings.is_new("b") && !warnings.is_new("a"));
    for number in 0..LIMIT {
        warnings.is_new(&number.to_string());
    }
    assert!(!warnings.is_new("one more"));
}
