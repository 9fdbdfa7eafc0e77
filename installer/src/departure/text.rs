//! cluster.toml without a node, all else as its owner wrote it. Pure.

use toml_edit::{DocumentMut, Item, RawString, Table, value};

/// The table of each node.
const NODE: &str = "node";

/// Why a text cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is no TOML.
    #[error("{0}")]
    Syntax(String),
    /// It has no such node.
    #[error("it has no node {0:?}")]
    NoNode(String),
}

/// The text without the node `name`. A comment right above it goes with it; what is further up stays.
///
/// # Errors
/// [`TextError`]
pub fn without_node(text: &str, name: &str) -> Result<String, TextError> {
    let mut document = parse(text)?;
    let unknown = || TextError::NoNode(name.to_owned());
    let is_it = |item: Option<&Item>| item.and_then(Item::as_str) == Some(name);
    match document.get_mut(NODE) {
        Some(Item::ArrayOfTables(nodes)) => {
            let index = nodes.iter().position(|node| is_it(node.get("name")));
            let index = index.ok_or_else(unknown)?;
            let prefix = nodes.get(index).map(prefix).unwrap_or_default();
            nodes.remove(index);
            let above = above(&prefix).to_owned();
            if let Some(next) = nodes.get_mut(index) {
                let own = self::prefix(next);
                next.decor_mut()
                    .set_prefix(above + own.trim_start_matches('\n'));
            } else if !above.trim().is_empty() {
                let rest = document.trailing().as_str().unwrap_or_default();
                let rest = format!("{above}{rest}");
                document.set_trailing(rest);
            }
        }
        Some(Item::Value(toml_edit::Value::Array(nodes))) => {
            let index = nodes.iter().position(|node| {
                let table = node.as_inline_table();
                let found = table.and_then(|table| table.get("name"));
                found.and_then(toml_edit::Value::as_str) == Some(name)
            });
            nodes.remove(index.ok_or_else(unknown)?);
        }
        _ => return Err(unknown()),
    }
    Ok(document.to_string())
}

/// The text with that endpoint.
///
/// # Errors
/// [`TextError::Syntax`]
pub fn with_endpoint(text: &str, endpoint: &str) -> Result<String, TextError> {
    let mut document = parse(text)?;
    document["endpoint"] = value(endpoint);
    Ok(document.to_string())
}

fn parse(text: &str) -> Result<DocumentMut, TextError> {
    text.parse()
        .map_err(|error: toml_edit::TomlError| TextError::Syntax(error.to_string()))
}

fn prefix(table: &Table) -> String {
    let prefix = table.decor().prefix().and_then(RawString::as_str);
    prefix.unwrap_or_default().to_owned()
}

/// Of what stands before a table, what is not right above it: all up to the last empty line.
fn above(prefix: &str) -> &str {
    match prefix.rfind("\n\n") {
        Some(end) => &prefix[..end + 2],
        // It begins after the end of a line.
        None if prefix.starts_with('\n') => "\n",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use pki_core::cluster::spec::ClusterSpec;

    use super::*;

    const TEXT: &str = "\
# Our cluster.
name = \"prod\"   # since 2026
service-cidr = ['10.3.0.0/24']

# The machines, by rack.

# rack 1
[[node]]
name = \"cp1\"
addresses = [ \"192.0.2.11\" ]  # the old switch
roles = ['control-plane', 'etcd']

# rack 2, soon to go
[[node]]
name = 'w1'
addresses = ['192.0.2.21']

[[node]]
name = 'w2'
addresses = ['192.0.2.22']

# People.
[[user]]
name = 'alice'
groups = ['admins']
";

    #[test]
    fn all_else_is_as_it_was_written() {
        let left = without_node(TEXT, "w1").unwrap();
        let wanted = TEXT.replace(
            "# rack 2, soon to go\n[[node]]\nname = 'w1'\naddresses = ['192.0.2.21']\n\n",
            "",
        );
        assert_eq!(left, wanted);
        let nodes = ClusterSpec::from_toml(&left).unwrap();
        assert_eq!(nodes.nodes().len(), 2);
    }

    #[test]
    fn the_last_and_the_first_go_too() {
        let left = without_node(TEXT, "w2").unwrap();
        let wanted = TEXT.replace("[[node]]\nname = 'w2'\naddresses = ['192.0.2.22']\n\n", "");
        assert_eq!(left, wanted);
        let left = without_node(TEXT, "cp1").unwrap();
        assert!(left.contains("# The machines, by rack.\n"), "{left}");
        assert!(
            !left.contains("# rack 1\n") && !left.contains("cp1"),
            "{left}"
        );
        assert!(
            left.contains("# rack 2, soon to go\n[[node]]\nname = 'w1'"),
            "{left}"
        );
    }

    #[test]
    fn one_by_one_until_none_is_left() {
        let mut text = TEXT.to_owned();
        for name in ["w2", "cp1", "w1"] {
            text = without_node(&text, name).unwrap();
            assert!(text.contains("# The machines, by rack.\n"), "{text}");
            assert!(text.contains("# People.\n[[user]]"), "{text}");
        }
        assert!(!text.contains("[[node]]"), "{text}");
    }

    #[test]
    fn in_one_line_as_well() {
        let text = "node = [{ name = 'a', addresses = ['192.0.2.1'] }, { name = 'b' }] # two\n";
        let left = without_node(text, "b").unwrap();
        assert_eq!(
            left,
            "node = [{ name = 'a', addresses = ['192.0.2.1'] }] # two\n"
        );
    }

    #[test]
    fn what_is_not_there_is_told() {
        let error = without_node(TEXT, "w9").unwrap_err();
        assert_eq!(error, TextError::NoNode("w9".into()));
        assert_eq!(without_node("", "w9"), Err(TextError::NoNode("w9".into())));
        assert!(matches!(
            without_node("node = [", "a"),
            Err(TextError::Syntax(_))
        ));
    }

    #[test]
    fn an_endpoint_is_written_down() {
        let text = with_endpoint(TEXT, "127.0.0.1:7443").unwrap();
        let spec = ClusterSpec::from_toml(&text).unwrap();
        assert_eq!(spec.endpoint().to_string(), "127.0.0.1:7443");
        assert!(text.contains("# The machines, by rack.\n"), "{text}");
    }
}
