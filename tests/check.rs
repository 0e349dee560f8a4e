//! `chart check` and `chart show`.

use crate::support::Folder;

#[test]
fn the_charts_that_ship_pass() {
    let folder = Folder::new().copy("charts", "charts");
    let run = folder.run("check charts").ok();
    assert!(run.stderr.starts_with("checked 3 charts with "), "{}", run.stderr);
}

#[test]
fn a_variant_that_breaks_is_found_at_its_line() {
    let folder = Folder::new().copy("charts/service", "shop");
    folder.write("shop/ci/broken-values.yaml", "replicas: three\n");
    let run = folder.run("check shop --format short").fails(1);
    assert!((run.stdout + &run.stderr).contains("shop/ci/broken-values.yaml:1:11: error[values-schema]"));
    folder.run("check shop/values.yaml").fails(1);
    folder.run("check nowhere").fails(2);
}

#[test]
fn files_stand_for_their_charts() {
    let folder = Folder::new().copy("charts/service", "a/shop").copy("charts/cronjob", "a/job");
    let run = folder.run("check a/shop/templates/service.yaml.j2").ok();
    assert!(run.stderr.starts_with("checked 1 chart "), "{}", run.stderr);
}

#[test]
fn parts_of_a_chart_are_shown() {
    let folder = Folder::new().copy("charts/service", "shop");
    assert_eq!(folder.run("show values shop").ok().stdout.trim_end(), folder.read("shop/values.yaml").trim_end());
    assert_eq!(folder.run("show chart shop").ok().stdout.trim_end(), folder.read("shop/Chart.yaml").trim_end());
    folder.run("show chart nowhere").fails(2);
}
