/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context.h for XDP: a frame as it came, perhaps in several buffers. Nobody
 * completes a checksum here, so each is one of the whole.
 */
#ifndef SHUNT_BPF_CONTEXT_XDP_H_
#define SHUNT_BPF_CONTEXT_XDP_H_

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

typedef struct xdp_md context;

static __always_inline __u32 context_length(context *ctx)
{
	return bpf_xdp_get_buff_len(ctx);
}

/* 0 where there is not even a header of Ethernet. */
static __always_inline __be16 context_protocol(const context *ctx)
{
	const struct ethhdr *link = (const void *)(long)ctx->data;

	return (const void *)(link + 1) <= (const void *)(long)ctx->data_end ? link->h_proto : 0;
}

static __always_inline __u32 context_device(const context *ctx)
{
	return ctx->ingress_ifindex;
}

static __always_inline bool load_bytes(context *ctx, __u32 at, void *to, __u32 size)
{
	return !bpf_xdp_load_bytes(ctx, at, to, size);
}

static __always_inline bool store_bytes(context *ctx, __u32 at, void *from, __u32 size)
{
	return !bpf_xdp_store_bytes(ctx, at, from, size);
}

/* One's complement: RFC 1624, equation 3. */
static __always_inline __sum16 changed_checksum(__sum16 checksum, __wsum difference)
{
	__u64 sum = (__u64)(__u16)~checksum + difference;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline bool fix_ip4_checksum(context *ctx, __u32 at, __wsum difference)
{
	__sum16 checksum;

	if (!load_bytes(ctx, at, &checksum, sizeof(checksum)))
		return false;
	checksum = changed_checksum(checksum, difference);
	return store_bytes(ctx, at, &checksum, sizeof(checksum));
}

/* BPF_F_MARK_MANGLED_0: 0 is no checksum, and stays none. */
static __always_inline bool fix_checksum(context *ctx, __u32 at, __u64 from, __u64 to, __u64 flags)
{
	__wsum difference = flags & BPF_F_HDR_FIELD_MASK ? (__u16)~from + (__u16)to : to;
	__sum16 checksum;

	if (!load_bytes(ctx, at, &checksum, sizeof(checksum)))
		return false;
	if (flags & BPF_F_MARK_MANGLED_0 && !checksum)
		return true;
	checksum = changed_checksum(checksum, difference);
	if (flags & BPF_F_MARK_MANGLED_0 && !checksum)
		checksum = 0xffff;
	return store_bytes(ctx, at, &checksum, sizeof(checksum));
}

#endif /* SHUNT_BPF_CONTEXT_XDP_H_ */
