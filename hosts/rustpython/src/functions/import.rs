//! Importing modules.

use core::ffi::CStr;

use rustpython_vm::{PyResult, VirtualMachine};

use super::unicode::decode;

/// `HPyImport_ImportModule`
///
/// The module with the whole dotted name, not the first of its packages.
pub(crate) fn Import_ImportModule(vm: &VirtualMachine, utf8_name: &CStr) -> PyResult {
    let name = decode(vm, utf8_name)?;
    let importlib = vm.import("importlib", 0)?;
    importlib.get_attr("import_module", vm)?.call((name,), vm)
}
