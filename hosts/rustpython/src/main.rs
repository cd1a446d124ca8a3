//! `hpy-rustpython`: RustPython that imports HPy extensions.

use std::path::Path;
use std::process::ExitCode;

use rustpython::{InterpreterBuilder, InterpreterBuilderExt, RunMode, parse_opts, run_shell};
use rustpython_vm::{PyResult, VirtualMachine};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (settings, mode) = match parse_opts() {
        Ok(options) => options,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let interpreter = InterpreterBuilder::new().settings(settings).init_stdlib().interpreter();
    let code = interpreter.run(move |vm| {
        // As CPython has it, `site` comes before the first entry of `sys.path`. A Python without it works too.
        let _ = vm.import("site", 0);
        hpy_rustpython::install(vm)?;
        run(vm, mode)
    });
    hpy_rustpython::end();
    rustpython_vm::host_env::os::exit_code(code)
}

fn run(vm: &VirtualMachine, mode: RunMode) -> PyResult<()> {
    let scope = vm.new_scope_with_main()?;
    let first = |path: String| vm.insert_sys_path(vm.new_pyobj(path));
    match mode {
        RunMode::Command(source) => {
            first(String::new())?;
            vm.run_string(scope, &source, "<string>").map(drop)
        }
        RunMode::Module(module) => {
            let here = std::env::current_dir().unwrap_or_default();
            first(here.to_string_lossy().into_owned())?;
            vm.run_module(&module)
        }
        RunMode::Script(script) => {
            let path = Path::new(&script);
            let real = path.canonicalize().map_err(|error| {
                let message = format!("can't open file '{script}': {error}");
                vm.new_os_error(vm.ctx.new_str(message))
            })?;
            let folder = real.parent().unwrap_or(path);
            first(folder.to_string_lossy().into_owned())?;
            vm.run_any_file(scope, &script)
        }
        RunMode::Repl | RunMode::InstallPip(_) => {
            first(String::new())?;
            run_shell(vm, scope)
        }
    }
}
