//! File systems without locks, with `noexec`, or full.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use crate::support::archives::noise;
use crate::support::{Environment, Outcome, ended, shared_registry, unique};
use crate::transfer::{digest, pack, pack_noise, par, push, text};

/// A library that takes locks away from the programs that load it.
struct Lockless {
    directory: TempDir,
}

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

int flock(int file, int operation) {
    const char *code = getenv("LOCK_ERRNO");
    int reads = (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY;
    if (code) {
        errno = atoi(code);
        return -1;
    }
    if (getenv("LOCK_LIKE_NFS") && reads && (operation & LOCK_EX)) {
        errno = EBADF;
        return -1;
    }
    return (int)syscall(SYS_flock, file, operation);
}
"#;

/// How locking fails: the variable for the library, and whether `par` must warn.
const KINDS: [(&str, &str, bool); 4] = [
    ("LOCK_ERRNO", "38", true), // ENOSYS
    ("LOCK_ERRNO", "37", true), // ENOLCK
    ("LOCK_ERRNO", "95", true), // EOPNOTSUPP
    ("LOCK_LIKE_NFS", "1", false),
];

impl Lockless {
    /// Compiles the library.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("lockless.c");
        fs::write(&source, SOURCE).unwrap();
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(directory.path().join("lockless.so"))
            .arg(&source)
            .status()
            .expect("a C compiler, which building `par` needs too");
        assert!(compiled.success());
        Self { directory }
    }

    /// Returns a command whose file systems have no locks.
    fn command(&self, environment: &Environment, (variable, value): (&str, &str)) -> Command {
        let mut command = environment.command();
        command
            .env("LD_PRELOAD", self.directory.path().join("lockless.so"))
            .env(variable, value);
        command
    }
}

fn cached(environment: &Environment) -> Vec<String> {
    let mut files = environment.files();
    files.retain(|file| file.starts_with("home/.cache") && !file.ends_with("/_identity"));
    files
}

#[test]
fn every_command_works_without_locks_and_says_so_once() {
    let lockless = Lockless::new();
    for (variable, value, warns) in KINDS {
        let environment = Environment::new();
        let file = pack(&environment, "provider.par.gz", Path::new("/bin/echo"));
        let reference = format!("{}/{}:1", shared_registry(), unique("lockless"));
        let run = |arguments: &[&str]| {
            let mut command = lockless.command(&environment, (variable, value));
            command.args(arguments);
            let outcome = Outcome::of(command, b"").success();
            let warnings = outcome.stderr.matches("cannot lock files").count();
            assert!(warnings <= 1, "{outcome}");
            (warnings == 1, outcome)
        };
        run(&["push", &reference, text(&file)]);
        let (warned, fetched) = run(&["fetch", &reference]);
        assert_eq!(
            digest(Path::new(fetched.line())),
            digest(Path::new("/bin/echo"))
        );
        assert!(warned || !warns, "{fetched}");
        run(&["fetch", &reference]);
        run(&["pull", &reference, "--destination", "pulled"]);
        assert_eq!(digest(&environment.path("pulled")), digest(&file));
        run(&["copy", &reference, "oci-layout://layout:1"]);
        run(&["push", "oci-layout://layout:2", text(&file)]);
        run(&["tag", "oci-layout://layout:2", "3"]);
        let (_, tags) = run(&["tags", "oci-layout://layout"]);
        assert_eq!(tags.stdout, "1\n2\n3\n");
        run(&["fetch", "oci-layout://layout:3"]);
        run(&["cache", "verify"]);
        run(&["trust", "list"]);
        run(&["cache", "prune", "--all"]);
        assert_eq!(cached(&environment), [""; 0], "{value}");
        run(&["fetch", &reference]);
        // A machine with locks can prune the rest.
        par(&environment, ["cache", "prune", "--all"]).success();
        assert_eq!(cached(&environment), [""; 0], "{value}");
    }
}

