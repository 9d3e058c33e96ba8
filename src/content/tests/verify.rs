use super::*;

fn read(content: &[u8], descriptor: &Descriptor) -> Result<Vec<u8>, VerifyError> {
    let mut reader = VerifyReader::new(content, descriptor);
    let mut bytes = Vec::new();
    let read = Read::read_to_end(&mut reader, &mut bytes);
    match read.and_then(|_| reader.finish()) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(error.downcast().unwrap()),
    }
}

#[test]
fn the_content_of_a_descriptor_passes() {
    let descriptor = Descriptor::of("text/plain", b"content");
    assert_eq!(read(b"content", &descriptor).unwrap(), b"content");
}

#[test]
fn wrong_short_and_long_content_each_has_its_error() {
    let descriptor = Descriptor::of("text/plain", b"content");
    assert!(matches!(
        read(b"c0ntent", &descriptor),
        Err(VerifyError::WrongDigest { .. })
    ));
    assert!(matches!(
        read(b"conte", &descriptor),
        Err(VerifyError::TooShort { read: 5, .. })
    ));
    assert!(matches!(
        read(b"content and more", &descriptor),
        Err(VerifyError::TooLong { size: 7, .. })
    ));
}

#[tokio::test]
async fn bytes_that_trail_the_content_are_noticed_without_reading_to_the_end() {
    let descriptor = Descriptor::of("text/plain", b"content");
    let mut buffer = [0; 7];
    for (content, is_right) in [(&b"content"[..], true), (b"content!", false)] {
        let mut reader = VerifyReader::new(content, &descriptor);
        Read::read_exact(&mut reader, &mut buffer).unwrap();
        assert_eq!(reader.finish().is_ok(), is_right);

        let mut reader = VerifyReader::new(content, &descriptor);
        AsyncReadExt::read_exact(&mut reader, &mut buffer)
            .await
            .unwrap();
        assert_eq!(reader.finish_async().await.is_ok(), is_right);
    }
}
