use super::*;

#[test]
fn an_absolute_path_in_the_variable_needs_no_home() {
    let chosen = |named: Option<&str>, home: Option<&str>| {
        choose(named.map(OsString::from), ".config", || {
            home.map(PathBuf::from)
        })
    };
    let path = |path: &str| Some(PathBuf::from(path));
    assert_eq!(chosen(Some("/etc/x"), None), path("/etc/x"));
    assert_eq!(chosen(Some("/etc/x"), Some("/home/jane")), path("/etc/x"));
    for named in [None, Some(""), Some("config")] {
        assert_eq!(
            chosen(named, Some("/home/jane")),
            path("/home/jane/.config")
        );
        assert_eq!(chosen(named, None), None);
    }
}
