//! The folder's files, as objects.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::{Map, Value};

use super::state::Failure;
use crate::addon::object::ADDON_LABEL;
use crate::addon::yaml;

/// Larger than any object that the API server takes (1.5 MiB), many times.
const LIMIT: u64 = 16 << 20;

/// What is in the folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// The files that could be read, by name.
    pub addons: Vec<Addon>,
    /// The files that could not. What is in the cluster of them stays.
    pub unreadable: Vec<(String, Failure)>,
}

/// One file.
#[derive(Debug)]
pub struct Addon {
    /// Its name.
    pub file: String,
    /// Its objects, in its order.
    pub objects: Vec<Object>,
}

/// One object.
#[derive(Clone)]
pub struct Object {
    /// What names it.
    pub id: ObjectId,
    /// All of it, with the addon's label.
    pub value: Value,
}

/// What names an object in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Its API group and version, as `apps/v1`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; nothing where it has none or the file says none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// What an object says that it is. A Secret's contents never get into a log.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.id, f)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
            ..
        } = self;
        match namespace {
            Some(namespace) => write!(f, "{kind} {namespace}/{name}"),
            None => write!(f, "{kind} {name}"),
        }
    }
}

impl Folder {
    /// Reads every `*.yaml`, `*.yml` and `*.json` whose name does not begin with a dot.
    ///
    /// # Errors
    /// When the folder itself cannot be read. A file that cannot is one of `unreadable`.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let mut read = Self::default();
        let mut seen = BTreeSet::new();
        for file in names.into_iter().filter(|name| is_manifest(name)) {
            let addon = objects(&folder.join(&file), &file).and_then(|objects| {
                let twice = objects.iter().find(|one| seen.contains(&one.id));
                match twice {
                    Some(twice) => Err(format!("{} is in another file too", twice.id)),
                    None => Ok(objects),
                }
            });
            match addon {
                Ok(objects) => {
                    seen.extend(objects.iter().map(|one| one.id.clone()));
                    read.addons.push(Addon { file, objects });
                }
                Err(reason) => {
                    let failure = Failure {
                        what: file.clone(),
                        reason,
                    };
                    read.unreadable.push((file, failure));
                }
            }
        }
        Ok(read)
    }

    /// Something that changes whenever the folder's contents may have. Cheap.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn fingerprint(folder: &Path) -> io::Result<String> {
        let mut parts = BTreeSet::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_manifest(&name) {
                continue;
            }
            // A link's target counts, not the link. One that has just gone is no part any more.
            let Ok(data) = std::fs::metadata(entry.path()) else {
                continue;
            };
            let (inode, size) = (data.ino(), data.len());
            let (seconds, nanoseconds) = (data.ctime(), data.ctime_nsec());
            parts.insert(format!("{name} {inode} {size} {seconds}.{nanoseconds}"));
        }
        Ok(parts.into_iter().collect::<Vec<_>>().join("\n"))
    }
}

fn is_manifest(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    !name.starts_with('.') && matches!(ending, Some("yaml" | "yml" | "json"))
}

fn objects(path: &Path, file: &str) -> Result<Vec<Object>, String> {
    if file.len() > 63 || !file.chars().all(label_character) {
        return Err(
            "its name does not fit into a label: letters, digits, '.', '_' and '-', at most 63"
                .into(),
        );
    }
    let data = std::fs::metadata(path).map_err(|error| error.to_string())?;
    // It is applied with all permissions there are: who may write it may do everything in the cluster.
    if data.mode() & 0o022 != 0 {
        return Err("others than its owner may write it".into());
    }
    let own = rustix::process::geteuid().as_raw();
    if data.uid() != 0 && data.uid() != own {
        return Err(format!("it belongs to the user {}", data.uid()));
    }
    if data.len() > LIMIT {
        return Err(format!("it is larger than {} MiB", LIMIT >> 20));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let documents = yaml::read(&text).map_err(|error| error.to_string())?;
    let mut objects: Vec<Object> = Vec::new();
    for document in documents {
        let is_list = document["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"));
        let items = match document {
            Value::Object(mut list) if is_list && list.contains_key("items") => {
                match list.remove("items") {
                    Some(Value::Array(items)) => items,
                    _ => return Err("a list whose items are none".into()),
                }
            }
            one => vec![one],
        };
        for item in items {
            let object = object(item, file)?;
            if objects.iter().any(|one| one.id == object.id) {
                return Err(format!("{} is in it twice", object.id));
            }
            objects.push(object);
        }
    }
    Ok(objects)
}

