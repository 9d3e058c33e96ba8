use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    credentials: CredentialArgs,
}

fn args(line: &str) -> CredentialArgs {
    Line::parse_from(line.split(' ')).credentials
}

#[test]
fn a_user_and_a_password_come_together() {
    let both = args("par -u jane -p secret").given().unwrap();
    assert_eq!(both, Some(("jane".to_owned(), "secret".to_owned())));
    assert!(args("par --user=jane --password=").given().is_err());
    assert!(args("par --user= --password=secret").given().is_err());
    assert_eq!(args("par --user= --password=").given().unwrap(), None);
}

#[test]
fn a_user_with_a_colon_is_refused() {
    let error = args("par -u a:b -p secret").given_or_asked().unwrap_err();
    assert!(error.to_string().contains('`'), "{error}");
}

#[test]
fn a_command_reads_the_password_from_standard_input_once() {
    let args = args("par --user=jane --password-stdin");
    let first = args.clone().password_from(&b"secret\n"[..]).unwrap();
    let again = args.password_from(&b""[..]).unwrap();
    assert_eq!((first.as_str(), again.as_str()), ("secret", "secret"));
}

#[test]
fn the_password_is_the_first_line_without_its_end() {
    let read = args("par").password_from(&b" s3 cret \r\nmore"[..]);
    assert_eq!(read.unwrap(), " s3 cret ");
    for nothing in ["", "\n"] {
        assert!(args("par").password_from(nothing.as_bytes()).is_err());
    }
}
