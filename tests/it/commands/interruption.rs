//! Interruptions of commands by Ctrl-C, SIGTERM and SIGHUP.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::good_archive;
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, ended};

/// How long a command may take to end after a signal. It takes milliseconds, but machines are busy.
const SOON: Duration = Duration::from_secs(20);

/// How long a command may take to begin its work.
const START: Duration = Duration::from_secs(60);

struct Running {
    child: Child,
}

impl Running {
    fn start(environment: &Environment, arguments: &[&str]) -> Self {
        let mut command = environment.command();
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            child: command.spawn().unwrap(),
        }
    }

    /// Waits until a condition shows that the command is working.
    fn until(&mut self, what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < START, "waiting for {what}");
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends the signal, and returns exit code, stdout and stderr.
    fn stop(mut self, signal: &str) -> (Option<i32>, String, String) {
        // A command that has ended already cannot be interrupted.
        assert!(
            self.child.try_wait().unwrap().is_none(),
            "it ended too early"
        );
        let kill = Command::new("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        let signalled = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if signalled.elapsed() > SOON {
                self.child.kill().unwrap();
                panic!("{signal} did not end it within {SOON:?}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let output = ended(self.child);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

/// Returns the files in the current directory.
fn work(environment: &Environment) -> Vec<String> {
    let files = environment.files().into_iter();
    files
        .filter(|name| name.starts_with("work/") || name.starts_with("tmp/"))
        .collect()
}

/// Writes a sparse provider that takes some time to pack.
fn large_provider(environment: &Environment, size: u64) {
    let file = File::create(environment.path("provider")).unwrap();
    file.set_len(size).unwrap();
}

#[test]
fn an_interrupted_create_leaves_the_destination_unchanged() {
    let create = [
        "create",
        "-n",
        "N",
        "-v",
        "V",
        "-b",
        "provider",
        "--compress",
    ];
    for signal in ["INT", "TERM", "HUP"] {
        // The file is hashed first and then compressed: this waits for the second stage.
        for (stage, size) in [("hashing", 3 << 30), ("writing", 256 << 20)] {
            let environment = Environment::new();
            large_provider(&environment, size);
            environment.write("provider.par.gz", "the old one");
            let mut running = Running::start(&environment, &create);
            let keys = environment.home().join(".wash/keys/provider_service.nk");
            running.until("a key", || keys.exists());
            if stage == "writing" {
                // A third file, besides the provider and the old archive.
                running.until("a temporary file", || work(&environment).len() > 2);
            }
            let (code, stdout, stderr) = running.stop(signal);
            assert_eq!(code, Some(130), "{signal} while {stage}: {stderr}");
            assert_eq!(stdout, "");
            assert!(stderr.ends_with("error: interrupted\n"), "{stderr}");
            assert_eq!(
                work(&environment),
                ["work/provider", "work/provider.par.gz"]
            );
            let old = std::fs::read(environment.path("provider.par.gz")).unwrap();
            assert_eq!(old, b"the old one");
        }
    }
}

#[test]
fn an_interrupted_insert_leaves_the_archive_unchanged() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    let before = std::fs::read(environment.path("good.par")).unwrap();
    large_provider(&environment, 3 << 30);
    let arguments = [
        "insert",
        "good.par",
        "-b",
        "arm-linux=provider",
        "-i",
        &seed,
    ];
    let mut running = Running::start(&environment, &arguments);
    running.until("a temporary file", || environment.files().len() > 2);
    let (code, _, stderr) = running.stop("INT");
    assert_eq!(code, Some(130), "{stderr}");
    assert_eq!(environment.files(), ["work/good.par", "work/provider"]);
    assert_eq!(std::fs::read(environment.path("good.par")).unwrap(), before);
}

#[test]
fn an_interrupted_fetch_leaves_only_a_download_that_can_continue() {
    let environment = Environment::new();
    large_provider(&environment, 128 << 20);
    let create = [
        "create",
        "-n",
        "N",
        "-v",
        "V",
        "-b",
        "x86_64-linux=provider",
    ];
    environment.par(create).success();
    let reference = "oci-layout://layout:1";
    environment
        .par(["push", reference, "provider.par"])
        .success();
    let executables = |environment: &Environment| {
        let files = environment.files().into_iter();
        let files = files.filter(|name| name.contains("/executables/"));
        files.collect::<Vec<_>>()
    };
    let fetch = ["fetch", reference, "--target", "x86_64-linux"];
    let mut running = Running::start(&environment, &fetch);
    running.until("an executable", || !executables(&environment).is_empty());
    let (code, _, stderr) = running.stop("INT");
    assert_eq!(code, Some(130), "{stderr}");
    assert_eq!(executables(&environment), [""; 0]);
    environment.par(fetch).success();
    assert_eq!(executables(&environment).len(), 1);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn a_command_under_nohup_survives_the_end_of_its_terminal() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let mut command = Command::new("nohup");
    let par = environment.command();
    command.arg(par.get_program()).args(["verify", "-"]);
    command.current_dir(environment.path("."));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    let id = child.id().to_string();
    let kill = Command::new("kill").args(["-s", "HUP", &id]).status();
    assert!(kill.unwrap().success());
    thread::sleep(Duration::from_millis(200));
    let archive = std::fs::read(environment.path("good.par")).unwrap();
    child.stdin.take().unwrap().write_all(&archive).unwrap();
    assert!(ended(child).status.success());
}

#[test]
fn waiting_for_a_registry_can_be_interrupted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let reference = format!("{}/provider:1", listener.local_addr().unwrap());
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let commands: [&[&str]; 5] = [
        &["pull", &reference],
        &["pull", &reference, "-o", "json"],
        &["fetch", &reference],
        &["push", &reference, "good.par"],
        &["push", &reference, "good.par", "-o", "json"],
    ];
    for command in commands {
        for signal in ["INT", "TERM"] {
            let mut running = Running::start(&environment, command);
            let connection = std::cell::OnceCell::new();
            running.until("a connection", || match listener.accept() {
                Ok((stream, _)) => connection.set(stream).is_ok(),
                Err(_) => false,
            });
            let (code, stdout, stderr) = running.stop(signal);
            assert_eq!(code, Some(130), "{command:?} {signal}: {stderr}");
            if command.contains(&"json") {
                assert_eq!(
                    stdout,
                    concat!(
                        r#"{"error":{"hint":null,"kind":"interrupted","message":"interrupted"},"#,
                        r#""success":false}"#,
                        "\n"
                    )
                );
                assert_eq!(stderr, "");
            } else {
                assert_eq!(
                    (stdout.as_str(), stderr.as_str()),
                    ("", "error: interrupted\n")
                );
            }
            assert_eq!(work(&environment), ["work/good.par"]);
        }
    }
}

#[test]
fn waiting_for_standard_input_can_be_interrupted() {
    let commands: [&[&str]; 3] = [
        &["verify", "-"],
        &["push", "oci-layout://layout:1", "-"],
        &["inspect", "good.par", "--check-config", "-"],
    ];
    for command in commands {
        let environment = Environment::new();
        let schema = ArchiveBuilder::two_targets()
            .wascap(|wascap| drop(wascap.insert("config_schema".to_owned(), true.into())));
        environment.write("good.par", schema.build());
        let running = Running::start(&environment, command);
        // Nothing shows when the command reads, so this waits for some time.
        thread::sleep(Duration::from_millis(500));
        let (code, stdout, stderr) = running.stop("INT");
        assert_eq!(
            (code, stdout.as_str(), stderr.as_str()),
            (Some(130), "", "error: interrupted\n")
        );
        assert_eq!(work(&environment), ["work/good.par"], "{command:?}");
    }
}
