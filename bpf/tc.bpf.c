// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * North-south: what arrives at this node's devices for a Service is sent on to a
 * backend, and what comes back leaves as from whom the client dialled. Between
 * the two the stack sees client and backend. README.md tells the life of a
 * packet.
 */
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "lib/arrive.h"
#include "lib/bind.h"
#include "lib/flow.h"
#include "lib/fragment.h"
#include "lib/parse.h"
#include "lib/refuse.h"
#include "lib/rewrite.h"
#include "lib/verdict.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* How often to choose again where the client already talks to the chosen
 * backend through another frontend. */
#define DISTINCT_CHOICES 4

static __always_inline enum shunt_verdict finish(struct __sk_buff *skb, const struct packet *packet,
						 const struct shunt_flow_key *key,
						 const struct shunt_peer *to,
						 enum shunt_verdict verdict)
{
	const struct change change = change_of(key, to);

	return rewrite_packet(skb, packet, &change) ? verdict : SHUNT_NO_MEMORY;
}

/*
 * Functions that are not inlined have a stack of their own, and the verifier
 * looks at them once. What comes back is an enum shunt_verdict.
 */

/* NOT_A_SERVICE where the packet belongs to no flow. */
__noinline int flow_arrives(struct __sk_buff *skb, const struct packet *packet)
{
	struct shunt_flow_key key;
	struct found_flow found;

	if (!packet)
		return SHUNT_NOT_A_SERVICE;
	key = flow_key(packet, SHUNT_ARRIVES);
	if (!flow_find(&key, &found) || !flow_goes_on(&found.copy, packet->tcp_flags))
		return SHUNT_NOT_A_SERVICE;
	flow_use(&key, &found, packet->tcp_flags);
	return finish(skb, packet, &key, &found.copy.to, verdict_of_flow(&found.copy));
}

/* Chooses a backend and remembers it. */
__noinline int begin_flow(struct __sk_buff *skb, const struct packet *packet)
{
	struct choice choice = {};
	struct shunt_flow_key key;

	if (!packet)
		return SHUNT_NOT_A_SERVICE;
	key = flow_key(packet, SHUNT_ARRIVES);
	if (is_martian(&key))
		return SHUNT_NOT_A_SERVICE;
	for (int attempt = 0; attempt < DISTINCT_CHOICES; attempt++) {
		int verdict = select_for_arrival(skb, &key, &choice);

		if (verdict != SHUNT_TRANSLATED)
			return verdict;
		if (keeps_port(packet->protocol) && choice.peer.port != key.destination_port)
			return SHUNT_LEFT_ALONE;
		if (flow_add(&key, &choice))
			return finish(skb, packet, &key, &choice.peer, SHUNT_TRANSLATED);
	}
	return SHUNT_NO_MEMORY;
}

__noinline int flow_leaves(struct __sk_buff *skb, const struct packet *packet)
{
	struct shunt_flow_key key;
	struct found_flow found;

	if (!packet)
		return SHUNT_NOT_A_SERVICE;
	key = flow_key(packet, SHUNT_LEAVES);
	if (!flow_find(&key, &found))
		return SHUNT_NOT_A_SERVICE;
	if (greets_another(&key, &found.copy, packet->tcp_flags)) {
		flow_forget(&key, &found.copy);
		return SHUNT_NOT_A_SERVICE;
	}
	if (!(found.copy.state & SHUNT_FLOW_UNBOUND))
		flow_use(&key, &found, packet->tcp_flags);
	else if (!bind_flow(skb, skb->ifindex, &key, &found.copy))
		return SHUNT_NO_MEMORY;
	return finish(skb, packet, &key, &found.copy.to, verdict_of_flow(&found.copy));
}

/* An ICMP error goes where the packets go that it answers. */
__noinline int on_error(struct __sk_buff *skb, const struct packet *error,
			enum shunt_direction direction)
{
	struct packet held = {};
	struct shunt_flow_key key;
	struct found_flow found;
	struct change change;

