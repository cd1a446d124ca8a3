//! Copies of memory that extensions get from objects: read-only while the handle is open, unreadable afterwards.
//!
//! The unsafe code is sound because a mapping belongs to its [`Snapshot`] alone; extensions read it only while the handle is open, or are
//! stopped by the processor.

use core::ffi::c_char;

use crate::api::Function;
use crate::faults::Record;

/// A copy of a text or of bytes, with a 0 behind it.
pub(crate) struct Snapshot {
    memory: memory::Memory,
    size: usize,
    record: &'static Record,
}

impl Snapshot {
    /// A read-only copy of `bytes`, which end with a 0, that `function` gives for the handle in a slot; none if the system has no memory for it.
    pub fn new(bytes: &[u8], slot: u32, function: &'static Function) -> Option<Self> {
        let memory = memory::Memory::new(bytes)?;
        let record = Record::new(memory.address() as usize, bytes, slot, function);
        Some(Self { memory, size: bytes.len(), record })
    }

    /// How many bytes were copied.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the copy is.
    pub fn address(&self) -> *const c_char {
        self.memory.address().cast()
    }

    /// Whether the copy, which is readable, says `bytes`.
    pub fn is(&self, bytes: &[u8]) -> bool {
        // SAFETY: the memory is as large as the copy and readable, as the caller knows.
        self.size == bytes.len()
            && unsafe { core::slice::from_raw_parts(self.memory.address(), self.size) } == bytes
    }

    /// Lets every further access be a fault, where the system can.
    pub fn make_unreadable(&self) {
        self.record.close();
        self.memory.make_unreadable(self.size);
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.record.release();
    }
}

#[cfg(unix)]
mod memory {
    use core::ptr;

    /// A mapping of its own.
    pub(super) struct Memory {
        address: *mut u8,
        length: usize,
    }

    // SAFETY: the mapping belongs to this value, wherever it is.
    unsafe impl Send for Memory {}

    impl Memory {
        pub fn new(bytes: &[u8]) -> Option<Self> {
            let length = bytes.len().max(1);
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
            // SAFETY: a fresh anonymous mapping, placed by the system.
            let address = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, -1, 0) };
            if address == libc::MAP_FAILED {
                return None;
            }
            let memory = Self { address: address.cast(), length };
            // SAFETY: the mapping is large enough and writable.
            unsafe { memory.address.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            memory.protect(libc::PROT_READ);
            Some(memory)
        }

        pub fn address(&self) -> *const u8 {
            self.address
        }

        pub fn make_unreadable(&self, _size: usize) {
            self.protect(libc::PROT_NONE);
        }

        fn protect(&self, access: i32) {
            // SAFETY: the mapping is ours. If the system refuses, an access is not caught: nothing else depends on it.
            unsafe { libc::mprotect(self.address.cast(), self.length, access) };
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: the mapping is ours, and nobody is allowed to use it any more.
            unsafe { libc::munmap(self.address.cast(), self.length) };
        }
    }
}

#[cfg(not(unix))]
mod memory {
    use core::cell::UnsafeCell;

    /// Ordinary memory, overwritten instead of protected.
    pub(super) struct Memory(Box<[UnsafeCell<u8>]>);

    impl Memory {
        pub fn new(bytes: &[u8]) -> Option<Self> {
            Some(Self(bytes.iter().map(|&byte| UnsafeCell::new(byte)).collect()))
        }

        pub fn address(&self) -> *const u8 {
            self.0.as_ptr().cast()
        }

        /// Overwrites the text with what is no UTF-8.
        pub fn make_unreadable(&self, size: usize) {
            for byte in &self.0[..size.saturating_sub(1)] {
                // SAFETY: the memory is ours; the extension must not read it any more.
                unsafe { *byte.get() = 0xff };
            }
        }
    }
}
