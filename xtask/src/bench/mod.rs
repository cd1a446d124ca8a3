//! `cargo xtask bench`: what things cost, beside plain C API and HPy 0.9.0. One topic a file.

mod build;
mod callgrind;
mod debug;
mod hosts;
mod micro;
pub mod page;
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
    /// Whether it measures on the interpreter that was asked for.
    is_here: bool,
}

const TOPICS: &[Topic] = &[
    Topic { name: "programs", measure: programs::measure, is_here: true },
    Topic { name: "micro", measure: micro::measure, is_here: true },
    Topic { name: "rivals", measure: rivals::measure, is_here: true },
    Topic { name: "startup", measure: startup::measure, is_here: true },
    Topic { name: "debug", measure: debug::measure, is_here: true },
    Topic { name: "trace", measure: trace::measure, is_here: true },
    Topic { name: "hosts", measure: hosts::measure, is_here: false },
    Topic { name: "emulated", measure: hosts::emulated, is_here: false },
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
    if topics.iter().any(|topic| topic.is_here) {
        environment.install_hpy()?;
    }
    let bench = Bench { root, python, environment, out: root.join("target/xtask/bench") };
    for topic in topics {
        let text = (topic.measure)(&bench)?;
        println!("\n{text}");
        if write {
            let command = format!("bench {} --write", topic.name);
            page::insert(&root.join("docs/performance.md"), &command, &text)?;
        }
    }
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Topic>> {
    let known = || TOPICS.iter().map(|topic| topic.name).collect::<Vec<_>>().join(", ");
    if let Some(name) = names.iter().find(|name| TOPICS.iter().all(|topic| topic.name != **name)) {
        bail!("nothing named {name} can be measured; there are: {}", known());
    }
    // Without names, what needs other interpreters is left out.
    let wanted = |topic: &&Topic| match names {
        [] => topic.is_here,
        names => names.iter().any(|name| name == topic.name),
    };
    Ok(TOPICS.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_chosen_by_name() -> Result<()> {
        assert!(choose(&[])?.iter().all(|topic| topic.is_here));
        assert_eq!(choose(&["hosts".to_owned()])?.len(), 1);
        assert_eq!(choose(&["micro".to_owned()])?[0].name, "micro");
        assert!(choose(&["macro".to_owned()]).is_err());
        Ok(())
    }
}
