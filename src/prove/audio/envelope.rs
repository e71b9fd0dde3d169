//! How loud it was when: a row of blocks for the terminal, a picture for a report. It shows that
//! somebody speaks, not what.

use std::fmt::Write as _;

/// The levels of one side.
#[derive(Copy, Clone, Debug)]
pub struct Side<'a> {
    /// What stands beside it.
    pub label: &'a str,
    /// Seconds that it begins behind the left edge.
    pub offset: f64,
    /// A level for each 20 ms, 0 to 96 ([`super::measure`]).
    pub levels: &'a [u8],
}

/// Levels a second.
const LEVELS: f64 = 50.0;
/// What is drawn: this level is the bottom, that the top.
const RANGE: (u8, u8) = (36, 90);

/// The picture: columns of the envelope, height of a side, room for words.
const COLUMNS: usize = 900;
const HEIGHT: usize = 100;
const LEFT: usize = 80;
const FOOT: usize = 30;

/// The loudest level of each of so many equal parts of `seconds`. Of a short call a level covers several.
fn columns(side: &Side<'_>, seconds: f64, columns: usize) -> Vec<u8> {
    let mut loudest = vec![0; columns];
    let column = |place: usize| {
        let at = (side.offset + index_to_float(place) / LEVELS) / seconds.max(0.02);
        float_to_index(at * index_to_float(columns))
    };
    for (place, level) in side.levels.iter().enumerate() {
        let from = column(place).min(columns.saturating_sub(1));
        let to = column(place.saturating_add(1)).max(from.saturating_add(1)).min(columns);
        for highest in loudest.get_mut(from..to).into_iter().flatten() {
            *highest = (*highest).max(*level);
        }
    }
    loudest
}

/// A row of so many blocks, for `seconds` from the left edge; a blank is silence.
pub fn row(side: &Side<'_>, seconds: f64, width: usize) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (low, high) = RANGE;
    let block = |level: u8| {
        let above = usize::from(level.saturating_sub(low).min(high - low));
        let place = above * 8 / usize::from(high - low);
        BLOCKS.get(place).copied().unwrap_or(' ')
    };
    columns(side, seconds, width).into_iter().map(block).collect()
}

/// An SVG picture of all sides below each other, for `seconds` from the left edge. Labels are ours: they
/// need no escape.
pub fn picture(sides: &[Side<'_>], seconds: f64) -> String {
    let (low, high) = RANGE;
    let (width, height) = (LEFT + COLUMNS + 20, HEIGHT * sides.len() + FOOT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (place, side) in sides.iter().enumerate() {
        let middle = HEIGHT * place + HEIGHT / 2;
        let mut path = String::new();
        for (column, level) in columns(side, seconds, COLUMNS).into_iter().enumerate() {
            let above = usize::from(level.saturating_sub(low).min(high - low));
            let half = above * (HEIGHT / 2 - 6) / usize::from(high - low);
            if half > 0 {
                let (x, y) = (LEFT + column, middle - half);
                // Writing to a string cannot fail.
                let _ = write!(path, "M{x}.5 {y}v{}", 2 * half);
            }
        }
        let _ = write!(
            svg,
            "<text x=\"8\" y=\"{}\">{}</text>\n<path d=\"M{LEFT} {middle}h{COLUMNS}\" \
             stroke=\"#bbb\"/>\n<path d=\"{path}\" stroke=\"#246\"/>\n",
            middle + 4,
            side.label
        );
    }
    axis(&mut svg, seconds, HEIGHT * sides.len());
    svg.push_str("</svg>\n");
    svg
}

/// Times below the picture, ten of them at most, at round numbers.
fn axis(svg: &mut String, seconds: f64, top: usize) {
    let steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];
    let step = steps.into_iter().find(|step| seconds / f64::from(*step) <= 10.0).unwrap_or(7_200);
    for mark in 0..=10 {
        let at = f64::from(mark * step);
        if at > seconds {
            break;
        }
        let x = LEFT + float_to_index(at / seconds.max(0.02) * index_to_float(COLUMNS));
        let (minutes, rest) = (mark * step / 60, mark * step % 60);
        let _ = writeln!(
            svg,
            "<path d=\"M{x}.5 {top}v5\" stroke=\"#888\"/><text x=\"{x}\" y=\"{}\" \
             text-anchor=\"middle\" fill=\"#555\">{minutes}:{rest:02}</text>",
            top + 18
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few million at most")]
fn index_to_float(index: usize) -> f64 {
    index as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is negative or no number becomes 0"
)]
fn float_to_index(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_rise_with_the_level_and_stand_where_it_was() {
        let mut levels = vec![0; 50];
        levels.extend([90; 50]);
        let side = Side { label: "caller", offset: 1.0, levels: &levels };
        assert_eq!(row(&side, 4.0, 8), "    ██  ");
        assert_eq!(row(&Side { levels: &[63; 50], ..side }, 2.0, 4), "  ▄▄");
        assert_eq!(row(&Side { levels: &[], ..side }, 0.0, 3), "   ");
        // Five levels in ten columns leave no gaps.
        assert_eq!(row(&Side { levels: &[90; 5], offset: 0.0, ..side }, 0.1, 10), "█".repeat(10));
    }

    #[test]
    fn a_picture_is_well_formed_and_of_a_fixed_size() {
        let levels = [80; 500];
        let side = Side { label: "caller", offset: 0.0, levels: &levels };
        let svg = picture(&[side, Side { label: "callee", ..side }], 10.0);
        assert!(svg.starts_with("<svg xmlns") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<path").count(), 2 * 2 + 11);
        assert!(svg.contains(">0:10</text>") && svg.len() < 40_000);
    }
}
