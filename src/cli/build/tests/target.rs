use super::*;

fn wanted(text: &str) -> WantedTarget {
    text.parse().unwrap()
}

#[test]
fn a_triple_is_used_unchanged_and_other_names_prefer_a_static_executable() {
    let triple = wanted("x86_64-unknown-linux-gnu");
    assert_eq!(triple.triples(), ["x86_64-unknown-linux-gnu"]);
    assert_eq!(triple.target().as_str(), "x86_64-linux");
    for name in ["aarch64-linux", "linux/arm64"] {
        assert_eq!(
            wanted(name).triples(),
            ["aarch64-unknown-linux-musl", "aarch64-unknown-linux-gnu"]
        );
    }
    assert_eq!(wanted("darwin/arm64").triples(), ["aarch64-apple-darwin"]);
    assert_eq!(
        wanted("riscv64-linux").triples()[0],
        "riscv64gc-unknown-linux-musl"
    );
    let versioned = wanted("x86_64-unknown-linux-gnu.2.28");
    assert_eq!(versioned.triples(), ["x86_64-unknown-linux-gnu.2.28"]);
    assert_eq!(versioned.target().as_str(), "x86_64-linux");
}

#[test]
fn go_gets_its_own_names() {
    for (name, os, arch, arm) in [
        ("linux/mipsle", "linux", "mipsle", None),
        ("linux/arm/v6", "linux", "arm", Some("6")),
        ("armv7-unknown-linux-gnueabihf", "linux", "arm", Some("7")),
        ("x86_64-linux", "linux", "amd64", None),
        ("aarch64-apple-darwin", "darwin", "arm64", None),
        ("x86_64-pc-windows-gnu", "windows", "amd64", None),
    ] {
        let expected = GoTarget::new(os, arch, arm.map(str::to_owned));
        assert_eq!(wanted(name).go(), Some(expected), "{name}");
    }
}

#[test]
fn webassembly_and_texts_that_are_not_targets_are_refused() {
    for name in ["wasm32-wasip1", "wasm32-unknown-unknown"] {
        let error = name.parse::<WantedTarget>().unwrap_err();
        assert!(error.contains("WebAssembly"), "{error}");
    }
    assert!("linux".parse::<WantedTarget>().is_err());
    assert!("".parse::<WantedTarget>().is_err());
}
