//! Interpreters that have HPy themselves, and the wheel for them.
//!
//! The wheel has the Python package, what is special to those interpreters (`python/native`), and one small native library,
//! `hpy-standin`, which is a universal extension. So one wheel is for all of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::environment::Environment;
use crate::shell::{cargo, output, run, step};

/// Names the interpreter in which `python/native` is tested: one that is started by a script does not know it.
pub const EXECUTABLE: &str = "HPY_PYTHON";

/// The interpreters that the wheel is for, as its name has them. Those without HPy get a wheel of the runtime, which is before
/// this one in the order of pip because it names them more exactly.
const PYTHON_TAGS: &str = "pp39.pp310.pp311.graalpy311";
const ABI_TAG: &str = "none";

/// Whether an interpreter has HPy itself.
pub fn is_native(version: &str) -> bool {
    ["pypy7.", "graalpy24."].iter().any(|prefix| version.starts_with(prefix))
}

/// Whether an interpreter is another than CPython. It has a folder of packages in place of a virtual environment: one that is started
/// by a script cannot be linked to.
pub fn is_foreign(version: &str) -> bool {
    ["pypy", "graalpy"].iter().any(|prefix| version.starts_with(prefix))
}

/// What lets the pip of another interpreter install a wheel: what its name says, `hpy-VERSION-pp311-pypy311_pp80-PLATFORM.whl`.
pub fn pip_options(wheel: &Path) -> Vec<String> {
    let name = wheel.file_stem().map(|name| name.to_string_lossy().into_owned());
    let mut parts = name.as_deref().unwrap_or_default().rsplit('-');
    let mut next = || parts.next().unwrap_or_default();
    let (platform, abi, tags) = (next(), next(), next());
    let python = tags.split('.').next().unwrap_or_default();
    let digits = python.find(|c: char| c.is_ascii_digit()).unwrap_or(python.len());
    let (implementation, version) = python.split_at(digits);
    [
        ["--implementation", implementation],
        ["--python-version", version],
        ["--abi", abi],
        ["--platform", platform],
        ["--only-binary", ":all:"],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}

/// Makes a folder of packages, which Python finds with PYTHONPATH; the start-up files in it are to work all the same.
pub fn prepare_packages(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let start = format!(
        "import os, site, sys\n\
        sys.executable = os.environ.get('{EXECUTABLE}', sys.executable)\n\
        site.addsitedir(os.path.dirname(os.path.abspath(__file__)))\n"
    );
    fs::write(folder.join("sitecustomize.py"), start).context("cannot write sitecustomize.py")
}

/// What `pyproject.toml` says of the package.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Project {
    name: String,
    description: String,
    requires_python: String,
    license: String,
}

#[derive(Deserialize)]
struct PyProject {
    project: Project,
}

/// Builds the wheel for these interpreters into `out`; returns its path. This is `cargo xtask wheel-native`.
pub fn build_wheel(root: &Path, profile: &str, out: &Path) -> Result<PathBuf> {
    step("build the wheel for interpreters that have HPy");
    if out.exists() {
        fs::remove_dir_all(out).context("cannot remove the wheel that was built before")?;
    }
    fs::create_dir_all(out)?;
    run(cargo(root).args(["build", "--quiet", "--package", "hpy-standin", "--profile", profile]))?;
    let built = if profile == "dev" { "debug" } else { profile };
    let library = target(root).join(built).join("libhpy_standin.so");
    let content = out.join("content");
    fs::create_dir_all(&content)?;
    copy(&root.join("python/hpy"), &content.join("hpy"))?;
    copy(&root.join("python/native"), &content)?;
    fs::copy(library, content.join("hpy/_native.hpy0.so")).context("cannot copy the library")?;
    let plugin = "python/hpy.data/platlib/pytest_hpy.py";
    fs::copy(root.join(plugin), content.join("pytest_hpy.py"))?;
    describe(root, &content)?;
    pack(root, &content, out)
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// Copies a folder, what links lead to included.
/// Copies a folder of modules.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "__pycache__" {
            continue;
        } else if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

/// Writes what a wheel says about itself.
fn describe(root: &Path, content: &Path) -> Result<()> {
    let text = fs::read_to_string(root.join("pyproject.toml"))?;
    let Project { name, description, requires_python, license } =
        toml::from_str::<PyProject>(&text)?.project;
    let version = version();
    let info = content.join(format!("{name}-{version}.dist-info"));
    fs::create_dir_all(&info)?;
    let metadata = format!(
        "Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: {description}\n\
        License-Expression: {license}\nRequires-Python: {requires_python}\n"
    );
    fs::write(info.join("METADATA"), metadata)?;
    let tags = PYTHON_TAGS.split('.').map(|tag| format!("Tag: {tag}-{ABI_TAG}-linux_x86_64\n"));
    let wheel = format!(
        "Wheel-Version: 1.0\nGenerator: xtask\nRoot-Is-Purelib: false\n{}",
        tags.collect::<String>()
    );
    fs::write(info.join("WHEEL"), wheel)?;
    let entry_points = "[distutils.setup_keywords]\n\
        hpy_ext_modules = hpy.devel:handle_hpy_ext_modules\n\n\
        [pytest11]\nhpy = pytest_hpy\n";
    fs::write(info.join("entry_points.txt"), entry_points).context("cannot write the description")
}

/// The version of the workspace as Python writes it: `0.10.0-dev.0` is `0.10.0.dev0`.
fn version() -> String {
    env!("CARGO_PKG_VERSION").replace("-dev.", ".dev")
}

/// Packs the folder, with the list of its files.
fn pack(root: &Path, content: &Path, out: &Path) -> Result<PathBuf> {
    let helper = Environment::prepare_for(root, None, "-pip")?;
    helper.require(&["wheel>=0.45"])?;
    output(helper.command().args(["-m", "wheel", "pack", "--dest-dir"]).arg(out).arg(content))?;
    fs::remove_dir_all(content)?;
    let mut made = fs::read_dir(out)?;
    Ok(made.next().context("no wheel was made")??.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_is_installed_for_the_interpreter_of_its_name() {
        let name = "hpy-0.10.0.dev0-pp311-pypy311_pp80-linux_x86_64.whl";
        let options = pip_options(Path::new(name)).join(" ");
        assert!(options.starts_with("--implementation pp --python-version 311 --abi pypy311_pp80"));
        assert!(options.contains("--platform linux_x86_64"), "{options}");
        let name = "hpy-0.10.0.dev0-graalpy312-graalpy250_312_native-linux_x86_64.whl";
        assert!(pip_options(Path::new(name)).join(" ").contains("graalpy --python-version 312"));
    }

    #[test]
    fn who_has_hpy_is_known_by_the_version() {
        for version in ["pypy7.3", "graalpy24.2"] {
            assert!(is_native(version), "{version}");
        }
        for version in ["cpython3.11", "pypy8.0", "graalpy25.0"] {
            assert!(!is_native(version), "{version}");
        }
    }

    #[test]
    fn versions_are_pythons() {
        assert!(!version().contains('-'), "{}", version());
    }
}
