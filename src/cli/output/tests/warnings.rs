use super::*;

#[test]
fn warnings_are_kept_once_in_their_order() {
    let warnings = Warnings::default();
    for warning in ["b", "a", "b"] {
        warnings.clone().add(warning);
    }
    assert_eq!(warnings.all(), ["b", "a"]);
}

#[test]
fn warnings_beyond_the_limit_are_left_out_and_a_last_one_says_so() {
    let warnings = Warnings::default();
    for number in 0..MOST + 10 {
        warnings.add(&number.to_string());
    }
    let all = warnings.all();
    assert_eq!(all.len(), MOST + 1);
    assert_eq!(all.last().unwrap(), "further warnings are left out");
}
