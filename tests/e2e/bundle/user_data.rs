//! What `kinstall cloud-init` writes, read by another's YAML and run as cloud-init runs it: the machine fetches its bundle, takes
//! kinstall out of it, and joins.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tests::command::{Ended, run, succeed};
use tests::machine::Network;

use crate::joins;
use crate::place::{Place, WORKER, kinstall};

/// Where the machine fetches it: the host `outside`, which is neither a node nor its router.
const SERVER: &str = "192.0.2.50:8000";

pub fn makes_a_node(place: &Place<'_>, network: &Network) {
    let (file, _) = place.packed(WORKER, &[]);
    let listener = network
        .outside()
        .within(|| TcpListener::bind("0.0.0.0:8000").expect("a port"));
    let served = file.clone();
    thread::spawn(move || serve(&listener, &served));

    // Another file in its place: nothing is run of it, and nothing stays.
    let other = place.pki.scratch("bundles").join("other");
    fs::write(&other, "another file").expect("written");
    let path = place.give(&other);
    let document = user_data(place, &file, &["--bundle-path", &path]);
    let ended = carry_out(place, &document).pop().expect("a command");
    assert!(
        ended.code == Some(1) && ended.stderr.contains("not the file that was meant"),
        "{ended}"
    );
    place.is_untouched();

    let url = format!("http://{SERVER}/w1.bundle");
    let document = user_data(place, &file, &["--bundle-url", &url]);
    for ended in carry_out(place, &document) {
        assert!(ended.code == Some(0), "{ended}");
    }
    joins::is_well(place);
    let left = place
        .worker
        .shell("ls -d /var/lib/kinstall-bundle* 2>/dev/null || true");
    assert_eq!(left, "", "what was fetched goes");
    joins::and_leaves(place);
}

/// `kinstall cloud-init` for the worker, as another's YAML reads it.
fn user_data(place: &Place<'_>, bundle: &Path, arguments: &[&str]) -> serde_json::Value {
    let mut command = kinstall();
    command
        .args(["cloud-init", WORKER, "--bundle"])
        .arg(bundle)
        .args(arguments);
    let text = succeed(&mut command);
    assert!(text.starts_with("#cloud-config\n"), "{text}");
    assert!(text.len() < 16 << 10, "{} bytes", text.len());
    let keys =
        fs::read_to_string(place.pki.node(WORKER).join("pki/kubelet.key")).expect("it is there");
    let secret = keys.lines().nth(1).expect("a key's first line");
    assert!(!text.contains(secret));
    let mut python = Command::new("/usr/bin/python3")
        .args([
            "-c",
            "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/run installs it, with yamllint");
    python
        .stdin
        .take()
        .expect("piped")
        .write_all(text.as_bytes())
        .expect("it reads");
    let read = python.wait_with_output().expect("it ends");
    assert!(read.status.success());
    serde_json::from_slice(&read.stdout).expect("JSON")
}

/// What cloud-init does with it: commands that are lists are run as they are, one after the other.
fn carry_out(place: &Place<'_>, document: &serde_json::Value) -> Vec<Ended> {
    assert!(document.get("write_files").is_none(), "{document}");
    let commands = document["runcmd"].as_array().expect("commands");
    let run_one = |command: &serde_json::Value| {
        let words = command.as_array().expect("a list").iter();
        let words: Vec<_> = words.map(|word| word.as_str().expect("a word")).collect();
        run(place.worker.command(words[0]).args(&words[1..]))
    };
    commands.iter().map(run_one).collect()
}

/// A file to whoever asks for one, as often as it is asked for.
fn serve(listener: &TcpListener, file: &PathBuf) {
    for client in listener.incoming() {
        let answered = client.and_then(|mut client: TcpStream| {
            client.set_read_timeout(Some(Duration::from_secs(10)))?;
            let mut asked = [0; 4096];
            // One request in one packet: curl's.
            let _ = client.read(&mut asked)?;
            let mut file = fs::File::open(file)?;
            let length = file.metadata()?.len();
            write!(
                client,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            )?;
            std::io::copy(&mut file, &mut client).map(drop)
        });
        // A client that goes away is curl's to tell.
        drop(answered);
    }
}
