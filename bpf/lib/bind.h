/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From which address and port of this node does a flow leave, so that the
 * answers come back? The main address of the device, and a port that neither
 * another flow to the same backend nor a socket of the host has.
 */
#ifndef SHUNT_BPF_BIND_H_
#define SHUNT_BPF_BIND_H_

#include "lib/flow.h"

/* How many ports are tried: at first of those that the host gives to no socket
 * by itself, then of all. With every second port taken, one flow in 2^16 fails. */
#define CAREFUL_ATTEMPTS 16
#define BIND_ATTEMPTS 32
#define FIRST_PORT 1024

/* One that the host gives to no socket by itself; any, where it keeps none. */
static __always_inline __u16 careful_port(void)
{
	__u32 first = shunt_config.first_local_port, last = shunt_config.last_local_port;
	__u32 below = first > FIRST_PORT ? first - FIRST_PORT : 0;
	__u32 free = below + 65535 - last, place;

	if (last < first || !free)
		return FIRST_PORT + random_below(65536 - FIRST_PORT);
	place = random_below(free);
	return place < below ? FIRST_PORT + place : last + 1 + place - below;
}

/* As a packet from the backend to that address and port would look. */
static __always_inline bool host_has_socket4(context *ctx, const struct shunt_flow_key *answer)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	__builtin_memcpy(&tuple.ipv4.saddr, &answer->source.bytes[12], 4);
	__builtin_memcpy(&tuple.ipv4.daddr, &answer->destination.bytes[12], 4);
	tuple.ipv4.sport = bpf_htons(answer->source_port);
	tuple.ipv4.dport = bpf_htons(answer->destination_port);
	sk = answer->protocol == SHUNT_TCP
		     ? bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0)
		     : bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline bool host_has_socket6(context *ctx, const struct shunt_flow_key *answer)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	__builtin_memcpy(&tuple.ipv6.saddr, &answer->source, 16);
	__builtin_memcpy(&tuple.ipv6.daddr, &answer->destination, 16);
	tuple.ipv6.sport = bpf_htons(answer->source_port);
	tuple.ipv6.dport = bpf_htons(answer->destination_port);
	sk = answer->protocol == SHUNT_TCP
		     ? bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0)
		     : bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline bool host_has_socket(context *ctx, const struct shunt_flow_key *answer)
{
	if (answer->protocol == SHUNT_SCTP)
		return false; /* no program can ask */
	return address_is_ip4(&answer->source) ? host_has_socket4(ctx, answer)
					       : host_has_socket6(ctx, answer);
}

/* The main address of the device by which the packet leaves. */
static __always_inline bool device_address(__u32 index, bool is_ip4, struct shunt_addr *address)
{
	const struct shunt_device *device = bpf_map_lookup_elem(&shunt_devices, &index);

	if (!device)
		return false;
	*address = is_ip4 ? device->address4 : device->address6;
	return address_is_ip4(address) == is_ip4 && !address_is_zero(address);
}

/* Whether the flow can have a port that is drawn now; `answer` is the key of what
 * comes back to it. Not inlined: the verifier looks at it once, not once for each
 * attempt, which were nine tenths of all that it did. */
__noinline int draw_port(context *ctx, struct shunt_flow_key *answer, struct shunt_flow *flow,
			 bool is_careful)
{
	if (!answer || !flow)
		return false;
	if (answer->protocol == SHUNT_SCTP) /* the client's own: see keeps_port() */
		answer->destination_port = flow->to.port;
	else
		answer->destination_port =
			is_careful ? careful_port() : FIRST_PORT + random_below(65536 - FIRST_PORT);
	return !host_has_socket(ctx, answer) && flow_claim(answer, flow);
}

static __always_inline bool take_port(context *ctx, struct shunt_flow_key *answer,
				      struct shunt_flow *flow)
{
	for (int attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
		if (draw_port(ctx, answer, flow, attempt < CAREFUL_ATTEMPTS))
			return true;
	}
	return false;
}

/* Binds an entry for packets that leave by that device: `flow` is complete
 * afterwards. Not inlined: only the first packet of a flow comes here. */
__noinline int bind_flow(context *ctx, __u32 device, const struct shunt_flow_key *leaves,
			 struct shunt_flow *flow)
{
	struct shunt_flow_key answer = {};
	struct shunt_flow returning = {};

	if (!leaves || !flow ||
	    !device_address(device, address_is_ip4(&leaves->source), &answer.destination))
		return false;
	answer.source = leaves->destination;
	answer.source_port = leaves->destination_port;
	answer.protocol = leaves->protocol;
	flow->state = 0;
	flow->last_used_ns = bpf_ktime_get_coarse_ns();
	returning = partner_flow(leaves, flow);
	if (!take_port(ctx, &answer, &returning))
		return false;
	flow->to.address = answer.destination;
	flow->to.port = answer.destination_port;
	return !flow_put(leaves, flow, BPF_ANY);
}

#endif /* SHUNT_BPF_BIND_H_ */
