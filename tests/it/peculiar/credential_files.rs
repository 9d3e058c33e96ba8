//! Files with credentials that cannot be replaced: mount points, and files on a read-only file system.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Environment, Outcome, Registry, Terminal, Unprivileged};

const PASSWORD: &str = "another-password";

fn registry() -> Registry {
    Registry::builder().htpasswd("tester", PASSWORD).start()
}

/// Returns a command that runs `script` with `par` as `$0` and with the permission to mount. A user that is not root
/// gets a user namespace for that.
fn mounting(environment: &Environment, script: &str) -> Command {
    let mut unshare = environment.command_for(Path::new("unshare"));
    unshare.arg("--mount");
    if fs::metadata(environment.home()).unwrap().uid() != 0 {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["sh", "-euc", script, env!("CARGO_BIN_EXE_par")]);
    unshare
}

/// The command that logs in.
fn login(registry: &Registry) -> String {
    format!(
        "\"$0\" login {} -u tester --password-stdin",
        registry.address()
    )
}

fn stored(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn write_config(environment: &Environment, content: &Value) -> std::path::PathBuf {
    let directory = environment.home().join(".docker");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join("config.json");
    fs::write(&path, content.to_string()).unwrap();
    path
}

#[test]
fn a_file_that_is_a_mount_point_is_written_in_place() {
    let (environment, registry) = (Environment::new(), registry());
    let address = registry.address();
    let host = environment.write("host.json", json!({ "detachKeys": "x" }).to_string());
    let node = fs::metadata(&host).unwrap().ino();
    let path = write_config(&environment, &json!({}));
    let login = login(&registry);
    let script = format!("mount --bind host.json {}\n{login}", path.display());
    Outcome::of(mounting(&environment, &script), PASSWORD.as_bytes()).success();
    let after = stored(&host);
    assert!(after["auths"][address]["auth"].is_string(), "{after}");
    assert_eq!(after["detachKeys"], "x");
    assert_eq!(fs::metadata(&host).unwrap().ino(), node);
    let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "nothing half-written");

    let script = format!(
        "mount --bind host.json {}\n\"$0\" logout {address}",
        path.display()
    );
    Outcome::of(mounting(&environment, &script), b"").success();
    assert_eq!(stored(&host)["auths"], json!({}));
}

#[test]
fn a_file_on_a_read_only_file_system_is_noticed_before_the_password_is_sent() {
    let (environment, registry) = (Environment::new(), registry());
    let before = json!({ "auths": { "other.test": {} } });
    let path = write_config(&environment, &before);
    let directory = path.parent().unwrap().display();
    let only_read =
        format!("mount --bind {directory} {directory}\nmount -o remount,ro,bind {directory}\n");
    let login = login(&registry);
    let script = format!("{only_read}{login}");
    let outcome = Outcome::of(mounting(&environment, &script), PASSWORD.as_bytes()).exit(4);
    assert!(
        outcome.stderr.contains("Read-only file system"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("config.json"), "{outcome}");
    assert!(outcome.stderr.contains("--registry-config"), "{outcome}");
    assert_eq!(registry.requests(), [""; 0]);
    assert_eq!(stored(&path), before);

    // The file is new, and its directory cannot be written.
    fs::remove_file(&path).unwrap();
    Outcome::of(mounting(&environment, &script), PASSWORD.as_bytes()).exit(4);
    assert_eq!(registry.requests(), [""; 0]);
}

#[test]
fn a_file_that_stays_the_same_is_not_written() {
    let (environment, registry) = (Environment::new(), registry());
    let login = login(&registry);
    Outcome::of(mounting(&environment, &login), PASSWORD.as_bytes()).success();
    let path = environment.home().join(".docker/config.json");
    let (before, node) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino());
    let directory = path.parent().unwrap().display();
    let only_read =
        format!("mount --bind {directory} {directory}\nmount -o remount,ro,bind {directory}\n");
    for command in [login.as_str(), "\"$0\" logout other.test"] {
        let script = format!("{only_read}{command}");
        Outcome::of(mounting(&environment, &script), PASSWORD.as_bytes()).success();
        Outcome::of(mounting(&environment, command), PASSWORD.as_bytes()).success();
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::metadata(&path).unwrap().ino(), node);
    let script = format!("{only_read}\"$0\" logout {}", registry.address());
    let outcome = Outcome::of(mounting(&environment, &script), b"").exit(4);
    assert!(
        outcome.stderr.contains("Read-only file system"),
        "{outcome}"
    );
}

