//! Requirements of executables and whether machines meet them, with real executables that are really started.

mod fetching;
mod foreign;
mod hosting;
mod native;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Environment;

/// A program that greets.
const GREETING: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

/// Compiles a C program with this compiler and these arguments. Returns its path.
#[track_caller]
fn compile(environment: &Environment, compiler: &str, arguments: &[&str], name: &str) -> PathBuf {
    compile_source(environment, compiler, arguments, name, GREETING)
}

#[track_caller]
fn compile_source(
    environment: &Environment,
    compiler: &str,
    arguments: &[&str],
    name: &str,
    source: &str,
) -> PathBuf {
    let file = environment.write(&format!("{name}.c"), source);
    let output = environment.path(name);
    let mut command = Command::new(compiler);
    command.current_dir(environment.path("")).arg(&file);
    command.arg("-o").arg(&output).args(arguments);
    run(
        command,
        "scripts/requirements installs the compilers: gcc, musl-tools",
    );
    output
}

/// Runs a command of this machine, which has to succeed. Returns its standard output.
#[track_caller]
fn run(mut command: Command, hint: &str) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}\n{hint}"));
    let (stdout, stderr) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stderr}");
    String::from_utf8_lossy(stdout).into_owned()
}

/// Compiles an executable whose dynamic linker no machine has.
fn without_linker(environment: &Environment, name: &str) -> PathBuf {
    compile(
        environment,
        "cc",
        &["-Wl,--dynamic-linker=/nonexistent/ld.so"],
        name,
    )
}

/// Compiles an executable and its library `libgreeting.so.1`, which is only where the executable was made.
fn without_library(environment: &Environment, name: &str) -> PathBuf {
    let shared = ["-shared", "-fPIC", "-Wl,-soname,libgreeting.so.1"];
    compile_source(
        environment,
        "cc",
        &shared,
        "libgreeting.so.1",
        "int greet(void) { return 0; }\n",
    );
    let source = "int greet(void);\nint main(void) { return greet(); }\n";
    compile_source(environment, "cc", &["./libgreeting.so.1"], name, source)
}

/// Compiles an executable that needs a release of the GNU C library that does not exist yet.
fn for_newer_library(environment: &Environment, name: &str) -> PathBuf {
    let path = compile(environment, "cc", &[], name);
    let mut bytes = std::fs::read(&path).unwrap();
    // The linker compares the name of a version and its hash.
    let (old, new) = ("GLIBC_2.34", "GLIBC_2.99");
    replace(&mut bytes, old.as_bytes(), new.as_bytes());
    replace(
        &mut bytes,
        &hash(old).to_le_bytes(),
        &hash(new).to_le_bytes(),
    );
    std::fs::write(&path, bytes).unwrap();
    path
}

#[track_caller]
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    let at = bytes.windows(old.len()).position(|window| window == old);
    let at = at.unwrap_or_else(|| panic!("{old:?} is not there: is this glibc before 2.34?"));
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// Returns the hash of a name in an ELF file.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0_u32, |hash, byte| {
        let hash = (hash << 4).wrapping_add(byte.into());
        let high = hash & 0xf000_0000;
        (hash ^ (high >> 24)) & !high
    })
}

/// Packs an executable for this machine. Returns the archive, and what the command wrote to standard error.
#[track_caller]
fn pack(environment: &Environment, executable: &Path) -> (String, String) {
    let executable = executable.to_str().unwrap();
    let archive = format!("{executable}.par.gz");
    let create = "create -n Greeting -v Example --compress --keygen --destination";
    let mut line: Vec<&str> = create.split(' ').collect();
    line.extend([&*archive, "-b", executable]);
    let packed = environment.par(line).success();
    (archive, packed.stderr)
}
