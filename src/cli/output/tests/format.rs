use super::*;

fn format(line: &str) -> Format {
    let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    Format::requested_in(&arguments)
}

#[test]
fn the_format_is_found_in_arguments_that_do_not_parse() {
    for line in [
        "par -o json",
        "par x -ojson",
        "par --output=json y",
        "par --output json",
    ] {
        assert_eq!(format(line), Format::Json, "{line}");
    }
    for line in ["par", "par -o text json", "par x -- -o json", "par -o"] {
        assert_eq!(format(line), Format::Text, "{line}");
    }
}
