//! Thunks: a few instructions that add one argument in front of the others.
//!
//! Python calls `f(self, args…)`, the author's function wants `f(ctx, self, args…)`. The thunk made
//! by [`thunk`] moves each integer argument one register to the right, loads its first word into
//! the first register and jumps to its second word. Nothing is pushed and nothing returns into it,
//! so debuggers and unwinders do not see it.
//!
//! Code and data lie in different pages, [`DISTANCE`] bytes apart, so that no page is ever writable
//! and executable at the same time: a block of code is one template repeated over a page, written
//! once and then made executable; a thunk is brought to life by writing its two words into the data
//! page. The distance is the largest page size there is, which makes the templates the same on
//! systems with 4, 16 and 64 KiB pages.
//!
//! The first block of each kind is a part of this library, where the processor can address data at any
//! distance: an extension with a few functions is imported without a system call for them.
//!
//! # Soundness
//!
//! Blocks are never unmapped and a data word is written once, before the address of its thunk is
//! handed out. The memory is bounded by the number of different `(kind, first, target)`, because
//! the same request gives the same thunk.

use std::ffi::c_void;
use std::ptr::NonNull;

/// How many integer arguments Python passes to a thunk, and so which registers it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One argument: `reprfunc`, `unaryfunc`, `lenfunc` …
    Shift1,
    /// Two arguments: `METH_NOARGS` and `METH_O` functions, `binaryfunc` …
    Shift2,
    /// Three arguments: `METH_FASTCALL` functions, `ternaryfunc`, setters …
    Shift3,
    /// Four arguments: `METH_FASTCALL | METH_KEYWORDS` functions.
    Shift4,
    /// Five arguments.
    Shift5,
    /// Any number of arguments, of which the first word takes the place of the first.
    Replace,
    /// The four arguments of a `vectorcallfunc`. The flag `PY_VECTORCALL_ARGUMENTS_OFFSET` is
    /// removed from the number of arguments on the way, so that the target sees a plain count.
    Vectorcall,
}

/// The address of code that calls `target(first, arguments…)` when it is called with `arguments…`.
///
/// The same request gives the same address, in each thread, as long as the process lives.
///
/// `None` where there are no thunks: on processors without a template, where the system refuses to
/// make memory executable, and when the environment variable `HPY_NO_THUNKS` is `1` at the first
/// call. The caller then has to use the trampoline that was compiled into the extension.
///
/// Making a thunk is safe. Calling it is as unsafe as calling `target` with `first` and the same
/// arguments.
pub fn thunk(kind: Kind, first: *const c_void, target: *const c_void) -> Option<NonNull<c_void>> {
    pool::get(kind, first, target)
}

/// Whether this process can make as many thunks as are asked for. Decided once.
pub fn available() -> bool {
    pool::available()
}

