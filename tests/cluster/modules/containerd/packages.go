// SPDX-License-Identifier: Apache-2.0

//go:build packages

// Package containerd pins what ../build compiles: Debian 12's own is too old for kubelet.
package containerd

import (
	_ "github.com/containerd/containerd/v2/cmd/containerd"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/v2/cmd/ctr"
)
