use std::fs;
use std::path::Path;

use super::LinuxMachine;

#[test]
fn files_of_other_formats_have_no_properties() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    for content in [
        &b""[..],
        b"#!/bin/sh\n",
        b"\x7fELF",
        b"\x7fELF\x01\x01\x01",
        &[0xff; 4096],
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(LinuxMachine::of(&path).unwrap(), LinuxMachine::default());
    }
    assert!(LinuxMachine::of(&directory.path().join("missing")).is_err());
}

#[test]
fn the_interpreter_of_a_dynamic_executable_is_found() {
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        let machine = LinuxMachine::of(Path::new("/bin/true")).unwrap();
        assert!(machine.interpreter.unwrap().contains("/ld"));
        assert_eq!(machine.big_endian, cfg!(target_endian = "big"));
    }
}
