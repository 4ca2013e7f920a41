/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packet that a program was given, whatever the hook. An object is of one
 * hook: XDP's says so by SHUNT_XDP before it includes anything. Both sides have
 * the same functions; a `bool` of theirs is a yes.
 *
 *   context_length()    the whole frame
 *   context_protocol()  ETH_P_IP or another, in network byte order
 *   context_device()    the index of the device that it is at
 *   load_bytes()        copies out of the frame
 *   store_bytes()       copies into it; checksums stay as they are
 *   fix_ip4_checksum()  by a difference, that of IPv4's header
 *   fix_checksum()      any other, as bpf_l4_csum_replace() does
 */
#ifndef SHUNT_BPF_CONTEXT_H_
#define SHUNT_BPF_CONTEXT_H_

#ifdef SHUNT_XDP
#include "lib/context_xdp.h"
#else
#include "lib/context_skb.h"
#endif

#endif /* SHUNT_BPF_CONTEXT_H_ */
