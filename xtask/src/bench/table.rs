//! Columns of figures as a Markdown table.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::callgrind::Cell;

/// One column of the table; an error is the reason why it was not measured.
pub struct Column {
    pub title: &'static str,
    pub cells: Result<Vec<Cell>>,
}

/// The columns as a Markdown table; a column that is missing is named below it, with the reason.
pub fn table(columns: &[Column]) -> Result<String> {
    let (mut shown, mut missing) = (Vec::new(), String::new());
    for column in columns {
        match &column.cells {
            Ok(cells) => shown.push((column.title, cells)),
            Err(reason) => writeln!(missing, "\n{}: skipped, {reason}", column.title)?,
        }
    }
    let (_, first) = shown.first().context("nothing was measured")?;
    let titles: Vec<_> = shown.iter().map(|(title, _)| *title).collect();
    let mut text = format!("| instructions per call | {} |\n", titles.join(" | "));
    writeln!(text, "|---|{}", "--:|".repeat(titles.len()))?;
    for cell in *first {
        let number = |cells: &[Cell]| match cells.iter().find(|other| other.row == cell.row) {
            Some(other) => format!("{:.0}", other.instructions),
            None => "–".to_owned(),
        };
        let numbers: Vec<_> = shown.iter().map(|(_, cells)| number(cells)).collect();
        writeln!(text, "| {} | {} |", cell.row, numbers.join(" | "))?;
    }
    Ok(text + &missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &'static str, instructions: f64) -> Column {
        Column { title, cells: Ok(vec![Cell { row: "a call".to_owned(), instructions }]) }
    }

    #[test]
    fn a_missing_column_is_named() -> Result<()> {
        let missing = Column { title: "old", cells: Err(anyhow::anyhow!("it does not install")) };
        let text = table(&[column("one", 10.0), column("two", 20.4), missing])?;
        assert_eq!(
            text,
            "| instructions per call | one | two |\n|---|--:|--:|\n| a call | 10 | 20 |\n\
             \nold: skipped, it does not install\n"
        );
        Ok(())
    }
}
