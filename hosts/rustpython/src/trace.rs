//! The Python API of trace mode: `hpy.universal._trace`.

use hpy_trace::Moment;
use parking_lot::Mutex;
use rustpython_vm::PyObjectRef;

use crate::{error, lock};

#[rustpython_vm::pymodule(name = "hpy.universal._trace")]
pub(crate) mod _trace {
    use hpy_trace::{FUNCTION_TABLE, FunctionUse, Use, What};
    use rustpython_vm::function::OptionalArg;
    use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

    use super::{FUNCTIONS, call};

    fn by_member(vm: &VirtualMachine, numbers: impl Iterator<Item = u64>) -> PyResult {
        let dict = vm.ctx.new_dict();
        for (function, number) in FUNCTION_TABLE.iter().zip(numbers) {
            dict.set_item(function.member, vm.ctx.new_int(number).into(), vm)?;
        }
        Ok(dict.into())
    }

    /// How often each function of the API was called by extensions in trace mode.
    #[pyfunction]
    fn get_call_counts(vm: &VirtualMachine) -> PyResult {
        by_member(vm, hpy_trace::sums().into_iter().map(|(calls, _)| calls))
    }

    /// How many nanoseconds all calls of each function of the API took.
    #[pyfunction]
    fn get_durations(vm: &VirtualMachine) -> PyResult {
        by_member(vm, hpy_trace::sums().into_iter().map(|(_, duration)| duration))
    }

    /// How many ticks a second has on the clock that times the calls.
    #[pyfunction]
    fn get_frequency() -> u64 {
        hpy_trace::frequency()
    }

    /// How many nanoseconds it takes to read that clock, which is done twice for each call.
    #[pyfunction]
    fn reading_time() -> f64 {
        hpy_trace::reading_time()
    }

    /// Set whether calls are timed; otherwise they are only counted, which costs less.
    #[pyfunction]
    fn set_timing(on: bool) {
        hpy_trace::set_timing(on);
    }

    /// Whether calls are timed.
    #[pyfunction]
    fn is_timing() -> bool {
        hpy_trace::is_timing()
    }

    /// Calls, errors, and the nanoseconds in total and without calls inside.
    fn numbers(calls: Use, vm: &VirtualMachine) -> PyObjectRef {
        vm.new_tuple((calls.calls, calls.errors, calls.total, calls.own)).into()
    }

    /// The name in C and those numbers.
    fn function(one: FunctionUse, vm: &VirtualMachine) -> PyObjectRef {
        vm.new_tuple((FUNCTION_TABLE[one.number].name, numbers(one.calls, vm))).into()
    }

    fn list(items: impl Iterator<Item = PyObjectRef>, vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.new_list(items.collect()).into()
    }

    /// All that was counted so far: the functions of the API, and those of the extensions.
    #[pyfunction]
    fn snapshot(vm: &VirtualMachine) -> PyObjectRef {
        let snapshot = hpy_trace::snapshot();
        let entries = snapshot.entries.into_iter().map(|entry| {
            let opens = entry.functions.iter().filter(|one| FUNCTION_TABLE[one.number].opens);
            let opened: u64 = opens.map(|one| one.calls.calls - one.calls.errors).sum();
            let functions = list(entry.functions.iter().map(|&one| function(one, vm)), vm);
            let texts = entry.texts.into_iter().map(|text| {
                let name = FUNCTION_TABLE[text.function].name;
                vm.new_tuple((name, text.text, text.count)).into()
            });
            let texts = list(texts, vm);
            vm.ctx
                .new_tuple(vec![
                    vm.ctx.new_str(entry.module).into(),
                    vm.ctx.new_str(entry.name).into(),
                    vm.ctx.new_bool(entry.outside).into(),
                    numbers(entry.calls, vm),
                    functions,
                    vm.ctx.new_int(opened).into(),
                    texts,
                ])
                .into()
        });
        let entries = list(entries, vm);
        let functions = list(snapshot.functions.into_iter().map(|one| function(one, vm)), vm);
        vm.new_tuple((functions, entries)).into()
    }

    /// Begin to record each call, up to `limit` of each thread, and forget what was recorded before; 0 ends it.
    #[pyfunction]
    fn record_events(limit: usize) {
        hpy_trace::record_events(limit);
    }

    /// What was recorded: the calls, how many found no place, and how many of a thread have one.
    #[pyfunction]
    fn recording(vm: &VirtualMachine) -> PyObjectRef {
        let recording = hpy_trace::recording();
        let events = recording.events.into_iter().map(|event| {
            let (module, name) = match event.what {
                What::Function(number) => (vm.ctx.none(), FUNCTION_TABLE[number].name.to_owned()),
                What::Entry(module, name) => (vm.ctx.new_str(module).into(), name),
            };
            vm.new_tuple((module, name, event.thread, event.start, event.duration)).into()
        });
        let events = list(events, vm);
        vm.new_tuple((events, recording.dropped, recording.limit)).into()
    }

    #[derive(rustpython_vm::FromArgs)]
    struct TraceFunctions {
        #[pyarg(any, optional)]
        on_enter: OptionalArg<PyObjectRef>,
        #[pyarg(any, optional)]
        on_exit: OptionalArg<PyObjectRef>,
    }

    /// Set what is called before and after each call of the API, with the name of the context's member. None calls nothing; an
    /// argument that is left out leaves the function as it is.
    #[pyfunction]
    fn set_trace_functions(new: TraceFunctions, vm: &VirtualMachine) -> PyResult<()> {
        for value in [&new.on_enter, &new.on_exit] {
            if let OptionalArg::Present(value) = value
                && !vm.is_none(value)
                && !value.is_callable()
            {
                return Err(vm.new_type_error("a trace function must be callable, or None"));
            }
        }
        // What was there before may run Python code when it goes: not under the lock.
        let mut before = [None, None];
        let mut functions = FUNCTIONS.lock();
        for (at, value) in [new.on_enter, new.on_exit].into_iter().enumerate() {
            if let OptionalArg::Present(value) = value {
                let value = (!vm.is_none(&value)).then_some(value);
                before[at] = core::mem::replace(&mut functions[at], value);
            }
        }
        let any = functions.iter().any(Option::is_some);
        drop(functions);
        drop(before);
        hpy_trace::set_hook(any.then_some(call));
        Ok(())
    }
}

/// What is called before and after each call of the API.
static FUNCTIONS: Mutex<[Option<PyObjectRef>; 2]> = Mutex::new([None, None]);

/// Calls what was set for this moment. An exception in it is told and does not reach the extension.
fn call(moment: Moment, member: &'static str) {
    let at = match moment {
        Moment::Enter => 0,
        Moment::Exit => 1,
    };
    let Some(function) = FUNCTIONS.lock()[at].clone() else { return };
    let pending = error::take();
    lock::outside(|vm| {
        if let Err(exception) = function.call((member,), vm) {
            vm.run_unraisable(exception, None, function.clone());
        }
    });
    if let Some(pending) = pending {
        error::set(pending);
    }
}
