use super::*;

#[test]
fn a_timestamp_is_asked_for_in_der() {
    let query = timestamp_query(&[7; 32]);
    assert_eq!(query.len(), 59);
    // The lengths of the sequence and of the imprint.
    assert_eq!((query[1], query[6]), (57, 49));
    assert_eq!(query[24..56], [7; 32]);
    assert_eq!(query[56..], [0x01, 0x01, 0xff]);
}

#[test]
fn a_malformed_answer_is_described_and_not_repeated() {
    let asked = Asked {
        what: "an identity token",
        url: "https://token.example/get?secret=hidden".to_owned(),
    };
    let error = asked.parse::<TokenAnswer>(b"{\"value\": [\"hidden\"]}");
    let error = error.err().unwrap();
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("https://token.example/get answered"),
        "{shown}"
    );
    assert!(!shown.contains("hidden"), "{shown}");
}
