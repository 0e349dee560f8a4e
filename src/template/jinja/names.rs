//! Which template a name in `include`, `import` or `extends` means.
//!
//! First come the templates of the chart that asks: `_helpers.j2` is `templates/_helpers.j2` of that chart. Then full
//! names: `web/templates/_helpers.j2`. Then `NAME/FILE`, where NAME is a chart: one of the asking chart's own
//! subcharts, else a chart on the way up to the root, or a subchart of one of those.

use crate::template::Project;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Names {
    project: Arc<Project>,
    by_name: HashMap<Arc<str>, usize>,
}

impl Names {
    pub(super) fn new(project: &Arc<Project>) -> Self {
        let by_name = project.templates.iter().enumerate().map(|(index, template)| (Arc::clone(&template.name), index));
        Names { by_name: by_name.collect(), project: Arc::clone(project) }
    }

    /// The template of a full name.
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The template that a chart means by a name.
    pub(super) fn resolve(&self, name: &str, scope: usize) -> Option<usize> {
        if let Some(found) = self.in_chart(scope, name) {
            return Some(found);
        }
        if let Some(found) = self.get(name) {
            return Some(found);
        }
        let (chart, file) = name.split_once('/')?;
        let scopes = &self.project.scopes;
        let child = |scope: usize| scopes[scope].children.iter().copied().find(|&child| self.is_called(child, chart));
        let mut at = Some(scope);
        while let Some(scope) = at {
            let found = if self.is_called(scope, chart) { Some(scope) } else { child(scope) };
            if let Some(found) = found.and_then(|scope| self.in_chart(scope, file)) {
                return Some(found);
            }
            at = scopes[scope].parent;
        }
        None
    }

    fn is_called(&self, scope: usize, chart: &str) -> bool {
        let scope = &self.project.scopes[scope];
        &*scope.name == chart || scope.metadata.name == chart
    }

    fn in_chart(&self, scope: usize, file: &str) -> Option<usize> {
        self.get(&format!("{}/templates/{file}", self.project.scopes[scope].path))
    }

    /// Names that a chart could have meant: those of its own templates as it would write them, then all others.
    pub(super) fn candidates(&self, scope: usize) -> Vec<&str> {
        let own = format!("{}/templates/", self.project.scopes[scope].path);
        let jinja = self.project.templates.iter().filter(|template| template.is_jinja());
        jinja.map(|template| template.name.strip_prefix(own.as_str()).unwrap_or(&template.name)).collect()
    }
}
