//! What a machine is and has, in its own words: one script that only reads, and what it says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Load, Places};
use crate::remote::{Input, Remote, RemoteError, quote};

/// What a machine is and has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Survey {
    /// Its own name.
    pub host_name: String,
    /// Its processors, as uname says: `x86_64`.
    pub architecture: String,
    /// Its kernel: `Linux 6.1.0-18-amd64`.
    pub kernel: String,
    /// Its system: `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
    /// How many processors it has.
    pub processors: u64,
    /// Its memory, in KiB.
    pub memory: u64,
    /// Whether kinstall has made anything there.
    pub is_made: bool,
    /// Which node it was made, if any.
    pub node: Option<String>,
    /// Tools of the system that are missing there.
    pub missing: Vec<String>,
    /// SHA-256 of files, by their paths.
    #[serde(skip)]
    pub digests: BTreeMap<String, String>,
}

/// What all that is brought there needs.
const TOOLS: [&str; 7] = ["tar", "sha256sum", "find", "mkdir", "mv", "chmod", "sed"];

/// Asks a machine. `load` is what it is asked for.
///
/// # Errors
/// [`RemoteError`].
pub fn survey(remote: &dyn Remote, places: &Places, load: &Load) -> Result<Survey, RemoteError> {
    let said = remote.run(&script(places, load), Input::Nothing)?;
    Ok(parse(&said.stdout))
}

/// Every line that it says begins with a word that tells what follows.
fn script(places: &Places, load: &Load) -> String {
    let mut script = String::from(
        "echo \"host $(uname -n)\"; echo \"architecture $(uname -m)\"; echo \"kernel $(uname -s) $(uname -r)\"; \
         if [ -r /etc/os-release ]; then (. /etc/os-release; echo \"system ${PRETTY_NAME:-}\"); fi; \
         while read -r name value unit; do if [ \"$name\" = MemTotal: ]; then echo \"memory $value\"; fi; done </proc/meminfo; \
         echo \"processors $(getconf _NPROCESSORS_ONLN)\"; ",
    );
    let _ = write!(
        script,
        "for tool in {}; do command -v $tool >/dev/null || echo \"missing $tool\"; done; ",
        TOOLS.join(" ")
    );
    let (ledger, options) = (quote(&places.ledger), quote(&places.options));
    let _ = write!(
        script,
        "if [ -e {ledger} ]; then echo made; fi; \
         if [ -r {options} ]; then while read -r line; do echo \"option $line\"; done <{options}; fi; "
    );
    for program in &load.programs {
        for path in candidates(places, program) {
            let path = quote(&path);
            let _ = write!(
                script,
                "if [ -f {path} ]; then echo \"file $(sha256sum {path})\"; fi; "
            );
        }
    }
    let tree = quote(&places.tree);
    let _ = write!(
        script,
        "if [ -d {tree} ]; then find {tree} -type f -exec sha256sum {{}} + | while read -r line; do echo \"file $line\"; done; fi"
    );
    script
}

/// Where a program may be on a machine, the best first: where we bring it, and where it is here.
pub(super) fn candidates(places: &Places, program: &super::Program) -> Vec<String> {
    let brought = format!("{}/{}", places.programs, program.name);
    let same = program.path.to_str().map(str::to_owned);
    let same = same.filter(|path| path.starts_with('/') && *path != brought);
    [Some(brought), same].into_iter().flatten().collect()
}

fn parse(said: &str) -> Survey {
    let mut survey = Survey::default();
    let mut options = String::new();
    for line in said.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "host" => survey.host_name = rest.to_owned(),
            "architecture" => survey.architecture = rest.to_owned(),
            "kernel" => survey.kernel = rest.to_owned(),
            "system" => survey.system = rest.to_owned(),
            "memory" => survey.memory = rest.parse().unwrap_or(0),
            "processors" => survey.processors = rest.parse().unwrap_or(0),
            "missing" => survey.missing.push(rest.to_owned()),
            "made" => survey.is_made = true,
            "option" => {
                options.push_str(rest);
                options.push('\n');
            }
            "file" => {
                if let Some((digest, path)) = rest.split_once("  ") {
                    survey.digests.insert(path.to_owned(), digest.to_owned());
                } else if let Some((digest, path)) = rest.split_once(' ') {
                    survey
                        .digests
                        .insert(path.trim().to_owned(), digest.to_owned());
                }
            }
            _ => {}
        }
    }
    let options: Option<toml::Table> = options.parse().ok();
    let node = options
        .as_ref()
        .and_then(|options| options.get("node")?.as_str());
    survey.node = node.map(str::to_owned);
    survey
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_says_is_understood() {
        let survey = parse(
            "Welcome to the machine.\nhost cp1\narchitecture x86_64\nkernel Linux 6.1.0\nsystem Debian GNU/Linux 12 (bookworm)\n\
             memory 4030412\nprocessors 2\nmissing tar\nmade\noption dir = \"/var/lib/kinstall/cluster\"\noption node = \"cp1\"\n\
             file abc  /opt/with a blank/kubelet\nfile def /var/lib/kinstall/cluster/cluster.toml\n",
        );
        insta::assert_debug_snapshot!(survey, @r##"
Survey {
    host_name: "cp1",
    architecture: "x86_64",
    kernel: "Linux 6.1.0",
    system: "Debian GNU/Linux 12 (bookworm)",
    processors: 2,
    memory: 4030412,
    is_made: true,
    node: Some(
        "cp1",
    ),
    missing: [
        "tar",
    ],
    digests: {
        "/opt/with a blank/kubelet": "abc",
        "/var/lib/kinstall/cluster/cluster.toml": "def",
    },
}
"##);
    }
}
