use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    sides: SidesArgs,
}

fn options(line: &str) -> [String; 2] {
    let sides = Line::parse_from(line.split(' ')).sides;
    let (from, to) = (Side::from(&sides.from), Side::from(&sides.to));
    [(&from, &to), (&to, &from)].map(|(side, other)| {
        let args = sides.both.with(side, other);
        let explicit = args.credentials.given().unwrap();
        let options = args.options(explicit);
        let user = options.credentials.explicit.clone();
        format!(
            "{user:?} {:?} plain {} any {}",
            options.certificate_authorities, options.plain_http, options.skip_tls_verify
        )
    })
}

#[test]
fn options_for_one_side_replace_options_for_both() {
    let [from, to] = options("par --ca a --from-ca b --user=u --password=p --to-user v");
    assert_eq!(from, "Some((\"u\", \"p\")) [\"b\"] plain false any false");
    assert_eq!(to, "Some((\"v\", \"p\")) [\"a\"] plain false any false");
    let [from, to] = options("par --insecure --to-ca b --from-user u --from-password p");
    assert_eq!(from, "Some((\"u\", \"p\")) [] plain true any false");
    assert_eq!(to, "None [\"b\"] plain false any false");
    let [from, to] = options("par --ca a --from-insecure --to-insecure-skip-tls-verify");
    assert_eq!(from, "None [\"a\"] plain true any false");
    assert_eq!(to, "None [\"a\"] plain false any true");
}

#[test]
fn a_file_with_credentials_for_one_side_replaces_the_user_for_both() {
    let line = "par --user=u --password=p --from-registry-config auth.json";
    let [from, to] = options(line);
    assert!(from.starts_with("None"), "{from}");
    assert!(to.starts_with("Some"), "{to}");
}

#[test]
fn one_half_of_the_common_credentials_belongs_to_the_side_with_the_other_half() {
    for line in [
        "par --password=p --to-user v",
        "par --user=v --to-password p",
    ] {
        let [from, to] = options(line);
        assert!(from.starts_with("None"), "{line}: {from}");
        assert!(to.starts_with("Some((\"v\", \"p\"))"), "{line}: {to}");
    }
    let [from, to] = options("par --password=p --from-user u --to-user v");
    assert!(from.starts_with("Some((\"u\", \"p\"))"), "{from}");
    assert!(to.starts_with("Some((\"v\", \"p\"))"), "{to}");
}
