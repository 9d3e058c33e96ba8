use super::*;

#[test]
fn a_date_can_be_removed() {
    assert_eq!("none".parse(), Ok(NewDate(None)));
    assert_eq!("17".parse(), Ok(NewDate(Some(Date::At(17)))));
    assert!("never".parse::<NewDate>().is_err());
}
