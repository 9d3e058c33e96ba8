//! Headers of executables made by hand.

use super::*;

/// Returns the header of an ELF file.
fn elf(wide: bool, big: bool, machine: u16, flags: u32) -> Vec<u8> {
    let mut head = vec![0; 64];
    head[..7].copy_from_slice(&[
        0x7f,
        b'E',
        b'L',
        b'F',
        1 + u8::from(wide),
        1 + u8::from(big),
        1,
    ]);
    let (machine, flags) = match big {
        true => (machine.to_be_bytes(), flags.to_be_bytes()),
        false => (machine.to_le_bytes(), flags.to_le_bytes()),
    };
    head[18..20].copy_from_slice(&machine);
    let at = if wide { 48 } else { 36 };
    head[at..at + 4].copy_from_slice(&flags);
    head
}

fn macho(wide: bool, processor: u32) -> Vec<u8> {
    let magic = 0xfeed_face + u32::from(wide);
    let mut head = [magic.to_le_bytes(), processor.to_le_bytes()].concat();
    head.resize(32, 0);
    head
}

fn universal(processors: &[u32]) -> Vec<u8> {
    let mut head = [0xcafe_babe_u32, processors.len() as u32]
        .map(u32::to_be_bytes)
        .concat();
    for processor in processors {
        head.extend([*processor, 0, 0, 0, 0].map(u32::to_be_bytes).concat());
    }
    head
}

fn pe(machine: u16, wide: bool) -> Vec<u8> {
    let mut head = vec![0; 512];
    head[..2].copy_from_slice(b"MZ");
    head[0x3c] = 0x80;
    head[0x80..0x84].copy_from_slice(b"PE\0\0");
    head[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
    head[0x98..0x9a].copy_from_slice(&[0x0b, 1 + u8::from(wide)]);
    head
}

#[test]
fn an_executable_suits_only_the_targets_of_its_processor_and_system() {
    let (x86_64, arm64) = (0x0100_0007, 0x0100_000c);
    let executables: [(Vec<u8>, &[&str]); 15] = [
        (
            elf(true, false, 62, 0),
            &["x86_64-linux", "x86_64-freebsd", "x86_64-android"],
        ),
        (elf(false, false, 3, 0), &["x86-linux"]),
        (
            elf(true, false, 183, 0),
            &["aarch64-linux", "aarch64-android"],
        ),
        (elf(false, false, 40, 0), &["arm-linux", "armv7-linux"]),
        (elf(false, true, 8, 0), &["mips-linux"]),
        (elf(true, true, 8, 0), &["mips64-linux"]),
        (elf(false, true, 8, 0x20), &["mips64-linux"]),
        (
            elf(true, false, 243, 0),
            &["riscv64gc-linux", "riscv64-linux"],
        ),
        (elf(true, false, 22, 0), &["s390x-linux"]),
        (elf(true, false, 258, 0), &["loongarch64-linux"]),
        (macho(true, arm64), &["aarch64-macos", "aarch64-ios"]),
        (macho(false, 7), &["x86-macos"]),
        (
            universal(&[x86_64, arm64]),
            &["x86_64-macos", "aarch64-macos", "aarch64-ios"],
        ),
        (pe(0x8664, true), &["x86_64-windows"]),
        (pe(0x14c, false), &["x86-windows"]),
    ];
    let all: std::collections::BTreeSet<&str> = executables
        .iter()
        .flat_map(|(_, targets)| *targets)
        .copied()
        .collect();
    for (head, targets) in &executables {
        let executable = Executable::recognise(head);
        for target in &all {
            let suits = executable.suits(&target.parse().unwrap());
            assert_eq!(suits, targets.contains(target), "{executable} {target}");
        }
    }
}

#[test]
fn the_running_program_suits_the_host() {
    let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    assert!(Executable::read(file).unwrap().suits(&Target::host()));
}

#[test]
fn a_file_that_is_not_an_executable_suits_only_unknown_targets() {
    let java = [
        0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]
    .repeat(90);
    let (cut, coff) = (&elf(true, false, 62, 0)[..40], [0x64, 0x86].repeat(20));
    for head in [
        &b""[..],
        b"MZ",
        b"text",
        b"#!/bin/sh\nexit 0\n",
        &java,
        cut,
        &coff,
    ] {
        let executable = Executable::recognise(head);
        for target in ["x86_64-linux", "aarch64-macos", "x86-windows"] {
            assert!(!executable.suits(&target.parse().unwrap()), "{executable}");
        }
        for target in ["x86_64-plan9", "sparc64-linux", "plugin"] {
            assert!(
                executable.suits(&Target::carried(target).unwrap()),
                "{target}"
            );
        }
    }
}

#[test]
fn an_executable_suits_the_other_names_of_its_target() {
    let executable = Executable::recognise(&macho(true, 0x0100_000c));
    assert!(executable.suits(&"arm64-darwin".parse().unwrap()));
    assert!(!executable.suits(&"amd64-darwin".parse().unwrap()));
}

#[test]
fn the_description_names_the_format_and_the_processors() {
    let told = |head: &[u8]| Executable::recognise(head).to_string();
    let universal = universal(&[7, 0x0100_000c]);
    assert_eq!(
        told(&universal),
        "a Mach-O file (macOS, iOS) for x86 and aarch64"
    );
    let tensilica = elf(false, false, 94, 0);
    assert_eq!(
        told(&tensilica),
        "an ELF file (Linux, FreeBSD, Android) for processor 94"
    );
    assert_eq!(told(b"#!/bin/sh\n"), "a script");
}
