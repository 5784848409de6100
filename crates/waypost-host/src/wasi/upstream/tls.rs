//! TLS to other servers: whose certificates are trusted, and which protocols are offered.

use super::error::ConnectError;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use waypost_config::{MAX_TEXT, read_file};

/// How TLS names HTTP/2 (RFC 9113, section 3.2), and HTTP/1.1 (RFC 7301, section 6).
pub(super) const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// The protocols that a server may choose from (ALPN).
#[derive(Clone, Copy)]
pub(super) enum Offer {
    /// Only HTTP/1.1.
    Http1,
    /// HTTP/2 rather than HTTP/1.1.
    Http2,
}

/// Makes TLS connections of an app.
pub(crate) struct Tls {
    http1: TlsConnector,
    http2: TlsConnector,
}

impl Tls {
    /// Trusts the public authorities, and those whose certificates are in the PEM file `extra_roots`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, has no certificate, or has an invalid one.
    pub(crate) fn new(extra_roots: Option<&Path>) -> Result<Self, String> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        if let Some(path) = extra_roots {
            add(path, &mut roots)?;
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let offering = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            TlsConnector::from(Arc::new(config))
        };
        Ok(Self {
            http1: offering(&[HTTP1]),
            http2: offering(&[HTTP2, HTTP1]),
        })
    }

    /// Begins TLS with a server, which must prove that it is `host`.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
        offer: Offer,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::Name)?;
        let connector = match offer {
            Offer::Http1 => &self.http1,
            Offer::Http2 => &self.http2,
        };
        let stream = connector.connect(name, stream).await;
        stream.map_err(ConnectError::tls)
    }
}

/// Adds the certificates of a PEM file.
fn add(path: &Path, roots: &mut RootCertStore) -> Result<(), String> {
    let pem = read_file(path, MAX_TEXT).map_err(|error| error.to_string())?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let number = roots.len() - before + 1;
        let invalid = |error: &dyn std::fmt::Display| {
            format!("its certificate number {number} is invalid: {error}")
        };
        let certificate = certificate.map_err(|error| invalid(&error))?;
        roots.add(certificate).map_err(|error| invalid(&error))?;
    }
    match roots.len() > before {
        true => Ok(()),
        false => {
            Err("it has no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_valid_certificate_is_refused() {
        let folder = tempfile::tempdir().expect("a folder is to be had");
        let path = folder.path().join("ca.pem");
        let refused = |text: &str| {
            std::fs::write(&path, text).expect("the folder is writable");
            Tls::new(Some(&path)).err().unwrap_or_default()
        };
        assert!(refused("").contains("has no certificate"));
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(refused(key).contains("has no certificate"));
        for text in ["AAAA", "?"] {
            let text = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
            assert!(refused(&text).contains("number 1 is invalid"), "{text}");
        }
        let missing = Tls::new(Some(&folder.path().join("missing")));
        assert!(missing.is_err_and(|reason| reason.contains("No such file")));
        assert!(Tls::new(None).is_ok());
    }
}
