//! What is to be signed: signing requests and Kubernetes' objects around them.

use std::path::{Path, PathBuf};

use pki_core::cluster::policy::RequestObject;
use pki_core::x509::{Certificate, SigningRequest, SigningRequestError};

use super::output;
use crate::arguments;
use crate::files;
use crate::output::errors::Failure;
use crate::output::json;

/// One request.
pub struct Input {
    /// The file, or `standard input`.
    pub name: String,
    /// Where its certificate goes; `None`: to standard output.
    pub output: Option<PathBuf>,
    pub kind: Kind,
}

pub enum Kind {
    Request(Box<SigningRequest>),
    Object(Box<RequestObject>, Form),
    /// Neither, or a damaged one, with the reason in words.
    Unreadable(String),
}

/// How an object is written, and is given back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Yaml,
}

impl Input {
    pub fn request(&self) -> Option<&SigningRequest> {
        match &self.kind {
            Kind::Request(request) => Some(request),
            Kind::Object(object, _) => Some(object.request()),
            Kind::Unreadable(_) => None,
        }
    }

    /// What is written: the chain, or the object with the chain in it.
    pub fn answer(&self, chain: &[Certificate]) -> String {
        match &self.kind {
            Kind::Request(_) | Kind::Unreadable(_) => chain.iter().map(Certificate::pem).collect(),
            Kind::Object(object, Form::Json) => json::document(&object.with_certificate(chain)),
            Kind::Object(object, Form::Yaml) => object.yaml_with_certificate(chain).to_string(),
        }
    }
}

/// Reads every file. One that the system does not give is a mistaken command line: that is told at once, and nothing
/// is signed. One that holds no request is a bad request like any other.
pub fn read_all(arguments: &arguments::Sign) -> Result<Vec<Input>, Failure> {
    let (mut inputs, mut failures) = (Vec::new(), Vec::new());
    for file in &arguments.files {
        match read(file, arguments.out_dir.as_deref()) {
            Ok(input) => inputs.push(input),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        Ok(inputs)
    } else {
        Err(Failure::all(failures))
    }
}

fn read(file: &Path, out_dir: Option<&Path>) -> Result<Input, Failure> {
    let stdin = file == Path::new("-");
    let bytes = if stdin {
        files::read_stdin()?
    } else {
        files::read(file)?
    };
    let name = if stdin {
        "standard input".into()
    } else {
        file.display().to_string()
    };
    let text = std::str::from_utf8(&bytes).ok();
    let request = |read: Result<SigningRequest, SigningRequestError>| match read {
        Ok(request) => Kind::Request(Box::new(request)),
        Err(error) => Kind::Unreadable(error.to_string()),
    };
    let (kind, ending) = match text {
        Some(text) if RequestObject::is_meant(text) => {
            let json = text.trim_start().starts_with('{');
            let (form, ending) = if json {
                (Form::Json, "signed.json")
            } else {
                (Form::Yaml, "signed.yaml")
            };
            let kind = match RequestObject::parse(text) {
                Ok(object) => Kind::Object(Box::new(object), form),
                Err(error) => Kind::Unreadable(error.to_string()),
            };
            (kind, ending)
        }
        Some(text) if text.contains("-----BEGIN ") => {
            (request(SigningRequest::from_pem(&bytes)), "crt")
        }
        _ => (request(SigningRequest::from_der(&bytes)), "crt"),
    };
    Ok(Input {
        name,
        output: output(file, out_dir, ending),
        kind,
    })
}
