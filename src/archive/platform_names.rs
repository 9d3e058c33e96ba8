//! The names of processors and systems in other tools: triples of Rust and LLVM, and `GOOS/GOARCH`.
//!
//! A host looks for the names of Rust's constants `ARCH` and `OS`. `ARCH` names a family of processors: a host on
//! `armv7` looks for `arm`, and a host on a little-endian `mipsel` for `mips`. Some archives name a member of a family,
//! such as `armv7-linux`.

/// The values of [`std::env::consts::ARCH`].
const ARCHITECTURES: [&str; 20] = [
    "x86",
    "x86_64",
    "arm",
    "aarch64",
    "m68k",
    "mips",
    "mips32r6",
    "mips64",
    "mips64r6",
    "csky",
    "powerpc",
    "powerpc64",
    "riscv32",
    "riscv64",
    "s390x",
    "sparc",
    "sparc64",
    "hexagon",
    "loongarch32",
    "loongarch64",
];

/// The values of [`std::env::consts::OS`] for systems with processes.
const SYSTEMS: [&str; 12] = [
    "linux",
    "windows",
    "macos",
    "android",
    "ios",
    "freebsd",
    "dragonfly",
    "netbsd",
    "openbsd",
    "solaris",
    "illumos",
    "aix",
];

/// Other names of [`ARCHITECTURES`].
const ALIASES: [(&str, &str); 8] = [
    ("amd64", "x86_64"),
    ("x64", "x86_64"),
    ("386", "x86"),
    ("i386", "x86"),
    ("i686", "x86"),
    ("arm64", "aarch64"),
    ("loong64", "loongarch64"),
    ("sparcv9", "sparc64"),
];

/// The first letters of the names of processors, and the families of these processors. The first match counts.
const FAMILIES: [(&str, &str); 16] = [
    ("x86_64", "x86_64"),
    ("i4", "x86"),
    ("i5", "x86"),
    ("aarch64", "aarch64"),
    ("arm64", "aarch64"),
    ("arm", "arm"),
    ("thumb", "arm"),
    ("riscv32", "riscv32"),
    ("riscv64", "riscv64"),
    ("mipsisa64r6", "mips64r6"),
    ("mipsisa32r6", "mips32r6"),
    ("mips64", "mips64"),
    ("mips", "mips"),
    ("powerpc64", "powerpc64"),
    ("ppc64", "powerpc64"),
    ("ppc", "powerpc"),
];

/// Returns whether a host can look for `arch-os`, or for the family of `arch`.
pub(super) fn is_known(arch: &str, os: &str) -> bool {
    let is_alias = ALIASES.iter().any(|(alias, _)| *alias == arch);
    SYSTEMS.contains(&os) && !is_alias && ARCHITECTURES.contains(&family(arch))
}

/// Returns Rust's name for a processor with an alias, and any other name unchanged.
pub(super) fn architecture(name: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    alias.map_or(name, |(_, usual)| usual)
}

/// Returns Rust's name for the family of a processor, and any other name unchanged.
pub(super) fn family(name: &str) -> &str {
    let name = architecture(name);
    if ARCHITECTURES.contains(&name) {
        return name;
    }
    let family = FAMILIES.iter().find(|(start, _)| name.starts_with(start));
    family.map_or(name, |(_, family)| family)
}

/// Returns Rust's name for a system that has another name in a triple or in Go, and any other name unchanged.
pub(super) fn system(name: &str) -> &str {
    match name {
        "darwin" | "macosx" | "osx" => "macos",
        "win32" | "mingw32" => "windows",
        other => other,
    }
}

/// Returns the name `arch-os` for `GOOS/GOARCH`, or for the platform of a container image, which can have a
/// variant: `linux/arm/v7`. `None` when one of the names is not known.
pub(super) fn from_platform(name: &str) -> Option<String> {
    let mut words = name.split('/');
    let (os, arch) = (system(words.next()?), family(words.next()?));
    let variant = words.next().unwrap_or("v");
    let is_platform = variant.starts_with('v') && words.next().is_none() && is_known(arch, os);
    is_platform.then(|| format!("{arch}-{os}"))
}

/// Returns the name `arch-os` for a triple such as `x86_64-unknown-linux-musl`. `None` when `name` has less than
/// three words, or names no known system.
pub(super) fn from_triple(name: &str) -> Option<String> {
    let (arch, rest) = name.split_once('-')?;
    let words: Vec<&str> = rest.split('-').collect();
    // The first word is a vendor or a system. In `x86-64-linux` it is neither.
    let is_name = |word: &str| word.starts_with(|first: char| first.is_ascii_alphabetic());
    if words.len() < 2 || arch.is_empty() || !words.iter().all(|word| is_name(word)) {
        return None;
    }
    // Android's triples also name Linux: `aarch64-linux-android`, `armv7-linux-androideabi`.
    let is_android = words.iter().any(|word| word.starts_with("android"));
    let mut systems = words.iter().map(|word| system(word));
    let os = if is_android {
        "android"
    } else {
        systems.find(|word| SYSTEMS.contains(word))?
    };
    Some(format!("{}-{os}", family(arch)))
}
