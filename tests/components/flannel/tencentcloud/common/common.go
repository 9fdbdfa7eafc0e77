// Package common stands in for Tencent Cloud's SDK, which the Go module proxy
// does not hold: just the names that flannel's tencent-vpc back end uses.
package common

func StringPtr(v string) *string { return &v }

func BoolPtr(v bool) *bool { return &v }

func StringPtrs(vs []string) []*string {
	out := make([]*string, len(vs))
	for i := range vs {
		out[i] = &vs[i]
	}
	return out
}
