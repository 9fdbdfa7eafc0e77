//! Dialling a server by TLS, to see which certificates it serves now.
//!
//! Nothing is said to the server but what a handshake needs, and every certificate is taken, so that a wrong one
//! can be looked at. What is to be thought of it, [`Served::verify`] tells.

use std::fmt;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, Error, ProtocolVersion};
use time::OffsetDateTime;

use crate::x509::{
    Certificate, CertificateError, DialedName, Identity, TlsVersion, TrustAnchors, Usage,
    VerifyError, observer::Observer,
};

/// Where a server listens: `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerAddress {
    /// The name or address that is dialled, for which the certificate must be valid.
    pub host: DialedName,
    /// The port, never 0.
    pub port: u16,
}

/// A text is no [`ServerAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not HOST:PORT (an IPv6 address stands in brackets)")]
pub struct NotServerAddress;

/// What a server showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Where it was reached.
    pub address: SocketAddr,
    /// The certificates that it presented, the leaf first. That it holds the leaf's key is proven, unless it broke
    /// off before.
    pub chain: Vec<Certificate>,
    /// The version of TLS; `None` where the server broke off before the end of the handshake.
    pub version: Option<TlsVersion>,
    /// Whether it asked for a client certificate.
    pub asks_for_certificate: bool,
    /// Why it let nobody in, in words: it wants a client certificate, or another one.
    pub refusal: Option<String>,
}

/// Why nothing is known of what a server serves.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Its name leads nowhere.
    #[error("{server}: the name {} cannot be resolved: {}", .server.host, plain(source))]
    Resolve {
        /// Which server.
        server: ServerAddress,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody listens there, or nobody answers.
    #[error("{server}: no connection: {}", plain(source))]
    Connect {
        /// Which server.
        server: ServerAddress,
        /// What the system said of the last address that was tried.
        source: io::Error,
    },
    /// Somebody answers, and not by TLS.
    #[error("{server}: no TLS handshake: {reason}")]
    Handshake {
        /// Which server.
        server: ServerAddress,
        /// Why, in words.
        reason: String,
    },
    /// It presented bytes that are no certificate.
    #[error("{server}: it presents {source}")]
    Certificate {
        /// Which server.
        server: ServerAddress,
        /// What they are.
        source: CertificateError,
    },
}

/// Dials `server` and shakes hands, showing `client` if it is asked for a certificate. `patience` is the most that
/// all of it takes.
///
/// # Errors
/// When the server shows no certificate. One that shows its own and then wants none of ours is no error, see
/// [`Served::refusal`].
pub fn dial(
    server: &ServerAddress,
    client: Option<&Identity>,
    patience: Duration,
) -> Result<Served, DialError> {
    let deadline = Instant::now() + patience;
    let (mut stream, address) = connect(server, deadline)?;
    let broken = |reason: String| DialError::Handshake {
        server: server.clone(),
        reason,
    };
    let (mut connection, observer) = Observer::connection(&server.host, client)
        .map_err(|error| broken(error.to_string()))?
        .ok_or_else(|| broken("a wildcard cannot be dialed".into()))?;
    let ended = shake_hands(&mut connection, &mut stream, deadline);
    let shown = observer.asked().then_some(client.is_some());
    let ended = ended.map_err(|error| in_words(&error, shown));
    let chain = observer.chain();
    if chain.is_empty() {
        let reason = ended.err();
        return Err(broken(
            reason.unwrap_or_else(|| "the server presented no certificate".into()),
        ));
    }
    let chain = chain.iter().map(|der| Certificate::from_der(der));
    Ok(Served {
        address,
        chain: chain
            .collect::<Result<_, _>>()
            .map_err(|source| DialError::Certificate {
                server: server.clone(),
                source,
            })?,
        version: match connection.protocol_version() {
            _ if connection.is_handshaking() => None,
            Some(ProtocolVersion::TLSv1_3) => Some(TlsVersion::V1_3),
            Some(ProtocolVersion::TLSv1_2) => Some(TlsVersion::V1_2),
            _ => None,
        },
        asks_for_certificate: observer.asked(),
        refusal: ended.err(),
    })
}

impl Served {
    /// The certificate of the server itself.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// Whether a client that trusts `anchors` and dials `name` would rely on what is served.
    ///
    /// # Errors
    /// [`VerifyError`] says what is wrong.
    pub fn verify(
        &self,
        anchors: &TrustAnchors,
        name: &DialedName,
        now: OffsetDateTime,
    ) -> Result<(), VerifyError> {
        anchors.verify(&self.chain, Usage::Server, Some(name), now)
    }
}

impl DialError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Resolve { .. } => "name the address, or mend DNS",
            Self::Connect { .. } => "is the server running, and reachable from here?",
            Self::Handshake { .. } | Self::Certificate { .. } => "is that a port that speaks TLS?",
        }
    }
}

