use clap::Parser;

use super::*;
use crate::cli::arguments::RegistryArgs;
use crate::oci::LayoutForm;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    registry: RegistryArgs,
}

#[test]
fn a_file_and_a_reference_are_distinguished() {
    let read = |text: &str| {
        let registry = Line::parse_from(["par"]).registry;
        image_destination(OsStr::new(text), &registry).map(|read| match &read {
            Reference::Layout(place) if place.form() == LayoutForm::File => format!("file {read}"),
            _ => format!("reference {read}"),
        })
    };
    for (text, expected) in [
        ("image.tar", "file oci-archive://image.tar"),
        ("./image.tar", "file oci-archive://./image.tar"),
        ("out.d/image.tar", "file oci-archive://out.d/image.tar"),
        ("file:///tmp/image.tar", "file oci-archive:///tmp/image.tar"),
        ("oci-archive://image", "file oci-archive://image"),
        ("oci-archive://a.tar:1.0", "file oci-archive://a.tar:1.0"),
        (
            "ghcr.io/org/image:1.tar",
            "reference ghcr.io/org/image:1.tar",
        ),
        ("oci-layout://image:1", "reference oci-layout://image:1"),
        ("oci-layout://image", "reference oci-layout://image"),
    ] {
        assert_eq!(read(text).unwrap(), expected, "{text}");
    }
    for text in ["./image", "ghcr.io/org/image", "image", "oci-archive://"] {
        assert!(read(text).is_err(), "{text}");
    }
}
