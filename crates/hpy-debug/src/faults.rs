//! Faults: memory that an extension got is read after its handle was closed, or written to.
//!
//! The processor stops the extension there, because the copies are protected ([`raw`](crate::raw)). A handler of the signal says what memory
//! it was, and lets the signal go on to who handled it before, or to its default, which ends the process.
//!
//! A handler may do next to nothing: the program was stopped anywhere, and may hold any lock. So it makes a child process, which is a copy
//! of this one, to work the message out; if the child fails, or takes too long because it waits for such a lock, the handler itself
//! writes what was prepared. To find the memory it reads records that are never freed.

use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use parking_lot::Mutex;

use crate::api::Function;
use crate::call::{current_function, entry_frame};
use crate::findings::{Class, MEMORY_READ, MEMORY_WRITTEN};
use crate::report::Finding;
use crate::trace::Trace;
use crate::unwind;
use crate::view::Handle;

/// How much of a text is prepared for the message.
const BEGINNING: usize = 64;

/// How long a child may work on the message, in seconds.
const PATIENCE: u32 = 10;

/// What the system calls a signal that `raise` sent.
#[cfg(target_os = "linux")]
const RAISED: c_int = libc::SI_TKILL;
#[cfg(not(target_os = "linux"))]
const RAISED: c_int = libc::SI_USER;

/// How many frames of the stack are looked at.
const FRAMES: usize = 64;

/// What is known of a protected copy.
pub(crate) struct Record {
    /// Where it is; 0 if the record is not in use.
    start: AtomicUsize,
    length: AtomicUsize,
    is_closed: AtomicBool,
    /// The number of the handle's slot.
    slot: AtomicU32,
    /// The function that gave it.
    function: AtomicPtr<Function>,
    beginning: [AtomicU8; BEGINNING],
    beginning_length: AtomicUsize,
    /// The record that was made before.
    before: Option<&'static Self>,
}

/// The record that was made last.
static RECORDS: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());
/// Those that are not in use.
static FREE: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());

impl Record {
    /// Notes a copy of `bytes` at `start`, which `function` gave for the handle in the slot.
    pub fn new(
        start: usize,
        bytes: &[u8],
        slot: u32,
        function: &'static Function,
    ) -> &'static Self {
        let mut free = FREE.lock();
        let record = free.pop().unwrap_or_else(Self::make);
        let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        for (place, &byte) in record.beginning.iter().zip(text) {
            place.store(byte, Ordering::Relaxed);
        }
        record.beginning_length.store(text.len().min(BEGINNING), Ordering::Relaxed);
        record.length.store(bytes.len(), Ordering::Relaxed);
        record.slot.store(slot, Ordering::Relaxed);
        record.function.store(ptr::from_ref(function).cast_mut(), Ordering::Relaxed);
        record.is_closed.store(false, Ordering::Relaxed);
        record.start.store(start, Ordering::Release);
        record
    }

    /// A record more. The lock of the free ones is held.
    fn make() -> &'static Self {
        // SAFETY: null, or a record; those are never freed.
        let before = unsafe { RECORDS.load(Ordering::Acquire).as_ref() };
        let record: &'static Self = Box::leak(Box::new(Self {
            start: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            slot: AtomicU32::new(0),
            function: AtomicPtr::new(ptr::null_mut()),
            beginning: [const { AtomicU8::new(0) }; BEGINNING],
            beginning_length: AtomicUsize::new(0),
            before,
        }));
        RECORDS.store(ptr::from_ref(record).cast_mut(), Ordering::Release);
        record
    }

    /// The handle was closed.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// The copy is no more.
    pub fn release(&'static self) {
        self.start.store(0, Ordering::Release);
        FREE.lock().push(self);
    }

    /// The record of the copy in whose pages `address` is.
    fn of(address: usize) -> Option<&'static Self> {
        // SAFETY: null, or a record; those are never freed.
        let mut next = unsafe { RECORDS.load(Ordering::Acquire).as_ref() };
        while let Some(record) = next {
            let start = record.start.load(Ordering::Acquire);
            if start != 0
                && (start..start + record.length.load(Ordering::Relaxed)).contains(&address)
            {
                return Some(record);
            }
            next = record.before;
        }
        None
    }

    fn class(&self) -> &'static Class {
        if self.is_closed.load(Ordering::Relaxed) { &MEMORY_READ } else { &MEMORY_WRITTEN }
    }

    fn function(&self) -> &'static Function {
        // SAFETY: a record in use has a function.
        unsafe { &*self.function.load(Ordering::Relaxed) }
    }

    /// The beginning of the copy, and how long that is.
    fn beginning(&self) -> ([u8; BEGINNING], usize) {
        let bytes = core::array::from_fn(|at| self.beginning[at].load(Ordering::Relaxed));
        (bytes, self.beginning_length.load(Ordering::Relaxed))
    }
}

