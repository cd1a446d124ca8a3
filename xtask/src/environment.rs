//! The Python that the commands work with: a virtual environment of the project's own, with the wheel installed in it. For an
//! interpreter that has HPy itself it is a folder of packages: those that are unpacked anywhere make no virtual environments.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::native;
use crate::shell::{exists, run, step};

/// Where `java` looks for options, which runs a GraalPy that is no program of its own.
pub const JAVA_OPTIONS: &str = "JDK_JAVA_OPTIONS";

/// A virtual environment, or a folder of packages, below `target/`.
pub struct Environment {
    root: PathBuf,
    dir: PathBuf,
    version: String,
    /// The interpreter, if it has HPy itself.
    foreign: Option<PathBuf>,
}

impl Environment {
    /// Makes the environment of `python` (by default the first `python3` or `python` there is), or finds the one made before.
    pub fn prepare(root: &Path, python: Option<&Path>) -> Result<Self> {
        Self::prepare_for(root, python, "")
    }

    /// The same, but one of its own for `purpose`.
    pub fn prepare_for(root: &Path, python: Option<&Path>, purpose: &str) -> Result<Self> {
        let python = match python {
            Some(python) => python.to_path_buf(),
            None => find_python()?,
        };
        let version = version(&python)?;
        let dir = root.join("target/xtask").join(format!("venv-{version}{purpose}"));
        let foreign = native::is_foreign(&version).then(|| python.clone());
        let environment = Self { root: root.to_path_buf(), dir, version, foreign };
        if environment.foreign.is_some() {
            native::prepare_packages(&environment.packages())?;
        } else if !environment.python().exists() {
            environment.make(&python)?;
        }
        Ok(environment)
    }

