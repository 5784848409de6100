//! Bodies that a function writes chunk by chunk.

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{FutureExt, SinkExt, StreamExt, stream};

use super::{Body, BoxError, Chunk, Frame};

impl Body {
    /// Creates a body that `write` writes chunk by chunk, as into a channel. Each write waits until the client has
    /// taken the chunk before.
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
        let (sender, chunks) = mpsc::channel(0);
        let writing = write(BodyWriter(sender)).map(|result| result.err());
        // An error of the writer comes after the chunks that it wrote before.
        let failure = stream::once(writing)
            .filter_map(async |error| error.map(|error| Err(BoxError::from(error.to_string()))));
        let chunks = chunks.map(|chunk| Ok(Frame::Data(chunk)));
        Self::from_frames(stream::select(chunks, failure))
    }
}

/// Writes the chunks of a body: see [`Body::written`].
pub struct BodyWriter(mpsc::Sender<Bytes>);

impl BodyWriter {
    /// Writes a chunk once the client has taken the one before.
    ///
    /// # Errors
    ///
    /// If the client disconnected, or `chunk` is itself an error.
    pub async fn write(&mut self, chunk: impl Chunk) -> crate::Result<()> {
        let bytes = chunk
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
