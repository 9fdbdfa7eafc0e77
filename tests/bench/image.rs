//! An image of one static program, for `bench/node`: `image NAME PROGRAM FILE ARGUMENT...`.

use std::env;
use std::path::Path;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [name, program, file, rest @ ..] = arguments.as_slice() else {
        panic!("image NAME PROGRAM FILE ARGUMENT...");
    };
    let rest: Vec<_> = rest.iter().map(String::as_str).collect();
    tests::image::archive(name, Path::new(program), &rest, Path::new(file));
}
