//! Which tests of the matrix were skipped, and why: a row for each reason, with the interpreters in each column of the matrix.
//!
//! Like the table of the matrix it is kept in a page and read back from there.

use std::collections::{BTreeMap, BTreeSet};

use crate::table::{cells, header, line};

/// The titles of the first and the last column.
const REASON: &str = "reason";
const TESTS: &str = "tests";

/// A test that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// What the test says of it.
    pub reason: String,
    /// The name of its function.
    pub test: String,
}

/// The interpreters by the title of a column, and the names of the tests.
#[derive(Default)]
struct Row {
    labels: BTreeMap<String, BTreeSet<String>>,
    tests: BTreeSet<String>,
}

/// The rows by their reasons.
#[derive(Default)]
pub struct Skips {
    rows: BTreeMap<String, Row>,
}

impl Skips {
    /// Reads the table of skipped tests in `text`; without one, there are none.
    pub fn read(text: &str) -> Self {
        let begin = format!("| {REASON} |");
        let mut lines = text.lines().skip_while(|line| !line.starts_with(&begin));
        let titles: Vec<_> = cells(lines.next().unwrap_or_default()).collect();
        let mut skips = Self::default();
        for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = cells(line).collect();
            let row = skips.rows.entry(cells[0].to_owned()).or_default();
            for (title, cell) in titles.iter().zip(&cells).skip(1) {
                let words = words(cell);
                if *title == TESTS {
                    row.tests.extend(words);
                } else if !words.is_empty() {
                    row.labels.insert((*title).to_owned(), words);
                }
            }
        }
        skips
    }

    /// Puts what an interpreter skipped in a column in place of what it skipped there before.
    pub fn set(&mut self, label: &str, title: &str, skipped: &[Skip]) {
        for row in self.rows.values_mut() {
            if let Some(labels) = row.labels.get_mut(title) {
                labels.remove(label);
            }
        }
        for skip in skipped {
            let row = self.rows.entry(skip.reason.replace('|', "/")).or_default();
            row.labels.entry(title.to_owned()).or_default().insert(label.to_owned());
            row.tests.insert(format!("`{}`", skip.test));
        }
        self.rows.retain(|_, row| row.labels.values().any(|labels| !labels.is_empty()));
    }

    /// The table in Markdown, with those of the `titles` in which tests were skipped; the interpreters in the order of `order`.
    pub fn markdown(&self, titles: &[&str], order: &[&str]) -> String {
        let is_used = |title: &&str| {
            let mut rows = self.rows.values().filter_map(|row| row.labels.get(*title));
            rows.any(|labels| !labels.is_empty())
        };
        let titles: Vec<_> = titles.iter().copied().filter(is_used).collect();
        let mut text = header(&[&[REASON], titles.as_slice(), &[TESTS]].concat());
        for (reason, row) in &self.rows {
            let cell =
                |title: &&str| row.labels.get(*title).map_or(String::new(), |l| sorted(l, order));
            let mut cells = vec![reason.clone()];
            cells.extend(titles.iter().map(cell));
            cells.push(row.tests.iter().cloned().collect::<Vec<_>>().join(", "));
            text += &line(&cells);
        }
        text
    }
}

/// The words in a list: "3.9, 3.10".
fn words(list: &str) -> BTreeSet<String> {
    list.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The labels in the order of the matrix.
fn sorted(labels: &BTreeSet<String>, order: &[&str]) -> String {
    let mut labels: Vec<_> = labels.iter().map(String::as_str).collect();
    labels
        .sort_by_key(|label| order.iter().position(|known| known == label).unwrap_or(order.len()));
    labels.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(reason: &str, test: &str) -> Skip {
        Skip { reason: reason.to_owned(), test: test.to_owned() }
    }

    #[test]
    fn an_interpreter_is_where_it_skipped_last() {
        let mut skips = Skips::default();
        skips.set("3.9", "universal", &[skip("too new", "test_x"), skip("too new", "test_y")]);
        skips.set("3.10", "universal", &[skip("too new", "test_x")]);
        skips.set("3.10", "others", &[skip("slow", "test_z")]);
        let show =
            |skips: &Skips| skips.markdown(&["universal", "published", "others"], &["3.9", "3.10"]);
        let text = show(&skips);
        assert_eq!(
            text,
            "| reason | universal | others | tests |\n|---|---|---|---|\n\
             | slow |  | 3.10 | `test_z` |\n| too new | 3.9, 3.10 |  | `test_x`, `test_y` |\n"
        );
        let mut again = Skips::read(&format!("| other | table |\n\n{text}\nBehind."));
        assert_eq!(show(&again), text);
        again.set("3.10", "others", &[]);
        again.set("3.9", "universal", &[]);
        assert_eq!(
            show(&again),
            "| reason | universal | tests |\n|---|---|---|\n| too new | 3.10 | `test_x`, `test_y` |\n"
        );
    }
}
