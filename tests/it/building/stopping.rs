//! An interruption ends the compiler, and everything that it started.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{RUST, command, write_crate};
use crate::support::{Environment, ended, wait_until};

#[test]
fn an_interruption_ends_the_compiler_and_its_build_script() {
    let environment = Environment::new();
    write_crate(&environment, "", "endless", "fn main() {}");
    environment.write("wasmcloud.toml", RUST);
    let script = "fn main() {\n\
                  let path = std::path::Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"pid\");\n\
                  std::fs::write(path.with_extension(\"new\"), std::process::id().to_string()).unwrap();\n\
                  std::fs::rename(path.with_extension(\"new\"), path).unwrap();\n\
                  loop { std::thread::sleep(std::time::Duration::from_secs(1)); }\n}\n";
    environment.write("build.rs", script);
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = command(&environment);
        command
            .arg("build")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let path = environment.path("pid");
        wait_until("the build script runs", || path.is_file());
        let script: i32 = fs::read_to_string(&path).unwrap().parse().unwrap();
        let script = Pid::from_raw(script).unwrap();
        assert!(test_kill_process(script).is_ok());
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = ended(child);
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        // A process whose parent has ended stays visible until the first process of the system has removed it.
        wait_until("the build script has ended", || !runs(script));
        assert!(!environment.path("build").exists());
        fs::remove_file(path).unwrap();
    }
}

/// Returns whether a process runs. A process that has ended but is not yet removed does not.
fn runs(process: Pid) -> bool {
    let path = format!("/proc/{}/stat", process.as_raw_nonzero());
    match fs::read_to_string(path) {
        Ok(state) => !state.contains(") Z "),
        Err(_) if Path::new("/proc/self").exists() => false,
        Err(_) => test_kill_process(process).is_ok(),
    }
}
