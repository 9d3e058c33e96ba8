use super::*;

fn format(line: &str, variable: Option<&str>) -> LogFormat {
    let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    LogFormat::requested_in(&arguments, variable.map(OsStr::new))
}

#[test]
fn the_format_of_the_log_is_found_in_arguments_that_do_not_parse() {
    assert_eq!(format("par x --log-format json", None), LogFormat::Json);
    assert_eq!(format("par --log-format=json x", None), LogFormat::Json);
    assert_eq!(format("par x", Some("json")), LogFormat::Json);
    assert_eq!(format("par -o json", None), LogFormat::Text);
    assert_eq!(format("par x -- --log-format json", None), LogFormat::Text);
}

#[test]
fn the_option_for_the_format_of_the_log_overrides_the_variable() {
    let line = "par x --log-format text";
    assert_eq!(format(line, Some("json")), LogFormat::Text);
}
