//! How much a reader is willing to take.

use super::error::Error;

/// The bounds that reading an archive keeps to, whatever the archive says of itself.
///
/// The defaults are far above every archive that is known, and low enough that a lying one costs
/// neither memory nor much time. Whoever wants others changes them:
///
/// ```
/// use wasmcloud_par::archive::Limits;
///
/// let mut limits = Limits::default();
/// limits.executable = 100 << 20;
/// let options = wasmcloud_par::client::ClientOptions::default().limits(limits);
/// ```
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
    /// Bytes that one compressed byte may stand for, on the average of what has been read. Default: 100.
    ///
    /// Executables come to 3 or so. The same byte over and over comes to 103 at the fastest level there
    /// is, and to 1,032 at most (258 bytes in two bits of deflate).
    pub ratio: u64,
    /// Bytes that may be inflated on top of what [`ratio`](Self::ratio) allows. Default: 64 MiB.
    ///
    /// So that a small archive may hold what it likes, such as an executable that is mostly padding:
    /// to inflate that much takes a fraction of a second.
    pub ratio_allowance: u64,
}

impl Limits {
    /// Whether `compressed` bytes may stand for `inflated` bytes.
    pub(super) fn allow_expansion(&self, compressed: u64, inflated: u64) -> bool {
        let most = compressed.saturating_mul(self.ratio);
        inflated <= most.saturating_add(self.ratio_allowance)
    }

    /// What is wrong when they may not.
    pub(super) fn too_much_expansion(&self) -> Error {
        Error::TooLarge {
            what: "bytes for each compressed byte",
            limit: self.ratio,
        }
    }
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
            ratio: 100,
            ratio_allowance: 64 * MIB,
        }
    }
}
