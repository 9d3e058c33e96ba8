use super::*;

fn of(texts: &[&str]) -> Configuration {
    let mut found = Configuration::default();
    for text in texts {
        found.add(text);
    }
    found
}

#[test]
fn lists_of_flags_are_joined_and_a_text_replaces_them() {
    let far = "[build]\nrustflags = ['-C', 'far']\n";
    let near = "build.rustflags = ['-C', 'near']\n";
    assert_eq!(of(&[far, near]).build_flags, ["-C", "far", "-C", "near"]);
    let text = "build.rustflags = '-C  text'\n";
    assert_eq!(of(&[far, text]).build_flags, ["-C", "text"]);
}

#[test]
fn flags_of_targets_and_the_standard_library_are_noticed() {
    assert!(of(&["[target.'cfg(unix)']\nrustflags = ['-C', 'x']\n"]).has_target_flags);
    assert!(!of(&["[target.x]\nlinker = 'y'\n"]).has_target_flags);
    assert!(of(&["[unstable]\nbuild-std = ['std']\n"]).builds_library);
    assert_eq!(of(&["not toml = ["]), Configuration::default());
    let mut found = Configuration::default();
    found.add_variable("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "x");
    found.add_variable("CARGO_BUILD_RUSTFLAGS", "-C y");
    assert!(found.has_target_flags);
    assert_eq!(found.build_flags, ["-C", "y"]);
}
