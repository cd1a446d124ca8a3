//! Lets the code ask which Python it is compiled for: `cfg(Py_3_12)` and the like. And lets the unit
//! tests find libpython where it is not in the system's path.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    pyo3_build_config::add_libpython_rpath_link_args();
}
