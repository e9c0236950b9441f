//! Parse, dispatch, exit code.

use clap::Parser;
use std::process::ExitCode;
use switchback::{app, cli::Cli};

fn main() -> ExitCode {
    if let Err(error) = color_eyre::install() {
        switchback::plain::complain(format_args!("warning: no error reports: {error}"));
    }
    match app::run(Cli::parse()) {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            switchback::plain::complain(failure.says);
            ExitCode::from(failure.exit)
        }
    }
}
