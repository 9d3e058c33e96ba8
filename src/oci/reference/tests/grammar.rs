use super::*;

#[test]
fn a_port_is_a_number_from_1_to_65535() {
    assert!(is_host("a.b:65535"));
    for port in ["0", "65536", "+1", ""] {
        assert!(!is_host(&format!("a.b:{port}")), "{port}");
    }
}
