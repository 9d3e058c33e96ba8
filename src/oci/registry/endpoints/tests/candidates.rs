use super::*;
use crate::content::ErrorKind;

#[test]
fn the_errors_of_many_mirrors_are_bounded() {
    let mut skipped = SkippedMirrors::default();
    for number in 0..MOST_REPORTED + 3 {
        skipped.add(&format!("mirror{number}"), &"no\n".repeat(1000));
    }
    let error = skipped.attach_to(Error::Stalled {
        what: "manifest".to_owned(),
        address: "https://registry".to_owned(),
        seconds: 5,
    });
    let text = error.to_string();
    assert!(text.contains("mirror4: no no"), "{text}");
    assert!(!text.contains("mirror5"), "{text}");
    assert!(text.contains("; and 3 more"), "{text}");
    assert!(!text.contains('\n') && text.len() < 2000, "{text}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
