use super::*;

#[test]
fn at_most_three_things_are_named_and_the_others_are_counted() {
    for (count, text) in [
        (0, ""),
        (1, "0"),
        (3, "0, 1, 2"),
        (4, "0, 1, 2 and 1 other"),
        (1000, "0, 1, 2 and 997 others"),
    ] {
        let things: Vec<u32> = (0..count).collect();
        assert_eq!(first_few(&things), text);
    }
}
