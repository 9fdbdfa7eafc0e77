//! A whole TLS handshake in memory: the proof that two ends will understand each other.

use std::fmt;
use std::sync::Arc;

use rustls::time_provider::TimeProvider;
use rustls::{ClientConnection, Connection, Error, ProtocolVersion, ServerConnection};
use rustls_pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;

use super::{
    Certificate, DialedName, Identity, TrustAnchors, Usage, VerifyError, tls, verify::unix_time,
};

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The version of TLS.
    pub version: TlsVersion,
    /// The client's certificate as the server saw and verified it, and whose key the client proved
    /// to hold; `None` where the server asks for none.
    pub client: Option<Certificate>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Who dials.
    Client,
    /// Who answers.
    Server,
}

/// Which side refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {side} refuses the {}: {fault}", side.other())]
pub struct HandshakeError {
    /// Who refused.
    pub side: Side,
    /// What it found wrong with the other.
    pub fault: HandshakeFault,
}

/// What one side finds wrong with the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFault {
    /// Its certificate.
    #[error(transparent)]
    Certificate(#[from] VerifyError),
    /// It presented none, and one is required.
    #[error("it presented no certificate")]
    NoCertificate,
    /// Something that is neither, in rustls's words.
    #[error("{0}")]
    Tls(String),
}

/// Shakes hands in memory at the moment `now`: a client which dials `dialed` and trusts
/// `client_trusts`, with `client` to show if it is asked, and a server which, where `server_trusts`
/// is given, serves nobody without a certificate from there.
///
/// Each side's certificate is proven twice: by rustls during the handshake, together with a
/// signature over it by the key, and by [`TrustAnchors::verify`], which adds what Go demands.
///
/// # Errors
/// [`HandshakeError`] says which side refused, and why.
pub fn handshake(
    server: &Identity,
    server_trusts: Option<&TrustAnchors>,
    client: Option<&Identity>,
    client_trusts: &TrustAnchors,
    dialed: &DialedName,
    now: OffsetDateTime,
) -> Result<Agreed, HandshakeError> {
    let clock = Arc::new(FixedClock(unix_time(now)));
    let refuses = |side, fault: HandshakeFault| HandshakeError { side, fault };
    let broken = |side, error: Error| refuses(side, HandshakeFault::Tls(error.to_string()));
    let verify_server = || client_trusts.verify(server.chain(), Usage::Server, Some(dialed), now);
    let verify_client = |trusted: &TrustAnchors| match client {
        Some(client) => trusted
            .verify(client.chain(), Usage::Client, None, now)
            .map_err(HandshakeFault::from),
        None => Err(HandshakeFault::NoCertificate),
    };

    let name = dialed.server_name().ok_or_else(|| {
        let fault = verify_server().err().map_or_else(
            || HandshakeFault::Tls("a wildcard cannot be dialed".into()),
            HandshakeFault::from,
        );
        refuses(Side::Client, fault)
    })?;
    let mut config = tls::client(client, client_trusts, clock.clone());
    config.resumption = rustls::client::Resumption::disabled();
    let dialing = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| broken(Side::Client, error))?;
    let config = tls::server(server, server_trusts, clock);
    let serving =
        ServerConnection::new(Arc::new(config)).map_err(|error| broken(Side::Server, error))?;
    let (mut dialing, mut serving) = (Connection::from(dialing), Connection::from(serving));

    exchange(&mut dialing, &mut serving).map_err(|(side, error)| {
        // rustls says which kind of thing is wrong; the same question to our own verifier has the facts.
        let facts = match (&error, side, server_trusts) {
            (Error::InvalidCertificate(_), Side::Client, _) => {
                verify_server().map_err(HandshakeFault::from).err()
            }
            (
                Error::InvalidCertificate(_) | Error::NoCertificatesPresented,
                Side::Server,
                Some(trusted),
            ) => verify_client(trusted).err(),
            _ => None,
        };
        facts.map_or_else(|| broken(side, error), |fault| refuses(side, fault))
    })?;

    verify_server().map_err(|fault| refuses(Side::Client, fault.into()))?;
    let seen = match server_trusts {
        None => None,
        Some(trusted) => {
            verify_client(trusted).map_err(|fault| refuses(Side::Server, fault))?;
            let shown = client.map(Identity::certificate);
            if first(&serving) != shown.map(Certificate::der) {
                let fault = HandshakeFault::Tls("it presented another certificate".into());
                return Err(refuses(Side::Server, fault));
            }
            shown.cloned()
        }
    };
    if first(&dialing) != Some(server.certificate().der()) {
        let fault = HandshakeFault::Tls("it presented another certificate".into());
        return Err(refuses(Side::Client, fault));
    }
    let version = match dialing.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => TlsVersion::V1_3,
        Some(ProtocolVersion::TLSv1_2) => TlsVersion::V1_2,
        other => {
            let fault = HandshakeFault::Tls(format!("no version was agreed on ({other:?})"));
            return Err(refuses(Side::Client, fault));
        }
    };
    Ok(Agreed {
        version,
        client: seen,
    })
}

