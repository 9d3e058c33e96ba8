use crate::archive::from_unix;

use super::*;

#[test]
fn dates_are_parsed_in_all_their_forms() {
    for (text, seconds) in [
        ("17", 17),
        ("2027-01-31", 1_801_353_600),
        ("2027-01-31T00:00:00Z", 1_801_353_600),
        ("2027-01-31T12:00:00.5Z", 1_801_396_800),
        ("30d", 1_000 + 30 * 86_400),
        ("1h 30m", 1_000 + 5_400),
    ] {
        assert_eq!(
            text.parse::<Date>().unwrap().seconds(1_000),
            seconds,
            "{text}"
        );
    }
    for text in [
        "",
        "tomorrow",
        "-1",
        "1.5",
        "2027",
        "2027-01",
        "2027-02-29",
        "1969-12-31",
        "2027-01-31T12:00:00",
        "2027-01-31T12:00:00+02:00",
        "30",
        "30x",
        "99999999999999999999",
    ] {
        let at = text.parse::<Date>();
        assert!(!matches!(at, Ok(Date::After(_))), "{text}");
        assert_eq!(at.is_ok(), text.parse::<u64>().is_ok(), "{text}");
    }
    assert_eq!(Date::After(Duration::MAX).seconds(1), u64::MAX);
}

#[test]
fn validity_is_described_unless_it_is_unlimited() {
    let metadata = |not_before: Option<u64>, expires: Option<u64>| Metadata {
        not_before: not_before.map(from_unix),
        expires: expires.map(from_unix),
        ..Metadata::default()
    };
    assert_eq!(validity(&metadata(None, None)), None);
    for (not_before, expires, expected) in [
        (Some(0), None, "valid since 1970-01-01T00:00:00Z"),
        (
            Some(99_999_999_998),
            None,
            "valid from 5138-11-16T09:46:38Z, not valid yet",
        ),
        (
            Some(99_999_999_998),
            Some(99_999_999_999),
            "valid from 5138-11-16T09:46:38Z to 5138-11-16T09:46:39Z, not valid yet",
        ),
        (
            None,
            Some(99_999_999_999),
            "valid until 5138-11-16T09:46:39Z",
        ),
        (
            Some(0),
            Some(1),
            "valid from 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z",
        ),
    ] {
        assert_eq!(validity(&metadata(not_before, expires)).unwrap(), expected);
    }
}
