use super::*;

#[test]
fn a_message_names_the_variable_behind_a_path_once() {
    let given = [Given {
        variable: "PAR_TRUST".to_owned(),
        path: "/etc/policy".to_owned(),
    }];
    let explain = |message: &str| Given::name_variables(&given, message.to_owned());
    assert_eq!(
        explain("cannot read /etc/policy: gone"),
        "cannot read /etc/policy: gone (from PAR_TRUST)"
    );
    for message in [
        "cannot read /etc/other",
        "PAR_TRUST: cannot read /etc/policy",
    ] {
        assert_eq!(explain(message), message);
    }
}

#[test]
fn an_option_is_found_in_all_its_forms() {
    let argument = Arg::new("output").short('o').long("output");
    for word in ["-o", "-ojson", "-o=json", "--output", "--output=json"] {
        assert!(is_option(&argument, OsStr::new(word)), "{word}");
    }
    for word in ["output", "--outputs", "-x", "--", "--o"] {
        assert!(!is_option(&argument, OsStr::new(word)), "{word}");
    }
}
