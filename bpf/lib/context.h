/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packet that a program was given, and all that is done to its bytes: so the
 * headers that ask and change it name no hook. A `bool` is a yes.
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

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

typedef struct __sk_buff context;

static __always_inline __u32 context_length(const context *ctx)
{
	return ctx->len;
}

static __always_inline __be16 context_protocol(const context *ctx)
{
	return ctx->protocol;
}

static __always_inline __u32 context_device(const context *ctx)
{
	return ctx->ifindex;
}

static __always_inline bool load_bytes(context *ctx, __u32 at, void *to, __u32 size)
{
	return !bpf_skb_load_bytes(ctx, at, to, size);
}

static __always_inline bool store_bytes(context *ctx, __u32 at, const void *from, __u32 size)
{
	return !bpf_skb_store_bytes(ctx, at, from, size, 0);
}

static __always_inline bool fix_ip4_checksum(context *ctx, __u32 at, __wsum difference)
{
	return !bpf_l3_csum_replace(ctx, at, 0, difference, 0);
}

static __always_inline bool fix_checksum(context *ctx, __u32 at, __u64 from, __u64 to, __u64 flags)
{
	return !bpf_l4_csum_replace(ctx, at, from, to, flags);
}

#endif /* SHUNT_BPF_CONTEXT_H_ */
