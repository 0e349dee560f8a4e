//! The hooks that we publish, run by the real pre-commit.

use crate::support::{Folder, binary, root, tool};
use std::process::{Command, Output};

/// A repository of charts that uses our hooks from a repository of their own.
struct Project {
    folder: Folder,
}

impl Project {
    fn new() -> Option<Self> {
        tool("pre-commit")?;
        tool("git")?;
        let hooks = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).expect("the hooks");
        let folder = Folder::new().file("hooks/.pre-commit-hooks.yaml", hooks);
        let project = Project { folder };
        project.git("hooks", &["init", "-q"]);
        project.git("hooks", &["add", "-A"]);
        project.git("hooks", &["commit", "-qm", "Hooks"]);
        project.git("hooks", &["tag", "v1"]);
        let config = format!(
            "repos:\n- repo: {}\n  rev: v1\n  hooks:\n  - id: chart-check-system\n",
            project.folder.path().join("hooks").display()
        );
        project.folder.write("repo/.pre-commit-config.yaml", config);
        project.git("repo", &["init", "-q"]);
        Some(project)
    }

    fn git(&self, directory: &str, arguments: &[&str]) -> Output {
        let output = self
            .command("git", directory)
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .output()
            .expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// What the hooks say to what is staged: whether they pass, and all they print.
    fn hooks(&self) -> (bool, String) {
        self.git("repo", &["add", "-A"]);
        let output =
            self.command("pre-commit", "repo").args(["run", "--color=never"]).output().expect("pre-commit runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    /// A program with the built binary first on its PATH.
    fn command(&self, program: &str, directory: &str) -> Command {
        let mut command = Command::new(tool(program).expect("a tool that was there"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = binary().parent().map(std::path::Path::to_owned).into_iter();
        let path = std::env::join_paths(own.chain(std::env::split_paths(&path))).expect("a PATH");
        command
            .current_dir(self.folder.path().join(directory))
            .env("PATH", path)
            .env("PRE_COMMIT_HOME", self.folder.path().join("cache"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env_remove("GIT_DIR");
        command
    }
}

#[test]
fn the_hook_checks_the_charts_that_changed_and_those_that_depend_on_them() {
    let Some(project) = Project::new() else { return };
    let folder = &project.folder;
    folder.run("create repo/charts/web").ok();
    folder.run("create repo/charts/other").ok();
    folder.write("repo/README.md", "# Charts\n");
    let (passes, text) = project.hooks();
    assert!(passes, "{text}");
    project.git("repo", &["commit", "-qm", "Charts"]);

    // Nothing of a chart has changed.
    folder.write("repo/README.md", "# Our charts\n");
    let (passes, text) = project.hooks();
    assert!(passes, "{text}");

    // A variant that is wrong, in a file that the other chart knows nothing of.
    folder.write("repo/charts/web/ci/wrong-values.yaml", "replicas: three\n");
    let (passes, text) = project.hooks();
    assert!(!passes, "{text}");
    assert!(text.contains("charts/web/ci/wrong-values.yaml:1:11"), "{text}");
    assert!(!text.contains("charts/other"), "{text}");

    // A mistake in a chart that another one depends on.
    std::fs::remove_file(folder.path().join("repo/charts/web/ci/wrong-values.yaml")).expect("removed");
    folder.write(
        "repo/charts/shop/Chart.yaml",
        "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n- name: web\n  version: 0.1.0\n  repository: file://../web\n",
    );
    folder.write("repo/charts/shop/charts/web/Chart.yaml", folder.read("repo/charts/web/Chart.yaml"));
    folder.write("repo/charts/shop/values.yaml", "web: {}\n");
    folder.write("repo/charts/shop/templates/x.yaml.j2", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n");
    let (passes, text) = project.hooks();
    assert!(passes, "{text}");
    project.git("repo", &["commit", "-qm", "Shop"]);
    folder.write("repo/charts/shop/templates/x.yaml.j2", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  nam: x\n");
    project.git("repo", &["add", "-A"]);
    project.git("repo", &["commit", "-qm", "Mistake"]);
    folder.write("repo/charts/web/values.yaml", folder.read("repo/charts/web/values.yaml") + "\n");
    let (passes, text) = project.hooks();
    assert!(!passes, "{text}");
    assert!(text.contains("charts/shop/templates/x.yaml.j2:4"), "{text}");
}

#[test]
fn every_hook_is_one_of_our_commands() {
    let text = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).expect("the hooks");
    let hooks: Vec<serde_json::Value> = serde_yaml::from_str(&text).expect("YAML");
    assert_eq!(hooks.len(), 2);
    for hook in &hooks {
        assert_eq!(hook["entry"], "chart check");
        assert_eq!(hook["require_serial"], true);
    }
    let help = Folder::new().run("check --help").ok().stdout;
    assert!(help.contains("chart check [OPTIONS] [PATH]..."), "{help}");
}
