// The workload of the end-to-end tests. The standard library only.
module kpki.test/e2e/web

go 1.26.0
