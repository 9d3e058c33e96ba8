use super::*;

const LEAST: &str = "type = 'provider'\nlanguage = 'rust'\n";

fn read(text: &str) -> Project {
    parse(text, Path::new("/project")).unwrap()
}

/// Returns the line, the column and the reason of the problem.
fn problem(text: &str) -> (usize, usize, String) {
    let problem = parse(text, Path::new("/project")).unwrap_err();
    let (line, column) = position(text, problem.start);
    (line, column, problem.reason)
}

#[test]
fn the_defaults_are_those_of_wash() {
    let project = read(LEAST);
    assert_eq!(project.language, Language::Rust);
    assert_eq!(
        (project.name, project.version, project.revision),
        (None, None, 0)
    );
    assert_eq!(project.vendor, "NoVendor");
    assert_eq!(project.directory, Path::new("/project"));
    assert_eq!(project.wit_directory, ("/project/wit".into(), false));
    assert_eq!(project.build_directory, Path::new("/project/build"));
    assert_eq!(project.compiler, Path::new("cargo"));
    assert!(project.targets.is_empty() && project.generate && !project.debug);
    assert!(project.warnings.is_empty());
}

#[test]
fn every_key_of_a_provider_is_read() {
    let project = read(
        "name = 'HTTP Server'\nversion = '1.2'\nrevision = 3\ntype = 'Provider'\nlanguage = 'Go'\n\
         path = 'sub'\nwit = 'w'\nbuild = 'out'\n[provider]\nvendor = 'v'\nwit_world = 'x'\n\
         bin_name = 'b'\nkey_directory = '/keys'\ntargets = ['linux/arm64']\nconfig_schema = 's.json'\n\
         [go]\ngo_path = 'mygo'\ndisable_go_generate = true\n\
         [registry]\nurl = 'r/p'\ncredentials = 'c.json'\npush_insecure = true\n",
    );
    assert_eq!(project.warnings, Vec::<String>::new());
    assert_eq!(project.language, Language::Go);
    assert_eq!(project.name.as_deref(), Some("HTTP Server"));
    assert_eq!(
        (project.version.as_deref(), project.revision),
        (Some("1.2"), 3)
    );
    assert_eq!(project.directory, Path::new("/project/sub"));
    // As for `wash`, these two are relative to the file, and not to `path`.
    assert_eq!(project.wit_directory, ("/project/w".into(), true));
    assert_eq!(project.build_directory, Path::new("/project/out"));
    assert_eq!(project.binary.as_deref(), Some("b"));
    assert_eq!(project.key_directory.as_deref(), Some(Path::new("/keys")));
    assert_eq!(
        project.config_schema.as_deref(),
        Some(Path::new("/project/s.json"))
    );
    assert_eq!(project.targets[0].target().as_str(), "aarch64-linux");
    assert_eq!(project.compiler, Path::new("mygo"));
    assert!(!project.generate && project.registry.push_insecure);
    assert_eq!(project.registry.url.as_deref(), Some("r/p"));
    assert_eq!(
        project.registry.credentials.as_deref(),
        Some(Path::new("/project/c.json"))
    );
    let rust = format!(
        "{LEAST}[provider]\nrust_target = 'aarch64-unknown-linux-musl'\n\
         [rust]\ncargo_path = '/bin/cargo'\ntarget_path = 't'\ndebug = true\n"
    );
    let rust = read(&rust);
    assert_eq!(rust.targets[0].triples(), ["aarch64-unknown-linux-musl"]);
    assert_eq!(rust.compiler, Path::new("/bin/cargo"));
    assert_eq!(rust.target_directory.as_deref(), Some(Path::new("t")));
    assert!(rust.debug);
}

#[test]
fn the_machine_s_own_target_is_left_to_the_compiler() {
    let own = format!(
        "{LEAST}[provider]\nos = '{}'\narch = '{}'\n",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    assert!(read(&own).targets.is_empty());
    let other = format!("{LEAST}provider.arch = 's390x'\nprovider.os = 'linux'\n");
    assert_eq!(read(&other).targets[0].target().as_str(), "s390x-linux");
}

#[test]
fn an_unknown_key_is_a_warning_with_line_and_column() {
    let project = read(&format!("{LEAST}[provider]\n  vender = 'a'\n"));
    assert_eq!(
        project.warnings,
        ["4:3: unknown key `provider.vender`; is `vendor` meant?"]
    );
}

#[test]
fn a_value_of_a_wrong_type_is_one_error_at_its_place() {
    let (line, column, reason) = problem(&format!("{LEAST}revision = 'three'\n"));
    assert_eq!((line, column), (3, 12));
    assert!(reason.contains("expected i32"), "{reason}");
    assert!(!reason.contains('\n'));
    let (line, _, reason) = problem(&format!("{LEAST}[provider]\ntargets = ['nothing']\n"));
    assert_eq!(line, 4);
    assert!(reason.contains("`nothing` is not a target"), "{reason}");
    assert_eq!(problem("type = 'provider'\nlanguage\n").0, 2);
    let (_, _, reason) = problem("type = 'provider'\n");
    assert!(reason.contains("missing field `language`"), "{reason}");
}

#[test]
fn a_project_that_is_not_a_provider_is_refused_before_other_errors() {
    let text = "language = 5\ntype = 'component'\n";
    let error = parse(text, Path::new("")).unwrap_err();
    assert_eq!(position(text, error.start), (2, 8));
    assert!(error.reason.contains("is a component"));
    assert!(error.hint.unwrap().contains("`wkg oci push`"));
    for text in ["type = 'interface'", "type = 'x'", "type = 1", ""] {
        assert!(parse(text, Path::new("")).unwrap_err().hint.is_some());
    }
    let (line, _, reason) = problem("type = 'provider'\nlanguage = 'tinygo'\n");
    assert_eq!(line, 2);
    assert!(reason.contains("not in `tinygo`"), "{reason}");
}
