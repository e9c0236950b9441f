//! The plots: five signals of Blue and Green on one time axis, under the split that users got.
//!
//! Switches are vertical lines through all of them, limits are dashed, trips are marked where they
//! happened. What was never read says so in the place of its line.

use super::super::Account;
use super::series::{self, Series, bound};
use super::svg::{Svg, number};
use crate::plan::{Limit, Signal};
use crate::signal::{Origin, Whose};
use crate::text::clock;
use crate::units::Millis;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;

/// A plot: its title, what it says in a sentence, and the picture.
#[derive(Debug)]
pub struct Plot {
    /// Its title.
    pub title: String,
    /// What to know of it, in a sentence.
    pub says: String,
    /// The picture as SVG.
    pub svg: String,
}

/// The time axis that all plots share.
#[derive(Debug, Clone, Copy)]
struct Axis {
    end: f64,
}

impl Axis {
    fn x(self, at: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (at / self.end).clamp(0.0, 1.0)
    }

    /// The distance of its ticks: at most eight of them, at times that people say.
    fn tick(self) -> u64 {
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400]
            .map(|secs: u64| secs * 1_000)
            .into_iter()
            .find(|tick| self.end / (*tick as f64) <= 9.0)
            .unwrap_or(604_800_000)
    }
}

/// All plots, the split first.
pub fn all(account: &Account) -> Vec<Plot> {
    let axis = Axis { end: account.last_at.0.max(1_000) as f64 };
    let mut plots = vec![split(account, axis)];
    for (signal, lines) in series::all(account) {
        plots.push(plot(account, axis, signal, &lines));
    }
    plots
}

/// Vertical lines where users were moved, and the way back.
fn switches(svg: &mut Svg, account: &Account, axis: Axis, top: f64, bottom: f64) {
    for (at, _) in &account.switches {
        let x = axis.x(at.0 as f64);
        svg.line("switch", (x, top), (x, bottom));
    }
    if let Some(back) = &account.back {
        let x = axis.x(back.at.0 as f64);
        svg.line("goback", (x, top), (x, bottom));
    }
}

fn time(svg: &mut Svg, axis: Axis, bottom: f64) {
    svg.line("axis", (LEFT, bottom), (WIDTH - RIGHT, bottom));
    let tick = axis.tick();
    let mut at = 0;
    while at as f64 <= axis.end {
        let x = axis.x(at as f64);
        svg.line("axis", (x, bottom), (x, bottom + 4.0));
        svg.text("tick", (x, bottom + 17.0), "middle", &clock(Millis(at)));
        at += tick;
    }
}

/// Green's share of the traffic, as the router reported it.
fn split(account: &Account, axis: Axis) -> Plot {
    let (top, bottom) = (18.0, 68.0);
    let mut svg = Svg::new(WIDTH, 92.0);
    let y = |green: u8| bottom - (bottom - top) * f64::from(green) / 100.0;
    for green in [0, 50, 100] {
        svg.line("grid", (LEFT, y(green)), (WIDTH - RIGHT, y(green)));
        svg.text("tick", (LEFT - 6.0, y(green) + 4.0), "end", &format!("{green} %"));
    }
    switches(&mut svg, account, axis, top, bottom);
    let mut points = Vec::new();
    let mut last = None;
    let mut said_to = f64::MIN;
    for (at, green) in &account.switches {
        let x = axis.x(at.0 as f64);
        if let Some(last) = last {
            points.push((x, y(last)));
        }
        points.push((x, y(*green)));
        if x > said_to {
            svg.text("value", (x + 3.0, top - 6.0), "start", &format!("{green} %"));
            said_to = x + 40.0;
        }
        last = Some(*green);
    }
    if let Some(last) = last {
        points.push((WIDTH - RIGHT, y(last)));
        svg.path("split", &points);
    } else {
        svg.text("nothing", (LEFT + 8.0, 46.0), "start", "the router reported no split");
    }
    time(&mut svg, axis, bottom);
    let told: Vec<String> = account
        .switches
        .iter()
        .map(|(at, green)| format!("{green} % from {}", clock(*at)))
        .collect();
    let says = if told.is_empty() {
        "The router reported no split.".to_owned()
    } else {
        format!("As the router reported: {}.", told.join(", "))
    };
    Plot { title: "Green's share of the traffic".to_owned(), svg: svg.finish(&says), says }
}

