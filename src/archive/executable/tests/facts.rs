//! The texts for facts.

use super::*;

fn dynamic(interpreter: &str, libraries: &[&str]) -> ExecutableFacts {
    ExecutableFacts {
        format: ExecutableFormat::Elf,
        linking: Some(Linking::Dynamic),
        interpreter: Some(interpreter.to_owned()),
        libraries: libraries.iter().map(|name| (*name).to_owned()).collect(),
        ..ExecutableFacts::default()
    }
}

#[test]
fn a_text_says_what_a_host_needs() {
    let libraries = [
        "libssl.so.3",
        "libgcc_s.so.1",
        "libm.so.6",
        "libc.so.6",
        "ld-linux-x86-64.so.2",
    ];
    let mut facts = dynamic("/lib64/ld-linux-x86-64.so.2", &libraries);
    facts.glibc = Some("2.34".to_owned());
    facts.debug = Some(true);
    assert_eq!(
        facts.to_string(),
        "dynamic: needs /lib64/ld-linux-x86-64.so.2, GLIBC 2.34 or newer, libssl.so.3 and libgcc_s.so.1, with debug \
         information"
    );
    let musl = dynamic("/lib/ld-musl-x86_64.so.1", &["libc.so"]);
    assert_eq!(musl.to_string(), "dynamic: needs /lib/ld-musl-x86_64.so.1");
    let fixed = ExecutableFacts {
        format: ExecutableFormat::Elf,
        linking: Some(Linking::Static),
        ..ExecutableFacts::default()
    };
    assert_eq!(fixed.to_string(), "static");
    let mac = ExecutableFacts {
        format: ExecutableFormat::MachO,
        linking: Some(Linking::Dynamic),
        macos: Some("11.0".to_owned()),
        signed: Some(false),
        libraries: vec!["/usr/lib/libSystem.B.dylib".to_owned()],
        ..ExecutableFacts::default()
    };
    assert_eq!(
        mac.to_string(),
        "Mach-O: needs macOS 11.0 or newer, not signed"
    );
}

#[test]
fn names_from_a_file_cannot_change_the_terminal() {
    let facts = dynamic("/lib/\u{1b}[31m", &[]);
    assert_eq!(facts.to_string(), "dynamic: needs /lib/\\u{1b}[31m");
}

#[test]
fn the_dynamic_linker_shows_whether_the_c_library_is_glibc() {
    for (interpreter, is_gnu) in [
        ("/lib64/ld-linux-x86-64.so.2", true),
        ("/nix/store/x/lib/ld-linux-aarch64.so.1", true),
        ("/lib/ld64.so.1", true),
        ("/lib/ld-musl-x86_64.so.1", false),
        ("/system/bin/linker64", false),
        ("/libexec/ld-elf.so.1", false),
    ] {
        assert_eq!(
            dynamic(interpreter, &[]).is_for_glibc(),
            is_gnu,
            "{interpreter}"
        );
    }
}