#[test]
fn a_file_in_a_directory_that_is_not_writable_is_written_in_place() {
    use std::os::unix::fs::PermissionsExt;
    let (environment, registry) = (Environment::new(), registry());
    let path = write_config(&environment, &json!({}));
    let directory = path.parent().unwrap();
    let user = Unprivileged::new(&environment);
    fs::set_permissions(directory, fs::Permissions::from_mode(0o555)).unwrap();
    let command = || {
        user.command(&[
            "login",
            registry.address(),
            "-u",
            "tester",
            "--password-stdin",
        ])
    };
    Outcome::of(command(), PASSWORD.as_bytes()).success();
    assert!(stored(&path)["auths"][registry.address()].is_object());

    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let asked = registry.requests().len();
    let other = [
        "login",
        registry.address(),
        "-u",
        "other",
        "--password-stdin",
    ];
    let other = Outcome::of(user.command(&other), b"x").exit(4);
    assert!(other.stderr.contains("cannot be stored"), "{other}");
    assert_eq!(registry.requests().len(), asked);
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_link_and_the_owner_of_a_file_are_kept() {
    let (environment, registry) = (Environment::new(), registry());
    let target = environment.write("dotfiles/config.json", "{}");
    let directory = environment.home().join(".docker");
    fs::create_dir(&directory).unwrap();
    let link = directory.join("config.json");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let owner = fs::metadata(&target).unwrap().uid();
    if owner == 0 {
        std::os::unix::fs::chown(&target, Some(65534), Some(65534)).unwrap();
    }
    let mut command = environment.command();
    command.args([
        "login",
        registry.address(),
        "-u",
        "tester",
        "--password-stdin",
    ]);
    Outcome::of(command, PASSWORD.as_bytes()).success();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(stored(&target)["auths"][registry.address()].is_object());
    let expected = if owner == 0 { 65534 } else { owner };
    assert_eq!(fs::metadata(&target).unwrap().uid(), expected);
}

#[test]
fn a_file_that_cannot_be_written_is_noticed_before_the_password_is_asked_for() {
    let (environment, registry) = (Environment::new(), registry());
    let address = registry.address();
    let login = [
        "login",
        address,
        "--registry-config",
        "/dev/null/config.json",
    ];
    let (shown, code) = Terminal::run(&environment, &login).end();
    assert_eq!(code, Some(2), "{shown}");
    assert!(
        shown.contains("cannot be stored in /dev/null/config.json"),
        "{shown}"
    );
    assert!(!shown.contains("User: "), "{shown}");
    assert_eq!(registry.requests(), [""; 0]);
}

#[test]
fn a_link_to_a_directory_that_is_missing_is_noticed_before_the_password_is_sent() {
    let (environment, registry) = (Environment::new(), registry());
    let directory = environment.home().join(".docker");
    fs::create_dir(&directory).unwrap();
    symlink("/nowhere/config.json", directory.join("config.json")).unwrap();
    let login = ["login", registry.address(), "-u", "tester", "-p", PASSWORD];
    let outcome = environment.par(login).exit(3);
    assert!(outcome.stderr.contains("/nowhere"), "{outcome}");
    assert_eq!(registry.requests(), [""; 0]);
}

#[test]
fn a_file_that_names_a_helper_need_not_be_writable() {
    let (environment, registry) = (Environment::new(), registry());
    let path = write_config(&environment, &json!({ "credsStore": "test" }));
    let before = fs::read(&path).unwrap();
    let helper = environment.write(
        "bin/docker-credential-test",
        "#!/bin/sh\ncase $1 in\nstore) cat > \"$HOME/kept\";;\nget) cat \"$HOME/kept\";;\nesac\n",
    );
    fs::set_permissions(helper, fs::Permissions::from_mode(0o755)).unwrap();
    let (directory, login) = (path.parent().unwrap().display(), login(&registry));
    let script = format!(
        "PATH=\"{}:$PATH\"\nmount --bind {directory} {directory}\n\
         mount -o remount,ro,bind {directory}\n{login}",
        environment.path("bin").display()
    );
    Outcome::of(mounting(&environment, &script), PASSWORD.as_bytes()).success();
    assert_eq!(fs::read(&path).unwrap(), before);
    let kept = fs::read_to_string(environment.home().join("kept")).unwrap();
    assert!(kept.contains(PASSWORD), "{kept}");
}
