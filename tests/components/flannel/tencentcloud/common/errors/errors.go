// Package errors stands in for Tencent Cloud's SDK; see package common.
package errors

type TencentCloudSDKError struct{ Message string }

func (e *TencentCloudSDKError) Error() string { return e.Message }
