//! Made-up sources, with and without circles.

use super::super::source::Source;
use super::circles;

/// The circles of a layer that has these files, and facades that re-export what they define.
fn found(files: &[(&str, &str)]) -> String {
    let sources: Vec<_> = files
        .iter()
        .map(|(path, text)| Source::new(path, text))
        .collect();
    circles(&sources).join("\n")
}

#[track_caller]
fn caught(files: &[(&str, &str)], expected: &[&str]) {
    let found = found(files);
    for expected in expected {
        assert!(found.contains(expected), "{files:?}\nfound: {found}");
    }
}

#[track_caller]
fn fine(files: &[(&str, &str)]) {
    assert_eq!(found(files), "", "{files:?}");
}

const FACADE: (&str, &str) = (
    "oci/mod.rs",
    "mod a; mod b; pub use a::A; pub(crate) use b::{self, B, help as assist};",
);
const USES_B: (&str, &str) = ("oci/a.rs", "use super::b::B; pub struct A;");

#[test]
fn two_files_that_use_each_other_are_caught_however_it_is_written() {
    for text in [
        "use super::a::A;",
        "use super::A;",
        "use crate::oci::A;",
        "use crate::oci::a::A as Other;",
        "use super::{a::{self, A}};",
        "use self::super::a::A as _;",
        "use super::*; fn f(a: &A) {}",
        "use super::a; fn f(a: &a::A) {}",
        "use crate::oci; fn f() { oci::A::new() }",
        "fn f() { super::a::A::new() }",
        "fn f() { use super::A; }",
        "fn f() -> Vec<crate::oci::A> { Vec::new() }",
        "mod inner { use super::super::A; }",
        "mod inner { fn f(a: &crate::oci::a::A) {} }",
        "#[cfg(unix)] use super::A;",
        "#[cfg(not(test))] use super::A;",
        "#[cfg(test)] mod tests { fn f() {} } use super::A;",
        "#[cfg(test)] use std::{fs, io}; use super::A;",
        "pub use super::a::A; fn f(a: &A) {}",
        "use super::a::MADE_BY_A_MACRO;",
    ] {
        let text = format!("{text} pub struct B; pub fn help() {{}}");
        caught(
            &[FACADE, USES_B, ("oci/b.rs", &text)],
            &["oci/a.rs -> oci/b.rs (B)", "oci/b.rs -> oci/a.rs"],
        );
    }
}

#[test]
fn the_names_that_tie_a_circle_are_listed() {
    let text = "use super::{a::A, a::open}; pub struct B;";
    let a = "use crate::oci::{B, assist}; pub struct A; pub fn open() {}";
    caught(
        &[
            FACADE,
            ("oci/a.rs", a),
            ("oci/b.rs", &format!("{text} pub fn help() {{}}")),
        ],
        &[
            "oci/a.rs -> oci/b.rs (B, help)",
            "oci/b.rs -> oci/a.rs (A, open)",
        ],
    );
}

#[test]
fn every_circle_is_reported() {
    let files = [
        ("oci/mod.rs", "mod a; mod b; mod c;"),
        ("oci/a.rs", "use super::{b::B, c::C}; pub struct A;"),
        ("oci/b.rs", "use super::a::A; pub struct B;"),
        ("oci/c.rs", "use super::a::A; pub struct C;"),
    ];
    assert_eq!(
        circles(&files.map(|(path, text)| Source::new(path, text))).len(),
        2
    );
}

#[test]
fn a_circle_of_three_files_is_caught() {
    let files = [
        ("cache/mod.rs", "mod a; mod b; mod c;"),
        ("cache/a.rs", "use super::b::B; pub struct A;"),
        ("cache/b.rs", "use super::c::C; pub struct B;"),
        ("cache/c.rs", "use super::a::A; pub struct C;"),
    ];
    caught(
        &files,
        &[
            "cache/a.rs -> cache/b.rs (B)",
            "cache/b.rs -> cache/c.rs (C)",
            "cache/c.rs -> cache/a.rs (A)",
        ],
    );
}

#[test]
fn a_facade_that_defines_something_is_part_of_a_circle() {
    let child = ("cache/a.rs", "use super::Cache; pub struct A;");
    caught(
        &[
            ("cache/mod.rs", "mod a; use a::A; pub struct Cache(A);"),
            child,
        ],
        &[
            "cache/mod.rs -> cache/a.rs (A)",
            "cache/a.rs -> cache/mod.rs (Cache)",
        ],
    );
    caught(
        &[
            ("cache/mod.rs", "mod a; pub use a::A; pub struct Cache(A);"),
            child,
        ],
        &["cache/mod.rs -> cache/a.rs (A)"],
    );
    fine(&[
        ("cache/mod.rs", "mod a; pub use a::A; pub struct Cache;"),
        child,
    ]);
}

