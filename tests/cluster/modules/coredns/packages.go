// SPDX-License-Identifier: Apache-2.0

//go:build packages

// Package coredns pins what ../build compiles.
package coredns

import _ "github.com/coredns/coredns"