	if (!error || !parse_held_packet(skb, error, &held))
		return SHUNT_NOT_A_SERVICE;
	key = flow_key_of_held(&held, direction);
	if (!flow_find(&key, &found) || (found.copy.state & SHUNT_FLOW_UNBOUND))
		return SHUNT_NOT_A_SERVICE;
	change = change_of(&key, &found.copy.to);
	return rewrite_error(skb, error, &held, &change) ? verdict_of_flow(&found.copy)
							 : SHUNT_NO_MEMORY;
}

static __always_inline enum shunt_verdict on_flow(struct __sk_buff *skb,
						  const struct packet *packet,
						  enum shunt_direction direction)
{
	enum shunt_verdict verdict;

	if (direction == SHUNT_LEAVES)
		return flow_leaves(skb, packet);
	verdict = flow_arrives(skb, packet);
	if (verdict != SHUNT_NOT_A_SERVICE || packet->fragment == FRAGMENT_LATER)
		return verdict;
	return begin_flow(skb, packet);
}

static __always_inline enum shunt_verdict on_first_fragment(struct __sk_buff *skb,
							    const struct packet *packet,
							    enum shunt_direction direction)
{
	enum shunt_verdict verdict = on_flow(skb, packet, direction);

	if (verdict == SHUNT_TRANSLATED || verdict == SHUNT_CONTINUED || verdict == SHUNT_RESTORED)
		fragment_remember(packet, direction);
	return verdict;
}

static __always_inline enum shunt_verdict on_packet(struct __sk_buff *skb, struct packet *packet,
						    enum shunt_direction direction)
{
	/* What has a tag is looked at again where the tag was taken off. */
	if (skb->vlan_present)
		return SHUNT_NOT_A_SERVICE;
	switch ((enum packet_kind)parse_packet(skb, packet)) {
	case PACKET_OTHER:
		return SHUNT_NOT_A_SERVICE;
	case PACKET_ERROR:
		return on_error(skb, packet, direction);
	case PACKET_FLOW:
		return packet->fragment ? on_first_fragment(skb, packet, direction)
					: on_flow(skb, packet, direction);
	case PACKET_REST:
		return fragment_complete(packet, direction) ? on_flow(skb, packet, direction)
							    : SHUNT_NOT_A_SERVICE;
	}
	return SHUNT_NOT_A_SERVICE;
}

static __always_inline int leave(struct __sk_buff *skb, const struct packet *packet,
				 enum packet_fate fate)
{
	switch (fate) {
	case PACKET_GOES_ON:
		return TC_ACT_UNSPEC; /* other programs of the device have their say */
	case PACKET_IS_DROPPED:
		return TC_ACT_SHOT;
	case PACKET_IS_REFUSED:
		return refuse_packet(skb, packet) ? bpf_redirect(skb->ifindex, 0) : TC_ACT_SHOT;
	}
	return TC_ACT_SHOT;
}

/*
 * An entry point says where the header of IP begins: behind that of Ethernet, or
 * at once on devices that have none (tunnels).
 */
#define ENTRY_POINT(name, hook, direction, header)                               \
	SEC("tc")                                                                \
	int shunt_##name(struct __sk_buff *skb)                                  \
	{                                                                        \
		struct packet packet = {.network = header};                      \
		enum shunt_verdict verdict = on_packet(skb, &packet, direction); \
                                                                                 \
		return leave(skb, &packet, verdict_of_packet(hook, verdict));    \
	}

ENTRY_POINT(ingress, SHUNT_INGRESS, SHUNT_ARRIVES, ETH_HLEN)
ENTRY_POINT(egress, SHUNT_EGRESS, SHUNT_LEAVES, ETH_HLEN)
ENTRY_POINT(ingress_ip, SHUNT_INGRESS, SHUNT_ARRIVES, 0)
ENTRY_POINT(egress_ip, SHUNT_EGRESS, SHUNT_LEAVES, 0)
