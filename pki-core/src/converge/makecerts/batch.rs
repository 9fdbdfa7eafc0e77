//! A batch: everything is made in memory, then written together.

use std::path::{Path, PathBuf};

use ring::rand::SecureRandom;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::authority::{Ask, Found, find, private_key, public, read, secret};
use super::file_names::Files;
use super::operations::{Kind, Operation};
use super::options::Options;
use super::request::{of_signing_request, of_spec, rules};
use crate::cluster::FileMode;
use crate::converge::outputs::{Outputs, OutputsError};
use crate::converge::problem::Problem;
use crate::x509::lint::Rule;
use crate::x509::{
    Authority, Certificate, DistinguishedName, Extensions, PrivateKey, PublicKey, SigningRequest,
};

/// Keys, certificates and requests that are made but not yet written.
#[derive(Debug)]
pub struct Batch {
    /// What was done with each operation: requests, then certificates, then signatures, as Makecerts does them.
    pub done: Vec<Done>,
    outputs: Outputs,
}

/// One operation, done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Which operation.
    pub kind: Kind,
    /// Where it was asked for; empty for the authority.
    pub place: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The files: written ones first.
    pub files: Vec<PathBuf>,
    /// What is worth a word.
    pub warnings: Vec<String>,
}

/// What came of an operation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A certificate was issued.
    Issued(Box<Certificate>),
    /// A signing request was made.
    Requested(DistinguishedName),
    /// The authority was there.
    Loaded(Box<Certificate>),
    /// A file of that name is there, and is left as it is.
    Left(PathBuf),
    /// It waits for the authority's certificate, which has to be signed elsewhere.
    Waits,
}

impl Batch {
    /// Makes everything, writes nothing. `ask` is asked for the passphrase of the authority's key, with the key's file, where
    /// that is encrypted, and else not.
    ///
    /// # Errors
    /// Every problem of every operation.
    pub fn plan(
        operations: &[Operation],
        options: &Options,
        ask: Ask<'_>,
        now: OffsetDateTime,
        rng: &dyn SecureRandom,
    ) -> Result<Self, Vec<Problem>> {
        let mut work = Work {
            options,
            ask,
            now,
            rng,
            rules: rules(),
            claims: Vec::new(),
            batch: Self {
                done: Vec::new(),
                outputs: Outputs::default(),
            },
        };
        let mut problems = Vec::new();
        let authority_files = options.names.of_authority(&options.authority);
        let needs_authority = operations
            .iter()
            .any(|operation| operation.kind != Kind::Request);
        let authority = if needs_authority {
            work.authority(&authority_files).unwrap_or_else(|problem| {
                problems.push(problem);
                None
            })
        } else {
            None
        };
        // A request that is made is there to be signed in the same batch.
        for kind in [Kind::Request, Kind::Certificate, Kind::Sign] {
            for operation in operations.iter().filter(|operation| operation.kind == kind) {
                let result = work.operation(operation, authority.as_ref());
                problems.extend(result.err().unwrap_or_default());
            }
        }
        if problems.is_empty() {
            Ok(work.batch)
        } else {
            Err(problems)
        }
    }

    /// The files that [`Self::commit`] writes, with their modes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, FileMode)> {
        self.outputs.files()
    }

    /// Whether something waits for the authority's certificate.
    pub fn waits(&self) -> bool {
        let waits = |done: &Done| matches!(done.outcome, Outcome::Waits);
        self.done.iter().any(waits)
    }

    /// Writes all files, or none.
    ///
    /// # Errors
    /// [`OutputsError`].
    pub fn commit(self) -> Result<Vec<Done>, OutputsError> {
        self.outputs.commit()?;
        Ok(self.done)
    }
}

/// A batch that is being made.
struct Work<'a> {
    options: &'a Options,
    ask: Ask<'a>,
    now: OffsetDateTime,
    rng: &'a dyn SecureRandom,
    rules: Vec<Rule>,
    /// Which file is written for which place.
    claims: Vec<(PathBuf, String)>,
    batch: Batch,
}