    /// Makes the environment. A Python that has no `ensurepip` which works, such as Debian's out of its place, gets pip by
    /// another's.
    fn make(&self, python: &Path) -> Result<()> {
        step(&format!("make a virtual environment of {}", self.version));
        run(Command::new(python).args(["-m", "venv", "--clear", "--without-pip"]).arg(&self.dir))?;
        let own = self.command().args(["-m", "ensurepip", "--default-pip"]).output();
        if own.is_ok_and(|own| own.status.success()) {
            return Ok(());
        }
        let helper = Self::prepare_for(&self.root, None, "-pip")?;
        helper.require(&["pip>=25.1"])?;
        run(helper.command().args(["-m", "pip", "--python"]).arg(self.python()).args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "pip",
        ]))
    }

    /// Whether its Python makes virtual environments with pip.
    pub fn makes_environments(&self) -> bool {
        let probe = self.dir.join("probe");
        let mut venv = self.command();
        venv.args(["-m", "venv", "--clear"]).arg(probe).stdout(Stdio::null()).stderr(Stdio::null());
        venv.status().is_ok_and(|status| status.success())
    }

    /// The minor version of a CPython 3 with its lock.
    pub fn minor(&self) -> Option<u32> {
        self.version.strip_prefix("cpython3.")?.trim_end_matches('d').parse().ok()
    }

    /// Whether its Python takes the wheel for the limited API of 3.10.
    pub fn takes_abi3_wheel(&self) -> bool {
        self.minor().is_some_and(|minor| minor >= 10)
    }

    /// Whether its Python can run without the interpreter lock.
    pub fn is_free_threaded(&self) -> bool {
        self.version.trim_end_matches('d').ends_with('t')
    }

    /// Whether its Python has HPy itself.
    pub fn is_native(&self) -> bool {
        native::is_native(&self.version)
    }

    /// Whether its Python is not CPython, so that it is a folder of packages.
    pub fn is_foreign(&self) -> bool {
        self.foreign.is_some()
    }

    /// Where the packages are, if it is a folder of packages.
    fn packages(&self) -> PathBuf {
        self.dir.join("packages")
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        if let Some(python) = &self.foreign {
            return python.clone();
        }
        let name = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        self.dir.join(name)
    }

    /// A command that runs its interpreter in the root of the project.
    pub fn command(&self) -> Command {
        self.other(self.python())
    }

    /// A command that runs another program there, such as one that runs the interpreter.
    pub fn other(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env_remove("PYTHONPATH").env_remove("PYTHONHOME");
        if let Some(include) = self.other_headers() {
            command.env("CPATH", include);
        }
        if self.is_free_threaded() {
            // What runs without the lock is tested, also of libraries that do not say that they can.
            command.env("PYTHON_GIL", "0");
        } else {
            command.env_remove("PYTHON_GIL");
        }
        if let Some(python) = &self.foreign {
            command
                .env("PYTHONPATH", self.packages())
                .env(native::EXECUTABLE, python)
                // Their library may lie where nothing may be written, and to compile it each time takes seconds.
                .env("PYTHONPYCACHEPREFIX", self.dir.join("cache"))
                .env_remove("PYTHONDONTWRITEBYTECODE");
        }
        if self.version.starts_with("graalpy") {
            command.env(JAVA_OPTIONS, self.java_options());
            // It asks `tracemalloc`, which GraalPy has not.
            command.env("PYTEST_ADDOPTS", "-p no:unraisableexception");
        }
        command
    }

    /// Halves the work of a start, and that of a collection: tests start many processes, and collect often. Nothing is logged,
    /// because that goes to standard output, by which those who start Python may talk to it.
    fn java_options(&self) -> String {
        format!(
            "-XX:+IgnoreUnrecognizedVMOptions -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xlog:disable \
             -XX:+SuppressFatalErrorMessage \
             -XX:+AutoCreateSharedArchive \"-XX:SharedArchiveFile={}\"",
            self.dir.join("classes.jsa").display()
        )
    }

    /// What `PYTHONPATH` must be for modules in another folder to be found, too.
    pub fn python_path(&self, folder: &Path) -> OsString {
        let mut path = folder.as_os_str().to_owned();
        if self.is_foreign() {
            path.push(if cfg!(windows) { ";" } else { ":" });
            path.push(self.packages());
        }
        path
    }

    /// The folder above Python's own headers where those include headers from beside them, as Debian's do.
    fn other_headers(&self) -> Option<PathBuf> {
        let config = fs::read_to_string(self.dir.join("pyvenv.cfg")).ok()?;
        let home = config.lines().find_map(|line| line.strip_prefix("home = "))?;
        let include = Path::new(home).parent()?.join("include");
        include.join("x86_64-linux-gnu").exists().then_some(include)
    }

    /// Installs requirements from the package index unless the same list is installed already.
    pub fn require(&self, requirements: &[&str]) -> Result<()> {
        let wanted = requirements.join("\n");
        let stamp = self.dir.join("requirements.txt");
        let have = fs::read_to_string(&stamp).unwrap_or_default();
        if requirements.iter().all(|r| have.lines().any(|line| line == *r)) {
            return Ok(());
        }
        step("install what the command needs");
        run(self.pip_install()?.arg("--upgrade").args(requirements))?;
        fs::write(&stamp, format!("{have}\n{wanted}\n")).context("cannot note what is installed")
    }

    /// Builds the wheel and installs it; returns the wheel's path.
    pub fn install_hpy(&self) -> Result<PathBuf> {
        self.install_built("release")
    }

    /// The same, built in a third of the time and with the checks of a debug build.
    pub fn install_hpy_for_tests(&self) -> Result<PathBuf> {
        self.install_built("dev")
    }

    /// pip with one of its commands: that of the environment itself or, for a folder of packages, of the first Python there is.
    pub fn pip(&self, command: &str) -> Result<Command> {
        let mut pip = if self.is_foreign() {
            let helper = Self::prepare_for(&self.root, None, "-pip")?;
            helper.require(&["pip>=25.1"])?;
            helper.command()
        } else {
            self.command()
        };
        pip.args(["-m", "pip", command, "--quiet", "--disable-pip-version-check"]);
        Ok(pip)
    }

    /// `pip install` into the environment.
    fn pip_install(&self) -> Result<Command> {
        let mut pip = self.pip("install")?;
        if self.is_foreign() {
            pip.arg("--target").arg(self.packages());
        }
        Ok(pip)
    }

    fn install_built(&self, profile: &str) -> Result<PathBuf> {
        let wheel = self.build_wheel(profile, &[])?;
        self.install(&wheel)?;
        Ok(wheel)
    }

    /// Installs a wheel of the runtime in place of the one that is there.
    pub fn install(&self, wheel: &Path) -> Result<()> {
        let mut pip = self.pip_install()?;
        pip.args(["--force-reinstall", "--no-deps"]);
        if self.is_foreign() {
            pip.arg("--upgrade").args(native::pip_options(wheel));
        }
        run(pip.arg(wheel))
    }

    /// Builds the wheel that runs on every CPython since 3.10, with the checks of a debug build; returns its path.
    pub fn build_abi3_wheel(&self) -> Result<PathBuf> {
        self.build_wheel("dev", &["--features", "limited"])
    }

    fn build_wheel(&self, profile: &str, features: &[&str]) -> Result<PathBuf> {
        let out = self.dir.join("wheels");
        if self.is_native() {
            return native::build_wheel(&self.root, profile, &out);
        }
        step("build the wheel");
        if out.exists() {
            fs::remove_dir_all(&out).context("cannot remove the wheel that was built before")?;
        }
        // maturin puts libraries together in one place of the target folder. Commands that test several interpreters build for
        // them in another, so that they can run at the same time as the others.
        let target = if profile == "dev" { "target/xtask/dev" } else { "target" };
        let mut maturin = self.maturin()?;
        maturin.args(["build", "--profile", profile, "--locked"]).args(features);
        maturin.args(["--target-dir", target, "--compatibility", "linux", "--interpreter"]);
        run(maturin.arg(self.python()).arg("--out").arg(&out))?;
        self.wheel()
    }

    /// The program that builds wheels. CPython runs it, which tells it what it asks another interpreter for.
    fn maturin(&self) -> Result<Command> {
        const MATURIN: &[&str] = &["maturin>=1.9,<2"];
        if !self.is_foreign() {
            self.require(MATURIN)?;
            let mut maturin = self.command();
            maturin.args(["-m", "maturin"]);
            return Ok(maturin);
        }
        let helper = Self::prepare_for(&self.root, None, "-pip")?;
        helper.require(MATURIN)?;
        Ok(self.other(helper.dir.join("bin/maturin")))
    }

    /// The wheel that was built last.
    pub fn wheel(&self) -> Result<PathBuf> {
        let out = self.dir.join("wheels");
        let mut wheels = fs::read_dir(&out).context("maturin made no folder for the wheel")?;
        match wheels.next() {
            Some(wheel) => Ok(wheel?.path()),
            None => bail!("maturin made no wheel in {}", out.display()),
        }
    }
}

/// What tells one interpreter from another: `cpython3.14`, with `t` behind it for a free-threaded one and `d` for a debug build;
/// for others their own version, `pypy7.3`, `graalpy24.2`.
pub fn version(python: &Path) -> Result<String> {
    let answer = Command::new(python).args(["-c", VERSION]).stderr(Stdio::null()).output();
    match answer {
        Ok(answer) if answer.status.success() => {
            Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
        }
        _ => bail!("{} is not a Python that works", python.display()),
    }
}

const VERSION: &str = "
import sys, sysconfig
name = sys.implementation.name
if name == 'graalpy':
    digits = sys.implementation.cache_tag[len(name):].partition('-')[0]
    version = digits[:2] + '.' + digits[2:]
else:
    version = '%d.%d' % getattr(sys, 'pypy_version_info', sys.version_info)[:2]
print(name + version + ('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else '')
      + ('d' if hasattr(sys, 'gettotalrefcount') else ''))
";

fn find_python() -> Result<PathBuf> {
    for name in ["python3", "python"] {
        if exists(name) {
            return Ok(name.into());
        }
    }
    bail!("no python3 found: install Python 3.9 or later, or name one with --python PATH")
}
