//! From TOML to a document: only the shape is looked at here. Done by hand over toml's spanned
//! tree, because serde stops at the first wrong type and names no line for an unknown field.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::{
    AuthorityDocument, CertificateDocument, Fact, Mistake, NodeDocument, Place, SpecBuilder,
    UserDocument, Written,
};

/// Reads the text of a `cluster.toml`.
pub(super) fn read(text: &str) -> SpecBuilder {
    // An editor's byte order mark is allowed before a TOML document, and no part of it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        text,
        mistakes: Vec::new(),
    };
    // The first only: the others mostly follow from it, as from a bracket that is never closed.
    let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    if let Some(error) = errors.iter().min_by_key(|error| start(error)) {
        reader.mistakes.push(Mistake {
            place: reader.place(start(error)),
            field: String::new(),
            value: None,
            fact: Fact::Syntax(error.message().trim().replace('\n', ", ")),
        });
        return SpecBuilder {
            mistakes: reader.mistakes,
            unreadable: true,
            ..SpecBuilder::default()
        };
    }
    let document = reader.document(root.get_ref());
    SpecBuilder {
        document,
        mistakes: reader.mistakes,
        unreadable: false,
    }
}

struct Reader<'t> {
    text: &'t str,
    mistakes: Vec<Mistake>,
}

/// The entries of one table that nobody has asked for yet.
struct Entries<'v> {
    path: String,
    left: BTreeMap<&'v str, (usize, &'v Spanned<DeValue<'v>>)>,
}

impl<'v> Entries<'v> {
    fn of(table: &'v DeTable<'v>, path: String) -> Self {
        let entry = |(key, value): (&'v Spanned<_>, _)| -> (&'v str, (usize, _)) {
            let name: &std::borrow::Cow<'v, str> = key.get_ref();
            (name.as_ref(), (key.span().start, value))
        };
        Self {
            path,
            left: table.iter().map(entry).collect(),
        }
    }

    fn take(&mut self, key: &str) -> Option<&'v Spanned<DeValue<'v>>> {
        self.left.remove(key).map(|(_, value)| value)
    }

