//! What is said of a list or tuple builder that was used wrongly.

/// Why `NAME_Build` fails: the item at `missing` was never set, or without one, an index is outside of the `size`.
#[must_use]
pub fn builder_fault(name: &str, size: usize, missing: Option<usize>) -> String {
    match missing {
        Some(index) => format!("{name}_Build: item {index} was never set, or was set to HPy_NULL"),
        None => format!(
            "{name}_Set was given an index that is not from 0 to size - 1; the size is {size}"
        ),
    }
}
