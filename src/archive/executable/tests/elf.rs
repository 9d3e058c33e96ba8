//! The machine of an ELF file.

use std::fs;
use std::path::Path;

use super::*;

/// Returns a 32-bit file with this processor that consists of its header, these attributes, and their section.
fn with_attributes(machine: u8, attributes: &[u8]) -> Vec<u8> {
    const HEADER: usize = 52;
    const SECTION: usize = 40;
    let mut file = vec![0; HEADER];
    file[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
    file[18] = machine;
    file.extend_from_slice(attributes);
    let sections = file.len() as u32;
    file[32..36].copy_from_slice(&sections.to_le_bytes());
    file[42] = 32; // The size of a program header. The file has no program headers.
    file[46] = SECTION as u8;
    file[48] = 1;
    let mut section = [0; SECTION];
    section[4..8].copy_from_slice(&elf::SHT_ARM_ATTRIBUTES.0.to_le_bytes());
    section[16..20].copy_from_slice(&(HEADER as u32).to_le_bytes());
    section[20..24].copy_from_slice(&(attributes.len() as u32).to_le_bytes());
    file.extend_from_slice(&section);
    file
}

fn facts(content: &[u8]) -> ExecutableFacts {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, content).unwrap();
    ExecutableFacts::read(&path).unwrap()
}

#[test]
fn files_of_other_formats_have_no_processors() {
    for content in [
        &b""[..],
        b"text",
        b"\x7fELF",
        b"\x7fELF\x01\x01\x01",
        &[0xff; 4096],
    ] {
        assert_eq!(facts(content), ExecutableFacts::default());
    }
    let directory = tempfile::tempdir().unwrap();
    assert!(ExecutableFacts::read(&directory.path().join("missing")).is_err());
}

#[test]
fn the_interpreter_of_a_dynamic_executable_is_found() {
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        let facts = ExecutableFacts::read(Path::new("/bin/true")).unwrap();
        assert!(facts.interpreter.unwrap().contains("/ld"));
        assert_eq!(facts.big_endian, cfg!(target_endian = "big"));
    }
}

#[test]
fn only_files_for_arm_have_an_arm_version() {
    let attributes = super::super::arm_attributes::tests::attributes(10);
    let (arm, mips) = (40, 8);
    let file = with_attributes(arm, &attributes);
    assert_eq!(facts(&file).arm_version, Some(7));
    // In a file for MIPS, the number of the section's type has another meaning.
    assert_eq!(facts(&with_attributes(mips, &attributes)).arm_version, None);
    for length in 0..file.len() {
        assert_eq!(facts(&file[..length]).arm_version, None, "{length}");
    }
}

#[test]
fn the_byte_order_is_read_from_the_header() {
    let mut file = vec![0; 64];
    file[..7].copy_from_slice(b"\x7fELF\x02\x02\x01");
    file[54..56].copy_from_slice(&56_u16.to_be_bytes());
    assert!(facts(&file).big_endian);
    file[5] = 1;
    file[54..56].copy_from_slice(&56_u16.to_le_bytes());
    assert!(!facts(&file).big_endian);
}
