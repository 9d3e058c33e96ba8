//! The options of a mirror.

/// The options of a mirror.
///
/// ```
/// use wasmcloud_par::client::MirrorOptions;
///
/// let options = MirrorOptions::default().compare_only(true);
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct MirrorOptions {
    /// Whether the mirror is only compared: its missing bytes are counted, and nothing is copied. Default: `false`.
    pub compare_only: bool,
    /// Whether a tag of the mirror that names an archive of another issuer or subject may be moved. Default: `false`.
    pub change_identity: bool,
    /// Whether a comparison fails for a reference that the mirror itself would refuse, because its tag names an archive of
    /// another issuer or subject. Default: `false`, such a tag counts as different.
    pub refuse_as_mirror: bool,
}

impl MirrorOptions {
    /// Sets whether the mirror is only compared, and nothing is copied.
    #[must_use]
    pub fn compare_only(mut self, compare_only: bool) -> Self {
        self.compare_only = compare_only;
        self
    }

    /// Sets whether a comparison fails for a reference that the mirror itself would refuse.
    #[must_use]
    pub fn refuse_as_mirror(mut self, refuse_as_mirror: bool) -> Self {
        self.refuse_as_mirror = refuse_as_mirror;
        self
    }

    /// Sets whether a tag of the mirror that names an archive of another issuer or subject may be moved.
    #[must_use]
    pub fn change_identity(mut self, change_identity: bool) -> Self {
        self.change_identity = change_identity;
        self
    }
}