const fn title(signal: Signal) -> &'static str {
    match signal {
        Signal::Health => "Readiness checks that failed",
        Signal::ErrorRate => "5xx: requests that failed",
        Signal::ClientErrorRate => "4xx",
        Signal::LatencyP95 => "p95: time to an answer",
        Signal::DbErrors => "Database connection errors",
        Signal::QueueDepth => "Queue: jobs that wait",
    }
}

fn value(signal: Signal, value: f64) -> String {
    match signal {
        Signal::LatencyP95 => crate::text::latency(value),
        Signal::QueueDepth => number(value),
        _ => crate::text::percent(value),
    }
}

/// A round number that is at least as large.
fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|round| *round >= value - 1e-9)
        .unwrap_or(10.0 * power)
}

fn plot(account: &Account, axis: Axis, signal: Signal, lines: &[Series]) -> Plot {
    let (top, bottom) = (16.0, 136.0);
    let lines = chosen(signal, lines);
    let limit = account.limits.iter().find(|limit| limit.signal == signal);
    let most = lines.iter().map(|line| line.most()).fold(0.0, f64::max);
    let above = limit.map_or(0.0, |limit| bound(limit.above));
    let least: f64 = match signal {
        Signal::LatencyP95 | Signal::QueueDepth => 10.0,
        _ => 1.0,
    };
    let mut scale = round_up((most * 1.05).max(above * 1.2).max(least));
    if !matches!(signal, Signal::LatencyP95 | Signal::QueueDepth | Signal::DbErrors) {
        scale = scale.min(100.0);
    }
    let y = |value: f64| bottom - (bottom - top) * (value / scale).clamp(0.0, 1.0);
    let mut svg = Svg::new(WIDTH, 160.0);
    for part in [0.0, 0.5, 1.0] {
        let at = y(scale * part);
        svg.line("grid", (LEFT, at), (WIDTH - RIGHT, at));
        svg.text("tick", (LEFT - 6.0, at + 4.0), "end", &value(signal, scale * part));
    }
    switches(&mut svg, account, axis, top, bottom);
    if let Some(limit) = limit {
        let at = y(bound(limit.above));
        svg.line("limit", (LEFT, at), (WIDTH - RIGHT, at));
        let says = format!("limit {}", limit.above);
        svg.text("limit-name", (WIDTH - RIGHT, at - 5.0), "end", &says);
    }
    let gap = series::column(account).0 as f64 * 3.5;
    for line in &lines {
        draw(&mut svg, axis, line, gap, &y);
    }
    if lines.is_empty() {
        svg.text("nothing", (LEFT + 10.0, (top + bottom) / 2.0 + 4.0), "start", nothing(signal));
    }
    let trips = account.trips.iter().filter(|(_, _, judgement)| judgement.signal() == signal);
    let mut tripped = Vec::new();
    for (at, role, _) in trips {
        let x = axis.x(at.0 as f64);
        svg.triangle("trip", (x, top - 6.0), 6.0, false);
        let (side, anchor) = if x > WIDTH - 160.0 { (-10.0, "end") } else { (10.0, "start") };
        svg.text("trip-name", (x + side, top - 1.0), anchor, &format!("tripped on {role}"));
        tripped.push(format!("tripped on {role} at {}", clock(*at)));
    }
    for (at, role, _) in account.later_trips.iter().filter(|(.., j)| j.signal() == signal) {
        let at = clock(*at);
        tripped.push(format!("on the way back, tripped on {role} at {at}: no cause of it"));
    }
    time(&mut svg, axis, bottom);
    let says = sentence(signal, &lines, limit, &tripped);
    Plot { title: title(signal).to_owned(), svg: svg.finish(&says), says }
}