/// The end-entity certificate that the other side presented.
fn first(connection: &Connection) -> Option<&[u8]> {
    let presented = connection.peer_certificates()?;
    presented.first().map(CertificateDer::as_ref)
}

/// Carries bytes both ways until neither side has more to say. The first to refuse is in the error.
fn exchange(client: &mut Connection, server: &mut Connection) -> Result<(), (Side, Error)> {
    loop {
        let asked = carry(client, server).map_err(|error| (Side::Server, error))?;
        let answered = carry(server, client).map_err(|error| (Side::Client, error))?;
        if !asked && !answered {
            break;
        }
    }
    let stalled = || Error::General("the handshake came to no end".into());
    if client.is_handshaking() {
        return Err((Side::Client, stalled()));
    }
    if server.is_handshaking() {
        return Err((Side::Server, stalled()));
    }
    Ok(())
}

/// Whether there was anything to carry.
fn carry(from: &mut Connection, to: &mut Connection) -> Result<bool, Error> {
    let broken = |error: std::io::Error| Error::General(error.to_string());
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).map_err(broken)?;
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        to.read_tls(&mut rest).map_err(broken)?;
        to.process_new_packets()?;
    }
    Ok(!bytes.is_empty())
}

#[derive(Debug)]
struct FixedClock(UnixTime);

