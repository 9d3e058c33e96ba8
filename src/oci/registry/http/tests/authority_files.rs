use super::*;

fn place(variables: &[(&str, &str)]) -> Place {
    Place::of(|name| {
        let mut variables = variables.iter();
        let found = variables.find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

#[test]
fn the_text_of_a_place_names_its_variables() {
    for (variables, expected) in [
        (&[][..], "this system"),
        (&[(FILE, ""), (DIRECTORIES, "")], "this system"),
        (&[(FILE, "/a.pem")], "/a.pem, which SSL_CERT_FILE names"),
        (
            &[(DIRECTORIES, "/a::/b")],
            "/a, /b, which SSL_CERT_DIR names",
        ),
        (
            &[(FILE, "/f"), (DIRECTORIES, "/d")],
            "/f, which SSL_CERT_FILE names, and /d, which SSL_CERT_DIR names",
        ),
    ] {
        let place = place(variables);
        assert_eq!(place.to_string(), expected);
        assert_eq!(place.is_chosen(), expected != "this system");
    }
}

#[test]
fn a_missing_path_in_a_variable_is_reported_and_not_replaced() {
    let found = place(&[(FILE, "/nonexistent.pem"), (DIRECTORIES, "/nonexistent")]).load();
    assert_eq!((found.certs.len(), found.errors.len()), (0, 2));
}
