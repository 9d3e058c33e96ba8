use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use reqwest::header::HeaderValue;

use super::*;

const BODY: &[u8] = br#"{"tags": ["1.0.0"]}"#;

fn headers(encodings: &[&'static str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in encodings {
        headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
    }
    headers
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn decoded(encodings: &[&'static str], body: impl Into<Bytes>) -> Result<Bytes, String> {
    decode(&headers(encodings), body.into(), 1000)
}

#[test]
fn known_encodings_are_decoded_and_unknown_ones_are_named() {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(BODY).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(BODY).unwrap();
    for (encodings, body) in [
        (&["gzip"][..], gzip(BODY)),
        (&["X-GZip"], gzip(BODY)),
        (&["gzip, identity"], gzip(BODY)),
        (&["identity", "gzip"], gzip(BODY)),
        (&["gzip, gzip"], gzip(&gzip(BODY))),
        (&["deflate"], zlib.finish().unwrap()),
        (&["deflate"], deflate.finish().unwrap()),
        (&["identity"], BODY.to_vec()),
        (&["br"], BODY.to_vec()),
        (&[], BODY.to_vec()),
    ] {
        assert_eq!(decoded(encodings, body).unwrap(), BODY, "{encodings:?}");
    }
    for (encodings, body) in [
        (&["br"][..], gzip(BODY)),
        (&["zstd"], gzip(BODY)),
        (&["gzip, gzip, gzip, gzip"], gzip(BODY)),
        (&["gzip"], gzip(BODY)[..20].to_vec()),
    ] {
        assert_eq!(decoded(encodings, body), Err(encodings.join(", ")));
    }
    assert_eq!(encoding(&headers(&["br", "gzip"])).unwrap(), "br, gzip");
    assert_eq!(encoding(&headers(&["identity"])), None);
}

#[test]
fn a_body_that_expands_is_cut() {
    let bomb = gzip(&vec![b' '; 1 << 20]);
    assert_eq!(decoded(&["gzip"], bomb).unwrap().len(), 1000);
}
