use super::uuid;

#[test]
fn the_uuid_of_a_document_depends_on_its_content() {
    let first = uuid(&serde_json::json!({"a": 1}));
    assert_eq!(first, uuid(&serde_json::json!({"a": 1})));
    assert_ne!(first, uuid(&serde_json::json!({"a": 2})));
    let lengths: Vec<usize> = first.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!((&first[14..15], &first[19..20]), ("8", "a"));
}
