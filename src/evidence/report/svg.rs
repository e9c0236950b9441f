//! A small writer of SVG: lines, texts and marks with numbers of one decimal, so that the same
//! values always give the same bytes. Colours are classes of the page's style; every line differs
//! in dash or shape as well.

use super::escape;
use std::fmt::Write;

/// A picture that is being drawn.
#[derive(Debug)]
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
}

/// A number as it stands in the picture: one decimal, and no `-0`.
pub fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    let tenths = if tenths == 0.0 || !tenths.is_finite() { 0.0 } else { tenths };
    let text = format!("{tenths:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl Svg {
    /// An empty picture.
    pub fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let _ = write!(
            self.body,
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        );
    }

    /// A line through points.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut d = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            let move_ = if i == 0 { "M" } else { "L" };
            let _ = write!(d, "{move_}{} {}", number(*x), number(*y));
        }
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{d}\"/>");
    }

    /// A dot.
    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let [x, y, r] = [x, y, radius].map(number);
        let _ = write!(self.body, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>");
    }

    /// A triangle that points up or down.
    pub fn triangle(&mut self, class: &str, (x, y): (f64, f64), size: f64, up: bool) {
        let h = if up { -size } else { size };
        let corners = [(x - size, y - h / 2.0), (x + size, y - h / 2.0), (x, y + h)];
        let points: Vec<String> =
            corners.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let _ = write!(self.body, "<polygon class=\"{class}\" points=\"{}\"/>", points.join(" "));
    }

    /// A text; `anchor` is `start`, `middle` or `end`.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
        let ([x, y], text) = ([x, y].map(number), escape::html(text));
        let _ = write!(
            self.body,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
        );
    }

    /// The picture, with what it says to those who do not see it.
    pub fn finish(self, says: &str) -> String {
        let [w, h] = [self.width, self.height].map(number);
        let says = escape::html(says);
        format!(
            "<svg role=\"img\" viewBox=\"0 0 {w} {h}\" aria-label=\"{says}\">{}</svg>",
            self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_stable() {
        for (value, text) in
            [(0.0, "0"), (-0.04, "0"), (1.0, "1"), (1.25, "1.3"), (960.04, "960"), (f64::NAN, "0")]
        {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_picture_says_what_it_shows_and_escapes_it() {
        let mut svg = Svg::new(10.0, 5.0);
        svg.text("t", (1.0, 2.0), "end", "<b>");
        assert_eq!(
            svg.finish("a \"b\""),
            "<svg role=\"img\" viewBox=\"0 0 10 5\" aria-label=\"a &quot;b&quot;\">\
             <text class=\"t\" x=\"1\" y=\"2\" text-anchor=\"end\">&lt;b&gt;</text></svg>"
        );
    }
}
