//! Functions and methods of extensions as Python objects.
//!
//! RustPython's own function objects want arguments as a map of keywords, and refer to a class without keeping it alive. These take
//! the arguments as the interpreter has them, and the collector knows what they refer to.

use core::ffi::{CStr, c_char};
use std::collections::BTreeMap;

use hpy_abi::{
    HPy, HPyContext, HPyFunc_KEYWORDS, HPyFunc_NOARGS, HPyFunc_O, HPyFunc_Signature,
    HPyFunc_VARARGS, HPyMeth,
};
use parking_lot::Mutex;
use rustpython_vm::builtins::{PyModule, PyTupleRef, PyType, PyTypeRef};
use rustpython_vm::class::{PyClassImpl, StaticType};
use rustpython_vm::function::{FuncArgs, PyComparisonValue};
use rustpython_vm::types::{
    Callable, Comparable, GetDescriptor, Hashable, PyComparisonOp, Representable,
};
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, Traverse, VirtualMachine, pyclass,
};

use crate::downcall::{Target, call, returned};
use crate::handles::{Array, Borrowed};
use crate::lock;

/// A function of an extension, as its definition has it. Made once for a definition in a context, and never freed.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    doc: Doc,
    signature: HPyFunc_Signature,
    target: Target,
}

/// A documentation string, whose beginning may be a signature: `name($self, x)\n--\n\n`.
#[derive(Clone, Copy)]
pub(crate) struct Doc {
    signature: Option<&'static str>,
    text: Option<&'static str>,
}

impl Doc {
    /// # Safety
    /// Null or a C string that is never freed.
    pub(crate) unsafe fn read(name: &str, doc: *const c_char) -> Self {
        // SAFETY: the caller's promise.
        let Some(doc) = (unsafe { text(doc) }) else {
            return Self { signature: None, text: None };
        };
        let split = doc.strip_prefix(name).filter(|rest| rest.starts_with('('));
        match split.and_then(|rest| rest.split_once("\n--\n\n")) {
            Some((signature, text)) => Self { signature: Some(signature), text: Some(text) },
            None => Self { signature: None, text: Some(doc) },
        }
    }

    /// The text without the signature.
    pub(crate) fn text(self) -> Option<&'static str> {
        self.text
    }
}

/// # Safety
/// Null or a C string that is never freed.
pub(crate) unsafe fn text(text: *const c_char) -> Option<&'static str> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("?"))
}

type Key = (usize, [usize; 4]);

static METHODS: Mutex<BTreeMap<Key, &'static Method>> = Mutex::new(BTreeMap::new());

