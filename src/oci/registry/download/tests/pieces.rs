use super::*;

#[test]
fn the_size_of_pieces_depends_on_the_blob_and_on_the_memory_limit() {
    const MIB: u64 = 1 << 20;
    assert_eq!(Pieces::size(LARGE - 1, 4), u64::MAX);
    assert_eq!(Pieces::size(2000 * MIB, 1), u64::MAX);
    assert_eq!(Pieces::size(LARGE, 4), MIB);
    assert_eq!(Pieces::size(2000 * MIB, 2), 2 * MIB);
    for connections in [2, 3, 4, 8, 1000] {
        for length in [LARGE, 60 * MIB, 2000 * MIB] {
            let size = Pieces::size(length, connections);
            assert!(size * at_once(connections) as u64 <= AHEAD, "{size}");
            assert!(size >= MIB / 2, "{size}");
        }
    }
}
