use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;

use ring::rand::SystemRandom;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::x509::{Authority, CaOptions, LeafRequest};

const PATIENCE: Duration = Duration::from_secs(20);

struct Place {
    ca: Authority,
    identity: Identity,
    now: OffsetDateTime,
}

impl Place {
    fn new() -> Self {
        let (now, rng) = (OffsetDateTime::now_utc(), SystemRandom::new());
        let (ca, _) = Authority::generate("ca", &CaOptions::default(), now, &rng).unwrap();
        let identity = identity(&ca, LeafRequest::server("db.test").unwrap());
        Self { ca, identity, now }
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::new(self.ca.chain()).unwrap()
    }
}

fn identity(ca: &Authority, request: LeafRequest) -> Identity {
    let request = request.with_address([127, 0, 0, 1]);
    let issued = ca.issue(&request, OffsetDateTime::now_utc(), &SystemRandom::new());
    issued.unwrap().identity().unwrap()
}

fn client(ca: &Authority) -> Identity {
    let request = LeafRequest::client("a");
    let issued = ca.issue(&request, OffsetDateTime::now_utc(), &SystemRandom::new());
    issued.unwrap().identity().unwrap()
}

/// A server that answers one connection as `answer` does.
fn listening(answer: impl FnOnce(TcpStream) + Send + 'static) -> ServerAddress {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || answer(listener.accept().unwrap().0));
    format!("127.0.0.1:{port}").parse().unwrap()
}

/// As a web server does it: whatever comes is read until the other one leaves.
pub(in crate::converge) fn serving(config: ServerConfig) -> ServerAddress {
    listening(move |stream| {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let _ = io::copy(&mut stream, &mut io::sink());
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

#[test]
fn what_is_served_is_seen_and_can_be_verified() {
    let place = Place::new();
    let server = serving(place.identity.server_config());
    let served = dial(&server, None, PATIENCE).unwrap();
    assert_eq!(served.chain, place.identity.chain());
    assert_eq!(served.version, Some(TlsVersion::V1_3));
    assert_eq!(
        (served.asks_for_certificate, &served.refusal),
        (false, &None)
    );
    assert_eq!(served.address.to_string(), server.to_string());
    let (anchors, now) = (place.anchors(), place.now);
    assert_eq!(served.verify(&anchors, &server.host, now), Ok(()));
    assert!(matches!(
        served.verify(&anchors, &"10.0.0.1".parse().unwrap(), now),
        Err(VerifyError::NameMismatch { .. })
    ));
}

/// What an operator needs most: the certificate that clients do not accept.
#[test]
fn what_does_not_verify_is_seen_too() {
    let place = Place::new();
    let long_ago = place.now - time::Duration::days(3650);
    let rng = SystemRandom::new();
    let (old, _) = Authority::generate("old", &CaOptions::default(), long_ago, &rng).unwrap();
    let request = LeafRequest::server("db.test").unwrap();
    let expired = old.issue(&request, long_ago, &rng).unwrap();
    let server = serving(expired.server_config().unwrap());
    let served = dial(&server, None, PATIENCE).unwrap();
    assert_eq!(served.certificate(), &expired.certificate);
    let name = "db.test".parse().unwrap();
    assert!(matches!(
        served.verify(&TrustAnchors::new(old.chain()).unwrap(), &name, place.now),
        Err(VerifyError::Expired { .. })
    ));
    assert!(matches!(
        served.verify(&place.anchors(), &name, long_ago),
        Err(VerifyError::UnknownIssuer { .. })
    ));
}

#[test]
fn a_server_that_wants_a_certificate_shows_its_own_first() {
    let place = Place::new();
    let stranger = Place::new();
    let requiring = || place.identity.server_config_requiring(&place.anchors());
    let refusal = |client: Option<&Identity>| {
        let served = dial(&serving(requiring()), client, PATIENCE).unwrap();
        assert_eq!(served.chain, place.identity.chain());
        assert!(served.asks_for_certificate);
        served.refusal
    };
    assert_eq!(refusal(Some(&client(&place.ca))), None);
    assert_eq!(
        refusal(None).as_deref(),
        Some("it wants a client certificate")
    );
    let refused = refusal(Some(&client(&stranger.ca))).unwrap();
    assert!(
        refused.starts_with("it refuses the client's certificate ("),
        "{refused}"
    );
}

#[test]
fn tls_1_2_shows_its_certificate_before_it_refuses() {
    let place = Place::new();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(rustls::RootCertStore {
        roots: place.anchors().anchors().to_vec(),
    });
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
    let key = place.identity.certified_key();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)));
    let served = dial(&serving(config.clone()), None, PATIENCE).unwrap();
    assert_eq!(served.chain, place.identity.chain());
    assert_eq!(served.version, None);
    assert_eq!(
        served.refusal.as_deref(),
        Some("it wants a client certificate")
    );
    let served = dial(&serving(config), Some(&client(&place.ca)), PATIENCE).unwrap();
    assert_eq!(
        (served.version, served.refusal),
        (Some(TlsVersion::V1_2), None)
    );
}

#[test]
fn who_shows_no_certificate_is_told_with_the_reason() {
    let words = |server: &ServerAddress, patience| {
        let error = dial(server, None, patience).unwrap_err();
        let text = error.to_string();
        text.strip_prefix(&server.to_string()).unwrap().to_owned()
    };
    let web = listening(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = io::copy(&mut stream, &mut io::sink());
    });
    assert_eq!(
        words(&web, PATIENCE),
        ": no TLS handshake: what the server says is not TLS"
    );
    let rude = listening(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    assert_eq!(
        words(&rude, PATIENCE),
        ": no TLS handshake: the server closed the connection"
    );
    let silent = listening(|mut stream| {
        let _ = io::copy(&mut stream, &mut io::sink());
    });
    assert_eq!(
        words(&silent, Duration::from_millis(50)),
        ": no TLS handshake: no answer in time"
    );
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let nobody = free.unwrap().to_string().parse().unwrap();
    assert_eq!(
        words(&nobody, PATIENCE),
        ": no connection: Connection refused"
    );
    let nowhere: ServerAddress = "nowhere.invalid:6443".parse().unwrap();
    assert!(matches!(
        dial(&nowhere, None, PATIENCE),
        Err(DialError::Resolve { .. })
    ));
}

#[test]
fn addresses_read_as_they_are_written() {
    for text in ["10.0.0.1:6443", "[fd00::1]:2379", "api.corp.example:443"] {
        assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), text);
    }
    for text in [
        "10.0.0.1",
        "fd00::1:6443",
        "[fd00::1]",
        "a:0",
        "a:+1",
        "a:65536",
        "*.a:1",
        ":1",
        "a b:1",
        "pki/ca.crt",
    ] {
        assert_eq!(
            text.parse::<ServerAddress>(),
            Err(NotServerAddress),
            "{text}"
        );
    }
}