impl Method {
    /// The method of a definition.
    ///
    /// # Safety
    /// The definition is that of a library that stays loaded; the context belongs to a load of it.
    pub(crate) unsafe fn obtain(
        ctx: *mut HPyContext,
        meth: &HPyMeth,
        vm: &VirtualMachine,
    ) -> PyResult<&'static Self> {
        let code = meth.impl_.map_or(0, |author| author as usize);
        let words = [meth.name as usize, code, meth.doc as usize, meth.signature.0 as usize];
        let key = (ctx as usize, words);
        if let Some(method) = METHODS.lock().get(&key) {
            return Ok(method);
        }
        // SAFETY: the caller's promise.
        let method: &'static Self = Box::leak(Box::new(unsafe { Self::new(ctx, meth, vm) }?));
        METHODS.lock().insert(key, method);
        Ok(method)
    }

    unsafe fn new(ctx: *mut HPyContext, meth: &HPyMeth, vm: &VirtualMachine) -> PyResult<Self> {
        let known = [HPyFunc_NOARGS, HPyFunc_O, HPyFunc_VARARGS, HPyFunc_KEYWORDS];
        if !known.contains(&meth.signature) {
            return Err(vm.new_value_error("Unsupported HPyMeth signature"));
        }
        // SAFETY: as for `obtain`.
        unsafe {
            let target = Target::new(ctx, meth.signature, meth.impl_);
            let (Some(name), Some(target)) = (text(meth.name), target) else {
                return Err(vm.new_system_error(
                    "HPyMeth with no name or no function: declare it with HPyDef_METH",
                ));
            };
            Ok(Self { name, doc: Doc::read(name, meth.doc), signature: meth.signature, target })
        }
    }

    /// Calls the author's function. The first `nargs` arguments have no names, the others those in `kwnames`.
    #[inline]
    fn call(
        &self,
        this: &PyObject,
        args: &[PyObjectRef],
        nargs: usize,
        kwnames: Option<&[PyObjectRef]>,
        vm: &VirtualMachine,
    ) -> PyResult {
        let names = kwnames.unwrap_or_default();
        if self.signature != HPyFunc_KEYWORDS && !names.is_empty() {
            return Err(vm.new_type_error(format!("{}() takes no keyword arguments", self.name)));
        }
        let target = self.target;
        // SAFETY: the function has the prototype of its signature; the objects live longer than the call.
        unsafe {
            match self.signature {
                HPyFunc_NOARGS if nargs == 0 => lock::enter(vm, || {
                    let this = Borrowed::new(this);
                    returned(vm, call!(target(this.get() => HPy) -> HPy))
                }),
                HPyFunc_O if nargs == 1 => lock::enter(vm, || {
                    let (this, arg) = (Borrowed::new(this), Borrowed::new(&args[0]));
                    returned(vm, call!(target(this.get() => HPy, arg.get() => HPy) -> HPy))
                }),
                HPyFunc_VARARGS => lock::enter(vm, || {
                    let (this, args) = (Borrowed::new(this), Array::new(args));
                    returned(
                        vm,
                        call!(target(
                            this.get() => HPy, args.as_ptr() => *const HPy, nargs => usize
                        ) -> HPy),
                    )
                }),
                HPyFunc_KEYWORDS => keywords(target, this, args, nargs, names, vm),
                _ => Err(self.wrong_number(nargs, vm)),
            }
        }
    }

    #[cold]
    fn wrong_number(
        &self,
        nargs: usize,
        vm: &VirtualMachine,
    ) -> rustpython_vm::builtins::PyBaseExceptionRef {
        let wanted =
            if self.signature == HPyFunc_O { "exactly one argument" } else { "no arguments" };
        vm.new_type_error(format!("{}() takes {wanted} ({nargs} given)", self.name))
    }
}

/// Calls a function of the signature `HPyFunc_KEYWORDS`.
///
/// # Safety
/// The target has that signature.
pub(crate) unsafe fn keywords(
    target: Target,
    this: &PyObject,
    args: &[PyObjectRef],
    nargs: usize,
    names: &[PyObjectRef],
    vm: &VirtualMachine,
) -> PyResult {
    let names: Option<PyTupleRef> = (!names.is_empty()).then(|| vm.ctx.new_tuple(names.to_vec()));
    // SAFETY: the caller's promise; the objects live longer than the call.
    lock::enter(vm, || unsafe {
        let (this, args) = (Borrowed::new(this), Array::new(args));
        let names = Borrowed::new_or_null(names.as_ref().map(|names| names.as_object()));
        returned(
            vm,
            call!(target(
                this.get() => HPy, args.as_ptr() => *const HPy, nargs => usize, names.get() => HPy
            ) -> HPy),
        )
    })
}

/// Arguments as the interpreter's vectorcall has them: the values of keywords behind the others, and their names.
pub(crate) fn flattened(
    args: FuncArgs,
    vm: &VirtualMachine,
) -> (Vec<PyObjectRef>, usize, Vec<PyObjectRef>) {
    let FuncArgs { mut args, kwargs } = args;
    let nargs = args.len();
    let mut names = Vec::new();
    for (name, value) in kwargs {
        names.push(vm.ctx.new_str(name).into());
        args.push(value);
    }
    (args, nargs, names)
}

/// A function of a module, or a method with its object.
#[pyclass(module = false, name = "builtin_function_or_method", traverse)]
#[derive(PyPayload)]
pub(crate) struct Function {
    #[pytraverse(skip)]
    method: &'static Method,
    this: PyObjectRef,
    /// The name of the module, for a function of one.
    module: Option<PyObjectRef>,
}

