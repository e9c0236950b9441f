//! Parse, dispatch, exit code.

use clap::Parser;
use std::process::ExitCode;
use switchback::{app, cli::Cli};

fn main() -> ExitCode {
    if let Err(error) = color_eyre::install() {
        eprintln!("warning: no error reports: {error}");
    }
    match app::run(Cli::parse()) {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            eprintln!("{}", failure.says);
            ExitCode::from(failure.exit)
        }
    }
}
