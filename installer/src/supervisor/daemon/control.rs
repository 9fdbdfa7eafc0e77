//! The supervisor's socket.

use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, mpsc};

use super::keeper::Shared;
use super::table::Table;
use crate::supervisor::protocol::{Answer, Request};

/// No request is longer.
const LONGEST_REQUEST: u64 = 1 << 16;

/// Takes requests, for ever.
pub async fn answer(
    socket: UnixListener,
    table: Rc<Mutex<Table>>,
    shared: Shared,
    end: mpsc::Sender<()>,
) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                let talk = talk(stream, table.clone(), shared.clone(), end.clone());
                tokio::task::spawn_local(talk);
            }
            // No descriptors left, or none who asked is still there.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn talk(
    mut stream: UnixStream,
    table: Rc<Mutex<Table>>,
    shared: Shared,
    end: mpsc::Sender<()>,
) {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(LONGEST_REQUEST);
        if !matches!(limited.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        let (mut answer, last) = match serde_json::from_slice(&line) {
            Ok(request) => {
                let last = matches!(request, Request::Shutdown | Request::Leave);
                (obey(request, &table).await, last)
            }
            Err(error) => {
                let errors = vec![format!("not a request: {error}")];
                (
                    Answer {
                        errors,
                        ..Answer::default()
                    },
                    false,
                )
            }
        };
        answer.services = shared.board.borrow().values().cloned().collect();
        let mut text = serde_json::to_vec(&answer).expect("texts and numbers");
        text.push(b'\n');
        let written = writer.write_all(&text).await;
        if last {
            let _ = end.send(()).await;
        }
        if last || written.is_err() {
            return;
        }
    }
}

async fn obey(request: Request, table: &Mutex<Table>) -> Answer {
    let mut errors = Vec::new();
    // What runs is told even while something takes its time to stop.
    let mut table = match request {
        Request::State => match table.try_lock() {
            Ok(table) => table,
            Err(_) => return Answer::default(),
        },
        _ => table.lock().await,
    };
    match request {
        Request::State => {}
        Request::Reload => errors = table.reload().await,
        Request::Start { names } => errors = table.start(&names).await,
        Request::Stop { names } => errors = table.stop(&names).await,
        Request::Shutdown => errors = table.stop(&[]).await,
        Request::Leave => table.leave().await,
    }
    Answer {
        errors,
        problems: table.problems(),
        services: Vec::new(),
    }
}
