//! What a host must have to start an executable.

use std::fmt;

/// The machines that can start an executable, by its headers. A field that cannot be read is `None` or empty. The
/// headers may be wrong: a stranger may have written them, and they are not verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutableFacts {
    /// The format of the file.
    pub format: ExecutableFormat,
    /// The processors that can run the executable, by the names of [`std::env::consts::ARCH`]. A universal Mach-O file
    /// has several. A processor without such a name is left out.
    pub processors: Vec<String>,
    /// Whether the executable needs shared libraries of the host. `None` for a script.
    pub linking: Option<Linking>,
    /// The program that the host starts in place of this file: the dynamic linker of an ELF file (`PT_INTERP`), such as
    /// `/lib64/ld-linux-x86-64.so.2`, or the command in the first line of a script.
    pub interpreter: Option<String>,
    /// The newest version of the GNU C library that the executable needs, such as `2.34`.
    pub glibc: Option<String>,
    /// The names of the shared libraries that the executable needs, in the order of the file.
    pub libraries: Vec<String>,
    /// The directories in which the executable looks for its libraries first (`DT_RPATH`, `DT_RUNPATH`), as written.
    pub library_paths: Vec<String>,
    /// The lowest version of macOS that can start the executable, such as `11.0`. For a universal file, the version of
    /// its arm64 part.
    pub macos: Option<String>,
    /// Whether a Mach-O file has a code signature. macOS on arm64 starts no file without one. For a universal file,
    /// whether its arm64 part has one. The signature is not verified.
    pub signed: Option<bool>,
    /// Whether the file contains debug information (DWARF), which makes it large and is not needed to start it.
    pub debug: Option<bool>,
    /// Whether an ELF file has the most significant byte first. The name of a target, such as `mips64-linux`, leaves
    /// this open.
    pub(crate) big_endian: bool,
    /// The version of the Arm architecture that a 32-bit ELF file names, between 4 and 9. The target `arm-linux` leaves
    /// it open.
    pub(crate) arm_version: Option<u8>,
}

/// The format of an executable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExecutableFormat {
    /// ELF: Linux, FreeBSD, Android.
    Elf,
    /// Mach-O: macOS, iOS.
    MachO,
    /// PE: Windows.
    Pe,
    /// A file that begins with `#!`.
    Script,
    /// Another format.
    #[default]
    Unknown,
}

impl ExecutableFormat {
    /// Returns the name that is used in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::MachO => "mach-o",
            Self::Pe => "pe",
            Self::Script => "script",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether an executable needs shared libraries of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Linking {
    /// The executable contains all that it needs.
    Static,
    /// The host loads shared libraries, or an interpreter, for the executable.
    Dynamic,
}

impl Linking {
    /// Returns the name that is used in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Dynamic => "dynamic",
        }
    }
}

impl ExecutableFacts {
    /// Returns whether the executable is started by the dynamic linker of the GNU C library.
    #[must_use]
    pub fn is_for_glibc(&self) -> bool {
        let name = self
            .interpreter
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        let is_elf = self.format == ExecutableFormat::Elf;
        let is_linker = |name: &str| {
            ["ld-linux", "ld64.so", "ld.so.1"]
                .iter()
                .any(|start| name.starts_with(start))
        };
        is_elf && name.is_some_and(is_linker)
    }
}

impl ExecutableFacts {
    /// Returns what a host must have to start the executable, such as `/lib64/ld-linux-x86-64.so.2 and GLIBC 2.34 or
    /// newer`. `None` when every host of the target has it.
    #[must_use]
    pub fn needs(&self) -> Option<String> {
        let mut needs = Vec::new();
        needs.extend(self.interpreter.clone());
        let newer = |name: &str, version: &String| format!("{name} {version} or newer");
        needs.extend(self.glibc.as_ref().map(|version| newer("GLIBC", version)));
        needs.extend(self.macos.as_ref().map(|version| newer("macOS", version)));
        if self.format == ExecutableFormat::Elf {
            let others = self.libraries.iter().filter(|name| !is_c_library(name));
            needs.extend(others.cloned());
        }
        let last = needs.pop()?;
        let text = if needs.is_empty() {
            last
        } else {
            format!("{} and {last}", needs.join(", "))
        };
        // The names come from the file.
        Some(text.escape_debug().to_string())
    }
}

impl fmt::Display for ExecutableFacts {
    /// Writes what a host needs: `static`, or `dynamic: needs /lib64/ld-linux-x86-64.so.2 and GLIBC 2.34 or newer`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.format {
            ExecutableFormat::Unknown => "unknown format",
            ExecutableFormat::Script => "script",
            ExecutableFormat::MachO => "Mach-O",
            ExecutableFormat::Pe => "PE",
            ExecutableFormat::Elf => self.linking.map_or("ELF", Linking::name),
        })?;
        if let Some(needs) = self.needs() {
            write!(formatter, ": needs {needs}")?;
        }
        match self.signed {
            Some(true) => formatter.write_str(", signed")?,
            Some(false) => formatter.write_str(", not signed")?,
            None => {}
        }
        if self.debug == Some(true) {
            formatter.write_str(", with debug information")?;
        }
        Ok(())
    }
}

/// Returns whether a library is part of the C library. The interpreter and the version in the text cover these
/// libraries.
fn is_c_library(name: &str) -> bool {
    const PARTS: [&str; 7] = [
        "libc",
        "libm",
        "libdl",
        "librt",
        "libpthread",
        "libutil",
        "libresolv",
    ];
    let stem = name.split('.').next().unwrap_or(name);
    PARTS.contains(&stem) || name.starts_with("ld-linux") || name.starts_with("ld64.so")
}

#[cfg(test)]
#[path = "tests/facts.rs"]
mod tests;
