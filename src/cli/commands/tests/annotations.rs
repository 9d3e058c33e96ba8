use super::*;

#[test]
fn an_annotation_is_split_at_the_first_equals_sign() {
    let expected = ("a.b".to_owned(), "c=d".to_owned());
    assert_eq!(annotation("a.b=c=d"), Ok(expected));
    assert_eq!(annotation("a="), Ok(("a".to_owned(), String::new())));
    assert!(annotation("a").is_err());
    assert!(annotation("=a").is_err());
}
