//! The CNI plugin `flannel`.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use installer::cni::{Call, CallError, call};
use serde_json::{Value, json};

fn main() -> ExitCode {
    // Without a command a plugin tells about itself.
    if std::env::var_os("CNI_COMMAND").is_none() {
        eprintln!(
            "CNI plugin flannel of kinstall v{}",
            env!("CARGO_PKG_VERSION")
        );
        return ExitCode::SUCCESS;
    }
    let mut text = Vec::new();
    let outcome = io::stdin()
        .read_to_end(&mut text)
        .map_err(|error| CallError {
            code: 5,
            message: format!("stdin: {error}"),
        })
        .and_then(|_| call(&Call::from_environment()?, &text));
    match outcome {
        Ok((code, said)) => {
            if let Some(said) = said {
                say(&said);
            }
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
        Err(error) => {
            let spoken: Option<Value> = serde_json::from_slice(&text).ok();
            let version = spoken.and_then(|conf| conf.get("cniVersion").cloned());
            say(&json!({
                "cniVersion": version.unwrap_or_else(|| "1.0.0".into()),
                "code": error.code,
                "msg": error.message,
            }));
            ExitCode::FAILURE
        }
    }
}

fn say(value: &Value) {
    // A runtime that has gone away does not want to know.
    let _ = writeln!(io::stdout(), "{value}");
}
