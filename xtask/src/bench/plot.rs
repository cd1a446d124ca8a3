//! A plot of bars, as SVG.

/// The bars that stand together: one for each build, in their order; `None` where there is none.
pub struct Group {
    pub title: String,
    pub values: Vec<Option<f64>>,
}

const BAR: f64 = 26.0;
const GAP: f64 = 34.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 50.0;
const COLORS: &[&str] = &["#8a8f98", "#4c9f70", "#2f6fb0", "#d08a3c"];

/// Groups of bars above 0; the value is written on each.
pub fn bars(titles: &[&str], groups: &[Group]) -> String {
    let highest =
        groups.iter().flat_map(|g| &g.values).flatten().copied().fold(1.0_f64, f64::max) * 1.08;
    let group_width = BAR * titles.len() as f64 + GAP;
    let width = LEFT + group_width * groups.len() as f64 + GAP;
    let bottom = TOP + HEIGHT;
    let y = |value: f64| bottom - value / highest * HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        bottom + 40.0
    );
    for (i, title) in titles.iter().enumerate() {
        let x = LEFT + 160.0 * i as f64;
        let color = COLORS[i % COLORS.len()];
        svg.push_str(&format!(
            "<rect x=\"{x:.0}\" y=\"12\" width=\"12\" height=\"12\" fill=\"{color}\"/>\n\
             <text x=\"{:.0}\" y=\"22\">{title}</text>\n",
            x + 18.0
        ));
    }
    for (i, group) in groups.iter().enumerate() {
        let x = LEFT + GAP / 2.0 + group_width * i as f64;
        for (j, value) in group.values.iter().enumerate() {
            let Some(value) = *value else { continue };
            let (left, top) = (x + BAR * j as f64, y(value));
            svg.push_str(&format!(
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\">{value:.2}</text>\n",
                BAR - 2.0,
                bottom - top,
                COLORS[j % COLORS.len()],
                left + BAR / 2.0,
                top - 3.0
            ));
        }
        let middle = x + BAR * titles.len() as f64 / 2.0;
        svg.push_str(&format!(
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            bottom + 18.0,
            group.title
        ));
    }
    svg.push_str(&format!(
        "<line x1=\"{LEFT}\" x2=\"{width:.0}\" y1=\"{0:.1}\" y2=\"{0:.1}\" stroke=\"#444\" stroke-dasharray=\"4 3\"/>\n</svg>\n",
        y(1.0)
    ));
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_bar_for_each_value() {
        let groups = [Group { title: "one".to_owned(), values: vec![Some(1.0), None, Some(1.5)] }];
        let svg = bars(&["a", "b", "c"], &groups);
        assert_eq!(svg.matches("text-anchor=\"middle\" font-size=\"10\"").count(), 2);
        assert!(svg.contains(">1.50<") && svg.ends_with("</svg>\n"));
    }
}
