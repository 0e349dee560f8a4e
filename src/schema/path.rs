//! The way from an object to a value in it, as messages write it.

pub use crate::yaml::write_key;
use std::fmt;

/// A path, linked on the stack: nothing is allocated before a finding is told.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
    depth: u32,
}

#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root, depth: 0 };

    pub fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key), depth: self.depth + 1 }
    }

    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index), depth: self.depth + 1 }
    }

    pub fn depth(&self) -> u32 {
        self.depth
    }

    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// The last key on the path, such as `containers` for `spec.containers[0]`.
    pub fn last_key(&self) -> Option<&'a str> {
        match self.step {
            Step::Key(key) => Some(key),
            _ => self.parent?.last_key(),
        }
    }

    pub fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::with_capacity(self.depth as usize);
        let mut path = Some(self);
        while let Some(at) = path {
            if at.parent.is_some() {
                steps.push(at.step);
            }
            path = at.parent;
        }
        steps.reverse();
        steps
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps().into_iter().enumerate() {
            match step {
                Step::Root => {}
                Step::Key(key) => write_key(f, key, at == 0)?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_people_write_them() {
        let spec = Path::ROOT.key("spec");
        let containers = spec.key("containers");
        let first = containers.index(0);
        let label = first.key("a.b/c");
        assert_eq!(label.to_string(), r#"spec.containers[0]["a.b/c"]"#);
        assert_eq!(first.last_key(), Some("containers"));
        assert_eq!(Path::ROOT.to_string(), "");
    }
}