fn label_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn object(mut value: Value, file: &str) -> Result<Object, String> {
    let text = |value: &Value| {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let kind = text(&value["kind"]).ok_or("an object without a kind")?;
    let api_version =
        text(&value["apiVersion"]).ok_or_else(|| format!("a {kind} without an apiVersion"))?;
    let metadata = &value["metadata"];
    let name = text(&metadata["name"]).ok_or_else(|| format!("a {kind} without a name"))?;
    let id = ObjectId {
        api_version,
        namespace: text(&metadata["namespace"]),
        kind,
        name,
    };
    let labels = value["metadata"].as_object_mut().map(|metadata| {
        metadata
            .entry("labels")
            .or_insert_with(|| Map::new().into())
    });
    let Some(Value::Object(labels)) = labels else {
        return Err(format!("{id}: labels that are no map"));
    };
    labels.insert(ADDON_LABEL.into(), file.into());
    Ok(Object { id, value })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        folder
    }

    const ONE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n";

    #[test]
    fn objects_carry_the_name_of_their_file() {
        let list = r#"{"apiVersion":"v1","kind":"List","items":[
            {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x","labels":{"a":"b"}}}]}"#;
        let folder = folder(&[
            ("b.yaml", ONE),
            ("a.json", list),
            (".b.yaml.swp", "x: ["),
            ("notes.txt", "x: ["),
        ]);
        let read = Folder::read(folder.path()).unwrap();
        assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
        let files: Vec<_> = read.addons.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(files, ["a.json", "b.yaml"]);
        let namespace = &read.addons[0].objects[0];
        assert_eq!(namespace.id.to_string(), "Namespace x");
        assert_eq!(namespace.value["metadata"]["labels"]["a"], "b");
        assert_eq!(namespace.value["metadata"]["labels"][ADDON_LABEL], "a.json");
    }

    #[test]
    fn a_bad_file_is_told_and_the_others_are_read() {
        let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: n}\n";
        let cases = [
            ("syntax.yaml", "a: [b\n", "not YAML"),
            ("kind.yaml", "metadata: {name: a}\n", "without a kind"),
            ("name.yaml", "kind: X\napiVersion: v1\n", "without a name"),
            ("twice.yaml", &format!("{other}---\n{other}"), "twice"),
            ("zdouble.yaml", ONE, "another file"),
            ("a b.yaml", other, "label"),
        ];
        let mut files: Vec<_> = cases.iter().map(|(name, text, _)| (*name, *text)).collect();
        files.push(("good.yaml", ONE));
        let read = Folder::read(folder(&files).path()).unwrap();
        assert_eq!(read.addons.len(), 1);
        for (name, _, wanted) in cases {
            let found = read.unreadable.iter().find(|(file, _)| file == name);
            let (_, failure) = found.unwrap_or_else(|| panic!("{name} was read"));
            assert!(
                failure.reason.contains(wanted),
                "{name}: {}",
                failure.reason
            );
        }
    }

    #[test]
    fn a_file_that_others_may_write_is_not_applied() {
        let folder = folder(&[("a.yaml", ONE)]);
        let path = folder.path().join("a.yaml");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let read = Folder::read(folder.path()).unwrap();
        assert!(read.addons.is_empty());
    }

    #[test]
    fn the_fingerprint_changes_with_a_file() {
        let folder = folder(&[("a.yaml", ONE), ("ignored.txt", "")]);
        let of = || Folder::fingerprint(folder.path()).unwrap();
        let before = of();
        std::fs::write(folder.path().join("ignored.txt"), "more").unwrap();
        assert_eq!(of(), before);
        std::fs::write(
            folder.path().join("a.yaml"),
            "other: text, longer than before",
        )
        .unwrap();
        assert_ne!(of(), before);
    }
}
