//! Interruptions of commands by Ctrl-C, SIGTERM and SIGHUP.

#[cfg(target_os = "linux")]
mod outcomes;

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};

use super::good_archive;
use crate::support::archives::{ArchiveBuilder, noise};
use crate::support::{Environment, LIMIT, create_arguments, ended};

/// More than a pipe holds: writing it into a pipe returns only after the command has read some of it.
const MORE_THAN_A_PIPE: usize = 256 << 10;

/// How long a command waits for work that does not notice an interruption.
const GRACE: Duration = Duration::from_secs(5);

struct Running {
    child: Child,
}

/// How a command ended.
struct End {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    /// The time from the signal to the end.
    after: Duration,
}

impl Running {
    fn start(environment: &Environment, arguments: &[&str]) -> Self {
        let mut command = obeying_hangup(environment);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            child: command.spawn().unwrap(),
        }
    }

    /// Waits until something shows that the command is at work, or until the command has ended.
    fn until(&mut self, what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() && self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < LIMIT, "waiting for {what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Writes to standard input, and waits until the command has read it all. Then the command waits for more.
    fn read(&mut self, bytes: &[u8]) {
        let mut input = self.child.stdin.take().unwrap();
        input.write_all(bytes).unwrap();
        self.until("the command to read", || is_empty(&input));
        self.child.stdin = Some(input);
    }

    /// Sends the signal and waits for the end.
    fn stop(mut self, signal: Signal) -> End {
        if self.child.try_wait().unwrap().is_none() {
            kill_process(Pid::from_child(&self.child), signal).unwrap();
        }
        let signalled = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if signalled.elapsed() > LIMIT {
                self.child.kill().unwrap();
                panic!("{signal:?} did not end it within {LIMIT:?}");
            }
            thread::sleep(Duration::from_millis(1));
        }
        let after = signalled.elapsed();
        let output = ended(self.child);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        End {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            after,
        }
    }
}

/// Whether everything that was written to a pipe has been read.
fn is_empty(pipe: impl AsFd) -> bool {
    ioctl_fionread(pipe).unwrap() == 0
}

/// Returns the command `par`, which does not ignore SIGHUP even if the tests run under `nohup`.
fn obeying_hangup(environment: &Environment) -> Command {
    if !cfg!(target_os = "linux") {
        return environment.command();
    }
    // `env` replaces itself with the command, so the process is that of the command.
    let mut command = environment.command_for(Path::new("env"));
    command.arg("--default-signal=HUP");
    command.arg(environment.command().get_program());
    command
}

/// Interrupts work on a file of this size. If the work is done before the signal arrives, the attempt shows nothing,
/// and is repeated with a file of twice the size.
fn interrupt(size: u64, attempt: impl Fn(u64) -> (Environment, End)) -> (Environment, End) {
    for doubled in 0..5 {
        let (environment, end) = attempt(size << doubled);
        if end.code != Some(0) {
            return (environment, end);
        }
    }
    panic!("the command ends before it notices a signal, however long it has to work");
}

/// Whether a process writes a temporary file below a directory of the environment. On Linux, such a file has no name.
fn writes_in(process: u32, environment: &Environment, directory: &Path) -> bool {
    let Ok(open) = std::fs::read_dir(format!("/proc/{process}/fd")) else {
        let files = environment.files();
        return files.iter().any(|file| file.contains("/.par-"));
    };
    let links = open.flatten().map(|file| std::fs::read_link(file.path()));
    links.flatten().any(|link| {
        let name = link.to_string_lossy().into_owned();
        link.starts_with(directory) && (name.ends_with("(deleted)") || name.contains("/.par-"))
    })
}

/// The files in the current directory.
fn work(environment: &Environment) -> Vec<String> {
    let files = environment.files().into_iter();
    files
        .filter(|name| name.starts_with("work/") || name.starts_with("tmp/"))
        .collect()
}

/// A provider that takes a while to pack, in a file without blocks on the disk.
fn large_provider(environment: &Environment, size: u64) {
    let file = File::create(environment.path("provider")).unwrap();
    file.set_len(size).unwrap();
}

