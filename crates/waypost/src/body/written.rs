//! A body that a function writes.

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{FutureExt, SinkExt, StreamExt, stream};

use super::{Body, BoxError, Chunk, Frame};

impl Body {
    /// Makes a body that `write` writes piece by piece, as to a channel. A piece waits until the client
    /// has taken the one before.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::{Body, Response};
    ///
    /// async fn get() -> Response {
    ///     Response::new(Body::written(async |mut body| {
    ///         for number in 0..3 {
    ///             body.write(format!("{number}\n")).await?;
    ///         }
    ///         Ok(())
    ///     }))
    /// }
    /// ```
    pub fn written<W, F>(write: W) -> Self
    where
        W: FnOnce(BodyWriter) -> F,
        F: Future<Output = crate::Result<()>> + 'static,
    {
        let (sender, pieces) = mpsc::channel(0);
        let writing = write(BodyWriter(sender)).map(|result| result.err());
        // The writer's own failure comes after the pieces that it wrote before.
        let failure = stream::once(writing)
            .filter_map(async |error| error.map(|error| Err(BoxError::from(error.to_string()))));
        let pieces = pieces.map(|piece| Ok(Frame::Data(piece)));
        Self::from_frames(stream::select(pieces, failure))
    }
}

/// Writes the pieces of a body: [`Body::written`].
pub struct BodyWriter(mpsc::Sender<Bytes>);

impl BodyWriter {
    /// Writes a piece, when the client has taken the one before.
    ///
    /// # Errors
    ///
    /// Where the client went away, or the piece is itself an error.
    pub async fn write(&mut self, piece: impl Chunk) -> crate::Result<()> {
        let bytes = piece
            .into_bytes()
            .map_err(|error| crate::Error::fault(error.to_string()))?;
        Ok(self.0.send(bytes).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;

    #[test]
    fn a_written_body() {
        let written = Body::written(async |mut body| {
            body.write("a").await?;
            crate::time::sleep(std::time::Duration::from_millis(1)).await;
            body.write("b").await
        });
        assert_eq!(block_on(written.bytes(10)).unwrap(), "ab");
        let failing = Body::written(async |mut body| {
            body.write("a").await?;
            Err(anyhow::anyhow!("broken").into())
        });
        let error = block_on(failing.bytes(10)).unwrap_err();
        assert!(error.to_string().ends_with("broken"), "{error}");
    }
}
