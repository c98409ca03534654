//! The targets, one file each: what the bytes mean, and what must hold whatever they are.

pub(crate) mod clocks;
pub(crate) mod config;
pub(crate) mod engine;
pub(crate) mod frames;
pub(crate) mod records;
pub(crate) mod reorder;
pub(crate) mod requests;
