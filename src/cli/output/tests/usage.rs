use clap::{Arg, Command};

use super::*;

fn problem(arguments: &[&str]) -> Problem {
    let command = Command::new("par")
        .arg(Arg::new("archive").value_name("FILE|REF|-").required(true))
        .arg(Arg::new("issuer").long("issuer"));
    let error = command.try_get_matches_from(arguments).unwrap_err();
    usage_problem(&error)
}

#[test]
fn a_usage_error_becomes_one_line_and_a_hint() {
    let similar = problem(&["par", "x.par", "--isuer", "A"]);
    assert_eq!(similar.message, "unexpected argument '--isuer' found");
    assert_eq!(
        similar.hint.as_deref(),
        Some("a similar argument exists: '--issuer'")
    );
    assert_eq!(
        problem(&["par"]).message,
        "the following required arguments were not provided: <FILE|REF|->"
    );
}
