use std::io::Write;

use tokio::io::AsyncReadExt;

use super::*;

#[tokio::test]
async fn a_part_of_a_file_is_read_in_order_and_no_further_than_the_file() {
    let chunk = CHUNK as u64;
    let content: Vec<u8> = (0..3 * chunk + 5).map(|at| (at % 251) as u8).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    let size = content.len() as u64;
    for range in [0..size, 7..2 * chunk + 9, size - 1..size, 5..5, 1..size + 9] {
        let mut read = Vec::new();
        let mut reader = file_reader(file.try_clone().unwrap(), range.clone());
        reader.read_to_end(&mut read).await.unwrap();
        let end = range.end.min(size) as usize;
        assert_eq!(read, content[range.start as usize..end], "{range:?}");
    }
}
