//! `par sbom --attach`

use super::{Setup, archive};
use crate::commands::reading::bills::two_targets;
use crate::support::Environment;
use crate::transfer::{par, push as push_archive, text};

const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
const SPDX: &str = "application/spdx+json";

#[test]
fn a_bill_is_attached_once_with_the_type_of_its_format() {
    let setup = Setup::new();
    two_targets(&setup.environment, "audited.par");
    let file = setup.environment.path("audited.par");
    push_archive(&setup.environment, &setup.reference, &file);
    for (format, kind) in [("cyclonedx", CYCLONEDX), ("spdx", SPDX)] {
        let sbom = ["sbom", &setup.reference, "--format", format];
        let attach = || {
            setup
                .environment
                .par([&sbom[..], &["--attach"]].concat())
                .success()
        };
        let first = attach();
        assert!(first.stderr.contains("attached "), "{first}");
        let again = attach();
        assert_eq!(again.line(), first.line());
        let said = "has this attachment already";
        assert!(again.stderr.contains(said), "{again}");
        let json = [&sbom[..], &["--attach", "-o", "json"]].concat();
        let told = setup.environment.par(json).success().json();
        assert_eq!(told["attached"]["existed"], true);
        assert_eq!(told["attached"]["reference"], first.line());
        let document = setup.environment.par(sbom).success();
        let get = ["discover", &setup.reference, "--get", "--type", kind];
        let fetched = par(&setup.environment, get).success();
        assert_eq!(fetched.stdout, document.stdout);
    }
}

#[test]
fn a_bill_of_a_file_cannot_be_attached() {
    let environment = Environment::new();
    let file = archive(&environment);
    let told = par(&environment, ["sbom", text(&file), "--attach"]).exit(2);
    assert!(told.stderr.contains("par push REF FILE --attach"), "{told}");
}