impl TimeProvider for FixedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1_2 => "TLS 1.2",
            Self::V1_3 => "TLS 1.3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, NOW, below, chain, deep_root, fixture, root};
    use super::super::{CaOptions, Issued, KeyAlgorithm, LeafRequest, PrivateKey, tls::Identity};
    use super::*;
    use ring::rand::SystemRandom;
    use time::Duration;

    fn trusting(authority: &super::super::Authority) -> TrustAnchors {
        TrustAnchors::new(&[authority.certificate().clone()]).unwrap()
    }

    fn identity(issued: &Issued) -> Identity {
        issued.identity().unwrap()
    }

    fn name(text: &str) -> DialedName {
        text.parse().unwrap()
    }

    #[test]
    fn both_sides_prove_themselves_with_every_kind_of_key() {
        let (servers, _) = root("servers");
        let (clients, _) = root("clients");
        let rng = SystemRandom::new();
        for algorithm in KeyAlgorithm::ALL {
            let with = |request: LeafRequest| request.with_key_algorithm(algorithm);
            let request = with(LeafRequest::server("db.test").unwrap());
            let server = servers.issue(&request, NOW, &rng).unwrap();
            let client = clients
                .issue(&with(LeafRequest::client("a")), NOW, &rng)
                .unwrap();
            let agreed = handshake(
                &identity(&server),
                Some(&trusting(&clients)),
                Some(&identity(&client)),
                &trusting(&servers),
                &name("db.test"),
                NOW,
            );
            let expected = Agreed {
                version: TlsVersion::V1_3,
                client: Some(client.certificate),
            };
            assert_eq!(agreed, Ok(expected), "{algorithm}");
        }
    }

    #[test]
    fn the_side_that_refuses_and_its_reason_are_told() {
        let (servers, _) = root("servers");
        let (clients, _) = root("clients");
        let server = identity(&testing::server(&servers, "db.test"));
        let client = identity(&testing::client(&clients, "a"));
        let try_as = |client: Option<&Identity>, dialed: &str, now| {
            handshake(
                &server,
                Some(&trusting(&clients)),
                client,
                &trusting(&servers),
                &name(dialed),
                now,
            )
            .map(drop)
            .map_err(|error| error.to_string())
        };
        let refused = |text: &str| Err(text.to_owned());
        assert_eq!(try_as(Some(&client), "10.3.0.1", NOW), Ok(()));
        assert_eq!(
            try_as(None, "db.test", NOW),
            refused("the server refuses the client: it presented no certificate")
        );
        let foreign = identity(&testing::client(&servers, "a"));
        assert_eq!(
            try_as(Some(&foreign), "db.test", NOW),
            refused(
                "the server refuses the client: no trusted authority issued the certificate of CN=a \
                 (its issuer is CN=servers)"
            )
        );
        let wrong = identity(&testing::server(&clients, "b.test"));
        assert_eq!(
            try_as(Some(&wrong), "db.test", NOW),
            refused(
                "the server refuses the client: the certificate of CN=b.test is not for client use, \
                 only for server"
            )
        );
        for dialed in ["10.3.0.2", "*.test"] {
            assert_eq!(
                try_as(Some(&client), dialed, NOW),
                refused(&format!(
                    "the client refuses the server: the certificate is not valid for {dialed}, \
                     only for db.test, 10.3.0.1"
                ))
            );
        }
        assert_eq!(
            try_as(Some(&client), "db.test", NOW + Duration::days(365)),
            refused(
                "the client refuses the server: the certificate of CN=db.test expired at \
                 2027-11-30T23:59:59Z"
            )
        );
    }

    #[test]
    fn a_server_that_asks_nobody_sees_nobody() {
        let (servers, _) = root("servers");
        let server = identity(&testing::server(&servers, "db.test"));
        let client = identity(&testing::client(&servers, "a"));
        let trusts = trusting(&servers);
        for client in [None, Some(&client)] {
            let agreed = handshake(&server, None, client, &trusts, &name("db.test"), NOW).unwrap();
            assert_eq!(agreed.client, None);
        }
    }

    #[test]
    fn intermediates_travel_with_the_leaf() {
        let top = deep_root("top", None);
        let middle = below(&top, "middle", &CaOptions::default());
        let server = identity(&testing::server(&middle, "db.test"));
        let client = identity(&testing::client(&middle, "a"));
        let trusts = trusting(&top);
        let dialed = name("db.test");
        let shake = |server: &Identity| {
            handshake(server, Some(&trusts), Some(&client), &trusts, &dialed, NOW).map(drop)
        };
        assert_eq!(shake(&server), Ok(()));
        let lone = testing::server(&middle, "db.test");
        let lone = Identity::new(vec![lone.certificate], &lone.key).unwrap();
        assert!(matches!(
            shake(&lone).unwrap_err(),
            HandshakeError {
                side: Side::Client,
                fault: HandshakeFault::Certificate(VerifyError::UnknownIssuer { .. })
            }
        ));
    }

    #[test]
    fn what_go_refuses_is_refused_though_rustls_does_not() {
        let clients_only = TrustAnchors::new(&chain(fixture!("client-ca.crt"))).unwrap();
        let key = PrivateKey::from_pem(fixture!("ed25519.key")).unwrap();
        let server = Identity::new(chain(fixture!("no-usage.crt")), &key).unwrap();
        let dialed = name("any.example");
        let refused = handshake(&server, None, None, &clients_only, &dialed, NOW).unwrap_err();
        assert_eq!(refused.side, Side::Client);
        assert!(matches!(
            refused.fault,
            HandshakeFault::Certificate(VerifyError::Usage { .. })
        ));
    }

    #[test]
    fn a_client_that_knows_only_the_older_version_is_served() {
        let (servers, _) = root("servers");
        let (clients, _) = root("clients");
        let server = identity(&testing::server(&servers, "db.test"));
        let client = identity(&testing::client(&clients, "a"));
        let clock = Arc::new(FixedClock(unix_time(NOW)));
        let server = tls::server(&server, Some(&trusting(&clients)), clock.clone());
        let newest = tls::client(Some(&client), &trusting(&servers), clock.clone());
        let provider = newest.crypto_provider().clone();
        let roots = rustls::RootCertStore {
            roots: trusting(&servers).anchors().to_vec(),
        };
        let older = rustls::ClientConfig::builder_with_details(provider, clock)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(newest.client_auth_cert_resolver.clone());
        let dialed = name("db.test").server_name().unwrap();
        let mut dialing = Connection::from(ClientConnection::new(Arc::new(older), dialed).unwrap());
        let mut serving = Connection::from(ServerConnection::new(Arc::new(server)).unwrap());
        exchange(&mut dialing, &mut serving).unwrap();
        assert_eq!(serving.protocol_version(), Some(ProtocolVersion::TLSv1_2));
        assert_eq!(first(&serving), Some(client.certificate().der()));
    }
}
