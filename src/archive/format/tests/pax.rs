use super::*;

#[test]
fn values_may_hold_line_ends_and_equal_signs() {
    let records = records(b"13 key=a\n=b\n\n9 path=x\n").unwrap();
    let expected: [Record<'_>; 2] = [(b"key", b"a\n=b\n"), (b"path", b"x")];
    assert_eq!(records, expected);
}

#[test]
fn records_with_a_wrong_length_are_refused() {
    for bytes in [
        "path=x\n",
        "9 path=x",
        "8 path=x\n",
        "99 path=x\n",
        "0 ",
        "2 ",
        "4 x\n",
        " =\n",
        "\n",
        "18446744073709551616 path=x\n",
    ] {
        assert!(records(bytes.as_bytes()).is_err(), "{bytes:?}");
    }
}
