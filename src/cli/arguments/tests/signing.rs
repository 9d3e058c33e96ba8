use super::*;

#[test]
fn a_name_cannot_lead_out_of_the_directory_for_keys() {
    assert!(is_file_stem("jane.doe"));
    for name in ["", ".", "..", "../x", "a/b", "a\\b"] {
        assert!(!is_file_stem(name), "{name}");
    }
}
