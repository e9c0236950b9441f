//! Switchback is a deploy cockpit for the terminal. One person deploys a web service blue/green;
//! the cockpit walks them through eight steps, shows what the release does to users, and keeps
//! one key, always, that sends all traffic back to Blue.
//!
//! This page is the architecture. It says what is where, and what is true everywhere.
//!
//! # From above
//!
//! ```text
//!  keys ────► Command ──┐                            ┌─► Act ─────► router · commands
//!  probes ──► Sample ───┤                            │
//!  router ──► Readback ─┼─► Event ─► Core::step() ───┼─► Record ──► journal · log
//!  acts ────► Outcome ──┤      (synchronous, alone)  │
//!  time ────► Due ──────┘                            └─► Snapshot ► screen · lines · JSON
//! ```
//!
//! Events in, one pure transition, effects out; the view is a function of a snapshot; the journal
//! is what happened. [`runbook::Core::step`] is the one place that decides. It reads no clock and
//! does no IO: `at` comes with each event, in whole milliseconds since the run began. Retries,
//! timeouts, pre-emption and the journal's barriers are decided there too, as effects with ids
//! that carry the attempt, so that a late answer to an old question is known for what it is.
//!
//! The [`engine`] is where tokio lives. It names what happened, asks the core, does what the core
//! says and brings the outcomes back as events. A journal's events, fed to a fresh core, give the
//! same effects byte for byte: that is how a run that was cut off is picked up, and how a replay
//! is checked. A simulated world fed with the core's effects is how the core is tested.
//!
//! # The map
//!
//! | module | what it is |
//! |---|---|
//! | [`units`] | milliseconds, percents, slots, roles, splits: quantities that could be confused |
//! | [`plan`] | the operator's TOML file, its one table of keys, its faults with line and hint |
//! | [`runbook`] | PURE: the eight steps, gates, questions, the way back, and how it all looks |
//! | [`signal`] | PURE: samples, windows, limits, verdicts; [`signal::Judge`] is the seam of the rule |
//! | [`clean`] | the one sanitiser: untrusted text becomes [`clean::Clean`], secrets become masks |
//! | [`adapter`] | routers, probes and commands: the world as it is |
//! | [`engine`] | sources → events → core → journal → effects, on a thread of its own |
//! | [`feed`] | the seam between engine and watchers: snapshots, and what is new since |
//! | [`journal`] | hash-chained JSONL; read, verified, replayed, resumed |
//! | [`runs`] | run directories, their index, the lock by router, the socket beside it |
//! | [`replay`] | PURE but for its thread: a journal as a tape, played to the same screen; no router in reach |
//! | [`evidence`] | the bundle that a run leaves: recording, signatures, report; and how it is checked |
//! | [`lab`] | a seeded world and its HTTP front: real services, users and a weighted proxy |
//! | [`drill`] | what a flight in the lab is worth, what is learned from it, and who flies it as a test |
//! | [`sim`] | simulated time: the same core in a world of data, as fast as it goes |
//! | [`odds`] | releases that go well and badly, as counts; who would have gone back when; the wind tunnel |
//! | [`backtest`] | samples of others, and runs of ours, judged again under any limits |
//! | [`tui`] | the cockpit: terminal, keys as a table, views, widgets, themes |
//! | [`plain`] | the same run as lines or JSON, and typed words as keys |
//! | [`text`] | durations and plurals: one voice |
//! | [`cli`], [`app`] | what was typed, and what each command does |
//!
//! Read in this order: [`units`], [`runbook::event`], [`runbook::effect`], [`runbook::core`],
//! then a phase in `runbook/phase.rs` and the way back in `runbook/rollback.rs`, then
//! `engine/run.rs` and `engine/hands.rs`.
//!
//! # What is true everywhere
//!
//! - **The screen never lies.** What was *asked*, what the router *reads* and what users *saw* are
//!   three things. Unknown, stale, too few and not declared are words of their own.
//! - **The way back waits for nothing.** The engine does a rollback's acts before it writes
//!   anything down; they have [`runbook::Barrier::Nothing`], a router handle of their own, and
//!   everything in flight towards Green is cancelled first. A key counts from when it was read.
//! - **Nothing moves towards Green without a gate that is open now.** The yes to a question is
//!   checked against the gate once more when it comes, and the write reads first: where somebody
//!   else has moved the split in between, it is left alone.
//! - **Blue is a role**, fixed at step 1 by what the router says. Slots have the plan's names.
//! - **An intent is on disk before its act, an outcome may be written behind, samples never wait.**
//! - **A read-back is a list of nodes**, each with its own outcome, also where there is one router.
//! - **Key reading, engine and drawing are apart**: three threads. A blocked terminal stops nothing.
//!
//! # Absences
//!
//! These are kept by a test that reads the `use` lines (`tests/architecture.rs`):
//!
//! - `runbook` and `signal` name no tokio, ratatui, crossterm, reqwest, file, socket, clock or dice.
//! - `sim` names none of these either, and `runbook` and `signal` never name it.
//! - `engine` never names `tui`; `tui` sends commands and never an effect.
//! - `tui` views name no clock, no file, no engine.
//! - nothing outside `lab`, `drill`, `app`, `sim` and the router of kind `lab` names the lab; nothing
//!   outside `drill` and `app` names drills, and a drill knows no screen, engine, socket or clock.
//! - untrusted text reaches screen, journal and recording only as [`clean::Clean`].

pub mod adapter;
pub mod app;
pub mod backtest;
pub mod clean;
pub mod cli;
pub mod drill;
pub mod engine;
pub mod evidence;
pub mod feed;
pub mod journal;
pub mod lab;
pub mod odds;
pub mod plain;
pub mod plan;
pub mod replay;
pub mod runbook;
pub mod runs;
pub mod signal;
pub mod sim;
pub mod text;
pub mod tui;
pub mod units;
