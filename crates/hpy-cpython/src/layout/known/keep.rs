//! The memory of dead objects, which new ones of the same size get.
//!
//! CPython does the same for its own types. It is done for types directly below `object` with nothing special about their memory, where
//! one interpreter lock protects it, and where the head that the garbage collector has in front of objects is known: two words, zero in
//! an object that it does not know. What is kept are ordinary blocks of CPython's allocator, so anybody may free such an object.

use core::cell::Cell;
use core::ptr;

use pyo3_ffi as ffi;

use crate::types::{Record, dealloc, own_record};

/// Whether the head is known that the collector has in front of objects.
const KNOWS_HEAD: bool = !cfg!(any(Py_GIL_DISABLED, Py_3_15, target_pointer_width = "32"));

/// Whether memory is kept at all.
const IS_KEPT: bool = KNOWS_HEAD && !cfg!(py_sys_config = "Py_TRACE_REFS");

/// The size of what the collector has in front of an object.
const GC_HEAD: usize = 2 * WORD;

const WORD: usize = size_of::<usize>();

/// Blocks are kept by their size in words, if they are smaller than this.
const SIZES: usize = 32;

/// How many words in all are kept of a size.
const MOST_WORDS: usize = 4096;

/// Whether the collector knows an object.
///
/// # Safety
/// The object's type is one that the collector knows.
#[inline(always)]
pub(super) unsafe fn is_tracked(object: *mut ffi::PyObject) -> bool {
    // SAFETY: as required; in front of the object there is the collector's head, which begins with 0 if the object is not known.
    unsafe {
        if KNOWS_HEAD {
            object.byte_sub(GC_HEAD).cast::<usize>().read() != 0
        } else {
            ffi::PyObject_GC_IsTracked(object) != 0
        }
    }
}

/// What a load keeps for its types. The lock of its interpreter protects it.
pub(crate) struct Kept {
    blocks: [Blocks; SIZES],
    /// How many deallocations are running inside each other, see `dealloc`.
    depth: Cell<usize>,
}

/// Blocks of one size.
struct Blocks {
    /// Each begins with the address of the next.
    first: Cell<*mut usize>,
    words: Cell<usize>,
}

impl Kept {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        const {
            Self {
                blocks: [const { Blocks { first: Cell::new(ptr::null_mut()), words: Cell::new(0) } };
                    SIZES],
                depth: Cell::new(0),
            }
        }
    }
}

/// How the memory of a type's objects is kept.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    blocks: &'static Blocks,
    depth: &'static Cell<usize>,
    /// The size of a block, with the head for the collector.
    words: usize,
    /// The bytes in front of the object: the collector's, or none.
    head: usize,
    /// How many words of the object are behind what every object has.
    own_words: usize,
}

impl Memory {
    /// That of a new type, if it can be kept; then the type makes and releases objects so.
    ///
    /// # Safety
    /// `ty` is a type that was made for the load of `kept`, with HPy's `tp_dealloc` or one that may be replaced by it, and nobody else uses it
    /// yet.
    pub(crate) unsafe fn install(ty: *mut ffi::PyTypeObject, kept: &'static Kept) -> Option<Self> {
        // SAFETY: as required.
        unsafe {
            let words = words(ty);
            let blocks = kept.blocks.get(words).filter(|_| words > 0)?;
            (*ty).tp_dealloc = Some(dealloc);
            (*ty).tp_alloc = Some(alloc);
            let head = if ffi::PyType_IS_GC(ty) != 0 { GC_HEAD } else { 0 };
            let own_words = words - (head + size_of::<ffi::PyObject>()) / WORD;
            Some(Self { blocks, depth: &kept.depth, words, head, own_words })
        }
    }

