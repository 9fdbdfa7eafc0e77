//! Components that answer on loopback, a socket or an address.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use kube::{Client, Config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use crate::addon::manager;

const ANSWER: Duration = Duration::from_secs(2);
/// How a client of HTTP/2 begins, and its settings: none (RFC 9113, sections 3.4 and 6.5).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The type of a frame of settings.
const SETTINGS: u8 = 4;

/// Whether a server of gRPC is behind a socket: it has to answer with its settings first.
pub(super) async fn speaks_http2(socket: &Path) -> Result<(), String> {
    let tell = |error: std::io::Error| format!("{}: {error}", socket.display());
    let mut stream = UnixStream::connect(socket).await.map_err(tell)?;
    stream.write_all(PREFACE).await.map_err(tell)?;
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.map_err(tell)?;
    if frame[3] == SETTINGS {
        Ok(())
    } else {
        Err(format!("{}: it does not speak gRPC", socket.display()))
    }
}

/// Whether something accepts connections there.
pub(super) async fn connects(address: SocketAddr) -> Result<(), String> {
    let stream = tokio::time::timeout(ANSWER, TcpStream::connect(address)).await;
    match stream {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{address}: {error}")),
        Err(_) => Err(format!("{address}: no answer")),
    }
}

/// Whether a path is answered with success.
pub(super) async fn http(address: IpAddr, port: u16, path: &str) -> Result<(), String> {
    get("http", address, port, path).await
}

/// The same, of a component that makes its own certificate when it starts: whose it is does not matter here, since
/// nothing is told to it and what it says is only shown.
pub(super) async fn https(address: IpAddr, port: u16, path: &str) -> Result<(), String> {
    get("https", address, port, path).await
}

async fn get(scheme: &str, address: IpAddr, port: u16, path: &str) -> Result<(), String> {
    manager::choose_cryptography();
    let address = SocketAddr::new(address, port);
    let url = format!("{scheme}://{address}");
    let mut config = Config::new(url.parse().expect("a URL"));
    config.accept_invalid_certs = true;
    // None, and not the machine's: a bare machine has none, and then there would be no client at all.
    config.root_cert = Some(Vec::new());
    config.default_retry = false;
    config.connect_timeout = Some(ANSWER);
    config.read_timeout = Some(ANSWER);
    let client = Client::try_from(config).map_err(|error| manager::reason(&error))?;
    let request = http::Request::get(path).body(Vec::new());
    let answer = client.request_text(request.expect("a path")).await;
    answer.map(|_| ()).map_err(|error| {
        let reason = manager::reason(&error);
        let line = reason.lines().next().unwrap_or_default();
        format!("{url}{path}: {line}")
    })
}
