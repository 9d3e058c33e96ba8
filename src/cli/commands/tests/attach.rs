use super::*;

#[test]
fn a_file_and_its_type_are_split_at_the_last_equals_sign() {
    let expected = ("a=b.json".to_owned(), "text/plain".to_owned());
    assert_eq!(file_and_type("a=b.json=text/plain"), Ok(expected));
    for wrong in ["a.json", "a.json=", "=text/plain", ""] {
        assert!(file_and_type(wrong).is_err(), "{wrong}");
    }
}
