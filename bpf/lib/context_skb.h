/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context.h for tc: the kernel's own packet.
 */
#ifndef SHUNT_BPF_CONTEXT_SKB_H_
#define SHUNT_BPF_CONTEXT_SKB_H_

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

#endif /* SHUNT_BPF_CONTEXT_SKB_H_ */
