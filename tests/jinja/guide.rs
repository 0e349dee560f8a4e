//! The guide is true.

use super::Case;
use chart::template::jinja::jinja_name;

const GUIDE: &str = include_str!("../../docs/jinja.md");

/// The fenced blocks of the guide, with their languages.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut rest = GUIDE;
    while let Some((_, after)) = rest.split_once("```") {
        let (language, after) = after.split_once('\n').expect("a language");
        let (block, after) = after.split_once("```").expect("the block ends");
        blocks.push((language, block));
        rest = after;
    }
    blocks
}

#[test]
fn examples_of_the_guide_are_true() {
    let blocks = blocks();
    let (_, values) = blocks[0];
    let mut wrong = Vec::new();
    let mut count = 0;
    for pair in blocks.windows(2) {
        let [("jinja", template), ("yaml", expected)] = pair else { continue };
        count += 1;
        match Case::yaml(values).template("t.yaml.j2", template).render() {
            Ok(text) if text == *expected => {}
            Ok(text) => wrong.push(format!("{template}gives\n{text}")),
            Err(message) => wrong.push(format!("{template}fails\n{message}")),
        }
    }
    assert!(count >= 7);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_guide_has_every_function() {
    let row = |name: &str| {
        GUIDE.lines().find_map(|line| {
            let (helm, jinja) = line.strip_prefix("| `")?.split_once(" | ")?;
            format!("`{helm}").split(", ").any(|other| other == format!("`{name}`")).then_some(jinja)
        })
    };
    let mut wrong = Vec::new();
    for function in chart::template::helm::funcs::all() {
        let name = match function.name.strip_prefix("must") {
            Some(rest) if function.name != "mustToDuration" && !function.name.contains('_') => {
                let mut chars = rest.chars();
                chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
            }
            _ => function.name.to_owned(),
        };
        let Some(jinja) = row(&name) else {
            wrong.push(format!("`{name}` has no row"));
            continue;
        };
        match jinja_name(function.name) {
            Ok(known) => {
                let mentioned = jinja.contains(known) || jinja.contains("and so on");
                let call = |template: &str| Case::yaml("a: 1\n").template("t.yaml.j2", template).render();
                let filter = call(&format!("a: {{{{ 1|{known} }}}}\n"));
                let function = call(&format!("a: {{{{ {known}() }}}}\n"));
                let absent = |result: &Result<String, String>| {
                    result.as_ref().is_err_and(|message| message.contains("there is no f"))
                };
                if !mentioned || absent(&filter) && absent(&function) {
                    wrong.push(format!("`{name}` should be `{known}`, which is not there"));
                }
            }
            Err("") => wrong.push(format!("`{name}` is neither there nor left out on purpose")),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
