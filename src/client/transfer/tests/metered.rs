use std::sync::Mutex;

use super::*;

#[derive(Default)]
struct Counted(Mutex<Vec<u64>>);

impl Meter for Counted {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        self.0.lock().unwrap().push(bytes);
        Ok(())
    }
}

#[tokio::test]
async fn bytes_that_are_read_again_count_once() {
    use tokio::io::AsyncReadExt;

    let content = bytes::Bytes::from_static(b"content");
    let meter = Arc::new(Counted::default());
    let source = MeteredSource {
        source: &content,
        meter: meter.clone(),
        furthest: Arc::default(),
    };
    for (offset, count) in [(0, 4), (2, 3), (5, 2)] {
        let mut reader = source.open(offset).await.unwrap();
        reader.read_exact(&mut vec![0; count]).await.unwrap();
    }
    assert_eq!(*meter.0.lock().unwrap(), [4, 1, 2]);
}
