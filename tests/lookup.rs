//! What templates may ask the world: `lookup` without a cluster and with a folder of objects, and `getHostByName`.

use crate::support::Folder;

#[test]
fn lookup_finds_the_objects_of_a_folder() {
    let folder = Folder::new()
        .file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")
        .file("c/templates/a.yaml", concat!(
            "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a\ndata:\n",
            "  one: {{ (lookup \"v1\" \"Secret\" \"prod\" \"db\").data.password }}\n",
            "  all: {{ len (lookup \"v1\" \"Secret\" \"\" \"\").items | quote }}\n",
            "  none: {{ lookup \"v1\" \"Service\" \"prod\" \"db\" | len | quote }}\n",
        ))
        .file("cluster/db.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\ndata: {password: cHc=}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: dev}\n");
    let run = folder.run("render r c --lookup-dir cluster").ok();
    assert!(run.stdout.ends_with("data:\n  one: cHc=\n  all: \"2\"\n  none: \"0\"\n"), "{}", run.stdout);
}

#[test]
fn names_of_hosts_are_looked_up_only_where_allowed() {
    let folder = Folder::new()
        .file("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")
        .file("c/templates/a.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a\ndata:\n  address: {{ getHostByName \"localhost\" | quote }}\n");
    let address = |flags: &str| {
        let run = folder.run(&format!("render r c {flags}")).ok();
        run.stdout.lines().last().and_then(|line| line.strip_prefix("  address: ")).expect("an address").to_owned()
    };
    assert_eq!(address(""), "\"\"");
    assert!(["\"127.0.0.1\"", "\"::1\""].contains(&address("--enable-dns").as_str()));
}
