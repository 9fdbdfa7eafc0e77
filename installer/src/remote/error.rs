//! Why another machine could not be asked: ssh's own words, and what they mean.

use pki_core::cluster::spec::SshDestination;
use pki_core::converge::problem::Problem;

/// A script was not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{node}: ssh {destination}: {cause}{}", if said.is_empty() { String::new() } else { format!(": {said}") })]
pub struct RemoteError {
    /// The node.
    pub node: String,
    /// Where it was to be reached.
    pub destination: String,
    /// What kind of failure it is.
    pub cause: Cause,
    /// What ssh said.
    pub said: String,
    /// The same command without ours, for the user to try.
    pub by_hand: String,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No ssh program.
    #[error("the program ssh does not start")]
    NoProgram,
    /// known_hosts has no key of it.
    #[error("its host key is not known")]
    HostKeyUnknown,
    /// known_hosts has another key of it.
    #[error("its host key is another one than before")]
    HostKeyChanged,
    /// It let nobody in.
    #[error("the login was refused")]
    LoginRefused,
    /// sudo asked for a password.
    #[error("the user may not become root without a password")]
    NotRoot,
    /// Nobody answered.
    #[error("it cannot be reached")]
    Unreachable,
    /// It was, and then not.
    #[error("the connection was lost")]
    Lost,
    /// Something else.
    #[error("ssh failed")]
    Other,
}

impl RemoteError {
    /// What ssh's words mean. `by_hand` is the command for the user to try.
    pub(super) fn of(
        node: &str,
        destination: &SshDestination,
        by_hand: &str,
        stderr: &str,
        connected: bool,
    ) -> Self {
        Self {
            node: node.to_owned(),
            destination: destination.to_string(),
            cause: cause(stderr, connected),
            said: last_line(stderr),
            by_hand: by_hand.to_owned(),
        }
    }

    /// What would mend it.
    pub fn hint(&self) -> String {
        let by_hand = &self.by_hand;
        match self.cause {
            Cause::NoProgram => "install the package openssh-client".into(),
            Cause::HostKeyUnknown => format!(
                "log in once by hand, and hold the fingerprint against the machine's own: {by_hand}"
            ),
            Cause::HostKeyChanged => {
                "if the machine was made anew, take its old key out with ssh-keygen -R; if not, somebody may be in between"
                    .into()
            }
            Cause::LoginRefused => format!(
                "log in by hand: {by_hand}; nothing is asked for here, so a key under a passphrase has to be in the agent \
                 (ssh-add)"
            ),
            Cause::NotRoot => {
                "log in as root, or let the user run sudo without a password (NOPASSWD)".into()
            }
            Cause::Unreachable => format!(
                "is it on, and is ssh = in cluster.toml right? Try by hand: {by_hand}; --only NODE leaves the others out"
            ),
            Cause::Lost => "run it again: what is done is not done twice".into(),
            Cause::Other => format!("try by hand: {by_hand}"),
        }
    }
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

/// The words are those of OpenSSH 7.4 to 10 and of strerror(3), in the C locale.
fn cause(stderr: &str, connected: bool) -> Cause {
    let says = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
    if says(&["HOST IDENTIFICATION HAS CHANGED"]) {
        Cause::HostKeyChanged
    } else if says(&["Host key verification failed", "host key is known for"]) {
        Cause::HostKeyUnknown
    } else if says(&[
        "sudo: a password is required",
        "sudo: a terminal is required",
        "sudo: not found",
    ]) {
        Cause::NotRoot
    } else if connected {
        Cause::Lost
    } else if says(&["Permission denied", "Too many authentication failures"]) {
        Cause::LoginRefused
    } else if says(&[
        "timed out",
        "refused",
        "No route to host",
        "unreachable",
        "Could not resolve",
        "Connection closed",
        "Connection reset",
    ]) {
        Cause::Unreachable
    } else {
        Cause::Other
    }
}

fn last_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.next_back().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_is_told_with_what_to_do() {
        let told = |stderr: &str| {
            let destination = "root@192.0.2.11:2222".parse().unwrap();
            let by_hand = "ssh -p 2222 root@192.0.2.11";
            let error = RemoteError::of("cp1", &destination, by_hand, stderr, false);
            format!("{error}\nhint: {}\n", error.hint())
        };
        let all: String = [
            "No ED25519 host key is known for 192.0.2.11 and you have requested strict checking.\r\nHost key verification failed.\r\n",
            "@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\n",
            "root@192.0.2.11: Permission denied (publickey).\r\n",
            "ssh: connect to host 192.0.2.11 port 2222: No route to host\r\n",
            "ssh: Could not resolve hostname cp9: Name or service not known\r\n",
            "sudo: a password is required\n",
            "Bad owner or permissions on /home/ann/.ssh/config\n",
        ]
        .map(told)
        .concat();
        insta::assert_snapshot!(all);
    }
}
