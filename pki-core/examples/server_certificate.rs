//! A server certificate in a test: a CA of its own, a server under it, and a client that trusts just that. No file, no Kubernetes.
//!
//! cargo run -p pki-core --example server_certificate

use std::error::Error;
use std::io::{Read, Write};
use std::sync::Arc;

use pki_core::x509::{Authority, CaOptions, Issued, LeafRequest, TrustAnchors};
use ring::rand::SystemRandom;
use rustls::{ClientConnection, ServerConnection};
use time::OffsetDateTime;

/// Issues, and shakes hands over both.
pub fn main() -> Result<(), Box<dyn Error>> {
    let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());

    // The CA lives as long as this value; its key is returned for those who want to keep it.
    let (ca, _its_key) = Authority::generate("test-ca", &CaOptions::default(), now, &rng)?;
    let request = LeafRequest::server("db.test")?.with_address([127, 0, 0, 1]);
    let server: Issued = ca.issue(&request, now, &rng)?;

    // One call for each side.
    let server_config = server.server_config()?;
    let client_config = ca.client_config()?;
    talk(server_config, client_config)?;

    // Mutual TLS: the server asks for a certificate of the same CA.
    let client = ca.issue(&LeafRequest::client("app"), now, &rng)?;
    let anchors = TrustAnchors::new(&[ca.certificate().clone()])?;
    let server_config = server.server_config_requiring(&anchors)?;
    talk(server_config, client.client_config(&anchors)?)?;

    // For programs in other languages: PEM.
    assert!(
        server
            .certificate
            .pem()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    Ok(())
}

/// Says a word from the client to the server, without a socket.
fn talk(server: rustls::ServerConfig, client: rustls::ClientConfig) -> Result<(), Box<dyn Error>> {
    let mut server = ServerConnection::new(Arc::new(server))?;
    let mut client = ClientConnection::new(Arc::new(client), "db.test".try_into()?)?;
    client.writer().write_all(b"hello")?;
    let mut word = [0; 5];
    // Each round takes what one side has for the other, until both have said all.
    for _ in 0..5 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire)?;
        }
        server.read_tls(&mut &wire[..])?;
        server.process_new_packets()?;
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire)?;
        }
        client.read_tls(&mut &wire[..])?;
        client.process_new_packets()?;
    }
    server.reader().read_exact(&mut word)?;
    assert_eq!(&word, b"hello");
    Ok(())
}
