use super::*;

#[test]
fn any_pair_of_names_is_a_target() {
    for name in [
        "x86_64-linux",
        "riscv64gc-linux",
        "armv7-linux",
        "mips64-plan9",
    ] {
        assert_eq!(name.parse::<Target>().unwrap().as_str(), name);
    }
}

#[test]
fn other_texts_are_refused_and_the_error_names_the_form() {
    for name in [
        "",
        "linux",
        "-linux",
        "x86_64-",
        "../x-linux",
        "a b-linux",
        "x-\u{1b}[2J",
    ] {
        let error = name.parse::<Target>().unwrap_err();
        assert!(error.to_string().contains("arch-os"), "{error}");
    }
    let error = "linux/amd64".parse::<Target>().unwrap_err();
    assert!(
        error.to_string().contains("write `x86_64-linux`"),
        "{error}"
    );
}

#[test]
fn an_archive_carries_single_names_but_not_those_of_other_entries() {
    assert!(Target::carried("plugin").is_ok());
    for name in [
        "claims",
        "claims.jwt",
        "world",
        "world.wasm",
        ".",
        "..",
        ".hidden",
        "a/b",
    ] {
        assert!(Target::carried(name).is_err(), "{name}");
    }
}

#[test]
fn other_common_names_are_recognised() {
    let usual = |name: &str| Target::carried(name).unwrap().usual_name();
    assert_eq!(usual("arm64-darwin").as_deref(), Some("aarch64-macos"));
    assert_eq!(
        usual("x86_64-unknown-linux-gnu").as_deref(),
        Some("x86_64-linux")
    );
    assert_eq!(usual("x86_64-linux"), None);
}
