//! What a program on another machine said against something, as problems of that machine. Pure.

use pki_core::converge::problem::Problem;

use crate::remote::Said;

/// As much of what is no error of kinstall's own as is shown: its end tells most.
const LINES: usize = 12;

/// The errors in what was said, with their hints, each with the node's name before it.
pub fn told(node: &str, said: &Said) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut in_hint = false;
    for line in said.stderr.lines() {
        if let Some(fact) = line.strip_prefix("error: ") {
            problems.push(Problem {
                fact: format!("{node}: {fact}"),
                hint: None,
            });
            in_hint = false;
        } else if let (Some(hint), Some(last)) = (line.strip_prefix("hint: "), problems.last_mut())
        {
            // One hint follows several errors.
            last.hint = Some(hint.to_owned());
            in_hint = true;
        } else if let (Some(more), Some(last)) = (line.strip_prefix("       "), problems.last_mut())
        {
            let text = match (in_hint, &mut last.hint) {
                (true, Some(hint)) => hint,
                _ => &mut last.fact,
            };
            text.push('\n');
            text.push_str(more);
        }
    }
    if problems.is_empty() {
        let lines: Vec<_> = said.stderr.lines().map(str::trim_end).collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        problems.push(Problem {
            fact: format!("{node}: exit code {}: {last}", said.code),
            hint: None,
        });
    }
    // So that a hint is told once, after the last that it is for.
    for index in (0..problems.len().saturating_sub(1)).rev() {
        if problems[index].hint.is_none() {
            problems[index].hint = problems[index + 1].hint.clone();
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(stderr: &str) -> String {
        let said = Said {
            code: 1,
            stdout: String::new(),
            stderr: stderr.to_owned(),
        };
        let problem = |one: Problem| format!("{} / {}\n", one.fact, one.hint.unwrap_or_default());
        told("w1", &said).into_iter().map(problem).collect()
    }

    #[test]
    fn errors_are_the_machines_and_keep_their_hints() {
        insta::assert_snapshot!(words(
            "warning: slow\nerror: one\n       and more of it\nerror: two\nhint: do this\n       and that\nerror: three\n"
        ), @r##"
w1: one
and more of it / do this
and that
w1: two / do this
and that
w1: three /
"##);
        insta::assert_snapshot!(words("sh: kinstall: Permission denied\n"), @r##"w1: exit code 1: sh: kinstall: Permission denied /"##);
    }
}