#[cfg(all(
    unix,
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod pool {
    use super::{Kind, arch};
    use std::collections::BTreeMap;
    use std::ffi::c_void;
    use std::ptr::{self, NonNull};
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

    /// From a thunk's code to its data. As large as the largest page.
    pub(super) const DISTANCE: usize = 64 * 1024;
    /// The size of a thunk's code. Its data are as far apart, so that every thunk of a block has
    /// the same code.
    pub(super) const SIZE: usize = 32;

    /// What a thunk finds beside its code. The templates know the layout.
    #[repr(C, align(32))]
    pub(super) struct Data {
        first: *const c_void,
        target: *const c_void,
    }

    const _: () = assert!(size_of::<Data>() == SIZE);

    type Request = (Kind, usize, usize);

    #[derive(Default)]
    struct Pool {
        made: BTreeMap<Request, NonNull<c_void>>,
        /// The blocks of each kind that may have thunks which are not in use.
        free: BTreeMap<Kind, Vec<Free>>,
    }

    /// Code and data lie in steps of [`SIZE`].
    pub(super) struct Free {
        pub(super) code: NonNull<c_void>,
        pub(super) data: NonNull<Data>,
        pub(super) count: usize,
    }

    // SAFETY: the pointers lead to blocks that belong to nobody but the pool and are never
    // unmapped.
    unsafe impl Send for Pool {}

    impl Pool {
        fn get(&mut self, request: Request) -> Option<NonNull<c_void>> {
            if let Some(&made) = self.made.get(&request) {
                return Some(made);
            }
            let (kind, first, target) = request;
            let (code, place) = self.take(kind)?;
            let data = Data { first: first as *const c_void, target: target as *const c_void };
            // SAFETY: the place is the block's and writable; nobody else has this thunk yet.
            unsafe { place.write(data) };
            self.made.insert(request, code);
            Some(code)
        }

        /// The code of a thunk that is not in use, and the place of its data.
        fn take(&mut self, kind: Kind) -> Option<(NonNull<c_void>, NonNull<Data>)> {
            let blocks = self.blocks(kind);
            if blocks.iter().all(|block| block.count == 0) {
                *blocks = vec![map_block(kind)?];
            }
            let free = blocks.iter_mut().find(|block| block.count > 0)?;
            let taken = (free.code, free.data);
            free.count -= 1;
            // SAFETY: at most one past the block.
            unsafe {
                free.code = free.code.byte_add(SIZE);
                free.data = free.data.add(1);
            }
            Some(taken)
        }

        fn blocks(&mut self, kind: Kind) -> &mut Vec<Free> {
            self.free.entry(kind).or_insert_with(|| arch::linked(kind).into_iter().collect())
        }
    }

    fn pool() -> MutexGuard<'static, Pool> {
        static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);
        POOL.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(
        kind: Kind,
        first: *const c_void,
        target: *const c_void,
    ) -> Option<NonNull<c_void>> {
        if !wanted() {
            return None;
        }
        pool().get((kind, first as usize, target as usize))
    }

    /// Maps a block to know: what was linked into the library is used up at some time.
    pub(super) fn available() -> bool {
        static AVAILABLE: LazyLock<bool> = LazyLock::new(|| {
            let block = if wanted() { map_block(Kind::Shift2) } else { None };
            block.map(|block| pool().blocks(Kind::Shift2).push(block)).is_some()
        });
        *AVAILABLE
    }

    fn wanted() -> bool {
        static WANTED: LazyLock<bool> =
            LazyLock::new(|| std::env::var_os("HPY_NO_THUNKS").is_none_or(|value| value != "1"));
        *WANTED
    }

    /// The `SIZE` bytes that a thunk of this kind is made of.
    fn template(kind: Kind) -> *const c_void {
        let template: extern "C" fn() = match kind {
            Kind::Shift1 => arch::shift1,
            Kind::Shift2 => arch::shift2,
            Kind::Shift3 => arch::shift3,
            Kind::Shift4 => arch::shift4,
            Kind::Shift5 => arch::shift5,
            Kind::Replace => arch::replace,
            Kind::Vectorcall => arch::vectorcall,
        };
        template as *const c_void
    }

    /// Reserves a range of twice the distance and makes the first page of each half usable.
    fn map_block(kind: Kind) -> Option<Free> {
        // SAFETY: no arguments that could be wrong.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
        if page > DISTANCE || !DISTANCE.is_multiple_of(page) {
            return None;
        }
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: a fresh anonymous mapping, placed by the system.
        let base =
            unsafe { libc::mmap(ptr::null_mut(), 2 * DISTANCE, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: the range was mapped above and nobody else knows it.
        match unsafe { fill(base, page, kind) } {
            Some(()) => {
                let code = NonNull::new(base)?;
                // SAFETY: the second half of the range.
                let data = unsafe { code.byte_add(DISTANCE) }.cast();
                Some(Free { code, data, count: page / SIZE })
            }
            None => {
                // SAFETY: as above; the addresses were given to nobody.
                unsafe { libc::munmap(base, 2 * DISTANCE) };
                None
            }
        }
    }

    /// # Safety
    /// `base` is a mapping of twice the distance that belongs to the caller alone.
    unsafe fn fill(base: *mut c_void, page: usize, kind: Kind) -> Option<()> {
        // SAFETY: both pages lie in the mapping.
        unsafe {
            protect(base, page, libc::PROT_READ | libc::PROT_WRITE)?;
            let code = template(kind);
            for offset in (0..page).step_by(SIZE) {
                base.byte_add(offset).copy_from_nonoverlapping(code, SIZE);
            }
            protect(base, page, libc::PROT_READ | libc::PROT_EXEC)?;
            arch::publish(base, page);
            protect(base.byte_add(DISTANCE), page, libc::PROT_READ | libc::PROT_WRITE)
        }
    }

    /// # Safety
    /// The page belongs to the caller alone.
    unsafe fn protect(page: *mut c_void, length: usize, protection: i32) -> Option<()> {
        // SAFETY: the caller's promise.
        (unsafe { libc::mprotect(page, length, protection) } == 0).then_some(())
    }
}

#[cfg(not(all(
    unix,
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
mod pool {
    use super::Kind;
    use std::ffi::c_void;
    use std::ptr::NonNull;

    pub(super) fn get(_: Kind, _: *const c_void, _: *const c_void) -> Option<NonNull<c_void>> {
        None
    }

    pub(super) fn available() -> bool {
        false
    }
}

/// System V: the integer registers are rdi, rsi, rdx, rcx, r8, r9.
#[cfg(all(unix, target_pointer_width = "64", target_arch = "x86_64"))]
mod arch {
    use super::Kind;
    use super::pool::{DISTANCE, Data, Free, SIZE};
    use std::arch::naked_asm;
    use std::cell::UnsafeCell;
    use std::ffi::c_void;
    use std::mem::MaybeUninit;
    use std::ptr::NonNull;

    /// How many thunks of each kind are linked into the library. Their data then fill less than a page.
    const LINKED: usize = 16;

    /// The data of linked thunks.
    struct Linked(UnsafeCell<MaybeUninit<[Data; LINKED]>>);

    // SAFETY: only the pool writes to it, under its lock, and each thunk once, before it is given out.
    unsafe impl Sync for Linked {}

    /// A template that can be copied, and a module of its name: thunks that are there from the beginning.
    macro_rules! template {
        ($name:ident: $($shift:literal),*) => {
            #[unsafe(naked)]
            pub(super) extern "C" fn $name() {
                naked_asm!(
                    "2:",
                    $($shift,)*
                    "mov rdi, qword ptr [rip + 2b + {distance}]",
                    "jmp qword ptr [rip + 2b + {distance} + 8]",
                    ".skip {size} - (. - 2b), 0xcc",
                    distance = const DISTANCE,
                    size = const SIZE,
                )
            }

            pub(super) mod $name {
                use super::*;

                static DATA: Linked = Linked(UnsafeCell::new(MaybeUninit::zeroed()));

                #[unsafe(naked)]
                extern "C" fn code() {
                    naked_asm!(
                        ".set .Lplace, 0",
                        ".rept {count}",
                        "2:",
                        $($shift,)*
                        "mov rdi, qword ptr [rip + {data} + .Lplace]",
                        "jmp qword ptr [rip + {data} + .Lplace + 8]",
                        ".skip {size} - (. - 2b), 0xcc",
                        ".set .Lplace, .Lplace + {size}",
                        ".endr",
                        count = const LINKED,
                        data = sym DATA,
                        size = const SIZE,
                    )
                }

                pub(in super::super) fn block() -> Option<Free> {
                    let code = NonNull::new(code as *mut c_void)?;
                    let data = NonNull::new(DATA.0.get())?.cast();
                    Some(Free { code, data, count: LINKED })
                }
            }
        };
    }

    template!(replace: );
    template!(shift1: "mov rsi, rdi");
    template!(shift2: "mov rdx, rsi", "mov rsi, rdi");
    template!(shift3: "mov rcx, rdx", "mov rdx, rsi", "mov rsi, rdi");
    template!(shift4: "mov r8, rcx", "mov rcx, rdx", "mov rdx, rsi", "mov rsi, rdi");
    template!(shift5: "mov r9, r8", "mov r8, rcx", "mov rcx, rdx", "mov rdx, rsi", "mov rsi, rdi");
    template!(vectorcall:
        "mov r8, rcx", "mov rcx, rdx", "btr rcx, 63", "mov rdx, rsi", "mov rsi, rdi");

    /// The thunks of a kind that are a part of this library, to be asked for once.
    pub(super) fn linked(kind: Kind) -> Option<Free> {
        match kind {
            Kind::Shift1 => shift1::block(),
            Kind::Shift2 => shift2::block(),
            Kind::Shift3 => shift3::block(),
            Kind::Shift4 => shift4::block(),
            Kind::Shift5 => shift5::block(),
            Kind::Replace => replace::block(),
            Kind::Vectorcall => vectorcall::block(),
        }
    }

    /// Nothing to do: the processor keeps its instruction cache coherent.
    pub(super) unsafe fn publish(_: *mut c_void, _: usize) {}
}

/// AAPCS64: the integer registers are x0 to x7; x16 may be changed between caller and callee.
#[cfg(all(unix, target_pointer_width = "64", target_arch = "aarch64"))]
mod arch {
    use super::Kind;
    use super::pool::{DISTANCE, Free, SIZE};
    use std::arch::naked_asm;
    use std::ffi::c_void;

    macro_rules! template {
        ($name:ident: $($shift:literal),*) => {
            #[unsafe(naked)]
            pub(super) extern "C" fn $name() {
                naked_asm!(
                    "2:",
                    $($shift,)*
                    "ldr x0, 2b + {distance}",
                    "ldr x16, 2b + {distance} + 8",
                    "br x16",
                    ".skip {size} - (. - 2b)",
                    distance = const DISTANCE,
                    size = const SIZE,
                )
            }
        };
    }

    template!(replace: );
    template!(shift1: "mov x1, x0");
    template!(shift2: "mov x2, x1", "mov x1, x0");
    template!(shift3: "mov x3, x2", "mov x2, x1", "mov x1, x0");
    template!(shift4: "mov x4, x3", "mov x3, x2", "mov x2, x1", "mov x1, x0");
    template!(shift5: "mov x5, x4", "mov x4, x3", "mov x3, x2", "mov x2, x1", "mov x1, x0");
    template!(vectorcall:
        "mov x4, x3", "and x3, x2, #0x7fffffffffffffff", "mov x2, x1", "mov x1, x0");

    /// None: code reaches data within a megabyte only, in the few words that a thunk has.
    pub(super) fn linked(_: Kind) -> Option<Free> {
        None
    }

    /// Makes freshly written code visible to the instruction fetch of every core.
    ///
    /// # Safety
    /// The range is mapped and readable.
    #[cfg(not(target_vendor = "apple"))]
    pub(super) unsafe fn publish(start: *mut c_void, length: usize) {
        use std::arch::asm;
        let cache_type: usize;
        // SAFETY: the register is readable by programs on every system that Rust supports here.
        unsafe { asm!("mrs {}, ctr_el0", out(reg) cache_type) };
        let data_line = 4 << ((cache_type >> 16) & 0xf);
        let code_line = 4 << (cache_type & 0xf);
        // SAFETY: cache maintenance by address on readable memory changes no contents.
        unsafe {
            for offset in (0..length).step_by(data_line) {
                asm!("dc cvau, {}", in(reg) start.byte_add(offset));
            }
            asm!("dsb ish");
            for offset in (0..length).step_by(code_line) {
                asm!("ic ivau, {}", in(reg) start.byte_add(offset));
            }
            asm!("dsb ish", "isb");
        }
    }

    /// Makes freshly written code visible to the instruction fetch of every core.
    ///
    /// # Safety
    /// The range is mapped and readable.
    #[cfg(target_vendor = "apple")]
    pub(super) unsafe fn publish(start: *mut c_void, length: usize) {
        unsafe extern "C" {
            fn sys_icache_invalidate(start: *mut c_void, length: usize);
        }
        // SAFETY: the caller's promise.
        unsafe { sys_icache_invalidate(start, length) };
    }
}

#[cfg(all(
    test,
    unix,
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod tests {
    use super::*;
    use std::mem::transmute;

    /// Mixes its arguments so that a lost, doubled or swapped one changes the result.
    fn mix(arguments: &[usize]) -> usize {
        arguments.iter().fold(7, |sum, &argument| sum.wrapping_mul(31).wrapping_add(argument))
    }

    extern "C" fn after1(first: usize, a: usize) -> usize {
        mix(&[first, a])
    }

    extern "C" fn after2(first: usize, a: usize, b: usize) -> usize {
        mix(&[first, a, b])
    }

    extern "C" fn after3(first: usize, a: usize, b: usize, c: usize) -> usize {
        mix(&[first, a, b, c])
    }

    extern "C" fn after4(first: usize, a: usize, b: usize, c: usize, d: usize) -> usize {
        mix(&[first, a, b, c, d])
    }

    extern "C" fn after5(first: usize, a: usize, b: usize, c: usize, d: usize, e: usize) -> usize {
        mix(&[first, a, b, c, d, e])
    }

    fn make(kind: Kind, first: usize, target: *const ()) -> *const c_void {
        let made = thunk(kind, first as *const c_void, target.cast());
        made.expect("thunks are available on this machine").as_ptr()
    }

    /// Makes and calls one thunk of each kind that carries `first`.
    fn check_all(first: usize) {
        // SAFETY: each thunk is called with the number of arguments of its kind.
        unsafe {
            let code = make(Kind::Shift1, first, after1 as *const ());
            let call: extern "C" fn(usize) -> usize = transmute(code);
            assert_eq!(call(1), mix(&[first, 1]));

            let code = make(Kind::Shift2, first, after2 as *const ());
            let call: extern "C" fn(usize, usize) -> usize = transmute(code);
            assert_eq!(call(1, 2), mix(&[first, 1, 2]));

            let code = make(Kind::Shift3, first, after3 as *const ());
            let call: extern "C" fn(usize, usize, usize) -> usize = transmute(code);
            assert_eq!(call(1, 2, 3), mix(&[first, 1, 2, 3]));

            let code = make(Kind::Shift4, first, after4 as *const ());
            let call: extern "C" fn(usize, usize, usize, usize) -> usize = transmute(code);
            assert_eq!(call(1, 2, 3, 4), mix(&[first, 1, 2, 3, 4]));

            let code = make(Kind::Shift5, first, after5 as *const ());
            let call: extern "C" fn(usize, usize, usize, usize, usize) -> usize = transmute(code);
            assert_eq!(call(1, 2, 3, 4, 5), mix(&[first, 1, 2, 3, 4, 5]));

            let code = make(Kind::Vectorcall, first, after4 as *const ());
            let call: extern "C" fn(usize, usize, usize, usize) -> usize = transmute(code);
            let offset_flag = 1 << 63;
            assert_eq!(call(1, 2, 3 | offset_flag, 4), mix(&[first, 1, 2, 3, 4]));
            assert_eq!(call(1, 2, 3, 4), mix(&[first, 1, 2, 3, 4]));
        }
    }

    #[test]
    fn every_kind_shifts_its_arguments() {
        assert!(available());
        check_all(0x5eed);
    }

    #[test]
    fn same_request_same_thunk() {
        let one = make(Kind::Shift2, 1, after2 as *const ());
        assert_eq!(one, make(Kind::Shift2, 1, after2 as *const ()));
        assert_ne!(one, make(Kind::Shift2, 2, after2 as *const ()));
        assert_ne!(one, make(Kind::Shift3, 1, after2 as *const ()));
        assert_ne!(one, make(Kind::Shift2, 1, after3 as *const ()));
    }

    #[test]
    fn thousands_from_several_threads() {
        std::thread::scope(|scope| {
            for thread in 0..8_usize {
                scope.spawn(move || {
                    for number in 0..2000 {
                        // Half of the requests are shared between neighbouring threads.
                        check_all((thread / 2 + number % 2 * thread) * 10_000 + number);
                    }
                });
            }
        });
    }

    #[test]
    fn floating_point_arguments_pass_unchanged() {
        extern "C" fn target(first: usize, a: usize, x: f64) -> f64 {
            (first + a) as f64 * x
        }
        let code = make(Kind::Shift1, 40, target as *const ());
        // SAFETY: one integer argument, as the kind says.
        let call: extern "C" fn(usize, f64) -> f64 = unsafe { transmute(code) };
        assert_eq!(call(2, 0.5), 21.0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_page_is_writable_and_executable() {
        check_all(0xacce55);
        let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
        let code = make(Kind::Shift1, 0xacce55, after1 as *const ()) as usize;
        let permissions_at = |address: usize| {
            maps.lines().find_map(|line| {
                let (range, rest) = line.split_once(' ')?;
                let (start, end) = range.split_once('-')?;
                let start = usize::from_str_radix(start, 16).ok()?;
                let end = usize::from_str_radix(end, 16).ok()?;
                (start..end).contains(&address).then(|| rest[..4].to_owned())
            })
        };
        assert_eq!(permissions_at(code).as_deref(), Some("r-xp"));
        assert!(!maps.lines().any(|line| line.contains("rwx")));
    }
}
