//! `par manual`

use std::fs;

use crate::support::Environment;

#[test]
fn each_command_has_a_page_and_each_mentioned_page_exists() {
    let environment = Environment::new();
    let written = environment.par(["manual", "--destination", "share/man1"]);
    let written = written.success().stdout;
    let pages: Vec<&str> = written.lines().collect();
    assert!(pages.contains(&"share/man1/par.1"), "{written}");
    assert!(pages.contains(&"share/man1/par-cache-prune.1"), "{written}");
    for page in &pages {
        let text = fs::read_to_string(environment.path(page)).unwrap();
        assert!(text.contains(".SH DESCRIPTION"), "{page}");
        let version = concat!("\" \" \"par ", env!("CARGO_PKG_VERSION"), "\" \"");
        let title = text.lines().find(|line| line.starts_with(".TH par"));
        assert!(title.unwrap().contains(version), "{page}: {title:?}");
        let others = text.lines().filter_map(|line| line.strip_suffix("(1)"));
        for other in others.filter(|line| line.starts_with("par")) {
            let other = format!("share/man1/{}.1", other.replace('\\', ""));
            assert!(pages.contains(&&*other), "{page}: {other}");
        }
    }
    assert_eq!(environment.files().len(), pages.len());
    let again = environment.par(["manual", "--destination", "share/man1", "-o", "json"]);
    let again = again.success().json();
    assert_eq!(again["files"].as_array().unwrap().len(), pages.len());
}

#[test]
fn the_error_names_a_directory_that_cannot_be_created() {
    let environment = Environment::new();
    environment.write("file", "");
    let refused = environment.par(["manual", "--destination", "file"]).exit(1);
    assert!(
        refused.stderr.contains("cannot create the directory file"),
        "{refused}"
    );
    assert_eq!(environment.files(), ["work/file"]);
}