#[test]
fn a_circle_of_directories_without_a_circle_of_files_is_caught() {
    let files = [
        ("oci/mod.rs", "mod auth; mod http; mod name;"),
        (
            "oci/auth/mod.rs",
            "mod token; mod realm; pub use token::Token; pub use realm::Realm;",
        ),
        (
            "oci/auth/token.rs",
            "use super::super::http::Request; pub struct Token;",
        ),
        ("oci/auth/realm.rs", "pub struct Realm;"),
        (
            "oci/http/mod.rs",
            "mod request; mod send; pub use request::Request;",
        ),
        ("oci/http/request.rs", "pub struct Request;"),
        (
            "oci/http/send.rs",
            "use crate::oci::auth::Realm; pub struct Send;",
        ),
        ("oci/name.rs", "pub struct Name;"),
    ];
    caught(
        &files,
        &[
            "oci/auth/ -> oci/http/ (Request)",
            "oci/http/ -> oci/auth/ (Realm)",
        ],
    );
}

#[test]
fn a_directory_and_a_file_beside_it_that_use_each_other_are_caught() {
    let files = [
        (
            "client/mod.rs",
            "mod error; mod trust; pub use error::Error;",
        ),
        (
            "client/error.rs",
            "use super::trust::TrustError; pub enum Error {}",
        ),
        (
            "client/trust/mod.rs",
            "mod error; mod pins; pub use error::TrustError;",
        ),
        ("client/trust/error.rs", "pub enum TrustError {}"),
        (
            "client/trust/pins.rs",
            "use crate::client::Error; pub struct Pins;",
        ),
    ];
    caught(
        &files,
        &[
            "client/error.rs -> client/trust/ (TrustError)",
            "client/trust/ -> client/error.rs (Error)",
        ],
    );
}

#[test]
fn a_module_beside_its_directory_counts_like_a_mod_rs() {
    let files = [
        ("oci/mod.rs", "mod http;"),
        (
            "oci/http.rs",
            "mod send; use send::Send; pub struct Http(Send);",
        ),
        ("oci/http/send.rs", "use super::Http; pub struct Send;"),
    ];
    caught(&files, &["oci/http.rs -> oci/http/send.rs (Send)"]);
}

#[test]
fn files_that_use_files_below_them_are_fine() {
    fine(&[
        FACADE,
        USES_B,
        ("oci/b.rs", "pub struct B; pub fn help() {}"),
    ]);
    // Two layers may use the same names.
    fine(&[
        FACADE,
        USES_B,
        ("oci/b.rs", "use crate::content::A; pub struct B;"),
        ("content/mod.rs", "mod a; pub use a::A;"),
        ("content/a.rs", "pub struct A;"),
    ]);
    // A field, a method and a type of another crate with the name of an item.
    fine(&[
        FACADE,
        USES_B,
        (
            "oci/b.rs",
            "use other::A; pub struct B(A); fn f(x: X) { x.a.A(); other::a::A; }",
        ),
    ]);
}

#[test]
fn a_use_in_tests_only_is_fine() {
    for text in [
        "#[cfg(test)] mod tests { use super::super::A; }",
        "#[cfg(all(test, unix))] mod tests { use crate::oci::A; }",
        "#[cfg(test)] use super::a::{A};",
        "#[cfg(test)] fn f() -> crate::oci::A { A }",
        "#[cfg(test)] const A: [crate::oci::A; 1] = [crate::oci::A {}];",
        "// use super::A;",
    ] {
        let text = format!("{text} pub struct B;");
        fine(&[FACADE, USES_B, ("oci/b.rs", &text)]);
    }
    fine(&[
        FACADE,
        USES_B,
        ("oci/b/mod.rs", "#[cfg(test)] mod tests; pub struct B;"),
        ("oci/b/tests.rs", "mod more; use crate::oci::A;"),
        ("oci/b/tests/more.rs", "use crate::oci::A;"),
    ]);
}

#[test]
fn re_exports_without_a_target_are_fine() {
    fine(&[
        ("oci/mod.rs", "mod a; mod b; pub use a::X;"),
        ("oci/a.rs", "pub use super::X; fn f() -> X {}"),
        ("oci/b.rs", "use super::X;"),
    ]);
}
