//! Requests to other servers over TLS, with HTTP/1.1 and HTTP/2.

mod answers;
mod http2;

use super::support::{Running, TestApp, logged};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// A server with a certificate of its own, on connections that it counts.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    certificate: String,
}

impl Server {
    /// Serves each connection with `serve`, over one of the protocols `alpn`.
    async fn start<S: Future<Output = ()> + Send>(
        alpn: &[&str],
        serve: impl Fn(TlsStream<TcpStream>) -> S + Clone + Send + 'static,
    ) -> Self {
        Self::start_changing(alpn, alpn, serve).await
    }

    /// Serves the first connection over one of the protocols `first`, and all others over one of `later`.
    async fn start_changing<S: Future<Output = ()> + Send>(
        first: &[&str],
        later: &[&str],
        serve: impl Fn(TlsStream<TcpStream>) -> S + Clone + Send + 'static,
    ) -> Self {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("the names are valid");
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key is valid");
        let mut acceptor = |alpn: &[&str]| {
            config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
            TlsAcceptor::from(Arc::new(config.clone()))
        };
        let (first, later) = (acceptor(first), acceptor(later));
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port is free");
        let server = Self {
            address: listener.local_addr().expect("the listener is bound"),
            connections: Arc::default(),
            certificate: made.cert.pem(),
        };
        let connections = Arc::clone(&server.connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let is_first = connections.fetch_add(1, Ordering::Relaxed) == 0;
                let acceptor = if is_first { &first } else { &later };
                let (acceptor, serve) = (acceptor.clone(), serve.clone());
                tokio::spawn(async move {
                    // A client that does not trust the certificate ends it.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream).await;
                    }
                });
            }
        });
        server
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn grant(&self) -> String {
        format!("allowed_outbound_hosts = [\"https://{}\"]", self.address)
    }

    fn url(&self) -> String {
        format!("https://{}/", self.address)
    }

    /// Lets an app trust this server.
    fn trusted(&self, app: TestApp) -> TestApp {
        std::fs::write(app.path().join("ca.pem"), &self.certificate).expect("it is writable");
        app.settings("[outbound]\nextra_roots = \"ca.pem\"\n")
    }

    /// Starts an app with one component that may reach this server.
    async fn app(&self, guest: &str) -> Running {
        let app = TestApp::new().component(guest, "\"/...\"", &self.grant());
        self.trusted(app).start().await
    }
}

/// Answers each request of a connection over HTTP/1.1.
async fn hello(mut stream: TlsStream<TcpStream>) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
            stream.write_all(answer).await.expect("it is taken");
        }
    }
}

#[tokio::test]
async fn a_certificate_is_trusted_if_the_settings_name_its_authority() {
    for alpn in [&["http/1.1"] as &[_], &[]] {
        let server = Server::start(alpn, hello).await;
        for guest in ["outbound", "outbound02"] {
            let app = server.app(guest).await;
            for _ in 0..3 {
                let reply = app.get(&format!("/?{}", server.url())).await;
                assert_eq!(reply.text, "200 hello", "{guest}");
            }
            app.stopped().await;
        }
        assert!(server.connections() <= 4, "{}", server.connections());
    }

    let server = Server::start(&["http/1.1"], hello).await;
    let app = TestApp::new()
        .component("outbound", "\"/...\"", &server.grant())
        .start()
        .await;
    let reply = app.get(&format!("/?{}", server.url())).await;
    assert!(reply.text.contains("TlsCertificateError"), "{}", reply.text);
    assert!(logged(&[
        "component=outbound",
        "its certificate is not trusted"
    ]));
    app.stopped().await;
}

#[test]
fn a_file_of_roots_that_cannot_be_used_is_named() {
    let app = TestApp::new().component("hello", "\"/...\"", "");
    let app = app.settings("[outbound]\nextra_roots = \"certs/ca.pem\"\n");
    let error = app.host().err().expect("there is no such file").to_string();
    for part in ["`extra_roots`", "certs/ca.pem`", "No such file"] {
        assert!(error.contains(part), "{error}");
    }
}
