//! A container runtime that does not start.

use tests::component;

use crate::place::Place;

pub fn ends(place: &Place<'_>) {
    let real = component::path("containerd");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec {} --version\necho containerd: cannot today >&2\nexit 1\n",
        real.display()
    );
    place.put("containerd", script.as_bytes());
    place.refuses(&[
        "containerd answers: not after",
        "containerd ended 5 times",
        "\n         containerd: cannot today\n",
        "kinstall logs containerd",
    ]);
    place.take_back("containerd");
}
