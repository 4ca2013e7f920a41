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
static __always_inline bool host_has_socket4(struct __sk_buff *skb,
					     const struct shunt_flow_key *answer)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	__builtin_memcpy(&tuple.ipv4.saddr, &answer->source.bytes[12], 4);
	__builtin_memcpy(&tuple.ipv4.daddr, &answer->destination.bytes[12], 4);
	tuple.ipv4.sport = bpf_htons(answer->source_port);
	tuple.ipv4.dport = bpf_htons(answer->destination_port);
	sk = answer->protocol == SHUNT_TCP
		     ? bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0)
		     : bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline bool host_has_socket6(struct __sk_buff *skb,
					     const struct shunt_flow_key *answer)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	__builtin_memcpy(&tuple.ipv6.saddr, &answer->source, 16);
	__builtin_memcpy(&tuple.ipv6.daddr, &answer->destination, 16);
	tuple.ipv6.sport = bpf_htons(answer->source_port);
	tuple.ipv6.dport = bpf_htons(answer->destination_port);
	sk = answer->protocol == SHUNT_TCP
		     ? bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0)
		     : bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline bool host_has_socket(struct __sk_buff *skb,
					    const struct shunt_flow_key *answer)
{
	return address_is_ip4(&answer->source) ? host_has_socket4(skb, answer)
					       : host_has_socket6(skb, answer);
}

/* The main address of the device by which the packet leaves. */
static __always_inline bool device_address(struct __sk_buff *skb, bool is_ip4,
					   struct shunt_addr *address)
{
	__u32 index = skb->ifindex;
	const struct shunt_device *device = bpf_map_lookup_elem(&shunt_devices, &index);

	if (!device)
		return false;
	*address = is_ip4 ? device->address4 : device->address6;
	return address_is_ip4(address) == is_ip4 && !address_is_zero(address);
}

/* Takes a port for the flow: `answer`, which lacks it, is the key of what comes
 * back. */
static __always_inline bool take_port(struct __sk_buff *skb, struct shunt_flow_key *answer,
				      struct shunt_flow *flow)
{
	for (int attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
		answer->destination_port = attempt < CAREFUL_ATTEMPTS
						   ? careful_port()
						   : FIRST_PORT + random_below(65536 - FIRST_PORT);
		if (!host_has_socket(skb, answer) && flow_claim(answer, flow))
			return true;
	}
	return false;
}

/* Binds an entry for packets that leave: `flow` is complete afterwards. Not
 * inlined: only the first packet of a flow comes here. */
__noinline int bind_flow(struct __sk_buff *skb, const struct shunt_flow_key *leaves,
			 struct shunt_flow *flow)
{
	struct shunt_flow_key answer = {};
	struct shunt_flow returning = {};

	if (!leaves || !flow ||
	    !device_address(skb, address_is_ip4(&leaves->source), &answer.destination))
		return false;
	answer.source = leaves->destination;
	answer.source_port = leaves->destination_port;
	answer.protocol = leaves->protocol;
	flow->state = 0;
	flow->last_used_ns = bpf_ktime_get_coarse_ns();
	returning = partner_flow(leaves, flow);
	if (!take_port(skb, &answer, &returning))
		return false;
	flow->to.address = answer.destination;
	flow->to.port = answer.destination_port;
	return !flow_put(leaves, flow, BPF_ANY);
}

#endif /* SHUNT_BPF_BIND_H_ */
