//! Bars over time, for what is counted rather than drawn as a line.

use super::ink::Ink;
use ratatui::layout::Rect;
use ratatui::style::Style;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '_', '.', '.', '-', '=', '+', '#'];

/// Draws one bar a column, the last at the right; `None` is a gap and stays empty, nought is the
/// lowest bar. `top` is the value that fills the height.
pub fn bars(
    ink: &mut Ink<'_>,
    area: Rect,
    top: f32,
    style: Style,
    value: impl Fn(u16) -> Option<f32>,
) {
    let levels = if ink.ascii() { ASCII } else { LEVELS };
    let full = f32::from(area.height) * 8.0 - 1.0;
    for column in 0..area.width {
        let Some(value) = value(column) else { continue };
        let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
        let level = (share * full).round() as u16;
        for row in 0..=(level / 8).min(area.height.saturating_sub(1)) {
            let here = if row < level / 8 { 7 } else { usize::from(level % 8) };
            let y = area.bottom() - 1 - row;
            ink.dot(area.x + column, y, levels[here], style);
        }
    }
}
