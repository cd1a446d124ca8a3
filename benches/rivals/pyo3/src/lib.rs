//! The measured functions, for `PyO3`.

use pyo3::prelude::*;

#[pyfunction]
fn no_argument() {}

#[pyfunction]
fn one_object(object: Py<PyAny>) -> Py<PyAny> {
    object
}

#[pyfunction]
fn two_longs(a: i64, b: i64) -> i64 {
    a + b
}

#[pyclass]
struct Point {
    x: i64,
    y: i64,
}

#[pymethods]
impl Point {
    #[new]
    fn new() -> Self {
        Self { x: 1, y: 2 }
    }

    fn sum(&self) -> i64 {
        self.x + self.y
    }
}

#[pymodule]
fn rival(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(no_argument, m)?)?;
    m.add_function(wrap_pyfunction!(one_object, m)?)?;
    m.add_function(wrap_pyfunction!(two_longs, m)?)?;
    m.add_class::<Point>()
}
