//! The course of an installation: what is wanted, what differs, and each stage with what it waits for.

mod course;
mod desire;
mod options;
mod pod_subnet;
mod render;
mod replace;
mod role_label;

pub use course::{Course, CourseError, Step, Timeline, Watcher};
pub use desire::{ADDON_MANAGER, desire};
pub use options::{OptionsError, Wishes, remembered, resolve};
pub use render::render;
