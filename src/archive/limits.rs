//! How much a reader is willing to take.

/// The bounds that reading an archive keeps to, whatever the archive says of itself.
///
/// The defaults are far above every archive that is known, and low enough that a lying one costs
/// neither memory nor much time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Entries of the tar, extension headers included. Default: 1,024.
    pub entries: usize,
    /// Bytes of an entry's name. Default: 1,024.
    pub name: usize,
    /// Bytes of the signed token, and of one extension header. Default: 1 MiB.
    pub claims: u64,
    /// Bytes of the WIT world, which is held in memory. Default: 8 MiB.
    pub world: u64,
    /// Bytes of one executable. Default: 4 GiB.
    pub executable: u64,
    /// Bytes of the whole tar once inflated. Default: 16 GiB.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        const GIB: u64 = 1 << 30;
        Self {
            entries: 1024,
            name: 1024,
            claims: MIB,
            world: 8 * MIB,
            executable: 4 * GIB,
            total: 16 * GIB,
        }
    }
}
