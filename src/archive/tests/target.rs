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
}

#[test]
fn triples_and_platforms_are_turned_into_the_target_that_they_name() {
    for (name, target) in [
        ("x86_64-unknown-linux-musl", "x86_64-linux"),
        ("x86_64-unknown-linux-gnu", "x86_64-linux"),
        ("x86_64-alpine-linux-musl", "x86_64-linux"),
        ("i686-unknown-linux-gnu", "x86-linux"),
        ("aarch64-apple-darwin", "aarch64-macos"),
        ("arm64-apple-darwin", "aarch64-macos"),
        ("aarch64-apple-ios-sim", "aarch64-ios"),
        ("x86_64-pc-windows-msvc", "x86_64-windows"),
        ("aarch64-linux-android", "aarch64-android"),
        ("armv7-linux-androideabi", "arm-android"),
        ("armv7-unknown-linux-gnueabihf", "arm-linux"),
        ("thumbv7neon-unknown-linux-gnueabihf", "arm-linux"),
        ("riscv64gc-unknown-linux-gnu", "riscv64-linux"),
        ("powerpc64le-unknown-linux-gnu", "powerpc64-linux"),
        ("mipsel-unknown-linux-musl", "mips-linux"),
        ("mips64el-unknown-linux-muslabi64", "mips64-linux"),
        ("loongarch64-unknown-linux-gnu", "loongarch64-linux"),
        ("x86_64-unknown-freebsd", "x86_64-freebsd"),
        ("linux/amd64", "x86_64-linux"),
        ("linux/386", "x86-linux"),
        ("linux/arm64", "aarch64-linux"),
        ("linux/arm/v7", "arm-linux"),
        ("linux/arm64/v8", "aarch64-linux"),
        ("linux/ppc64le", "powerpc64-linux"),
        ("linux/mips64le", "mips64-linux"),
        ("linux/loong64", "loongarch64-linux"),
        ("darwin/arm64", "aarch64-macos"),
        ("windows/amd64", "x86_64-windows"),
    ] {
        let parsed: Target = name.parse().unwrap();
        assert_eq!(parsed.as_str(), target, "{name}");
        assert!(parsed.is_known(), "{name}");
    }
}

#[test]
fn the_target_of_this_machine_is_known_and_misspelled_targets_are_not() {
    assert!(Target::host().is_known());
    assert!(Target::carried("armv7-linux").unwrap().is_known());
    for name in ["x86-64-linux", "amd64-linux", "x86_64-linus", "plugin"] {
        assert!(!Target::carried(name).unwrap().is_known(), "{name}");
    }
}

#[test]
fn an_entry_may_have_any_single_name_except_those_of_other_entries() {
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
    assert_eq!(usual("armv7-linux"), None);
    assert_eq!(usual("x86_64-linux"), None);
    assert_eq!(usual("plugin"), None);
}