/// The lines that are drawn: of times only users' where anybody measured these.
fn chosen(signal: Signal, lines: &[Series]) -> Vec<&Series> {
    let users = lines.iter().any(|line| line.from == Origin::Users);
    let drawn = |line: &&Series| match signal {
        Signal::LatencyP95 => !users || line.from == Origin::Users,
        _ => true,
    };
    lines.iter().filter(drawn).collect()
}

const fn nothing(signal: Signal) -> &'static str {
    match signal {
        Signal::DbErrors | Signal::QueueDepth => "not declared, or never read: nothing is known",
        _ => "never read: nothing is known",
    }
}

fn draw(svg: &mut Svg, axis: Axis, line: &Series, gap: f64, y: &impl Fn(f64) -> f64) {
    let whose = match line.role {
        Whose::Blue => "blue",
        Whose::Green => "green",
        Whose::Both => "both",
    };
    let from = if line.from == Origin::Probes { " probes" } else { "" };
    let class = format!("{whose}{from}");
    // Where nothing was measured for long the line is broken.
    let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut before = f64::NEG_INFINITY;
    for (at, value) in &line.points {
        let point = (axis.x(*at), y(*value));
        match parts.last_mut() {
            Some(part) if at - before <= gap => part.push(point),
            _ => parts.push(vec![point]),
        }
        before = *at;
    }
    for part in &parts {
        if part.len() == 1 {
            svg.dot(&class, part[0], 1.5);
        } else {
            svg.path(&class, part);
        }
    }
    // A shape at the end says whose line it is, without colour.
    let Some(end) = parts.last().and_then(|part| part.last()) else { return };
    match line.role {
        Whose::Green => svg.triangle(&format!("{class} mark"), *end, 4.5, true),
        _ => svg.dot(&format!("{class} mark"), *end, 3.5),
    }
}

fn sentence(
    signal: Signal,
    lines: &[&Series],
    limit: Option<&Limit>,
    tripped: &[String],
) -> String {
    let mut says = Vec::new();
    for line in lines {
        let whose = match line.role {
            Whose::Blue => "Blue",
            Whose::Green => "Green",
            Whose::Both => "both slots",
        };
        let from = match (line.from, signal) {
            (_, Signal::Health) | (Origin::Gauges, _) => "",
            (Origin::Probes, _) => "'s probes",
            (Origin::Users, _) => "'s users",
        };
        says.push(format!("{whose}{from} at most {}", value(signal, line.most())));
    }
    if lines.is_empty() {
        says.push(nothing(signal).to_owned());
    }
    if signal == Signal::LatencyP95 && lines.iter().any(|line| line.from == Origin::Probes) {
        says.push("nobody measures users' times: this is the p95 of probes".to_owned());
    }
    says.push(match limit {
        None => "no limit is declared".to_owned(),
        Some(limit) => {
            let source = if limit.declared { "" } else { ", by default" };
            let (above, hold) = (limit.above, limit.hold);
            format!("limit: above {above} for {hold}{source}")
        }
    });
    says.extend(tripped.iter().cloned());
    let text = says.join("; ");
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_on_round_numbers() {
        for (value, round) in [
            (0.0, 1.0),
            (0.3, 0.5),
            (1.0, 1.0),
            (1.2, 2.0),
            (2.1, 2.5),
            (37.0, 50.0),
            (99.0, 100.0),
        ] {
            assert!((round_up(value) - round).abs() < 1e-6, "{value}");
        }
    }

    #[test]
    fn ticks_are_few_at_any_length() {
        for end in [1_000.0, 60_000.0, 1_200_000.0, 3_600_000.0, 90_000_000.0] {
            let axis = Axis { end };
            let ticks = end / axis.tick() as f64;
            assert!((0.5..=9.0).contains(&ticks), "{end}: {ticks}");
        }
    }
}