impl core::fmt::Debug for Function {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HPy function {}", self.method.name)
    }
}

impl Function {
    /// The function of a module.
    pub(crate) fn of_module(
        method: &'static Method,
        module: &Py<PyModule>,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        let name = module.as_object().get_attr("__name__", vm).ok();
        let function = Self { method, this: module.as_object().to_owned(), module: name };
        function.into_ref(&vm.ctx).into()
    }

    fn vectorcall(
        function: &PyObject,
        args: Vec<PyObjectRef>,
        nargs: usize,
        kwnames: Option<&[PyObjectRef]>,
        vm: &VirtualMachine,
    ) -> PyResult {
        // SAFETY: the slot belongs to objects of this type only, which has no subclasses.
        let function = unsafe { function.downcast_unchecked_ref::<Self>() };
        function.method.call(&function.this, &args, nargs, kwnames, vm)
    }
}

impl Callable for Function {
    type Args = FuncArgs;

    fn call(function: &Py<Self>, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
        let (args, nargs, names) = flattened(args, vm);
        function.method.call(&function.this, &args, nargs, Some(&names), vm)
    }
}

impl Comparable for Function {
    fn cmp(
        function: &Py<Self>,
        other: &PyObject,
        op: PyComparisonOp,
        _vm: &VirtualMachine,
    ) -> PyResult<PyComparisonValue> {
        op.eq_only(|| {
            let same = other.downcast_ref::<Self>().is_some_and(|other| {
                core::ptr::eq(function.method, other.method) && function.this.is(&other.this)
            });
            Ok(same.into())
        })
    }
}

impl Hashable for Function {
    fn hash(
        function: &Py<Self>,
        _vm: &VirtualMachine,
    ) -> PyResult<rustpython_vm::common::hash::PyHash> {
        let words = core::ptr::from_ref(function.method) as usize ^ function.this.get_id();
        Ok((words >> 4) as rustpython_vm::common::hash::PyHash)
    }
}

impl Representable for Function {
    fn repr_str(function: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        let name = function.method.name;
        if function.module.is_some() {
            return Ok(format!("<built-in function {name}>"));
        }
        let this = &function.this;
        Ok(format!(
            "<built-in method {name} of {} object at {:#x}>",
            this.class().name(),
            this.get_id()
        ))
    }
}

#[pyclass(
    with(Callable, Comparable, Hashable, Representable),
    flags(HAS_WEAKREF, DISALLOW_INSTANTIATION)
)]
impl Function {
    #[pygetset]
    fn __name__(this: &Py<Self>) -> &'static str {
        this.method.name
    }

    #[pygetset]
    fn __qualname__(this: &Py<Self>) -> String {
        if this.module.is_some() {
            return this.method.name.to_owned();
        }
        format!("{}.{}", this.this.class().name(), this.method.name)
    }

    #[pygetset]
    fn __doc__(this: &Py<Self>) -> Option<&'static str> {
        this.method.doc.text
    }

    #[pygetset]
    fn __text_signature__(this: &Py<Self>) -> Option<&'static str> {
        this.method.doc.signature
    }

    #[pygetset]
    fn __self__(this: &Py<Self>) -> PyObjectRef {
        this.this.clone()
    }

    #[pygetset]
    fn __module__(this: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
        this.module.clone().unwrap_or_else(|| vm.ctx.none())
    }

    #[pymethod]
    fn __reduce__(this: &Py<Self>, vm: &VirtualMachine) -> PyResult {
        let name = vm.ctx.new_str(this.method.name);
        if this.module.is_some() {
            return Ok(name.into());
        }
        let getattr = vm.builtins.get_attr("getattr", vm)?;
        Ok(vm.new_tuple((getattr, (this.this.clone(), name))).into())
    }
}

/// A method as an attribute of its class.
#[pyclass(module = false, name = "method_descriptor", traverse)]
#[derive(PyPayload)]
pub(crate) struct Descriptor {
    #[pytraverse(skip)]
    method: &'static Method,
    class: PyTypeRef,
}

