//! A response, bounded in size.

use reqwest::Response;

/// Returns the body of a response, `None` where it has more bytes than allowed; then the rest is not read.
///
/// # Errors
/// When the connection breaks.
pub(crate) async fn body(
    mut response: Response,
    max_bytes: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if bytes.len() + piece.len() > max_bytes {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes))
}