/// Lets faults in memory that extensions got be explained, from now on.
pub fn report_faults() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| SIGNALS.iter().for_each(Signal::install));
}

/// A signal, and who handled it before.
struct Signal {
    number: c_int,
    before: Mutex<MaybeUninit<libc::sigaction>>,
}

static SIGNALS: [Signal; 2] = [Signal::new(libc::SIGSEGV), Signal::new(libc::SIGBUS)];

impl Signal {
    const fn new(number: c_int) -> Self {
        Self { number, before: Mutex::new(MaybeUninit::uninit()) }
    }

    fn install(&self) {
        let mut before = self.before.lock();
        // SAFETY: the structure is valid when it is all zeros; the handler has the type that SA_SIGINFO asks for. On an alternate stack if the
        // thread has one, for those who handled the signal before: a stack that is used up cannot be used.
        unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = handle as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(self.number, &raw const action, before.as_mut_ptr());
        }
    }

    /// Lets the signal go on.
    ///
    /// # Safety
    /// In the handler of this signal, with what it got.
    unsafe fn pass_on(&self, info: *mut libc::siginfo_t, context: *mut c_void) {
        // It is locked only while the handlers are set.
        let Some(before) = self.before.try_lock() else { return };
        // SAFETY: it was written before the handler could be called; a handler that is not one of the two numbers is a function of the type
        // that its flags say.
        unsafe {
            let action = *before.as_ptr();
            drop(before);
            match action.sa_sigaction {
                libc::SIG_DFL | libc::SIG_IGN => {
                    // The instruction is tried again, and the fault is the next one's. What was sent comes once.
                    libc::sigaction(self.number, &raw const action, ptr::null_mut());
                    if (*info).si_code <= 0 {
                        libc::raise(self.number);
                    }
                }
                handler if action.sa_flags & libc::SA_SIGINFO != 0 => {
                    type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
                    core::mem::transmute::<usize, Handler>(handler)(self.number, info, context);
                }
                handler => {
                    core::mem::transmute::<usize, unsafe extern "C" fn(c_int)>(handler)(
                        self.number,
                    );
                }
            }
        }
    }
}

/// Handles a fault.
unsafe extern "C" fn handle(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the system passes what it knows.
    unsafe {
        if (*info).si_code == RAISED && (*info).si_pid() == libc::getpid() && is_raised_again() {
            return;
        }
        if (*info).si_code > 0
            && let Some(record) = Record::of((*info).si_addr() as usize)
            && !is_told((*info).si_addr() as usize)
            && !explain_in_child(record)
        {
            explain_shortly(record);
        }
        if let Some(signal) = SIGNALS.iter().find(|signal| signal.number == number) {
            signal.pass_on(info, context);
        }
    }
}

/// Whether the fault at this address was the last one that was told: it comes again if who handled it before returns and mends nothing.
fn is_told(address: usize) -> bool {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    TOLD.swap(address, Ordering::Relaxed) == address
}

/// Whether this is the first signal that this process sent itself. Who handles faults before us, as Python's `faulthandler` does if it is
/// enabled later, sends the signal again when it is done; then the fault itself comes again, and tells the address.
fn is_raised_again() -> bool {
    static SEEN: AtomicBool = AtomicBool::new(false);
    !SEEN.swap(true, Ordering::Relaxed)
}

