/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where does a packet come from, and would an answer come back this way? Asked
 * for the first packet of a flow alone.
 */
#ifndef SHUNT_BPF_ORIGIN_H_
#define SHUNT_BPF_ORIGIN_H_

#include "lib/address.h"
#include "lib/context.h"
#include "lib/packet_maps.h"

/* <sys/socket.h> needs the C library. */
#define AF_INET 2
#define AF_INET6 10

static __always_inline enum shunt_origin origin_of(__u32 device, const struct shunt_addr *source)
{
	const struct shunt_device *of = bpf_map_lookup_elem(&shunt_devices, &device);
	const struct shunt_origin_key key = {
		.prefix_length = 8 * sizeof(*source),
		.prefix = *source,
	};
	const enum shunt_origin *origin;

	if (of && of->is_of_pods)
		return SHUNT_ORIGIN_POD;
	origin = bpf_map_lookup_elem(&shunt_origins, &key);
	return origin ? *origin : SHUNT_ORIGIN_UNKNOWN;
}

/* Whether the way to `to` leads through the device that the packet came by: who
 * answers from there to there need not ask this node, as on a bridge. */
static __always_inline bool leads_back(context *ctx, const struct shunt_addr *from,
				       const struct shunt_addr *to)
{
	struct bpf_fib_lookup way = {.ifindex = context_device(ctx)};
	long result;

	if (address_is_ip4(to)) {
		way.family = AF_INET;
		__builtin_memcpy(&way.ipv4_src, &from->bytes[12], 4);
		__builtin_memcpy(&way.ipv4_dst, &to->bytes[12], 4);
	} else {
		way.family = AF_INET6;
		__builtin_memcpy(way.ipv6_src, from, 16);
		__builtin_memcpy(way.ipv6_dst, to, 16);
	}
	result = bpf_fib_lookup(ctx, &way, sizeof(way), 0);
	return (result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH ||
		result == BPF_FIB_LKUP_RET_FRAG_NEEDED) &&
	       way.ifindex == context_device(ctx);
}

#endif /* SHUNT_BPF_ORIGIN_H_ */
