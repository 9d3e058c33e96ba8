//! The arguments of most runs of `par create`.

/// Returns the arguments with which `par create` packs `binary` under the name `N` of the vendor `V`, followed by `more`.
pub(crate) fn create_arguments<'a>(binary: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["create", "-n", "N", "-v", "V", "-b", binary][..], more].concat()
}
