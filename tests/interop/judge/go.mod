// Go's opinion of what kpki issues. The standard library only.
module kpki.test/interop/judge

go 1.26.0
