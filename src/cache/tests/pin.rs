use super::*;

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

#[test]
fn two_pins_to_one_publisher_are_merged() {
    let mut first = Pin::new("A", "V");
    first.since = unix_time(100);
    first.revisions = [("1".to_owned(), 4), ("2".to_owned(), 1)].into();
    first.note_use(&digest("a"));
    let mut second = Pin::new("A", "V");
    second.since = unix_time(50);
    second.revisions = [("1".to_owned(), 3), ("3".to_owned(), 9)].into();
    second.note_use(&digest("b"));
    let merged = first.merged(&second).unwrap();
    assert_eq!(merged.since, unix_time(50));
    let revisions = [
        ("1".to_owned(), 4),
        ("2".to_owned(), 1),
        ("3".to_owned(), 9),
    ];
    assert_eq!(merged.revisions, revisions.into());
    assert_eq!(merged.digests, [digest("a"), digest("b")]);
    assert_eq!(first.merged(&Pin::new("B", "V")), None);
    assert_eq!(first.merged(&Pin::new("A", "W")), None);
}

#[test]
fn a_pin_after_a_rotation_is_merged_with_the_pin_before_it() {
    let before = Pin::new("A", "V");
    let mut after = Pin::new("B", "V");
    let former = FormerIssuer { retired: true };
    after.former.insert("A".to_owned(), former);
    after.rotated = Some(unix_time(7));
    for merged in [before.merged(&after), after.merged(&before)] {
        let merged = merged.unwrap();
        assert_eq!(merged.issuer, "B");
        assert!(merged.former["A"].retired && !merged.allows_issuer("A"));
        assert!(merged.allows_issuer("B"));
    }
}

#[test]
fn the_earliest_of_very_many_digests_are_forgotten() {
    let mut pin = Pin::new("A", "V");
    for number in 0..=DIGEST_LIMIT {
        pin.note_use(&digest(&number.to_string()));
        pin.note_use(&digest(&number.to_string()));
    }
    pin.shorten();
    assert_eq!(pin.digests.len(), DIGEST_LIMIT);
    assert!(!pin.digests.contains(&digest("0")));
}

#[test]
fn the_file_of_an_older_version_can_be_read() {
    let text = r#"{"issuer":"A","subject":"V","since":7,"revisions":{"1":2}}"#;
    let pin: Pin = serde_json::from_str(text).unwrap();
    assert_eq!(pin.since, unix_time(7));
    assert_eq!(serde_json::to_string(&pin).unwrap(), text);
}
