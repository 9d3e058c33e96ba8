use super::*;

#[test]
fn lines_and_characters_are_counted_from_1() {
    let text = "one\n\u{e9}two\n";
    for (offset, expected) in [(0, (1, 1)), (3, (1, 4)), (4, (2, 1)), (6, (2, 2))] {
        assert_eq!(line_and_column(text, offset), expected, "{offset}");
    }
}

#[test]
fn an_offset_that_is_not_at_a_character_is_the_end_of_the_text() {
    let text = "one\n\u{e9}";
    for offset in [5, 6, 100] {
        assert_eq!(line_and_column(text, offset), (2, 2), "{offset}");
    }
}
