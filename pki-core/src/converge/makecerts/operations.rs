//! The operations of Makecerts, from a command line or from lines: a word, then specs, and `--` before the next word.

use super::spec::Spec;
use crate::converge::problem::Problem;

/// What is to be done with a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `certificate`: a key and a certificate.
    Certificate,
    /// `request`: a key and a signing request.
    Request,
    /// `sign`: a certificate for a signing request.
    Sign,
    /// `root-ca`, or `ca`: the authority alone.
    RootCa,
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Request => "request",
            Self::Sign => "sign",
            Self::RootCa => "root-ca",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "certificate" => Self::Certificate,
            "request" => Self::Request,
            "sign" => Self::Sign,
            "root-ca" | "ca" => Self::RootCa,
            _ => return None,
        })
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What.
    pub kind: Kind,
    /// With which spec; an empty one for [`Kind::RootCa`].
    pub spec: Spec,
    /// Where it was asked for: `line 3` or `argument 3`.
    pub place: String,
}

/// What was read, and what is worth a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// In the order in which they were asked for.
    pub list: Vec<Operation>,
    /// What is allowed but may not be meant.
    pub warnings: Vec<String>,
}

/// Reads the arguments of a command line, `--` among them.
///
/// # Errors
/// Every mistake, with the number of its argument.
pub fn of_arguments(arguments: &[String]) -> Result<Operations, Vec<Problem>> {
    let mut reader = Reader::default();
    for (at, argument) in arguments.iter().enumerate() {
        let place = format!("argument {}", at + 1);
        reader.word(argument.trim(), &place);
    }
    reader.finish()
}

/// Reads lines: each a word, a spec or `--`, as on the command line; or an operation with its specs in one line, where
/// blanks part them and quotes keep blanks. Empty lines are passed over.
///
/// # Errors
/// Every mistake, with the number of its line.
pub fn of_lines(text: &str) -> Result<Operations, Vec<Problem>> {
    let mut reader = Reader::default();
    for (at, line) in text.lines().enumerate() {
        let (line, place) = (line.trim(), format!("line {}", at + 1));
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if line.is_empty() {
        } else if Kind::of(first).is_some() && !rest.is_empty() {
            reader.kind = None;
            reader.word(first, &place);
            match quoted_words(rest) {
                Ok(words) => words.iter().for_each(|word| reader.word(word, &place)),
                Err(fact) => reader.mistake(&place, fact, "close the quote"),
            }
            reader.kind = None;
        } else {
            reader.word(line, &place);
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    kind: Option<Kind>,
    read: Operations,
    problems: Vec<Problem>,
}

impl Reader {
    fn word(&mut self, word: &str, place: &str) {
        match self.kind {
            _ if word == "--" => self.kind = None,
            // It takes no specs, so the next word is an operation again.
            None if Kind::of(word) == Some(Kind::RootCa) => self.operation(Kind::RootCa, Spec::default(), place),
            None => match Kind::of(word) {
                Some(kind) => self.kind = Some(kind),
                None => self.mistake(
                    place,
                    format!("{word:?} is no operation"),
                    "an operation is certificate, sign, request or root-ca; specs follow it, and -- comes before the next",
                ),
            },
            Some(kind) => {
                if Kind::of(word).is_some() {
                    self.read.warnings.push(format!(
                        "{place}: {word:?} is taken as a subject, since no -- came before it"
                    ));
                }
                match Spec::parse(word) {
                    Ok(spec) => self.operation(kind, spec, place),
                    Err(facts) => {
                        for fact in facts {
                            self.mistake(place, fact, "a spec is subject[,subject...][?option=value&...]");
                        }
                    }
                }
            }
        }
    }

    fn operation(&mut self, kind: Kind, spec: Spec, place: &str) {
        self.read.list.push(Operation {
            kind,
            spec,
            place: place.to_owned(),
        });
    }

    fn mistake(&mut self, place: &str, fact: impl std::fmt::Display, hint: &str) {
        self.problems
            .push(Problem::new(format!("{place}: {fact}"), hint));
    }

    fn finish(self) -> Result<Operations, Vec<Problem>> {
        if self.problems.is_empty() {
            Ok(self.read)
        } else {
            Err(self.problems)
        }
    }
}

/// Words parted by blanks; `"` and `'` keep blanks within a word.
fn quoted_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            None if character == '"' || character == '\'' => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a quote {open} that is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(read: &Operations) -> Vec<(Kind, &str)> {
        let mut all = Vec::new();
        for operation in &read.list {
            let first = operation.spec.subjects.first();
            all.push((operation.kind, first.map_or("", String::as_str)));
        }
        all
    }

    fn arguments(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    const CHAINED: [(Kind, &str); 4] = [
        (Kind::Certificate, "host1"),
        (Kind::Certificate, "host2"),
        (Kind::Sign, "host3"),
        (Kind::Request, "host4"),
    ];

    #[test]
    fn operations_are_chained() {
        let line = "certificate host1 host2 -- sign host3 -- request host4";
        let read = of_arguments(&arguments(line)).unwrap();
        assert_eq!(told(&read), CHAINED);
        assert_eq!(read.list[2].place, "argument 6");
        let read = of_lines(&line.replace(' ', "\n")).unwrap();
        assert_eq!(told(&read), CHAINED);
        let read = of_lines("\ncertificate host1 host2\r\n sign  host3\nrequest host4\n").unwrap();
        assert_eq!(told(&read), CHAINED);
        assert_eq!(read.list[2].place, "line 3");
    }

    #[test]
    fn quotes_keep_blanks() {
        let read = of_lines("request \"a?name=Test Issuing CA\" 'b'\nroot-ca\n--\nca\n").unwrap();
        assert_eq!(
            read.list[0].spec.common_name.as_deref(),
            Some("Test Issuing CA")
        );
        assert_eq!(read.list.len(), 4);
        assert!(of_lines("request \"a").is_err());
    }

    #[test]
    fn every_bad_line_is_told_by_its_number() {
        let problems = of_lines("certificate\na?ca=maybe\n\nb,,c\n--\nhost\n").unwrap_err();
        let facts: Vec<_> = problems
            .iter()
            .map(|problem| problem.fact.as_str())
            .collect();
        assert_eq!(
            facts,
            [
                "line 2: ca: \"maybe\" is neither true nor false",
                "line 4: an empty subject",
                "line 6: \"host\" is no operation"
            ]
        );
    }

    #[test]
    fn an_operation_without_its_dashes_is_a_subject_and_told() {
        let read = of_lines("certificate\nhost1\nsign\nhost2\n").unwrap();
        assert_eq!(read.list.len(), 3);
        assert_eq!(read.warnings.len(), 1);
    }
}
