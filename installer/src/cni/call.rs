//! One call of the plugin.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Delegate, NetConf, Subnet, device};

/// How long `ADD` waits for flanneld: less than the kubelet waits for a sandbox (four minutes), more than flanneld takes
/// to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks.
const PERIOD: Duration = Duration::from_millis(50);
/// The versions of CNI whose configurations and results pass through here unchanged.
const VERSIONS: [&str; 6] = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", "1.1.1"];

/// What the runtime asks for (CNI specification 1.1.0, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Connect a container.
    Add,
    /// Disconnect it.
    Del,
    /// See whether it is connected.
    Check,
    /// Say whether `Add` would do.
    Status,
    /// Disconnect all but those that are named.
    Gc,
    /// Say which versions are spoken.
    Version,
}

/// The environment of a call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked for.
    pub command: Command,
    /// Which container.
    pub container: String,
    /// Which of its interfaces.
    pub interface: String,
    /// Where plugins are.
    pub path: OsString,
    /// How long to wait for flanneld.
    pub patience: Duration,
}

/// Why a call failed, as CNI wants it told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// A number of section 5 of the specification.
    pub code: u32,
    /// One line.
    pub message: String,
}

impl Command {
    const ALL: [Self; 6] = [
        Self::Add,
        Self::Del,
        Self::Check,
        Self::Status,
        Self::Gc,
        Self::Version,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Del => "DEL",
            Self::Check => "CHECK",
            Self::Status => "STATUS",
            Self::Gc => "GC",
            Self::Version => "VERSION",
        }
    }
}

impl Call {
    /// What the environment asks for.
    ///
    /// # Errors
    /// When it is not a call of CNI.
    pub fn from_environment() -> Result<Self, CallError> {
        let text = |name| std::env::var(name).unwrap_or_default();
        let name = text("CNI_COMMAND");
        let mut commands = Command::ALL.into_iter();
        let command = commands.find(|command| command.name() == name);
        let command =
            command.ok_or_else(|| environment("CNI_COMMAND is not a command of CNI".into()))?;
        let call = Self {
            command,
            container: text("CNI_CONTAINERID"),
            interface: text("CNI_IFNAME"),
            path: std::env::var_os("CNI_PATH").unwrap_or_default(),
            patience: PATIENCE,
        };
        let one = matches!(command, Command::Add | Command::Del | Command::Check);
        // They become a file's name.
        let plain = |text: &str| !text.is_empty() && !text.starts_with('.') && !text.contains('/');
        if one && !(plain(&call.container) && plain(&call.interface)) {
            let message = "CNI_CONTAINERID or CNI_IFNAME is not a name";
            return Err(environment(message.into()));
        }
        Ok(call)
    }
}

/// Does what is asked for, with the configuration `text`. What the delegate says on stdout is the runtime's; the text that
/// is given back is to be said besides. Nothing is said when the delegate has failed and said why: then its exit code is
/// the error.
///
/// # Errors
/// [`CallError`] when it failed before the delegate.
pub fn call(call: &Call, text: &[u8]) -> Result<(i32, Option<Value>), CallError> {
    if call.command == Command::Version {
        return Ok((0, Some(version(text))));
    }
    let conf: NetConf = serde_json::from_slice(text)
        .map_err(|error| failure(6, format!("the configuration is not flannel's: {error}")))?;
    match call.command {
        Command::Add => add(call, &conf),
        Command::Del => del(call, &conf),
        Command::Check => check(call, &conf),
        Command::Status => status(call, &conf),
        Command::Gc => collect(call, &conf),
        Command::Version => Ok((0, None)),
    }
}

fn version(text: &[u8]) -> Value {
    let conf: Option<Value> = serde_json::from_slice(text).ok();
    let spoken = conf.and_then(|conf| Some(conf.get("cniVersion")?.as_str()?.to_owned()));
    let spoken = spoken.unwrap_or_else(|| "1.1.0".into());
    json!({ "cniVersion": spoken, "supportedVersions": VERSIONS })
}

fn add(call: &Call, conf: &NetConf) -> Result<(i32, Option<Value>), CallError> {
    let subnet = wait_for(conf, call.patience)?;
    let delegate = conf.delegate(&subnet);
    // Before the delegate begins: what it has done half has to be undone too.
    keep(&record(call, conf), &delegate).map_err(|error| {
        let path = conf.data_dir.display();
        failure(5, format!("{path}: cannot keep what DEL needs: {error}"))
    })?;
    run(call, &delegate)
}