/// Lets a child process write the message; whether it did.
fn explain_in_child(record: &'static Record) -> bool {
    match fork() {
        0 => {
            // SAFETY: the child is alone; a signal that comes in it ends it.
            unsafe {
                for number in [libc::SIGALRM, libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT] {
                    libc::signal(number, libc::SIG_DFL);
                }
                libc::alarm(PATIENCE);
                explain(record);
                libc::_exit(0)
            }
        }
        child if child > 0 => {
            let mut status = -1;
            // SAFETY: our child, and a place for how it ended.
            while unsafe { libc::waitpid(child, &raw mut status, 0) } < 0 {
                if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
                    return false;
                }
            }
            status == 0
        }
        _ => false,
    }
}

/// A child process, without what libraries have asked to be done then: they may wait for a lock that the stopped program holds.
#[cfg(target_os = "linux")]
fn fork() -> libc::pid_t {
    // SAFETY: without flags it is what `fork` does.
    unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t }
}

/// A child process.
#[cfg(not(target_os = "linux"))]
fn fork() -> libc::pid_t {
    // SAFETY: the child ends soon, and does nothing that the parent would see but to write.
    unsafe { libc::fork() }
}

/// Writes the whole message. The stack may be a small one, so another thread does the work that takes more.
fn explain(record: &'static Record) {
    let mut frames = unwind::all(FRAMES, entry_frame());
    let function = current_function();
    let work = move || {
        let of_function = unwind::library(function);
        let own = unwind::library(report_faults as *const () as usize);
        // Behind our frames is the system's, and behind that one what was stopped: not at a call, as the resolver takes every address for.
        if let Some(system) = frames.iter().position(|&ip| unwind::library(ip) != own)
            && let Some(stopped) = frames.get_mut(system + 1)
        {
            *stopped += 1;
        }
        let is_theirs = |&ip: &usize| match unwind::library(ip) {
            library if function != 0 => library == of_function,
            library => library != own,
        };
        let theirs: Arc<[usize]> = frames.into_iter().filter(is_theirs).collect();
        let text = message(record, &Trace::of_frames(theirs, function));
        write(text.as_bytes());
    };
    let worker = std::thread::Builder::new().stack_size(4 << 20).spawn(work);
    if worker.ok().and_then(|worker| worker.join().ok()).is_none() {
        std::process::abort();
    }
}

fn message(record: &Record, used: &Trace) -> String {
    let class = record.class();
    let handle = Handle::of_slot(record.slot.load(Ordering::Relaxed));
    let (opened, closed) = handle.opened_and_closed();
    let (bytes, length) = record.beginning();
    let finding = Finding {
        class,
        place: format!("the memory that {} gave", record.function().name),
        detail: String::new(),
        used: used.place(),
        opened,
        closed,
        handle: Some(handle),
        object: Some(format!("{:?}", String::from_utf8_lossy(&bytes[..length]))),
    };
    format!("{}\n", finding.message_for_stderr())
}

/// Writes what was prepared.
fn explain_shortly(record: &Record) {
    let class = record.class();
    let (bytes, length) = record.beginning();
    for part in [
        class.code.as_bytes(),
        b": ",
        class.title.as_bytes(),
        b"\n  in the memory that ",
        record.function().name.as_bytes(),
        b" gave\n  it began with: ",
        &bytes[..length],
        b"\n  To mend it: ",
        class.advice.as_bytes(),
        b"\n  More: docs/debug/",
        class.code.as_bytes(),
        b".md\n",
    ] {
        write(part);
    }
}

/// Writes to standard error.
fn write(mut text: &[u8]) {
    while !text.is_empty() {
        // SAFETY: the bytes are there.
        let written = unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
        match usize::try_from(written) {
            Ok(written) => text = &text[written..],
            // There is nobody who could be told.
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::info::ctx_Unicode_AsUTF8AndSize as GAVE;

    #[test]
    fn a_record_is_found_by_an_address_until_it_is_released() {
        let start = 0x7000_0000_0000;
        let record = Record::new(start, b"words\0", 7, &GAVE);
        assert!(Record::of(start + 5).is_some_and(|found| ptr::eq(found, record)));
        assert!(Record::of(start + 6).is_none());
        assert_eq!(record.class().code, MEMORY_WRITTEN.code);
        record.close();
        assert_eq!(record.class().code, MEMORY_READ.code);
        let (bytes, length) = record.beginning();
        assert_eq!(&bytes[..length], b"words");
        record.release();
        assert!(Record::of(start).is_none());
    }
}
