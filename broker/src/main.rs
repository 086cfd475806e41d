//! The command line of the broker.

use std::process::ExitCode;

use broker::cli::Cli;
use clap::Parser as _;

#[actix_web::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
