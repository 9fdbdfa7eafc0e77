//! Container images, made from programs of this machine.
