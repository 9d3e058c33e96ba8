//! The records of compilers: packages, and the dependencies between them.

/// The packages of one program. A universal Mach-O file has several programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Materials {
    /// The packages.
    pub(crate) packages: Vec<Package>,
    /// The position in `packages` of the package that the program was built from.
    pub(crate) root: Option<usize>,
}

/// A package that was compiled into a program, or that helped to compile it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) ecosystem: Ecosystem,
    /// The name of a crate, or the path of a Go module.
    pub(crate) name: String,
    /// The version. `None` when the compiler did not know it.
    pub(crate) version: Option<String>,
    /// Where the package came from.
    pub(crate) source: PackageSource,
    /// Whether the package only ran during the build, as build scripts and procedural macros do.
    pub(crate) build_only: bool,
    /// The positions of the packages that this one depends on.
    pub(crate) dependencies: Vec<usize>,
}

/// The package manager that a package belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ecosystem {
    Cargo,
    Go,
}

/// Where a package came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PackageSource {
    /// The public registry of the ecosystem: crates.io, or the path of a Go module.
    Public,
    /// Another place, in the word of the compiler: `git`, `local`, `registry`.
    Other(String),
}