    fn field(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

impl Reader<'_> {
    fn document(&mut self, root: &DeTable<'_>) -> Document {
        let mut entries = Entries::of(root, String::new());
        let document = Document {
            name: self.text(&mut entries, "name"),
            domain: self.text(&mut entries, "domain"),
            service_cidr: self.texts(&mut entries, "service-cidr"),
            cluster_dns: self.texts(&mut entries, "cluster-dns"),
            pod_cidr: self.texts(&mut entries, "pod-cidr"),
            endpoint: self.text(&mut entries, "endpoint"),
            san: self.texts(&mut entries, "san"),
            profile: self.text(&mut entries, "profile"),
            key_algorithm: self.text(&mut entries, "key-algorithm"),
            validity: self.text(&mut entries, "validity"),
            ca_validity: self.text(&mut entries, "ca-validity"),
            ca_dir: self.text(&mut entries, "ca-dir"),
            node: self.tables(&mut entries, "node", Self::node),
            user: self.tables(&mut entries, "user", Self::user),
            certificate: self.named_tables(&mut entries, "certificate", Self::certificate),
            authority: self.named_tables(&mut entries, "authority", Self::authority),
        };
        self.unknown::<Document>(entries);
        document
    }

    fn node(&mut self, mut entries: Entries<'_>, place: Place) -> NodeDocument {
        let name = self.text(&mut entries, "name");
        entries.path = named("node", name.as_ref());
        let node = NodeDocument {
            place,
            name,
            addresses: self.texts(&mut entries, "addresses"),
            roles: self.texts(&mut entries, "roles"),
            san: self.texts(&mut entries, "san"),
            ssh: self.text(&mut entries, "ssh"),
        };
        self.unknown::<NodeDocument>(entries);
        node
    }

    fn user(&mut self, mut entries: Entries<'_>, place: Place) -> UserDocument {
        let name = self.text(&mut entries, "name");
        entries.path = named("user", name.as_ref());
        let user = UserDocument {
            place,
            name,
            groups: self.texts(&mut entries, "groups"),
            validity: self.text(&mut entries, "validity"),
        };
        self.unknown::<UserDocument>(entries);
        user
    }

    fn certificate(&mut self, mut entries: Entries<'_>, place: Place) -> CertificateDocument {
        let certificate = CertificateDocument {
            place,
            key_algorithm: self.text(&mut entries, "key-algorithm"),
            validity: self.text(&mut entries, "validity"),
            san: self.texts(&mut entries, "san"),
        };
        self.unknown::<CertificateDocument>(entries);
        certificate
    }

    fn authority(&mut self, mut entries: Entries<'_>, place: Place) -> AuthorityDocument {
        let authority = AuthorityDocument {
            place,
            imported: self.truth(&mut entries, "imported").unwrap_or(false),
            key_algorithm: self.text(&mut entries, "key-algorithm"),
            validity: self.text(&mut entries, "validity"),
            common_name: self.text(&mut entries, "common-name"),
        };
        self.unknown::<AuthorityDocument>(entries);
        authority
    }

    fn text(&mut self, entries: &mut Entries<'_>, key: &str) -> Option<Written> {
        let value = entries.take(key)?;
        self.one_text(entries.field(key), value, "a text")
    }

    fn texts(&mut self, entries: &mut Entries<'_>, key: &str) -> Vec<Written> {
        let Some(value) = entries.take(key) else {
            return Vec::new();
        };
        let field = entries.field(key);
        match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| self.one_text(field.clone(), item, "a text"))
                .collect(),
            _ => self
                .one_text(field, value, "a text or an array of texts")
                .into_iter()
                .collect(),
        }
    }

    fn one_text(
        &mut self,
        field: String,
        value: &Spanned<DeValue<'_>>,
        wanted: &'static str,
    ) -> Option<Written> {
        match value.get_ref() {
            DeValue::String(text) => Some(Written::at(self.place(value.span().start), text)),
            _ => self.wrong_type(field, value, wanted),
        }
    }

    fn truth(&mut self, entries: &mut Entries<'_>, key: &str) -> Option<bool> {
        let value = entries.take(key)?;
        match value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            _ => self.wrong_type(entries.field(key), value, "true or false"),
        }
    }

    /// `[[key]]`, or an array of inline tables; a single `[key]` is what people write by mistake.
    fn tables<'v, T>(
        &mut self,
        entries: &mut Entries<'v>,
        key: &str,
        read: impl Fn(&mut Self, Entries<'v>, Place) -> T,
    ) -> Vec<T> {
        let Some(value) = entries.take(key) else {
            return Vec::new();
        };
        let field = entries.field(key);
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type::<T>(field, value, "an array of tables");
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    let place = self.place(item.span().start);
                    tables.push(read(self, Entries::of(table, field.clone()), place));
                }
                _ => drop(self.wrong_type::<T>(field.clone(), item, "a table")),
            }
        }
        tables
    }

    /// `[key.ID]`.
    fn named_tables<'v, T>(
        &mut self,
        entries: &mut Entries<'v>,
        key: &str,
        read: impl Fn(&mut Self, Entries<'v>, Place) -> T,
    ) -> BTreeMap<String, T> {
        let Some(value) = entries.take(key) else {
            return BTreeMap::new();
        };
        let field = entries.field(key);
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type::<T>(field, value, "a table of tables");
            return BTreeMap::new();
        };
        let mut tables = BTreeMap::new();
        for (id, item) in table.iter() {
            let path = format!("{field}.{}", id.get_ref());
            match item.get_ref() {
                DeValue::Table(inner) => {
                    let place = self.place(id.span().start);
                    let one = read(self, Entries::of(inner, path), place);
                    tables.insert(id.get_ref().to_string(), one);
                }
                _ => drop(self.wrong_type::<T>(path, item, "a table")),
            }
        }
        tables
    }

    fn wrong_type<T>(
        &mut self,
        field: String,
        value: &Spanned<DeValue<'_>>,
        wanted: &'static str,
    ) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        // What is long or spans lines is told by its kind and line alone.
        let shown = match value.get_ref() {
            DeValue::Array(_) | DeValue::Table(_) => None,
            _ => self.text.get(value.span()).map(str::to_owned),
        };
        self.mistakes.push(Mistake {
            place: self.place(value.span().start),
            field,
            value: shown,
            fact: Fact::Type { wanted, found },
        });
        None
    }

    /// What nobody asked for. The known fields are those of the schema.
    fn unknown<T: JsonSchema>(&mut self, entries: Entries<'_>) {
        for (key, (start, _)) in &entries.left {
            self.mistakes.push(Mistake {
                place: self.place(*start),
                field: entries.field(key),
                value: None,
                fact: Fact::UnknownField {
                    known: fields::<T>(),
                },
            });
        }
    }

    fn place(&self, offset: usize) -> Place {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        Place::Line(1 + before.iter().filter(|byte| **byte == b'\n').count())
    }
}

/// `node.cp1`, or `node` while the node has no name.
pub(super) fn named(kind: &str, name: Option<&Written>) -> String {
    match name.map(Written::text) {
        Some(name) if !name.is_empty() => format!("{kind}.{name}"),
        _ => kind.to_owned(),
    }
}