impl Work<'_> {
    /// The authority, unless its certificate has yet to be signed.
    fn authority(&mut self, files: &Files) -> Result<Option<Authority>, Problem> {
        let outputs = &mut self.batch.outputs;
        let found = find(files, self.options, self.ask, outputs, self.now, self.rng)?;
        let mut written: Vec<_> = outputs.files().map(|(path, _)| path.to_owned()).collect();
        let place = "the authority".to_owned();
        self.claims
            .extend(written.iter().map(|path| (path.clone(), place.clone())));
        let (outcome, authority) = match found {
            Found::Loaded(authority) => {
                written = vec![files.cert.clone(), files.key.clone()];
                (
                    Outcome::Loaded(Box::new(authority.certificate().clone())),
                    Some(authority),
                )
            }
            Found::Made(authority) => (
                Outcome::Issued(Box::new(authority.certificate().clone())),
                Some(authority),
            ),
            Found::Requested => {
                if written.is_empty() {
                    written.push(files.csr.clone());
                }
                (Outcome::Waits, None)
            }
        };
        self.batch.done.push(Done {
            kind: Kind::RootCa,
            place: String::new(),
            outcome,
            files: written,
            warnings: Vec::new(),
        });
        Ok(authority)
    }

    fn operation(
        &mut self,
        operation: &Operation,
        authority: Option<&Authority>,
    ) -> Result<(), Vec<Problem>> {
        let files = self.options.names.of(&operation.spec);
        let mut warnings = Vec::new();
        let done = match (operation.kind, authority) {
            (Kind::Request, _) => self.request(operation, &files, &mut warnings),
            (Kind::Certificate, Some(authority)) => {
                self.certificate(operation, &files, authority, &mut warnings)
            }
            (Kind::Sign, Some(authority)) => self.sign(operation, &files, authority, &mut warnings),
            (Kind::Certificate, None) => of_spec(&operation.spec, self.options, &mut warnings)
                .map(|_| (Outcome::Waits, Vec::new()))
                .map_err(mistakes),
            (Kind::Sign, None) => Ok((Outcome::Waits, Vec::new())),
            // The authority itself, which is done already.
            (Kind::RootCa, _) => return Ok(()),
        };
        let (outcome, files) = done.map_err(|problems| at(&operation.place, problems))?;
        self.batch.done.push(Done {
            kind: operation.kind,
            place: operation.place.clone(),
            outcome,
            files,
            warnings,
        });
        Ok(())
    }

    fn request(
        &mut self,
        operation: &Operation,
        files: &Files,
        warnings: &mut Vec<String>,
    ) -> Step {
        let (subject, extensions) =
            of_spec(&operation.spec, self.options, warnings).map_err(mistakes)?;
        if self.leaves(&files.csr) {
            return Ok((Outcome::Left(files.csr.clone()), Vec::new()));
        }
        self.claim(&[&files.csr, &files.key], operation)?;
        let (key, mut written) = self.key(files)?;
        let request = SigningRequest::generate_with(&subject, &extensions, &key)
            .map_err(|error| mistakes(vec![error.to_string()]))?;
        self.write(&files.csr, public(request.pem()), FileMode::PUBLIC);
        written.insert(0, files.csr.clone());
        Ok((Outcome::Requested(subject), written))
    }

    fn certificate(
        &mut self,
        operation: &Operation,
        files: &Files,
        authority: &Authority,
        warnings: &mut Vec<String>,
    ) -> Step {
        let (subject, extensions) =
            of_spec(&operation.spec, self.options, warnings).map_err(mistakes)?;
        if self.leaves(&files.cert) {
            return Ok((Outcome::Left(files.cert.clone()), Vec::new()));
        }
        self.claim(&[&files.cert, &files.key], operation)?;
        let (key, mut written) = self.key(files)?;
        let issued = self.issue(authority, &subject, &extensions, key.public_key(), warnings)?;
        self.write_chain(&files.cert, &issued, authority);
        written.insert(0, files.cert.clone());
        Ok((Outcome::Issued(Box::new(issued)), written))
    }

    fn sign(
        &mut self,
        operation: &Operation,
        files: &Files,
        authority: &Authority,
        warnings: &mut Vec<String>,
    ) -> Step {
        let spec = &operation.spec;
        let asked = !spec.key_usage.is_empty()
            || !spec.extended_key_usages.is_empty()
            || spec.ca
            || spec.max_path_length.is_some()
            || spec.template.is_some()
            || spec.common_name.is_some();
        if asked {
            warnings
                .push("the request decides: of the options, sign takes cert and csr only".into());
        }
        if self.leaves(&files.cert) {
            return Ok((Outcome::Left(files.cert.clone()), Vec::new()));
        }
        self.claim(&[&files.cert], operation)?;
        let name = files.csr.display();
        let bytes = match self.batch.outputs.secret_contents(&files.csr) {
            Some(bytes) => Zeroizing::new(bytes.to_vec()),
            None => read(&files.csr)
                .map_err(|problem| vec![problem])?
                .ok_or_else(|| {
                    vec![Problem::new(
                        format!("there is no request {name} to sign"),
                        "name it with csr=, or make one with the operation request",
                    )]
                })?,
        };
        let refused =
            |fact: String| Problem::new(format!("{name}: {fact}"), "have a new request made");
        let request =
            SigningRequest::from_pem(&bytes).map_err(|error| vec![refused(error.to_string())])?;
        let extensions = of_signing_request(&request, self.options, warnings)
            .map_err(|facts| facts.into_iter().map(refused).collect::<Vec<_>>())?;
        let issued = self.issue(
            authority,
            &request.subject,
            &extensions,
            &request.public_key,
            warnings,
        )?;
        if issued.sans.is_empty() && issued.odd_sans.is_empty() && !issued.is_ca {
            warnings.push(
                "the request asks for no alternative name, and TLS clients look at nothing else"
                    .into(),
            );
        }
        self.write_chain(&files.cert, &issued, authority);
        Ok((
            Outcome::Issued(Box::new(issued)),
            vec![files.cert.clone(), files.csr.clone()],
        ))
    }

    fn issue(
        &self,
        authority: &Authority,
        subject: &DistinguishedName,
        extensions: &Extensions,
        public_key: &PublicKey,
        warnings: &mut Vec<String>,
    ) -> Result<Certificate, Vec<Problem>> {
        let lifetime = self.options.lifetime;
        let linted = authority
            .prepare_with(
                subject, extensions, lifetime, public_key, self.now, self.rng,
            )
            .and_then(|prepared| prepared.lint(&[&self.rules]))
            .map_err(|error| mistakes(vec![error.to_string()]))?;
        warnings.extend(linted.warnings.iter().map(ToString::to_string));
        linted
            .issue()
            .map_err(|error| mistakes(vec![error.to_string()]))
    }

    /// The key that is there, or a new one among the outputs.
    fn key(&mut self, files: &Files) -> Result<(PrivateKey, Vec<PathBuf>), Vec<Problem>> {
        if !self.options.overwrite
            && let Some(bytes) = read(&files.key).map_err(|problem| vec![problem])?
        {
            let key = private_key(&bytes, &files.key).map_err(|problem| vec![problem])?;
            return Ok((key, Vec::new()));
        }
        let key = PrivateKey::generate(self.options.key_algorithm, self.rng)
            .map_err(|error| mistakes(vec![error.to_string()]))?;
        self.write(&files.key, secret(&key), FileMode::PRIVATE_KEY);
        Ok((key, vec![files.key.clone()]))
    }

    /// With the CAs between it and a root, where the authority is not a root itself.
    fn write_chain(&mut self, path: &Path, certificate: &Certificate, authority: &Authority) {
        let mut text = certificate.pem();
        for above in authority.intermediates() {
            text.push_str(&above.pem());
        }
        self.write(path, public(text), FileMode::PUBLIC);
    }

    fn write(&mut self, path: &Path, contents: Zeroizing<Vec<u8>>, mode: FileMode) {
        if self.options.overwrite {
            self.batch.outputs.replace(path, contents, mode);
        } else {
            self.batch.outputs.create(path, contents, mode);
        }
    }

    /// Whether a file that is there is to stay.
    fn leaves(&self, path: &Path) -> bool {
        !self.options.overwrite && path.symlink_metadata().is_ok()
    }

    /// Each file is written for one operation only.
    fn claim(&mut self, paths: &[&PathBuf], operation: &Operation) -> Result<(), Vec<Problem>> {
        for path in paths {
            if let Some((_, other)) = self.claims.iter().find(|(claimed, _)| claimed == *path) {
                return Err(vec![Problem::new(
                    format!("{} is written by {other} already", path.display()),
                    "give each its own files with cert=, key= and csr=",
                )]);
            }
        }
        self.claims.extend(
            paths
                .iter()
                .map(|path| ((*path).clone(), operation.place.clone())),
        );
        Ok(())
    }
}

type Step = Result<(Outcome, Vec<PathBuf>), Vec<Problem>>;

fn mistakes(facts: Vec<String>) -> Vec<Problem> {
    let problem = |fact| Problem { fact, hint: None };
    facts.into_iter().map(problem).collect()
}

fn at(place: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let placed = |problem: Problem| Problem {
        fact: format!("{place}: {}", problem.fact),
        ..problem
    };
    problems.into_iter().map(placed).collect()
}
