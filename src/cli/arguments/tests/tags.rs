use super::{TagPattern, newest};

fn chosen(tags: &[&str], pattern: Option<&str>, most: Option<usize>) -> Vec<String> {
    let tags = tags.iter().map(ToString::to_string).collect();
    let pattern: Option<TagPattern> = pattern.map(|pattern| pattern.parse().unwrap());
    newest(tags, pattern.as_ref(), most)
}

#[test]
fn the_newest_versions_are_chosen_unless_a_pattern_chooses_other_tags() {
    let attached = format!("sha256-{}", "0a".repeat(32));
    let tags = ["latest", "1.10.0", "main", "1.9.0", "2.0.0", &attached];
    assert_eq!(chosen(&tags, None, None), ["1.9.0", "1.10.0", "2.0.0"]);
    assert_eq!(chosen(&tags, None, Some(2)), ["1.10.0", "2.0.0"]);
    assert_eq!(chosen(&tags, Some(r"^1\."), Some(1)), ["1.10.0"]);
    assert_eq!(chosen(&tags, Some("^l|^2"), None), ["latest", "2.0.0"]);
    assert_eq!(chosen(&tags, Some("sha256"), None), [""; 0]);
    assert_eq!(chosen(&tags, None, Some(0)), [""; 0]);
    assert!("(".parse::<TagPattern>().is_err());
}
