//! The command line of the broker.

use std::process::ExitCode;

use broker::cli::Cli;
use clap::Parser as _;
use tikv_jemallocator::Jemalloc;

/// Gives memory back to the operating system when what was held has ended; the C library's allocator keeps most of it.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