impl core::fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HPy method {}", self.method.name)
    }
}

impl Descriptor {
    /// The method of a class.
    pub(crate) fn of_class(
        method: &'static Method,
        class: &Py<PyType>,
        vm: &VirtualMachine,
    ) -> PyObjectRef {
        Self { method, class: class.to_owned() }.into_ref(&vm.ctx).into()
    }

    /// The object that a method is called on.
    fn receiver<'a>(
        &self,
        args: &'a [PyObjectRef],
        nargs: usize,
        vm: &VirtualMachine,
    ) -> PyResult<&'a PyObject> {
        let Some(receiver) = args.first().filter(|_| nargs > 0) else {
            return Err(vm.new_type_error(format!(
                "unbound method {}.{}() needs an argument",
                self.class.name(),
                self.method.name
            )));
        };
        self.check(receiver, vm)?;
        Ok(receiver)
    }

    #[inline]
    fn check(&self, receiver: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
        if receiver.class().is(&self.class) || receiver.fast_isinstance(&self.class) {
            return Ok(());
        }
        Err(vm.new_type_error(format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            self.method.name,
            self.class.name(),
            receiver.class().name()
        )))
    }

    fn vectorcall(
        descriptor: &PyObject,
        args: Vec<PyObjectRef>,
        nargs: usize,
        kwnames: Option<&[PyObjectRef]>,
        vm: &VirtualMachine,
    ) -> PyResult {
        // SAFETY: the slot belongs to objects of this type only, which has no subclasses.
        let descriptor = unsafe { descriptor.downcast_unchecked_ref::<Self>() };
        let receiver = descriptor.receiver(&args, nargs, vm)?;
        descriptor.method.call(receiver, &args[1..], nargs - 1, kwnames, vm)
    }
}

impl Callable for Descriptor {
    type Args = FuncArgs;

    fn call(descriptor: &Py<Self>, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
        let (args, nargs, names) = flattened(args, vm);
        let receiver = descriptor.receiver(&args, nargs, vm)?;
        descriptor.method.call(receiver, &args[1..], nargs - 1, Some(&names), vm)
    }
}

impl GetDescriptor for Descriptor {
    fn descr_get(
        descriptor: &PyObject,
        object: Option<&PyObject>,
        _class: Option<&PyObject>,
        vm: &VirtualMachine,
    ) -> PyResult {
        let (Some(object), Some(this)) = (object, descriptor.downcast_ref::<Self>()) else {
            return Ok(descriptor.to_owned());
        };
        this.check(object, vm)?;
        let function = Function { method: this.method, this: object.to_owned(), module: None };
        Ok(function.into_ref(&vm.ctx).into())
    }
}

impl Representable for Descriptor {
    fn repr_str(descriptor: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        Ok(format!(
            "<method '{}' of '{}' objects>",
            descriptor.method.name,
            descriptor.class.name()
        ))
    }
}

#[pyclass(
    with(Callable, GetDescriptor, Representable),
    flags(METHOD_DESCRIPTOR, DISALLOW_INSTANTIATION)
)]
impl Descriptor {
    #[pygetset]
    fn __name__(this: &Py<Self>) -> &'static str {
        this.method.name
    }

    #[pygetset]
    fn __qualname__(this: &Py<Self>) -> String {
        format!("{}.{}", this.class.name(), this.method.name)
    }

    #[pygetset]
    fn __doc__(this: &Py<Self>) -> Option<&'static str> {
        this.method.doc.text
    }

    #[pygetset]
    fn __text_signature__(this: &Py<Self>) -> Option<&'static str> {
        this.method.doc.signature
    }

    #[pygetset]
    fn __objclass__(this: &Py<Self>) -> PyTypeRef {
        this.class.clone()
    }
}

/// Makes the types of the objects here; once for a process.
pub(crate) fn prepare() {
    let _ = Function::make_static_type();
    let _ = Descriptor::make_static_type();
    Function::static_type().slots().vectorcall.store(Some(Function::vectorcall));
    Descriptor::static_type().slots().vectorcall.store(Some(Descriptor::vectorcall));
}
