//! Serving figures over HTTP to this machine: one request at a time, bounded in length and time (RFC 9112).

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::figures::Figures;
use crate::output::errors::Failure;

/// A scraper's request has a few hundred bytes.
const LONGEST: usize = 8 << 10;
/// The most that one client may keep the others waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens at `address`, on a thread of its own. The address, with the port that the system chose for 0.
pub fn serve(address: SocketAddr, figures: Figures) -> Result<SocketAddr, Failure> {
    if !address.ip().is_loopback() {
        return Err(Failure::new(format_args!(
            "--listen {address}: other machines could reach that address"
        ))
        .hint("listen on 127.0.0.1 or [::1], and let a proxy with TLS serve others"));
    }
    let failed = |error: io::Error| {
        let text = error.to_string();
        let words = text.split(" (os error").next().unwrap_or_default();
        Failure::new(format_args!("--listen {address}: {words}")).hint("choose another port")
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    thread::Builder::new()
        .name("figures".into())
        .spawn(move || {
            for stream in listener.incoming() {
                match stream {
                    // Whoever hangs up in the middle gets nothing.
                    Ok(stream) => drop(answer(stream, &figures)),
                    // No descriptor is free: others may close theirs.
                    Err(_) => thread::sleep(Duration::from_millis(100)),
                }
            }
        })
        .map_err(failed)?;
    Ok(bound)
}

fn answer(mut stream: TcpStream, figures: &Figures) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if request.len() > LONGEST || left.is_zero() {
            break;
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => break,
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    let line = request
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let words: Vec<_> = line.split(' ').collect();
    let (status, kind, body) = match words[..] {
        ["GET" | "HEAD", "/metrics", _] => (
            "200 OK",
            "text/plain; version=0.0.4; charset=utf-8",
            figures.text(),
        ),
        ["GET" | "HEAD", _, _] => ("404 Not Found", "text/plain", "see /metrics\n".into()),
        [_, _, _] => (
            "405 Method Not Allowed",
            "text/plain",
            "GET /metrics\n".into(),
        ),
        _ => ("400 Bad Request", "text/plain", "GET /metrics\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let body = if words[0] == "HEAD" { "" } else { &body };
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}
