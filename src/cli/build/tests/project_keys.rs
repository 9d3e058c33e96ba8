use super::*;

fn found(text: &str) -> Vec<(String, Option<&'static str>)> {
    let document = DeTable::parse(text).unwrap().into_inner();
    let keys = unknown_keys(&document).into_iter();
    keys.map(|key| (key.name, key.similar)).collect()
}

#[test]
fn unknown_keys_are_found_only_in_the_tables_that_are_read() {
    let text = "nam = 'a'\n[provider]\nvender = 'b'\nbin-name = 'c'\nvendor = 'd'\nother = 1\n[dev]\nanything = 1\n";
    assert_eq!(
        found(text),
        [
            ("nam".to_owned(), Some("name")),
            ("provider.vender".to_owned(), Some("vendor")),
            ("provider.bin-name".to_owned(), Some("bin_name")),
            ("provider.other".to_owned(), None),
        ]
    );
}

#[test]
fn unknown_keys_are_found_in_a_table_with_a_dotted_key() {
    assert_eq!(
        found("provider.vendor = 'a'\nrust.profile = 'b'\n"),
        [("rust.profile".to_owned(), None)]
    );
}
