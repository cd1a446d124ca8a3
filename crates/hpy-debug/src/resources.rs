//! What must be ended and is no handle: builders, trackers, exported buffers. Each has a number, and knows where it was made.

use crate::call::current_world;
use crate::findings::{BUFFER_LEAK, BUILDER_LEAK, Class, TRACKER_LEAK};
use crate::functions::{Builder, Export, Tracker};
use crate::paint::Paint;
use crate::pool::Pool;
use crate::report::list;
use crate::state::{State, state};
use crate::trace::{Frame, Trace};
use crate::world::World;

/// What has not ended.
pub(crate) enum Thing {
    Builder(Builder),
    Tracker(Tracker),
    Buffer(Export),
}

/// A thing, and when and where it was made.
struct Made {
    thing: Thing,
    /// Its place in the order in which handles were opened.
    order: u64,
    trace: Trace,
    /// The world of the call that made it.
    world: Option<&'static World>,
}

/// All of the process.
pub(crate) struct Resources {
    pool: Pool<Made>,
}

impl Resources {
    pub const fn new() -> Self {
        Self { pool: Pool::new() }
    }

    /// The thing with this number, if it has not ended.
    pub fn get(&mut self, number: isize) -> Option<&mut Thing> {
        self.pool.get(number).map(|made| &mut made.thing)
    }

    /// Ends the thing with this number.
    pub fn remove(&mut self, number: isize) -> Option<Thing> {
        self.pool.remove(number).map(|made| made.thing)
    }
}

impl State {
    /// Keeps a thing that the running call has made, until it is removed.
    pub fn keep(&mut self, thing: Thing) -> isize {
        let limit = self.handles.trace_limit();
        let trace = if limit == 0 { Trace::of_call() } else { self.handles.capture() };
        let order = self.handles.count();
        let world = current_world();
        self.resources.pool.insert(Made { thing, order, trace, world })
    }
}

/// A builder, tracker or buffer that has not ended.
#[derive(Clone)]
pub struct Resource {
    class: &'static Class,
    kind: &'static str,
    trace: Trace,
    world: Option<&'static World>,
}

impl Resource {
    fn of(made: &Made) -> Self {
        let (class, kind) = match made.thing {
            Thing::Builder(_) => (&BUILDER_LEAK, "builder"),
            Thing::Tracker(_) => (&TRACKER_LEAK, "tracker"),
            Thing::Buffer(_) => (&BUFFER_LEAK, "buffer"),
        };
        Self { class, kind, trace: made.trace.clone(), world: made.world }
    }

    /// What it is a bug of, if it never ends.
    pub fn class(&self) -> &'static Class {
        self.class
    }

    /// What it is, in one word.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The extension's frames that made it, the innermost first; the function that Python called, if no traces are captured.
    pub fn frames(&self) -> Vec<Frame> {
        self.trace.frames()
    }

    /// The line of Python code that called the extension then, if it was captured.
    pub fn caller(&self) -> Option<Frame> {
        self.trace.caller()
    }

    /// Whether the frames have the lines of the calls.
    pub fn is_traced(&self) -> bool {
        !self.trace.is_of_call()
    }

    /// Whether a call of its extension has not returned yet, which may end it.
    pub fn may_be_in_use(&self) -> bool {
        self.world.is_some_and(|world| world.is_running(&mut state()))
    }

    /// The place as lines of text.
    pub fn history(&self) -> String {
        let mut text = String::new();
        list(&mut text, Paint::PLAIN, "opened at", &self.trace.place());
        text
    }
}

/// What was made in a generation and those after it and has not ended, in the order in which it was made. What modules of another
/// interpreter have made is left out; this one is attached.
pub fn open_resources(generation: u64) -> Vec<Resource> {
    let state = state();
    let made = state.resources.pool.iter();
    let is_ours = |made: &Made| !made.world.is_some_and(World::is_elsewhere);
    let mut found: Vec<_> = made.filter(|made| made.order > generation && is_ours(made)).collect();
    found.sort_by_key(|made| made.order);
    found.into_iter().map(Resource::of).collect()
}
