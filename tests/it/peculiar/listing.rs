//! Lists of tags in several pages.
