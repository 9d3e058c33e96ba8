//! Large archives pass through; they are never held in memory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::digest;
use crate::support::{Environment, ended, shared_registry, unique};

/// The size of each of four executables, which are hashed at the same time. Together they are far larger than the
/// memory that any of the commands may use.
const SIZE: u64 = 25 << 20;
const BOUND_KIB: u64 = 64 << 10;
/// The most memory for a fetch, also in a build without optimisation.
const FETCH_BOUND_KIB: u64 = 48 << 10;

/// Runs the command and gives its peak resident memory in KiB.
#[track_caller]
fn peak(environment: &Environment, arguments: &[&str]) -> u64 {
    let mut command = environment.command();
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        // The kernel keeps the peak; the line is gone when the process is a zombie.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB"));
        peak = now.map_or(peak, |now| now.trim().parse().unwrap());
        thread::sleep(Duration::from_millis(2));
    }
    let output = ended(child);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    peak
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn no_command_holds_an_archive_in_memory() {
    let environment = Environment::new();
    let names = ["executable", "arm-linux", "mips-linux", "riscv64gc-linux"];
    for name in names {
        // Random bytes do not compress, so the compressed archive is as large.
        let mut noise = File::open("/dev/urandom").unwrap().take(SIZE);
        io::copy(
            &mut noise,
            &mut File::create(environment.path(name)).unwrap(),
        )
        .unwrap();
    }
    let others = names.map(|name| format!("{name}={name}"));
    let others = others.iter().skip(1).flat_map(|other| ["-b", other]);
    let others: Vec<&str> = others.collect();
    let executable = environment.path("executable");
    let repository = format!("{}/{}", shared_registry(), unique("large"));
    let copies = format!("{}/{}", shared_registry(), unique("copies"));
    let layout = "oci-layout://layout:1.0.0";
    for (archive, compress) in [("large.par", None), ("large.par.gz", Some("--compress"))] {
        let reference = format!("{repository}:{archive}");
        let create = [
            "create",
            "-n",
            "Large",
            "-v",
            "Test Vendor",
            "-b",
            "executable",
        ];
        let create: Vec<&str> = create
            .into_iter()
            .chain(["--destination", archive])
            .chain(others.clone())
            .collect();
        let create: Vec<&str> = create.into_iter().chain(compress).collect();
        let again = [
            "pull",
            &reference,
            "--cache-dir",
            "another-cache",
            "--destination",
            "pulled",
        ];
        for arguments in [
            &create[..],
            &["push", &reference, archive],
            &["pull", &reference, "--destination", "pulled"],
            &[&again[..], &["--connections", "4"]].concat(),
            &["fetch", &reference],
            &["push", layout, archive],
            &["extract", layout, "--destination", "extracted"],
            &[
                "copy",
                &reference,
                &format!("oci-layout://{archive}.copy:1"),
            ],
            &["copy", layout, &format!("{copies}:{archive}")],
            &["copy", layout, "oci-archive://layout.tar:1"],
            &["push", "oci-archive://layout.tar:2", archive],
            &[
                "copy",
                "oci-archive://layout.tar:2",
                &format!("{copies}:again"),
            ],
            &[
                "extract",
                "oci-archive://layout.tar:1",
                "--destination",
                "extracted",
            ],
        ] {
            let peak = peak(&environment, arguments);
            // Every process needs a few MiB, so a lower peak means that measuring failed.
            assert!(peak > 2 << 10, "{arguments:?}: {peak} KiB");
            let bound = match arguments[0] {
                "fetch" => FETCH_BOUND_KIB,
                _ => BOUND_KIB,
            };
            assert!(peak < bound, "{arguments:?} took {peak} KiB of memory");
            println!("{peak:>6} KiB {arguments:?}");
        }
        assert_eq!(
            digest(&environment.path("pulled")),
            digest(&environment.path(archive))
        );
        assert_eq!(digest(&environment.path("extracted")), digest(&executable));
    }
}