#[test]
fn an_interrupted_create_leaves_the_destination_unchanged() {
    let create = create_arguments("provider", &["--compress"]);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        // The command hashes the provider first, then compresses it. A small file is enough for the
        // second stage, as compressing takes longer.
        for (stage, size) in [("hashing", 3 << 30), ("writing", 256 << 20)] {
            let (environment, end) = interrupt(size, |size| {
                let environment = Environment::new();
                large_provider(&environment, size);
                environment.write("provider.par.gz", "the old one");
                let mut running = Running::start(&environment, &create);
                let keys = environment.home().join(".wash/keys/provider_service.nk");
                running.until("a key", || keys.exists());
                if stage == "writing" {
                    let id = running.child.id();
                    let directory = environment.path("");
                    running.until("a temporary file", || {
                        writes_in(id, &environment, &directory)
                    });
                }
                let end = running.stop(signal);
                (environment, end)
            });
            let stderr = &end.stderr;
            assert_eq!(end.code, Some(130), "{signal:?} while {stage}: {stderr}");
            assert_eq!(end.stdout, "");
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
fn inserting_stops_and_leaves_the_archive_as_it_was() {
    let before = std::cell::RefCell::new(Vec::new());
    let (environment, end) = interrupt(3 << 30, |size| {
        let environment = Environment::new();
        let seed = good_archive(&environment, "good.par");
        before.replace(std::fs::read(environment.path("good.par")).unwrap());
        large_provider(&environment, size);
        let binary = "arm-linux=provider";
        let arguments = ["insert", "good.par", "-b", binary, "-i", &seed];
        let mut running = Running::start(&environment, &arguments);
        running.until("a temporary file", || environment.files().len() > 2);
        let end = running.stop(Signal::INT);
        (environment, end)
    });
    assert_eq!(end.code, Some(130), "{}", end.stderr);
    assert_eq!(environment.files(), ["work/good.par", "work/provider"]);
    let after = std::fs::read(environment.path("good.par")).unwrap();
    assert_eq!(after, before.into_inner());
}

#[test]
fn an_interrupted_export_leaves_no_executables_behind() {
    let create = create_arguments("x86_64-linux=provider", &[]);
    for signal in [Signal::INT, Signal::TERM] {
        let (environment, end) = interrupt(256 << 20, |size| {
            let environment = Environment::new();
            large_provider(&environment, size);
            environment.par(&create).success();
            let export = ["export", "provider.par", "image.tar"];
            let mut running = Running::start(&environment, &export);
            running.until("an executable", || {
                let files = environment.files();
                files.iter().any(|name| name.starts_with("tmp/"))
            });
            let end = running.stop(signal);
            (environment, end)
        });
        assert_eq!(end.code, Some(130), "{signal:?}: {}", end.stderr);
        assert_eq!(work(&environment), ["work/provider", "work/provider.par"]);
    }
}

#[test]
fn fetching_stops_and_leaves_only_a_download_that_can_be_continued() {
    let create = create_arguments("x86_64-linux=provider", &[]);
    let reference = "oci-layout://layout:1";
    let executables = |environment: &Environment| {
        let files = environment.files().into_iter();
        let files = files.filter(|name| name.contains("/executables/"));
        files.collect::<Vec<_>>()
    };
    let fetch = ["fetch", reference, "--target", "x86_64-linux"];
    let (environment, end) = interrupt(128 << 20, |size| {
        let environment = Environment::new();
        large_provider(&environment, size);
        environment.par(&create).success();
        environment
            .par(["push", reference, "provider.par"])
            .success();
        let mut running = Running::start(&environment, &fetch);
        let id = running.child.id();
        let directory = environment
            .home()
            .join(".cache/wasmcloud-par/v1/executables");
        running.until("an executable", || writes_in(id, &environment, &directory));
        let end = running.stop(Signal::INT);
        (environment, end)
    });
    assert_eq!(end.code, Some(130), "{}", end.stderr);
    assert_eq!(executables(&environment), [""; 0]);
    environment.par(fetch).success();
    assert_eq!(executables(&environment).len(), 1);
}

#[test]
fn a_command_under_nohup_continues_without_its_terminal() {
    let environment = Environment::new();
    let archive = large_archive();
    let mut command = Command::new("nohup");
    let par = environment.command();
    command.arg(par.get_program()).args(["verify", "-"]);
    command.current_dir(environment.path("."));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.stderr(Stdio::null()).spawn().unwrap();
    let mut running = Running { child };
    let (first, rest) = archive.split_at(MORE_THAN_A_PIPE);
    running.read(first);
    kill_process(Pid::from_child(&running.child), Signal::HUP).unwrap();
    let mut input = running.child.stdin.take().unwrap();
    input.write_all(rest).unwrap();
    drop(input);
    assert!(ended(running.child).status.success());
}

/// An archive that does not fit into a pipe.
fn large_archive() -> Vec<u8> {
    let executable = noise(2 * MORE_THAN_A_PIPE, 1);
    ArchiveBuilder::empty()
        .executable("arm-linux", &executable)
        .build()
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
        for signal in [Signal::INT, Signal::TERM] {
            let mut running = Running::start(&environment, command);
            let connection = std::cell::OnceCell::new();
            running.until("a connection", || match listener.accept() {
                Ok((stream, _)) => connection.set(stream).is_ok(),
                Err(_) => false,
            });
            let End {
                code,
                stdout,
                stderr,
                ..
            } = running.stop(signal);
            assert_eq!(code, Some(130), "{command:?} {signal:?}: {stderr}");
            if command.contains(&"json") {
                assert_eq!(
                    stdout,
                    concat!(
                        r#"{"error":{"hint":null,"kind":"interrupted","message":"interrupted"},"#,
                        r#""success":false,"warnings":[]}"#,
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
    let archive = large_archive();
    let (archive, _) = archive.split_at(MORE_THAN_A_PIPE);
    let blanks = vec![b' '; MORE_THAN_A_PIPE];
    let layout = "oci-layout://layout:1";
    let provider = "-n N -v V -b x86_64-linux=good.par";
    let create = |option: &str| format!("create {provider} {option} -");
    let commands: [(String, &[u8]); 15] = [
        ("verify -".to_owned(), archive),
        ("sbom -".to_owned(), archive),
        ("export - image.tar".to_owned(), archive),
        (format!("push {layout} -"), archive),
        ("inspect good.par --check-config -".to_owned(), &blanks),
        // The beginning of a line, of a seed, of a token or of an object.
        (
            "pull localhost:1/p:1 -u u --password-stdin".to_owned(),
            b"p",
        ),
        (create("--issuer"), b"SA"),
        (create("--subject"), b"SV"),
        (create("--schema"), b"{"),
        ("sign good.par --issuer -".to_owned(), b"SA"),
        ("keys rotate --from - --to a --provider b".to_owned(), b"SA"),
        (format!("push {layout} good.par --rotation -"), b"e"),
        (
            format!("push {layout} good.par --sigstore --identity-token -"),
            b"e",
        ),
        (format!("attest {layout} --type custom --predicate -"), b"{"),
        ("trust import -".to_owned(), b"{"),
    ];
    for (command, input) in commands {
        let schema = ArchiveBuilder::two_targets()
            .wascap(|wascap| drop(wascap.insert("config_schema".to_owned(), true.into())));
        let schema = schema.build();
        let words: Vec<&str> = command.split(' ').collect();
        assert_stopped(&command, || {
            let environment = Environment::new();
            environment.write("good.par", &schema);
            let mut running = Running::start(&environment, &words);
            running.read(input);
            let end = running.stop(Signal::INT);
            assert_eq!(work(&environment), ["work/good.par"], "{command}");
            end
        });
    }
}

/// Asserts that the interruption ended the command, and that the command did not wait [`GRACE`] for its work. On a busy
/// machine, an end without waiting may take as long, so there are three attempts.
fn assert_stopped(command: &str, attempt: impl Fn() -> End) {
    let at_once = (0..3).any(|_| {
        let end = attempt();
        assert_eq!(
            (end.code, end.stdout.as_str(), end.stderr.as_str()),
            (Some(130), "", "error: interrupted\n"),
            "{command}"
        );
        end.after < GRACE
    });
    assert!(at_once, "{command} waits for its work");
}

#[test]
fn waiting_for_a_key_in_a_pipe_can_be_interrupted() {
    let command = "create -n N -v V -b x86_64-linux=good.par --issuer key.pipe";
    let words: Vec<&str> = command.split(' ').collect();
    assert_stopped(command, || {
        let environment = Environment::new();
        good_archive(&environment, "good.par");
        let path = environment.path("key.pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        // The pipe has a writer as long as this file is open, so its reader never reaches the end.
        let mut pipe = File::options().read(true).write(true).open(&path).unwrap();
        let mut running = Running::start(&environment, &words);
        pipe.write_all(b"SA").unwrap();
        running.until("the command to read", || is_empty(&pipe));
        let end = running.stop(Signal::INT);
        assert_eq!(work(&environment), ["work/good.par", "work/key.pipe"]);
        end
    });
}
