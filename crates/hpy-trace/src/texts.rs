//! Texts that an extension hands to the API, which makes an object of them each time: which, and how often.

use core::ffi::c_char;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::counter::Counter;

/// How many texts of one entry are told apart.
const PLACES: usize = 16;
/// How many places are looked at for a text.
const TRIES: usize = 4;
/// How much of a text is kept, with the zero behind it.
const LENGTH: usize = 40;

/// The first texts, found by address: they usually are literals.
#[derive(Default)]
pub(crate) struct Texts([Text; PLACES]);

struct Text {
    /// 0 while the place is empty; written last.
    address: AtomicUsize,
    function: AtomicUsize,
    count: Counter,
    bytes: [AtomicU8; LENGTH],
}

impl Default for Text {
    fn default() -> Self {
        Self {
            address: AtomicUsize::default(),
            function: AtomicUsize::default(),
            count: Counter::default(),
            bytes: core::array::from_fn(|_| AtomicU8::new(0)),
        }
    }
}

impl Texts {
    /// Counts a text, if it has a place or finds one.
    ///
    /// # Safety
    /// It is a C string.
    pub unsafe fn count(&self, function: usize, text: *const c_char) {
        let text = text.cast::<u8>();
        let first = (text as usize >> 2) ^ function;
        for place in first..first + TRIES {
            let place = &self.0[place % PLACES];
            match place.address.load(Ordering::Relaxed) {
                // SAFETY: the caller's promise.
                0 => unsafe { place.fill(function, text) },
                // SAFETY: the caller's promise.
                known if known == text as usize && unsafe { place.is(function, text) } => {}
                _ => continue,
            }
            place.count.add(1);
            return;
        }
    }

    /// Each text with the number of its function and how often it came.
    pub fn all(&self) -> impl Iterator<Item = (usize, String, u64)> {
        let filled = self.0.iter().filter(|text| text.address.load(Ordering::Acquire) != 0);
        filled.map(|text| (text.function.load(Ordering::Relaxed), text.kept(), text.count.get()))
    }
}

impl Text {
    /// # Safety
    /// `text` is a C string.
    unsafe fn fill(&self, function: usize, text: *const u8) {
        for (at, place) in self.bytes[..LENGTH - 1].iter().enumerate() {
            // SAFETY: not behind the zero, where the loop ends.
            let byte = unsafe { *text.add(at) };
            place.store(byte, Ordering::Relaxed);
            if byte == 0 {
                break;
            }
        }
        self.function.store(function, Ordering::Relaxed);
        self.address.store(text as usize, Ordering::Release);
    }

    /// Whether it is the same text, which another in the same memory is not.
    ///
    /// # Safety
    /// `text` is a C string.
    unsafe fn is(&self, function: usize, text: *const u8) -> bool {
        if self.function.load(Ordering::Relaxed) != function {
            return false;
        }
        for (at, kept) in self.bytes[..LENGTH - 1].iter().enumerate() {
            // SAFETY: not behind the zero, where the loop ends.
            let byte = unsafe { *text.add(at) };
            if byte != kept.load(Ordering::Relaxed) {
                return false;
            }
            if byte == 0 {
                break;
            }
        }
        true
    }

    fn kept(&self) -> String {
        let bytes = self.bytes.iter().map(|byte| byte.load(Ordering::Relaxed));
        let bytes: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    fn counted(function: usize, texts: &[&CStr]) -> Vec<(usize, String, u64)> {
        let counts = Texts::default();
        for text in texts {
            // SAFETY: it is a C string.
            unsafe { counts.count(function, text.as_ptr()) };
        }
        let mut all: Vec<_> = counts.all().collect();
        all.sort();
        all
    }

    #[test]
    fn texts_are_told_apart() {
        let all = counted(7, &[c"name", c"other", c"name", c"name"]);
        let expected = [(7, "name".to_owned(), 3), (7, "other".to_owned(), 1)];
        assert_eq!(all.iter().map(|(_, _, count)| count).sum::<u64>(), 4);
        assert!(expected.iter().all(|one| all.contains(one)), "{all:?}");
    }

    #[test]
    fn another_text_in_the_same_memory_is_another() {
        let counts = Texts::default();
        let mut memory = *b"one\0";
        for text in [*b"one\0", *b"two\0", *b"two\0"] {
            memory = text;
            // SAFETY: it is a C string.
            unsafe { counts.count(1, memory.as_ptr().cast()) };
        }
        let mut all: Vec<_> = counts.all().collect();
        all.sort();
        assert_eq!(all, [(1, "one".to_owned(), 1), (1, "two".to_owned(), 2)]);
        assert_eq!(&memory, b"two\0");
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = c"0123456789012345678901234567890123456789more";
        let all = counted(1, &[long, long]);
        assert_eq!(all, [(1, "012345678901234567890123456789012345678".to_owned(), 2)]);
    }
}