/// The fields of a table, from its schema.
fn fields<T: JsonSchema>() -> Vec<String> {
    let schema = schemars::schema_for!(T).to_value();
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let shown = |mistake: &Mistake| mistake.display("cluster.toml").to_string();
        read(text).mistakes.iter().map(shown).collect()
    }

    #[test]
    fn the_reader_knows_each_field_of_the_schema() {
        let everything = r#"
            name = "a"
            domain = "a"
            service-cidr = "a"
            cluster-dns = ["a"]
            pod-cidr = ["a", "b"]
            endpoint = "a"
            san = []
            profile = "a"
            key-algorithm = "a"
            validity = "a"
            ca-validity = "a"
            ca-dir = "a"
            node = [{ name = "a", addresses = "a", roles = ["a"], san = "a", ssh = "a" }]
            [[user]]
            name = "a"
            groups = ["a"]
            validity = "a"
            [certificate.a]
            key-algorithm = "a"
            validity = "a"
            san = ["a"]
            [authority.a]
            imported = true
            key-algorithm = "a"
            validity = "a"
            common-name = "a"
        "#;
        assert_eq!(mistakes(everything), [""; 0]);
        for field in [
            fields::<Document>(),
            fields::<NodeDocument>(),
            fields::<UserDocument>(),
            fields::<CertificateDocument>(),
            fields::<AuthorityDocument>(),
        ]
        .concat()
        {
            assert!(everything.contains(&field), "{field}");
        }
    }

    #[test]
    fn every_wrong_shape_is_told_with_its_line() {
        let text = "name = 5\nservice-cidr = [\n  '10.3.0.0/24',\n  7,\n]\npod-cidr = true\n\
                    certificate = 1\n[node]\nname = 'cp1'\n[authority]\nca = 'x'\n\
                    [[user]]\nname = 'ann'\nvalidity = 2020-01-01\ngroups = { a = 1 }\n";
        let mut found = mistakes(text);
        found.sort();
        assert_eq!(
            found,
            [
                "cluster.toml:11: authority.ca 'x': a text, where a table belongs",
                "cluster.toml:14: user.ann.validity 2020-01-01: a date, where a text belongs",
                "cluster.toml:15: user.ann.groups: a table, where a text or an array of texts \
                 belongs",
                "cluster.toml:1: name 5: a number, where a text belongs",
                "cluster.toml:4: service-cidr 7: a number, where a text belongs",
                "cluster.toml:6: pod-cidr true: true or false, where a text or an array of texts \
                 belongs",
                "cluster.toml:7: certificate 1: a number, where a table of tables belongs",
                "cluster.toml:8: node: a table, where an array of tables belongs",
            ]
        );
    }

    #[test]
    fn every_unknown_field_is_told_with_the_one_meant() {
        let text = "service-cdir = '10.3.0.0/24'\ncolour = 'red'\n[[node]]\nname = 'cp1'\n\
                    adresses = []\n[certificate.apiserver]\nsans = []\n";
        let found = read(text).mistakes;
        let said: Vec<_> = found
            .iter()
            .map(|mistake| (mistake.to_string(), mistake.hint().unwrap()))
            .collect();
        let said: Vec<_> = said.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert!(said.contains(&(
            "line 1: service-cdir: unknown field",
            "did you mean service-cidr?"
        )));
        assert!(said.contains(&(
            "line 5: node.cp1.adresses: unknown field",
            "did you mean addresses?"
        )));
        assert!(said.contains(&(
            "line 7: certificate.apiserver.sans: unknown field",
            "did you mean san?"
        )));
        let (colour, hint) = said
            .iter()
            .find(|(text, _)| text.contains("colour"))
            .unwrap();
        assert_eq!(*colour, "line 2: colour: unknown field");
        assert!(hint.starts_with("known here are "), "{hint}");
    }

    #[test]
    fn broken_toml_is_told_with_its_first_line_and_nothing_else() {
        for (text, line) in [
            ("name = 'a'\nname = 'b'\n[[node\n", "line 2: "),
            (
                "name = 'a'\nsan = [\ndomain = 'b'\nprofile = 'c'\n",
                "line 3: ",
            ),
        ] {
            let error = read(text).build().unwrap_err();
            assert_eq!(error.mistakes.len(), 1, "{error}");
            assert!(error.to_string().starts_with(line), "{error}");
            let hint = error.mistakes[0].hint();
            assert!(hint.is_some_and(|hint| hint.contains("TOML")));
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(mistakes("\u{feff}nmae = 'a'").len(), 1);
        assert!(mistakes("\u{feff}nmae = 'a'")[0].starts_with("cluster.toml:1: nmae"));
    }
}
