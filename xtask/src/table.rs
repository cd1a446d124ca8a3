//! The table of the matrix: a row for each interpreter, a cell for each column that was run there.
//!
//! It is kept in a page, in Markdown, and read back from there: interpreters are run at different times, and a run replaces the
//! cells that it ran.

use std::collections::BTreeMap;

/// What a cell that was never run says.
const NOTHING: &str = "-";

/// The rows by their labels; in each the cells by the titles of their columns.
#[derive(Default)]
pub struct Table {
    rows: BTreeMap<String, BTreeMap<String, String>>,
}

impl Table {
    /// Reads the first table of `text`; without one, it is empty.
    pub fn read(text: &str) -> Self {
        let mut lines = text.lines().skip_while(|line| !line.starts_with('|'));
        let titles: Vec<_> = cells(lines.next().unwrap_or_default()).collect();
        let mut table = Self::default();
        // The second line is the one that Markdown wants below the titles.
        for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
            let mut cells = cells(line);
            let label = cells.next().unwrap_or_default();
            for (title, text) in titles.iter().skip(1).zip(cells).filter(|(_, c)| *c != NOTHING) {
                table.set(label, title, text);
            }
        }
        table
    }

    /// Puts `text` into the row `label` and the column `title`, in place of what is there.
    pub fn set(&mut self, label: &str, title: &str, text: &str) {
        let row = self.rows.entry(label.to_owned()).or_default();
        row.insert(title.to_owned(), text.to_owned());
    }

    /// The table in Markdown, with those of the `titles` that have a cell; the rows in the order of `labels`, and others behind.
    pub fn markdown(&self, titles: &[&str], labels: &[&str]) -> String {
        let is_used = |title: &str| self.rows.values().any(|row| row.contains_key(title));
        let titles: Vec<_> = titles.iter().copied().filter(|title| is_used(title)).collect();
        let mut text = header(&[&["Python"], titles.as_slice()].concat());
        let place = |label: &str| labels.iter().position(|known| *known == label);
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(label, _)| place(label).unwrap_or(labels.len()));
        for (label, row) in rows {
            let mut cells = vec![label.as_str()];
            cells
                .extend(titles.iter().map(|title| row.get(*title).map_or(NOTHING, String::as_str)));
            text += &line(&cells);
        }
        text
    }
}

/// The first two lines of a table.
pub fn header(titles: &[&str]) -> String {
    format!("{}|{}\n", line(titles), "---|".repeat(titles.len()))
}

/// A line of a table.
pub fn line<S: AsRef<str>>(cells: &[S]) -> String {
    let cells: Vec<_> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The cells of a line.
pub fn cells(line: &str) -> impl Iterator<Item = &str> {
    let inside = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inside.unwrap_or(line).split('|').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &[&str] = &["wheel", "examples", "others"];

    #[test]
    fn a_run_replaces_the_cells_that_it_ran() {
        let text = "Before.\n\n| Python | wheel | examples |\n|---|---|---|\n\
            | 3.11 | built | 7 passed |\n| pypy7.3 | built | - |\n\nBehind.\n| not | this |\n";
        let mut table = Table::read(text);
        table.set("3.11", "examples", "8 passed");
        table.set("3.9", "others", "1 passed");
        assert_eq!(
            table.markdown(TITLES, &["3.9", "3.11"]),
            "| Python | wheel | examples | others |\n|---|---|---|---|\n\
             | 3.9 | - | - | 1 passed |\n| 3.11 | built | 8 passed | - |\n| pypy7.3 | built | - | - |\n"
        );
    }

    #[test]
    fn a_page_without_a_table_gets_one() {
        let mut table = Table::read("Nothing yet.\n");
        table.set("3.9", "wheel", "built");
        assert_eq!(table.markdown(TITLES, &[]), "| Python | wheel |\n|---|---|\n| 3.9 | built |\n");
    }
}
