//! Asks a server on loopback how it is, as a client with a certificate: the probe of a component that answers nobody
//! without one. It is in that component's image, where the kubelet runs it.
//!
//! ```text
//! kinstall-probe 127.0.0.1:6443 '/livez?exclude=etcd' CA.crt CLIENT.crt CLIENT.key
//! ```
//!
//! It ends well when the server proves to be the one of that address under that CA and answers 200, and within
//! [`PATIENCE`] whatever the server does: a process that hangs is still connected to, by its kernel.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use pki_core::x509::{Certificate, Identity, PrivateKey, TrustAnchors};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use zeroize::Zeroizing;

/// For each step; the kubelet waits longer (`timeoutSeconds`).
const PATIENCE: Duration = Duration::from_secs(10);
/// More than `/livez` says of every check that failed.
const LONGEST: u64 = 16 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--version"] {
        let _ = writeln!(std::io::stdout(), "probe {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let [address, path, ca, certificate, key] = &arguments[..] else {
        eprintln!("kinstall-probe: five arguments are wanted: ADDRESS PATH CA CERTIFICATE KEY");
        return ExitCode::from(2);
    };
    let asked = configuration(ca, certificate, key)
        .and_then(|configuration| ask(address.parse()?, path, configuration, PATIENCE));
    // The kubelet keeps it for its event.
    match asked {
        Ok(said) if said.status == 200 => ExitCode::SUCCESS,
        Ok(said) => {
            eprintln!("{path}: {} {}", said.status, said.text.trim());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn configuration(ca: &str, certificate: &str, key: &str) -> Result<ClientConfig, Box<dyn Error>> {
    let read = |path: &str| fs::read(path).map_err(|error| format!("{path}: {error}"));
    let trusted = TrustAnchors::new(&Certificate::from_pem_chain(&read(ca)?)?)?;
    let key = PrivateKey::from_pem(&Zeroizing::new(read(key)?))?;
    let identity = Identity::new(Certificate::from_pem_chain(&read(certificate)?)?, &key)?;
    Ok(identity.client_config(&trusted))
}

struct Answer {
    status: u16,
    text: String,
}

fn ask(
    address: SocketAddr,
    path: &str,
    configuration: ClientConfig,
    patience: Duration,
) -> Result<Answer, Box<dyn Error>> {
    let answer = fetch(address, path, configuration, patience).map_err(|error| {
        let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        let told = waited.then(|| format!("{address} does not answer within {patience:?}"));
        told.unwrap_or_else(|| format!("{address}: {error}"))
    })?;
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    // `HTTP/1.0 200 OK`
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Answer {
        status: status.ok_or("what it answers is not HTTP")?,
        text: text.to_owned(),
    })
}

/// All that the server says to one question.
fn fetch(
    address: SocketAddr,
    path: &str,
    configuration: ClientConfig,
    patience: Duration,
) -> io::Result<String> {
    let socket = TcpStream::connect_timeout(&address, patience)?;
    socket.set_read_timeout(Some(patience))?;
    socket.set_write_timeout(Some(patience))?;
    let name = ServerName::IpAddress(address.ip().into());
    let connection = ClientConnection::new(Arc::new(configuration), name);
    let connection = connection.map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, socket);
    // 1.0: one answer, whole, and then the end.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;
    use std::time::Instant;

    use pki_core::x509::{Authority, CaOptions, LeafRequest};
    use ring::rand::SystemRandom;
    use rustls::{ServerConfig, ServerConnection};
    use time::OffsetDateTime;

    use super::*;

    fn authority(name: &str) -> Authority {
        let now = OffsetDateTime::now_utc();
        let made = Authority::generate(name, &CaOptions::default(), now, &SystemRandom::new());
        made.expect("a CA").0
    }

    fn anchors(authority: &Authority) -> TrustAnchors {
        TrustAnchors::new(std::slice::from_ref(authority.certificate())).expect("an anchor")
    }

    fn identity(authority: &Authority, request: &LeafRequest) -> Identity {
        let now = OffsetDateTime::now_utc();
        let issued = authority.issue(request, now, &SystemRandom::new());
        issued.expect("issued").identity().expect("usable")
    }

    /// Says `answer` to the first who comes with a client's certificate of that authority.
    fn server(authority: &Authority, name: [u8; 4], answer: &'static str) -> SocketAddr {
        let request = LeafRequest::server("server")
            .expect("a name")
            .with_address(name);
        let server = identity(authority, &request);
        serve(server.server_config_requiring(&anchors(authority)), answer)
    }

    fn serve(configuration: ServerConfig, answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let (socket, _) = listener.accept().expect("somebody");
            let connection = ServerConnection::new(Arc::new(configuration)).expect("a server");
            let mut stream = StreamOwned::new(connection, socket);
            let mut asked = [0; 1024];
            if stream.read(&mut asked).is_ok() {
                let _ = stream.write_all(answer.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        address
    }

    fn client(of: &Authority, trusting: &Authority) -> ClientConfig {
        let request = LeafRequest::client("probe");
        identity(of, &request).client_config(&anchors(trusting))
    }

    #[test]
    fn what_the_server_says_is_told() {
        let ours = authority("ours");
        for (answer, status) in [
            ("HTTP/1.0 200 OK\r\n\r\nok", 200),
            (
                "HTTP/1.0 500 Internal Server Error\r\n\r\n[-]etcd failed",
                500,
            ),
        ] {
            let address = server(&ours, [127, 0, 0, 1], answer);
            let said = ask(address, "/livez", client(&ours, &ours), PATIENCE).expect("an answer");
            assert_eq!(said.status, status);
            assert!(answer.ends_with(&said.text) && !said.text.is_empty());
        }
        let address = server(&ours, [127, 0, 0, 1], "hello\r\n");
        assert!(ask(address, "/livez", client(&ours, &ours), PATIENCE).is_err());
    }

    #[test]
    fn another_server_is_not_believed() {
        const WELL: &str = "HTTP/1.0 200 OK\r\n\r\nok";
        let (ours, theirs) = (authority("ours"), authority("theirs"));
        // Of another CA; for another address; and one that does not know us.
        let address = server(&theirs, [127, 0, 0, 1], WELL);
        assert!(ask(address, "/livez", client(&theirs, &ours), PATIENCE).is_err());
        let address = server(&ours, [127, 0, 0, 9], WELL);
        assert!(ask(address, "/livez", client(&ours, &ours), PATIENCE).is_err());
        let address = server(&ours, [127, 0, 0, 1], WELL);
        assert!(ask(address, "/livez", client(&theirs, &ours), PATIENCE).is_err());
    }

    #[test]
    fn one_that_hangs_is_noticed() {
        // The kernel connects; nobody accepts.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let ours = authority("ours");
        let began = Instant::now();
        let patience = Duration::from_millis(200);
        let error = ask(address, "/livez", client(&ours, &ours), patience).err();
        let error = error.expect("no answer").to_string();
        assert!(error.contains("200ms"), "{error}");
        assert!(began.elapsed() < PATIENCE, "{error}");
    }
}
