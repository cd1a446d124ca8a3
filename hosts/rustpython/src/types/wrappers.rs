//! Slots as attributes: `T.__add__`, `T.__new__`.
//!
//! RustPython's own objects for these refer to a class without keeping it alive, and can only be made inside the crate.

use rustpython_vm::builtins::descriptor::SlotFunc;
use rustpython_vm::builtins::{PyBoundMethod, PyType, PyTypeRef};
use rustpython_vm::class::PyClassImpl;
use rustpython_vm::function::FuncArgs;
use rustpython_vm::types::{Callable, GetDescriptor, Representable};
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, Traverse, VirtualMachine, pyclass,
};

/// A slot's function as a method.
#[pyclass(module = false, name = "wrapper_descriptor", traverse)]
#[derive(PyPayload)]
pub(crate) struct SlotWrapper {
    pub(super) class: PyTypeRef,
    #[pytraverse(skip)]
    pub(super) name: &'static str,
    #[pytraverse(skip)]
    pub(super) function: SlotFunc,
}

impl core::fmt::Debug for SlotWrapper {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "slot {}", self.name)
    }
}

impl Callable for SlotWrapper {
    type Args = FuncArgs;

    fn call(wrapper: &Py<Self>, mut args: FuncArgs, vm: &VirtualMachine) -> PyResult {
        let (class, name) = (&wrapper.class, wrapper.name);
        let Some(this) = args.take_positional() else {
            return Err(vm.new_type_error(format!(
                "descriptor '{name}' of '{}' object needs an argument",
                class.name()
            )));
        };
        if !this.fast_isinstance(class) {
            return Err(vm.new_type_error(format!(
                "descriptor '{name}' requires a '{}' object but received a '{}'",
                class.name(),
                this.class().name()
            )));
        }
        wrapper.function.call(this, args, vm)
    }
}

impl GetDescriptor for SlotWrapper {
    fn descr_get(
        wrapper: &PyObject,
        object: Option<&PyObject>,
        _class: Option<&PyObject>,
        vm: &VirtualMachine,
    ) -> PyResult {
        Ok(match object {
            Some(object) => {
                PyBoundMethod::new(object.to_owned(), wrapper.to_owned()).into_pyobject(vm)
            }
            None => wrapper.to_owned(),
        })
    }
}

impl Representable for SlotWrapper {
    fn repr_str(wrapper: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        Ok(format!("<slot wrapper '{}' of '{}' objects>", wrapper.name, wrapper.class.name()))
    }
}

#[pyclass(with(Callable, GetDescriptor, Representable), flags(DISALLOW_INSTANTIATION))]
impl SlotWrapper {
    #[pygetset]
    fn __name__(this: &Py<Self>) -> &'static str {
        this.name
    }

    #[pygetset]
    fn __qualname__(this: &Py<Self>) -> String {
        format!("{}.{}", this.class.name(), this.name)
    }

    #[pygetset]
    fn __objclass__(this: &Py<Self>) -> PyTypeRef {
        this.class.clone()
    }
}

/// `T.__new__`: the constructor as a function whose first argument is the class.
#[pyclass(module = false, name = "builtin_function_or_method", traverse)]
#[derive(Debug, PyPayload)]
pub(crate) struct Constructor {
    pub(super) class: PyTypeRef,
}

impl Callable for Constructor {
    type Args = FuncArgs;

    fn call(constructor: &Py<Self>, mut args: FuncArgs, vm: &VirtualMachine) -> PyResult {
        let own = &constructor.class;
        let class = args.take_positional().map(PyObjectRef::downcast::<PyType>);
        let Some(Ok(class)) = class else {
            return Err(
                vm.new_type_error(format!("{}.__new__(X): X is not a type object", own.name()))
            );
        };
        if !class.fast_issubclass(own.as_object()) {
            return Err(vm.new_type_error(format!(
                "{0}.__new__({1}): {1} is not a subtype of {0}",
                own.name(),
                class.name()
            )));
        }
        match own.slots().new.load() {
            Some(new) => new(class, args, vm),
            None => Err(vm.new_type_error(format!("cannot create '{}' instances", own.name()))),
        }
    }
}

impl Representable for Constructor {
    fn repr_str(constructor: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        Ok(format!("<built-in method __new__ of type object '{}'>", constructor.class.name()))
    }
}

#[pyclass(with(Callable, Representable), flags(DISALLOW_INSTANTIATION))]
impl Constructor {
    #[pygetset]
    fn __name__(_this: &Py<Self>) -> &'static str {
        "__new__"
    }

    #[pygetset]
    fn __qualname__(this: &Py<Self>) -> String {
        format!("{}.__new__", this.class.name())
    }

    #[pygetset]
    fn __self__(this: &Py<Self>) -> PyTypeRef {
        this.class.clone()
    }
}

/// Makes the types of the objects here; once for a process.
pub(super) fn prepare() {
    let _ = SlotWrapper::make_static_type();
    let _ = Constructor::make_static_type();
}
