//! What was counted, added up over threads and loads.

use std::collections::BTreeMap;

use crate::clock::nanoseconds;
use crate::generated::FUNCTIONS;
use crate::record::{Record, Row};
use crate::thread;
use crate::world::{OUTSIDE, targets};

/// Calls, and how long they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// How many calls began.
    pub calls: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Nanoseconds from the beginnings to the ends, what is inside of each other once.
    pub total: u64,
    /// The same without the calls inside, of the API or of other functions of extensions.
    pub own: u64,
}

/// How a function of the API was used.
#[derive(Clone, Copy, Debug)]
pub struct FunctionUse {
    /// Its place in [`crate::FUNCTION_TABLE`].
    pub number: usize,
    /// The calls.
    pub calls: Use,
}

/// A text that was handed to the API.
#[derive(Clone, Debug)]
pub struct TextUse {
    /// The function's place in [`crate::FUNCTION_TABLE`].
    pub function: usize,
    /// The text, cut if it is long.
    pub text: String,
    /// How often.
    pub count: u64,
}

/// How a function of an extension was used.
#[derive(Clone, Debug)]
pub struct EntryUse {
    /// The module that it belongs to.
    pub module: String,
    /// Its name.
    pub name: String,
    /// Whether it stands for code that is in none of the extension's functions.
    pub outside: bool,
    /// The calls from Python.
    pub calls: Use,
    /// The calls of the API in it. Calls inside another call of the same function count twice in the total.
    pub functions: Vec<FunctionUse>,
    /// The texts in these calls that came most often.
    pub texts: Vec<TextUse>,
}

/// All that was counted so far.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The functions of the API that were called, in the order of the context.
    pub functions: Vec<FunctionUse>,
    /// The functions of extensions that were called, in no special order.
    pub entries: Vec<EntryUse>,
}

/// Ticks of the same four numbers.
#[derive(Clone, Copy, Default)]
struct Sum {
    calls: u64,
    errors: u64,
    total: u64,
    own: u64,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        let Row { calls, errors, total, own } = row;
        self.calls += calls.get();
        self.errors += errors.get();
        self.total += total.get();
        self.own += own.get();
    }

    fn in_nanoseconds(self) -> Use {
        let Self { calls, errors, total, own } = self;
        Use { calls, errors, total: nanoseconds(total), own: nanoseconds(own) }
    }
}

/// What one function of an extension adds up to.
struct EntrySum {
    entry: Sum,
    rows: [Sum; FUNCTIONS],
    texts: BTreeMap<(usize, String), u64>,
}

impl Default for EntrySum {
    fn default() -> Self {
        let rows = [Sum::default(); FUNCTIONS];
        Self { entry: Sum::default(), rows, texts: BTreeMap::new() }
    }
}

impl EntrySum {
    fn add(&mut self, record: &Record) {
        self.entry.add(&record.entry);
        self.entry.total = self.entry.total.saturating_sub(record.repeated.get());
        self.rows.iter_mut().zip(&record.rows).for_each(|(sum, row)| sum.add(row));
        for (function, text, count) in record.texts.all() {
            *self.texts.entry((function, text)).or_default() += count;
        }
    }

    fn is_empty(&self) -> bool {
        self.entry.calls == 0 && self.rows.iter().all(|row| row.calls == 0)
    }
}

/// The functions that were called.
fn called(rows: &[Sum]) -> Vec<FunctionUse> {
    let rows = rows.iter().enumerate().filter(|(_, row)| row.calls > 0);
    rows.map(|(number, row)| FunctionUse { number, calls: row.in_nanoseconds() }).collect()
}

/// All that was counted so far.
pub fn snapshot() -> Snapshot {
    let targets = targets();
    let mut sums: BTreeMap<(&str, &str), EntrySum> = BTreeMap::new();
    for target in &targets {
        let sum = sums.entry(target.full_name()).or_default();
        target.records().into_iter().for_each(|record| sum.add(record));
    }
    let mut all = [Sum::default(); FUNCTIONS];
    for sum in sums.values() {
        for (all, row) in all.iter_mut().zip(&sum.rows) {
            all.calls += row.calls;
            all.errors += row.errors;
            all.total += row.total;
            all.own += row.own;
        }
    }
    for thread in thread::all() {
        for (all, repeated) in all.iter_mut().zip(&thread.repeated) {
            all.total = all.total.saturating_sub(repeated.get());
        }
    }
    let entries = sums.into_iter().filter(|(_, sum)| !sum.is_empty());
    let entries = entries.map(|((module, name), sum)| EntryUse {
        module: module.to_owned(),
        name: name.to_owned(),
        outside: name == OUTSIDE,
        calls: sum.entry.in_nanoseconds(),
        functions: called(&sum.rows),
        texts: sum.texts.into_iter().map(text_use).collect(),
    });
    Snapshot { entries: entries.collect(), functions: called(&all) }
}

fn text_use(((function, text), count): ((usize, String), u64)) -> TextUse {
    TextUse { function, text, count }
}

/// How often each function of the API was called, and the nanoseconds of all its calls, also of those inside each other.
pub fn sums() -> Vec<(u64, u64)> {
    let mut all = [Sum::default(); FUNCTIONS];
    for record in targets().iter().flat_map(|target| target.records()) {
        all.iter_mut().zip(&record.rows).for_each(|(sum, row)| sum.add(row));
    }
    all.iter().map(|sum| (sum.calls, nanoseconds(sum.total))).collect()
}
