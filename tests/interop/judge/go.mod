// Go's opinion of what kpki issues: the standard library, and go-pkcs12 for what that does not read.
module kpki.test/interop/judge

go 1.26.0

require software.sslmate.com/src/go-pkcs12 v0.7.4

require golang.org/x/crypto v0.11.0 // indirect
