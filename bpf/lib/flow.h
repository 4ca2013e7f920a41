/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Was this packet's flow seen before? abi.h tells how entries come in pairs.
 *
 * The table forgets whoever was not looked up for the longest time. An entry is
 * not looked up by the packet that makes it, so that what was never answered
 * goes before what was.
 */
#ifndef SHUNT_BPF_FLOW_H_
#define SHUNT_BPF_FLOW_H_

#include "lib/packet_maps.h"
#include "lib/parse.h"
#include "lib/select.h"
#include "shunt/flow_timeout.h"

#define UDP_PAUSE_NS (2 * NS_PER_S) /* the time of use is told once a second */

/* Of TCP and SCTP: both sides ended; a side did. */
#define FLOW_BOTH_ENDED (SHUNT_FLOW_CLIENT_ENDS | SHUNT_FLOW_BACKEND_ENDS)
#define FLOW_ENDED (FLOW_BOTH_ENDED | SHUNT_FLOW_RESET)

/* What is known of a flow: a copy, and where that is from. */
struct found_flow {
	struct shunt_flow copy;
	struct shunt_flow *entry;
};

static __always_inline struct shunt_flow_key flow_key(const struct packet *packet,
						      enum shunt_direction direction)
{
	return (struct shunt_flow_key){
		.source = packet->source,
		.destination = packet->destination,
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.protocol = packet->protocol,
		.direction = direction,
	};
}

/* The flow that an error is about: it holds a packet that went the other way. */
static __always_inline struct shunt_flow_key flow_key_of_held(const struct packet *held,
							      enum shunt_direction direction)
{
	return (struct shunt_flow_key){
		.source = held->destination,
		.destination = held->source,
		.source_port = held->destination_port,
		.destination_port = held->source_port,
		.protocol = held->protocol,
		.direction = direction,
	};
}

static __always_inline enum shunt_verdict verdict_of_flow(const struct shunt_flow *flow)
{
	return flow->state & SHUNT_FLOW_ANSWER ? SHUNT_RESTORED : SHUNT_CONTINUED;
}

static __always_inline bool has_timed_out(const struct shunt_flow_key *key,
					  const struct shunt_flow *flow)
{
	return bpf_ktime_get_coarse_ns() - flow->last_used_ns >=
	       shunt_flow_timeout(&shunt_config, key->protocol, flow->state);
}

/* A place in the table may be given to another flow while it is read: the tag
 * stands first, is written first and is read last. */
static __always_inline bool flow_find(const struct shunt_flow_key *key, struct found_flow *found)
{
	found->entry = bpf_map_lookup_elem(&shunt_flows, key);
	if (!found->entry)
		return false;
	found->copy = *found->entry;
	found->copy.tag = *(const volatile __u32 *)&found->entry->tag;
	return found->copy.tag == shunt_flow_tag(key) && !has_timed_out(key, &found->copy);
}

/* The other entry of the pair. */
static __always_inline struct shunt_flow_key partner_key(const struct shunt_flow_key *key,
							 const struct shunt_flow *flow)
{
	struct shunt_flow_key partner = {.protocol = key->protocol};

	if (key->direction == SHUNT_ARRIVES) {
		partner.source = flow->to.address;
		partner.source_port = flow->to.port;
		partner.destination = key->source;
		partner.destination_port = key->source_port;
		partner.direction = SHUNT_LEAVES;
	} else {
		partner.source = key->destination;
		partner.source_port = key->destination_port;
		partner.destination = flow->to.address;
		partner.destination_port = flow->to.port;
		partner.direction = SHUNT_ARRIVES;
	}
	return partner;
}

static __always_inline struct shunt_flow partner_flow(const struct shunt_flow_key *key,
						      const struct shunt_flow *flow)
{
	struct shunt_flow partner = *flow;

	partner.state ^= SHUNT_FLOW_ANSWER;
	if (key->direction == SHUNT_ARRIVES) {
		partner.to.address = key->destination;
		partner.to.port = key->destination_port;
	} else {
		partner.to.address = key->source;
		partner.to.port = key->source_port;
	}
	return partner;
}

