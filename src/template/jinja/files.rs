//! `files`: the chart's own files that are neither templates nor metadata.

use super::error::Issue;
use crate::chart::File;
use crate::diagnostic::nearest;
use crate::template::helm::Glob;
use base64::Engine;
use minijinja::value::{Enumerator, Object, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use std::sync::Arc;

/// All files, or those that `glob` found.
#[derive(Debug, Clone)]
pub(super) struct Files {
    files: Arc<Vec<File>>,
    /// Indices of the files that are meant.
    chosen: Vec<usize>,
}

impl Files {
    pub(super) fn new(files: &Arc<Vec<File>>) -> Self {
        Files { files: Arc::clone(files), chosen: (0..files.len()).collect() }
    }

    fn iter(&self) -> impl Iterator<Item = &File> {
        self.chosen.iter().map(|&index| &self.files[index])
    }

    fn find(&self, path: &str) -> Result<&File, Error> {
        self.iter().find(|file| &*file.path == path).ok_or_else(|| {
            let issue = Issue::new(format!("the chart has no file `{path}`"));
            match nearest(path, self.iter().map(|file| &*file.path)) {
                Some(near) => issue.hint(format!("did you mean `{near}`?")),
                None => {
                    issue.hint("paths start at the chart's folder; `templates/` and ignored files are not among them")
                }
            }
            .error()
        })
    }

    fn text(file: &File) -> Value {
        match std::str::from_utf8(file.data()) {
            Ok(text) => Value::from(text),
            Err(_) => Value::from_bytes(file.data().to_vec()),
        }
    }

    /// Last path component to content.
    fn by_name(&self, content: impl Fn(&File) -> Value) -> Value {
        Value::from_pairs(self.iter().map(|file| {
            let name = file.path.rsplit('/').next().unwrap_or(&file.path);
            (name, content(file))
        }))
    }
}

impl Object for Files {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let path = key.as_str()?;
        self.iter().find(|file| &*file.path == path).map(Files::text)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.iter().map(|file| Value::from(Arc::clone(&file.path))).collect())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "get" => {
                let (path, default): (&str, Option<Value>) = from_args(arguments)?;
                match (self.find(path), default) {
                    (Ok(file), _) => Ok(Files::text(file)),
                    (Err(_), Some(default)) => Ok(default),
                    (Err(error), None) => Err(error),
                }
            }
            "get_bytes" => {
                let (path,): (&str,) = from_args(arguments)?;
                Ok(Value::from_bytes(self.find(path)?.data().to_vec()))
            }
            "lines" => {
                let (path,): (&str,) = from_args(arguments)?;
                let data = self.find(path)?.data();
                let text = String::from_utf8_lossy(data);
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Ok(text.split('\n').map(Value::from).collect::<Vec<Value>>().into())
            }
            "glob" => {
                let (pattern,): (&str,) = from_args(arguments)?;
                let glob = Glob::new(pattern);
                let matches = |index: &usize| glob.as_ref().is_some_and(|glob| glob.matches(&self.files[*index].path));
                let chosen = self.chosen.iter().copied().filter(matches).collect();
                Ok(Value::from_object(Files { files: Arc::clone(&self.files), chosen }))
            }
            "as_config" => {
                let (): () = from_args(arguments)?;
                Ok(self.by_name(Files::text))
            }
            "as_secrets" => {
                let (): () = from_args(arguments)?;
                let encode = |file: &File| base64::engine::general_purpose::STANDARD.encode(file.data());
                Ok(self.by_name(|file| Value::from(encode(file))))
            }
            "has" => {
                let (path,): (&str,) = from_args(arguments)?;
                Ok(Value::from(self.iter().any(|file| &*file.path == path)))
            }
            _ => {
                let known = ["get", "get_bytes", "lines", "glob", "as_config", "as_secrets", "has"];
                let detail = match nearest(method, known) {
                    Some(near) => format!("`files` has no method `{method}`; did you mean `{near}`?"),
                    None => format!("`files` has no method `{method}`"),
                };
                Err(Error::new(ErrorKind::UnknownMethod, detail))
            }
        }
    }
}
