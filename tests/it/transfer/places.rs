//! The directory of the cache, and which users can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{push, small};
use crate::support::{Environment, Outcome, shared_registry, unique};

/// Fetches with these variables and arguments, and returns the path.
#[track_caller]
fn fetch(variables: &[(&str, &Path)], arguments: &[&str], environment: &Environment) -> String {
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("places"));
    push(environment, &reference, &small(environment, "made.par"));
    fs::remove_dir_all(environment.home().join(".cache")).unwrap();
    let mut command = environment.command();
    command
        .env_remove("XDG_CACHE_HOME")
        .envs(variables.iter().copied());
    command
        .args(["fetch", &reference, "--target", "x86_64-linux"])
        .args(arguments);
    Outcome::of(command, b"").success().line().to_owned()
}

/// Variables, arguments, and the expected directory of the cache.
type Case<'a> = (&'a [(&'a str, &'a Path)], &'a [&'a str], &'a Path);

#[test]
fn options_and_variables_choose_the_directory_of_the_cache() {
    let environment = Environment::new();
    let [option, variable, xdg] = ["option", "variable", "xdg"].map(|name| environment.path(name));
    let nothing = Path::new("");
    let home = environment.home().join(".cache/wasmcloud-par");
    let chosen = ["--cache-dir", "option"];
    let cases: [Case; 6] = [
        (
            &[("PAR_CACHE_DIR", &variable), ("XDG_CACHE_HOME", &xdg)],
            &chosen,
            &option,
        ),
        (
            &[("PAR_CACHE_DIR", &variable), ("XDG_CACHE_HOME", &xdg)],
            &[],
            &variable,
        ),
        (&[("XDG_CACHE_HOME", &xdg)], &[], &xdg.join("wasmcloud-par")),
        (&[], &[], &home),
        // An empty variable counts as not set.
        (
            &[("PAR_CACHE_DIR", nothing), ("XDG_CACHE_HOME", &xdg)],
            &[],
            &xdg.join("wasmcloud-par"),
        ),
        (
            &[("PAR_CACHE_DIR", nothing), ("XDG_CACHE_HOME", nothing)],
            &[],
            &home,
        ),
    ];
    for (variables, arguments, expected) in cases {
        let path = fetch(variables, arguments, &environment);
        let folder = expected.join("v1/programs/sha256");
        let mut parents = Path::new(&path).ancestors();
        assert_eq!(parents.nth(2), Some(folder.as_path()), "{variables:?}");
    }
}

#[test]
fn other_users_cannot_enter_the_cache() {
    let environment = Environment::new();
    // The user has named a directory that all users can enter.
    let open = environment.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    for (variables, root) in [
        (vec![], environment.home().join(".cache/wasmcloud-par/v1")),
        (vec![("PAR_CACHE_DIR", open.as_path())], open.join("v1")),
    ] {
        let path = fetch(&variables, &[], &environment);
        for folder in Path::new(&path).ancestors().skip(1) {
            let mode = fs::metadata(folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o700, "{}", folder.display());
            if folder == root {
                break;
            }
        }
    }
}

#[test]
fn content_in_the_cache_cannot_be_written_to() {
    let environment = Environment::new();
    let path = fetch(&[], &[], &environment);
    let blobs = Path::new(&path)
        .ancestors()
        .nth(4)
        .unwrap()
        .join("blobs/sha256");
    let mut count = 0;
    for entry in fs::read_dir(blobs).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o444);
        count += 1;
    }
    assert_eq!(count, 2, "the manifest and the layer");
}

#[test]
fn a_home_that_is_not_a_directory_counts_as_unset() {
    let environment = Environment::new();
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("places"));
    push(&environment, &reference, &small(&environment, "made.par"));
    let fetch = ["fetch", &reference, "--target", "x86_64-linux"];
    for arguments in [&["keys", "list"][..], &fetch] {
        let mut command = environment.command();
        // Services often have this home directory.
        command.env("HOME", "/dev/null");
        for variable in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env_remove(variable);
        }
        command.args(arguments).args(["--cache-dir", "cache"]);
        Outcome::of(command, b"").success();
    }
}