/* Writes the entry; with BPF_NOEXIST only where there is none. */
static __always_inline long flow_put(const struct shunt_flow_key *key, struct shunt_flow *flow,
				     __u64 flags)
{
	flow->tag = shunt_flow_tag(key);
	return bpf_map_update_elem(&shunt_flows, key, flow, flags);
}

/* As flow_put(), but nobody alive who means something else is overwritten. */
static __always_inline bool flow_claim(const struct shunt_flow_key *key, struct shunt_flow *flow)
{
	struct found_flow other;

	if (!flow_put(key, flow, BPF_NOEXIST))
		return true;
	if (flow_find(key, &other) && !peer_equal(&other.copy.to, &flow->to))
		return false;
	return !flow_put(key, flow, BPF_ANY);
}

/* Nobody will miss it, though its time is not over: of TCP both sides have ended;
 * of UDP, which has no end, nobody has sent for a while. */
static __always_inline bool flow_is_over(const struct shunt_flow_key *key,
					 const struct shunt_flow *flow)
{
	if (key->protocol == SHUNT_UDP)
		return bpf_ktime_get_coarse_ns() - flow->last_used_ns >= UDP_PAUSE_NS;
	return (flow->state & SHUNT_FLOW_RESET) ||
	       (flow->state & FLOW_BOTH_ENDED) == FLOW_BOTH_ENDED;
}

/* With both entries. */
static __always_inline void flow_forget(const struct shunt_flow_key *key,
					const struct shunt_flow *flow)
{
	const struct shunt_flow_key partner = partner_key(key, flow);

	bpf_map_delete_elem(&shunt_flows, &partner);
	bpf_map_delete_elem(&shunt_flows, key);
}

/* As flow_claim(), and who is over gives way: with it the entry through which its
 * packets left for the backend, if they did so with an address of this node. */
static __always_inline bool flow_take(const struct shunt_flow_key *answers, struct shunt_flow *flow)
{
	struct shunt_flow_key packets = {.direction = SHUNT_LEAVES};
	struct found_flow other;

	if (flow_claim(answers, flow))
		return true;
	if (!flow_find(answers, &other) || !flow_is_over(answers, &other.copy))
		return false;
	flow_forget(answers, &other.copy);
	packets.source = answers->destination;
	packets.source_port = answers->destination_port;
	packets.destination = answers->source;
	packets.destination_port = answers->source_port;
	packets.protocol = answers->protocol;
	bpf_map_delete_elem(&shunt_flows, &packets);
	return !flow_put(answers, flow, BPF_NOEXIST);
}

/* Both entries age and end together. One that the table forgot is made again. */
static __noinline void flow_tell_partner(const struct shunt_flow_key *key,
					 const struct shunt_flow *flow)
{
	const struct shunt_flow_key other_key = partner_key(key, flow);
	struct shunt_flow other = partner_flow(key, flow);
	struct shunt_flow *entry = bpf_map_lookup_elem(&shunt_flows, &other_key);

	if (!entry) {
		flow_claim(&other_key, &other);
		return;
	}
	if (!peer_equal(&entry->to, &other.to))
		return; /* another flow has that place now */
	entry->last_used_ns = flow->last_used_ns;
	__sync_fetch_and_or(&entry->state, flow->state & ~(__u32)SHUNT_FLOW_ANSWER);
}

static __always_inline __u32 news_of(const struct shunt_flow *flow, __u8 tcp_flags)
{
	bool is_answer = flow->state & SHUNT_FLOW_ANSWER;
	__u32 news = is_answer ? SHUNT_FLOW_ANSWERED : 0;

	if (tcp_flags & TCP_FIN)
		news |= is_answer ? SHUNT_FLOW_BACKEND_ENDS : SHUNT_FLOW_CLIENT_ENDS;
	if (tcp_flags & TCP_RST)
		news |= SHUNT_FLOW_RESET;
	return news & ~flow->state;
}

