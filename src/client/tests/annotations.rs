use super::*;

#[test]
fn annotations_that_a_push_writes_are_refused() {
    let annotations = |name: &str| BTreeMap::from([(name.to_owned(), "x".to_owned())]);
    assert!(check(&annotations("org.opencontainers.image.source")).is_ok());
    for name in [INDEX, CLAIMS] {
        let error = check(&annotations(name)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}
