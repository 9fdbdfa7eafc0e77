//! Renewal: as jobs that are interrupted, on a live node while a client reads and writes, and of a cluster whose every
//! certificate is over.
#![allow(missing_docs)]

mod agreement;
mod client;
mod jobs;
mod live;
mod place;
mod revival;
