//! The bounds on archives.

use super::error::Error;

/// The bounds that apply when archives are read and written.
///
/// The defaults are far above every known archive, and low enough that a malicious one takes neither
/// much memory nor much time. A program can change them:
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
    /// The most entries of the tar, extension headers included. Default: 1,024.
    pub entries: usize,
    /// The most bytes of the name of an entry. Default: 1,024.
    pub name: usize,
    /// The most bytes of the signed token, and of one extension header. Default: 1 MiB.
    pub claims: u64,
    /// The most bytes of the WIT world, which is held in memory. Default: 8 MiB.
    pub world: u64,
    /// The most bytes of one executable. Default: 4 GiB.
    pub executable: u64,
    /// The most bytes of the whole tar once inflated: headers, padding and the end included. Default:
    /// 16 GiB.
    pub total: u64,
    /// The most inflated bytes for each compressed byte, on average over the bytes read so far. Default: 100.
    ///
    /// Executables have a ratio of about 3. A single repeated byte has a ratio of 103 at the fastest
    /// level of compression, and of 1,032 at most (258 bytes in two bits of deflate).
    pub ratio: u64,
    /// How many bytes may be inflated in addition to those that [`ratio`](Self::ratio) allows. Default: 64 MiB.
    ///
    /// This lets a small archive hold an executable that is mostly padding. Inflating so much takes a
    /// fraction of a second.
    pub ratio_allowance: u64,
}

impl Limits {
    /// Returns whether `compressed` bytes may inflate to `inflated` bytes.
    pub(super) fn allow_expansion(&self, compressed: u64, inflated: u64) -> bool {
        let most = compressed.saturating_mul(self.ratio);
        inflated <= most.saturating_add(self.ratio_allowance)
    }

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