#[test]
fn processes_without_locks_do_not_disturb_each_other() {
    let (lockless, environment) = (Lockless::new(), Environment::new());
    let file = pack_noise(&environment, "provider.par.gz", 1 << 20);
    let reference = format!("{}/{}:1", shared_registry(), unique("crowd"));
    push(&environment, &reference, &file);
    let running = [0; 6].map(|_| {
        let mut command = lockless.command(&environment, ("LOCK_ERRNO", "37"));
        command.args(["fetch", &reference]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    });
    let noise = digest(&environment.path("provider.par.gz.noise"));
    for process in running {
        let output = ended(process);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let path = String::from_utf8(output.stdout).unwrap();
        assert_eq!(digest(Path::new(path.trim_end())), noise);
    }
    par(&environment, ["cache", "verify"]).success();
    par(&environment, ["cache", "prune", "--all"]).success();
    assert_eq!(cached(&environment), [""; 0]);
}

#[test]
fn files_of_killed_processes_without_locks_are_pruned() {
    let (lockless, environment) = (Lockless::new(), Environment::new());
    let file = pack_noise(&environment, "provider.par.gz", 2 << 20);
    let reference = format!("{}/{}:1", shared_registry(), unique("killed"));
    push(&environment, &reference, &file);
    let fetch = || {
        let mut command = lockless.command(&environment, ("LOCK_ERRNO", "38"));
        command.args(["fetch", &reference]);
        command
    };
    let started = Instant::now();
    Outcome::of(fetch(), b"").success();
    let duration = started.elapsed();
    for seed in 0..8 {
        par(&environment, ["cache", "prune", "--all"]).success();
        killed(fetch(), duration, seed);
        Outcome::of(fetch(), b"").success();
    }
    let mut prune = lockless.command(&environment, ("LOCK_ERRNO", "38"));
    prune.args(["cache", "prune", "--all"]);
    Outcome::of(prune, b"").success();
    assert_eq!(cached(&environment), [""; 0]);
}

/// Starts a command that takes about as long as `duration`, and kills it at a moment that is the same in every run.
fn killed(mut command: Command, duration: std::time::Duration, seed: u64) {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    thread::sleep(duration * u32::from(noise(8, seed)[0]) / 256);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_processes_leave_no_files_beside_the_destination() {
    let environment = Environment::new();
    let file = pack_noise(&environment, "provider.par.gz", 4 << 20);
    let reference = format!("{}/{}:1", shared_registry(), unique("partial"));
    push(&environment, &reference, &file);
    let pull = || {
        let mut command = environment.command();
        command.args(["pull", &reference, "--destination", "out/pulled"]);
        command
    };
    let out = environment.path("out");
    fs::create_dir(&out).unwrap();
    let started = Instant::now();
    Outcome::of(pull(), b"").success();
    let duration = started.elapsed();
    for seed in 0..12 {
        killed(pull(), duration, seed);
    }
    // These files are leftovers of an earlier version or of another system, and a file that is not a leftover.
    let used = out.join(".par-used00.partial");
    for name in [
        ".par-abc123.partial",
        ".par-used00.partial",
        ".par-notes",
        "mine.partial",
    ] {
        fs::write(out.join(name), "x").unwrap();
    }
    let held = fs::File::open(&used).unwrap();
    held.lock().unwrap();
    Outcome::of(pull(), b"").success();
    let names = || {
        let entries = fs::read_dir(&out).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(
        names(),
        [
            ".par-notes",
            ".par-used00.partial",
            "mine.partial",
            "pulled"
        ]
    );
    drop(held);
    Outcome::of(pull(), b"").success();
    assert_eq!(names(), [".par-notes", "mine.partial", "pulled"]);
}

/// Returns a command that runs `script` where it may mount, with `par` and its arguments as `"$@"`.
fn with_mounts(environment: &Environment, script: &str, arguments: &[&str]) -> Command {
    let is_root = fs::metadata(environment.home()).unwrap().uid() == 0;
    let mut command = environment.command_for(Path::new("unshare"));
    // A user who is not root may mount in a user namespace, if the system allows that.
    command.args(if is_root { &["-m"][..] } else { &["-m", "-r"] });
    command.args(["sh", "-e", "-c", script, "sh", env!("CARGO_BIN_EXE_par")]);
    command.args(arguments);
    command
}

#[test]
fn fetch_warns_of_a_cache_whose_executables_cannot_start() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new("/bin/echo"));
    push(&environment, "oci-layout://layout:1", &file);
    let cache: PathBuf = environment.path("cache");
    fs::create_dir(&cache).unwrap();
    let fetch = |options: &str| {
        let script = format!("mount -t tmpfs -o mode=700{options} none cache; exec \"$@\"");
        let arguments = [
            "fetch",
            "oci-layout://layout:1",
            "--cache-dir",
            text(&cache),
        ];
        Outcome::of(with_mounts(&environment, &script, &arguments), b"").success()
    };
    let said = fetch(",noexec").stderr;
    assert!(said.contains("noexec"), "{said}");
    assert!(said.contains("PAR_CACHE_DIR"), "{said}");
    assert_eq!(fetch("").stderr, "");
}

#[test]
fn commands_that_only_show_an_archive_work_with_a_full_cache() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new("/bin/echo"));
    let reference = format!("{}/{}:1", shared_registry(), unique("full"));
    push(&environment, &reference, &file);
    fs::create_dir(environment.path("cache")).unwrap();
    // A full disk has room for empty files.
    let script = "mount -t tmpfs -o size=256k,mode=700 none cache; mkdir -m 700 cache/v1; \
                  ! dd if=/dev/zero of=cache/full bs=4k 2>/dev/null; touch cache/empty; \
                  rm -f cache/empty; exec \"$@\" --cache-dir cache";
    for arguments in [
        ["inspect", &reference].as_slice(),
        &["verify", &reference],
        &["diff", "provider.par.gz", &reference],
    ] {
        Outcome::of(with_mounts(&environment, script, arguments), b"").success();
    }
}

#[test]
fn a_full_file_system_is_named_and_nothing_stays_on_it() {
    let environment = Environment::new();
    let file = pack_noise(&environment, "provider.par.gz", 2 << 20);
    push(&environment, "oci-layout://layout:1", &file);
    fs::create_dir(environment.path("small")).unwrap();
    let script = "mount -t tmpfs -o size=1m none small; \"$@\" || echo code $?; ls -A small";
    let arguments = [
        "pull",
        "oci-layout://layout:1",
        "--destination",
        "small/out",
    ];
    let outcome = Outcome::of(with_mounts(&environment, script, &arguments), b"").success();
    assert_eq!(outcome.stdout, "code 1\n", "{outcome}");
    assert!(outcome.stderr.contains("small/out"), "{outcome}");
}