fn connect(
    server: &ServerAddress,
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), DialError> {
    let addresses = resolve(server, deadline).map_err(|source| DialError::Resolve {
        server: server.clone(),
        source,
    })?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, address) in addresses.iter().enumerate() {
        // One address that answers nothing leaves the others their share.
        let share = left(deadline) / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        if share.is_zero() {
            last = io::ErrorKind::TimedOut.into();
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok((stream, *address)),
            Err(error) => last = error,
        }
    }
    Err(DialError::Connect {
        server: server.clone(),
        source: last,
    })
}

/// The system's resolver knows no bound of time. It is asked on a thread that is left behind when it takes too long.
fn resolve(server: &ServerAddress, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    let name = match &server.host {
        DialedName::Ip(address) => return Ok(vec![(*address, server.port).into()]),
        DialedName::Dns(name) => name.to_string(),
    };
    let (port, (send, receive)) = (server.port, mpsc::channel());
    thread::Builder::new().spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs();
        // Nobody may be waiting any more.
        let _ = send.send(found.map(Iterator::collect));
    })?;
    receive
        .recv_timeout(left(deadline))
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Shakes hands and takes leave. Whether the server takes our certificate is known only after that: in TLS 1.3 the
/// client is done before the server has looked at it (RFC 8446 section 2).
fn shake_hands(
    connection: &mut ClientConnection,
    stream: &mut TcpStream,
    deadline: Instant,
) -> Result<(), io::Error> {
    // An answer to nothing is short: who says more than this is a server that speaks first.
    const ENOUGH: usize = 64 << 10;
    // Whoever takes our certificate need not say so, nor hang up at once.
    const FAREWELL: Duration = Duration::from_secs(1);
    let mut deadline = deadline;
    let mut taken = 0;
    let mut took_leave = false;
    loop {
        if !connection.is_handshaking() && !took_leave {
            connection.send_close_notify();
            took_leave = true;
            deadline = deadline.min(Instant::now() + FAREWELL);
        }
        match bound(stream, deadline) {
            Err(error) if took_leave && is_timeout(&error) => return Ok(()),
            bound => bound?,
        }
        while connection.wants_write() {
            if let Err(error) = connection.write_tls(stream) {
                // It hung up; what it said before that may be the reason.
                return read_last_words(connection, stream).and(Err(error));
            }
        }
        match connection.read_tls(stream) {
            Ok(0) if took_leave => return Ok(()),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => taken += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if took_leave && is_timeout(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        let state = connection.process_new_packets().map_err(|error| {
            // An alert of ours tells the server why; nobody waits for it.
            let _ = connection.write_tls(stream);
            io::Error::other(error)
        })?;
        if took_leave {
            if state.peer_has_closed() || taken > ENOUGH {
                return Ok(());
            }
            let mut thrown_away = vec![0; state.plaintext_bytes_to_read()];
            let _ = connection.reader().read(&mut thrown_away)?;
        }
    }
}

fn read_last_words(connection: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<()> {
    while connection.read_tls(stream)? > 0 {
        connection.process_new_packets().map_err(io::Error::other)?;
    }
    Ok(())
}

fn bound(stream: &TcpStream, deadline: Instant) -> io::Result<()> {
    let left = left(deadline);
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

/// The number of a system's error helps nobody who has the words.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next();
    words.unwrap_or_default().to_owned()
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn is_timeout(error: &io::Error) -> bool {
    // A socket's own bound of time is over: Linux says EAGAIN.
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// `shown` tells whether we had a certificate for a server that asked for one.
fn in_words(error: &io::Error, shown: Option<bool>) -> String {
    if is_timeout(error) {
        return "no answer in time".into();
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "the server closed the connection".into();
    }
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, shown) {
        // Which alert it is differs with version and library (Go: certificate_required, bad_certificate; OpenSSL:
        // handshake_failure).
        (Some(Error::AlertReceived(_)), Some(false)) => "it wants a client certificate".into(),
        (Some(Error::AlertReceived(alert)), Some(true)) => {
            format!("it refuses the client's certificate ({alert:?})")
        }
        (Some(Error::InvalidMessage(_)), _) => "what the server says is not TLS".into(),
        _ => plain(error),
    }
}

impl FromStr for ServerAddress {
    type Err = NotServerAddress;

    fn from_str(text: &str) -> Result<Self, NotServerAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(NotServerAddress)?;
        let digits = port.bytes().all(|b| b.is_ascii_digit());
        let port = port.parse().map_err(|_| NotServerAddress)?;
        let host = match host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(inner) => {
                let address: Ipv6Addr = inner.parse().map_err(|_| NotServerAddress)?;
                DialedName::Ip(address.into())
            }
            None if host.contains(':') => return Err(NotServerAddress),
            None => host.parse().map_err(|_| NotServerAddress)?,
        };
        if port == 0 || !digits || host.to_string().contains('*') {
            return Err(NotServerAddress);
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.host {
            DialedName::Ip(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            host => format!("{host}:{}", self.port),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
pub(super) mod tests;