fn del(call: &Call, conf: &NetConf) -> Result<(i32, Option<Value>), CallError> {
    let record = record(call, conf);
    let kept = match fs::read(&record) {
        Ok(kept) => kept,
        // "Plugins should generally complete a DEL action without error even if some resources are missing."
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, None)),
        Err(error) => return Err(failure(5, format!("{}: {error}", record.display()))),
    };
    let Ok(Value::Object(delegate)) = serde_json::from_slice(&kept) else {
        // Not ours, or damaged: there is nothing that it could tell, today or tomorrow.
        let _ = fs::remove_file(&record);
        return Ok((0, None));
    };
    let mut delegate = Delegate(delegate);
    conf.pass_on(&mut delegate);
    let outcome = run(call, &delegate)?;
    if outcome.0 == 0 {
        let _ = fs::remove_file(&record);
    }
    Ok(outcome)
}

fn check(call: &Call, conf: &NetConf) -> Result<(i32, Option<Value>), CallError> {
    let record = record(call, conf);
    let kept = fs::read(&record).ok();
    let kept = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
    let Some(Value::Object(delegate)) = kept else {
        let message = format!("{} is gone: connect it again", record.display());
        return Err(failure(3, message));
    };
    let mut delegate = Delegate(delegate);
    conf.pass_on(&mut delegate);
    run(call, &delegate)
}

fn status(call: &Call, conf: &NetConf) -> Result<(i32, Option<Value>), CallError> {
    match read(conf) {
        Some(subnet) => run(call, &conf.delegate(&subnet)),
        None => Err(absent(conf)),
    }
}

fn collect(call: &Call, conf: &NetConf) -> Result<(i32, Option<Value>), CallError> {
    // Without flanneld's file nothing was connected since the machine started.
    let Some(subnet) = read(conf) else {
        return Ok((0, None));
    };
    let outcome = run(call, &conf.delegate(&subnet))?;
    if outcome.0 == 0
        && let Some(valid) = conf.valid_attachments.as_ref().and_then(Value::as_array)
    {
        let name = |one: &Value| {
            let text = |key| one.get(key).and_then(Value::as_str);
            Some(file_name(text("containerID")?, text("ifname")?))
        };
        let valid: BTreeSet<String> = valid.iter().filter_map(name).collect();
        let entries = fs::read_dir(&conf.data_dir).into_iter().flatten().flatten();
        for entry in entries {
            if !valid.contains(&*entry.file_name().to_string_lossy()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    Ok(outcome)
}

fn read(conf: &NetConf) -> Option<Subnet> {
    let subnet = Subnet::parse(&fs::read_to_string(&conf.subnet_file).ok()?)?;
    Some(device::fit(subnet))
}

fn wait_for(conf: &NetConf, patience: Duration) -> Result<Subnet, CallError> {
    let begin = Instant::now();
    loop {
        match read(conf) {
            Some(subnet) => return Ok(subnet),
            None if begin.elapsed() >= patience => return Err(absent(conf)),
            None => std::thread::sleep(PERIOD),
        }
    }
}

fn absent(conf: &NetConf) -> CallError {
    let path = conf.subnet_file.display();
    // 50: "The plugin is not available (i.e. cannot service ADD requests)".
    failure(
        50,
        format!("flanneld has not written {path} yet: see whether its pod runs"),
    )
}

fn file_name(container: &str, interface: &str) -> String {
    format!("{container}-{interface}")
}

fn record(call: &Call, conf: &NetConf) -> PathBuf {
    let name = file_name(&call.container, &call.interface);
    conf.data_dir.join(name)
}

fn keep(path: &Path, delegate: &Delegate) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = directory.join(format!(".{name}.{}", process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&unfinished)?;
    serde_json::to_writer(&mut file, &delegate.0)?;
    file.flush()?;
    fs::rename(unfinished, path)
}

fn run(call: &Call, delegate: &Delegate) -> Result<(i32, Option<Value>), CallError> {
    let plugin = delegate.plugin();
    let mut folders = std::env::split_paths(&call.path);
    let program = folders.find_map(|folder| {
        let program = folder.join(plugin);
        program.is_file().then_some(program)
    });
    let program = program.ok_or_else(|| {
        let path = call.path.to_string_lossy();
        failure(
            5,
            format!("the plugin {plugin} is not in CNI_PATH ({path})"),
        )
    })?;
    let failed = |error: io::Error| failure(5, format!("{}: {error}", program.display()));
    // Its environment is ours, so is its stdout.
    let mut child = process::Command::new(&program)
        .env("CNI_COMMAND", call.command.name())
        .stdin(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let text = serde_json::to_vec(&delegate.0).expect("an object has a JSON form");
    let mut stdin = child.stdin.take().expect("piped above");
    let written = stdin.write_all(&text);
    drop(stdin);
    let status = child.wait().map_err(failed)?;
    // One that ends before it has read all has said why.
    if status.success() {
        written.map_err(failed)?;
    }
    Ok((code(status), None))
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}

fn environment(message: String) -> CallError {
    failure(4, message)
}

fn failure(code: u32, message: String) -> CallError {
    CallError { code, message }
}

#[cfg(test)]
mod tests;