    /// Where the deallocations of the load's types are counted.
    #[inline(always)]
    pub(crate) fn depth(&self) -> &'static Cell<usize> {
        self.depth
    }

    /// The memory of a dead object, all zeros behind what every object has; to be made an object by [`Self::revive`].
    ///
    /// # Safety
    /// The interpreter of the type is attached.
    #[inline(always)]
    pub(crate) unsafe fn take(&self) -> Option<*mut ffi::PyObject> {
        let block = self.blocks.first.get();
        if block.is_null() {
            return None;
        }
        // SAFETY: a block in the list is as large, and as `give` left it; nobody else uses it.
        unsafe {
            self.blocks.first.set(block.read() as *mut usize);
            self.blocks.words.set(self.blocks.words.get() - self.words);
            let object = block.byte_add(self.head).cast::<ffi::PyObject>();
            clear(object.add(1).cast(), self.own_words);
            Some(object)
        }
    }

    /// Makes an object of what [`Self::take`] gave.
    ///
    /// # Safety
    /// The interpreter is attached, and `ty` is the type.
    #[inline(always)]
    pub(crate) unsafe fn revive(
        &self,
        object: *mut ffi::PyObject,
        ty: *mut ffi::PyTypeObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: as required. The head of an object that the collector does not know is zero.
        unsafe {
            if self.head == 0 {
                return ffi::PyObject_Init(object, ty);
            }
            clear_pair(object.byte_sub(GC_HEAD).cast());
            ffi::PyObject_Init(object, ty);
            ffi::PyObject_GC_Track(object.cast());
            object
        }
    }

    /// Keeps the memory of a dead object; false if enough is kept.
    ///
    /// # Safety
    /// An object of the type, which the collector does not know any more.
    #[inline(always)]
    pub(crate) unsafe fn give(&self, object: *mut ffi::PyObject) -> bool {
        let words = self.blocks.words.get();
        if words >= MOST_WORDS {
            return false;
        }
        // SAFETY: as required; the block begins in front of a collected object.
        unsafe {
            let block = object.byte_sub(self.head).cast::<usize>();
            block.write(self.blocks.first.get() as usize);
            self.blocks.first.set(block);
        }
        self.blocks.words.set(words + self.words);
        true
    }
}

/// `tp_alloc` of types whose memory is kept, which a class derived from one may inherit.
unsafe extern "C" fn alloc(ty: *mut ffi::PyTypeObject, items: isize) -> *mut ffi::PyObject {
    // SAFETY: CPython hands over a type.
    unsafe {
        if let Some(memory) = own_record(ty).and_then(Record::memory)
            && let Some(object) = memory.take()
        {
            return memory.revive(object, ty);
        }
        ffi::PyType_GenericAlloc(ty, items)
    }
}

/// The size of the type's blocks in words, if they can be kept; else 0.
unsafe fn words(ty: *mut ffi::PyTypeObject) -> usize {
    // SAFETY: a type.
    unsafe {
        let is_gc = ffi::PyType_IS_GC(ty) != 0;
        let size = (*ty).tp_basicsize as usize + if is_gc { GC_HEAD } else { 0 };
        let usual_free: ffi::freefunc =
            if is_gc { ffi::PyObject_GC_Del } else { ffi::PyObject_Free };
        let usual_alloc: ffi::allocfunc = ffi::PyType_GenericAlloc;
        let is_usual = (*ty).tp_base == &raw mut ffi::PyBaseObject_Type
            && (*ty).tp_itemsize == 0
            && (*ty).tp_dictoffset == 0
            && (*ty).tp_weaklistoffset == 0
            && (*ty).tp_del.is_none()
            && (*ty).tp_alloc.is_some_and(|f| ptr::fn_addr_eq(f, usual_alloc))
            && (*ty).tp_free.is_some_and(|f| ptr::fn_addr_eq(f, usual_free));
        if IS_KEPT && is_usual && size.is_multiple_of(WORD) { size / WORD } else { 0 }
    }
}

/// Zeros some words. They are few mostly: a call of `memset`, which the compiler would make of a plain loop, takes as long as ten of them.
///
/// # Safety
/// There are as many words.
#[inline(always)]
unsafe fn clear(place: *mut usize, words: usize) {
    // SAFETY: as required. The two pairs of four words or fewer overlap.
    unsafe {
        match words {
            0 => {}
            1 => place.write(0),
            2..=4 => {
                clear_pair(place);
                clear_pair(place.add(words - 2));
            }
            _ => (0..words).for_each(|at| place.add(at).write_volatile(0)),
        }
    }
}

/// Zeros two words.
///
/// # Safety
/// There are as many.
#[inline(always)]
unsafe fn clear_pair(place: *mut usize) {
    // SAFETY: as required; they need not be aligned more than one word.
    unsafe { place.cast::<[usize; 2]>().write([0; 2]) };
}
