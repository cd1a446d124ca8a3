//! `cargo xtask bench`: what things cost, beside plain C API and HPy 0.9.0. One topic a file.

mod build;
mod callgrind;
mod debug;
mod micro;
mod page;
mod place;
mod plot;
mod programs;
mod rivals;
mod startup;
mod table;
mod trace;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::environment::Environment;
use crate::shell::require_compiler;

/// What can be measured by itself: its name on the command line and between the page's markers,
/// and what measures it and gives its text in Markdown.
struct Topic {
    name: &'static str,
    measure: fn(&Bench) -> Result<String>,
}

const TOPICS: &[Topic] = &[
    Topic { name: "programs", measure: programs::measure },
    Topic { name: "micro", measure: micro::measure },
    Topic { name: "rivals", measure: rivals::measure },
    Topic { name: "startup", measure: startup::measure },
    Topic { name: "debug", measure: debug::measure },
    Topic { name: "trace", measure: trace::measure },
];

/// What each topic works with.
struct Bench<'a> {
    root: &'a Path,
    /// the interpreter that was asked for
    python: Option<&'a Path>,
    /// where the wheel that is built here is installed
    environment: Environment,
    /// for what is compiled and what is counted
    out: PathBuf,
}

/// Measures the topics named in `names`, all if there are none; prints what came out, and writes
/// it into `docs/performance.md` if `write`.
pub fn bench(root: &Path, python: Option<&Path>, names: &[String], write: bool) -> Result<()> {
    let topics = choose(names)?;
    require_compiler()?;
    let environment = Environment::prepare(root, python)?;
    environment.install_hpy()?;
    let bench = Bench { root, python, environment, out: root.join("target/xtask/bench") };
    for topic in topics {
        let text = (topic.measure)(&bench)?;
        println!("\n{text}");
        if write {
            page::insert(&root.join("docs/performance.md"), topic.name, &text)?;
        }
    }
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Topic>> {
    let known = || TOPICS.iter().map(|topic| topic.name).collect::<Vec<_>>().join(", ");
    if let Some(name) = names.iter().find(|name| TOPICS.iter().all(|topic| topic.name != **name)) {
        bail!("nothing named {name} can be measured; there are: {}", known());
    }
    let wanted = |topic: &&Topic| names.is_empty() || names.iter().any(|name| name == topic.name);
    Ok(TOPICS.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_chosen_by_name() -> Result<()> {
        assert_eq!(choose(&[])?.len(), TOPICS.len());
        assert_eq!(choose(&["micro".to_owned()])?[0].name, "micro");
        assert!(choose(&["macro".to_owned()]).is_err());
        Ok(())
    }
}