/* A packet of the flow was seen. Nothing is written where nothing is new, but
 * for the time, once a second. */
static __always_inline void flow_use(const struct shunt_flow_key *key, struct found_flow *found,
				     __u8 tcp_flags)
{
	__u32 news = news_of(&found->copy, tcp_flags);
	__u64 now = bpf_ktime_get_coarse_ns();

	if (!news && now - found->copy.last_used_ns < NS_PER_S)
		return;
	found->copy.last_used_ns = now;
	found->copy.state |= news;
	found->entry->last_used_ns = now;
	__sync_fetch_and_or(&found->entry->state, news);
	flow_tell_partner(key, &found->copy);
}

/* Whether what arrives goes on where the flow leads. From a client: the backend
 * is there, and no new connection begins after the end of the old. */
static __always_inline bool flow_goes_on(const struct shunt_flow *flow, __u8 tcp_flags)
{
	bool begins = (tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	if (flow->state & SHUNT_FLOW_ANSWER)
		return true;
	return !(begins && (flow->state & FLOW_ENDED)) && backend_of(&flow->backend);
}

/* Whether what leaves is no answer, though it looks like one: the client dialled
 * the backend itself, from the port that it had in a connection that has ended. */
static __always_inline bool greets_another(const struct shunt_flow_key *key,
					   const struct shunt_flow *flow, __u8 tcp_flags)
{
	return (tcp_flags & TCP_SYN) && (flow->state & SHUNT_FLOW_ANSWER) &&
	       flow_is_over(key, flow);
}

/* The entry through which the packets leave towards the backend, without an
 * address yet: that is known where they leave. One that is there stays, unless it
 * is of a connection that has ended. */
__noinline int flow_add_source(const struct shunt_flow_key *arrived, const struct choice *choice)
{
	struct shunt_flow_key leaves = {.direction = SHUNT_LEAVES};
	struct shunt_flow unbound = {.state = SHUNT_FLOW_UNBOUND};
	struct found_flow other;

	if (!arrived || !choice)
		return false;
	leaves.source = arrived->source;
	leaves.source_port = arrived->source_port;
	leaves.destination = choice->peer.address;
	leaves.destination_port = choice->peer.port;
	leaves.protocol = arrived->protocol;
	unbound.service_id = choice->service_id;
	unbound.backend = choice->backend;
	unbound.last_used_ns = bpf_ktime_get_coarse_ns();
	if (!flow_put(&leaves, &unbound, BPF_NOEXIST) ||
	    (flow_find(&leaves, &other) && !(other.copy.state & FLOW_ENDED)))
		return true;
	return !flow_put(&leaves, &unbound, BPF_ANY);
}

/* The pair of client and backend. False where the client talks to the same
 * backend through another frontend, from the same port: the answers could not be
 * told apart. */
__noinline int flow_add_pair(const struct shunt_flow_key *arrived, const struct choice *choice)
{
	struct shunt_flow flow = {};
	struct shunt_flow_key leaves;
	struct shunt_flow answer;

	if (!arrived || !choice)
		return false;
	flow.service_id = choice->service_id;
	flow.to = choice->peer;
	flow.backend = choice->backend;
	flow.last_used_ns = bpf_ktime_get_coarse_ns();
	leaves = partner_key(arrived, &flow);
	answer = partner_flow(arrived, &flow);
	return flow_take(&leaves, &answer) && !flow_put(arrived, &flow, BPF_ANY);
}

/* Remembers what was chosen. */
static __always_inline bool flow_add(const struct shunt_flow_key *arrived,
				     const struct choice *choice)
{
	return flow_add_pair(arrived, choice) &&
	       (!choice->needs_source || flow_add_source(arrived, choice));
}

#endif /* SHUNT_BPF_FLOW_H_ */
