/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet arrives that belongs to no flow: what becomes of it? The choice is
 * that of select.h; here the client is the packet's source address.
 */
#ifndef SHUNT_BPF_ARRIVE_H_
#define SHUNT_BPF_ARRIVE_H_

#include "lib/address.h"
#include "lib/frontend.h"
#include "lib/origin.h"
#include "lib/select.h"
#include "lib/source.h"

/* Who it is that sends. */
struct sender {
	enum shunt_origin origin;
	bool passes_policy; /* gets what this node would, though others get less */
};

static __always_inline bool is_of_this_node(const struct sender *sender)
{
	return sender->origin == SHUNT_ORIGIN_POD || sender->origin == SHUNT_ORIGIN_HOST;
}

/* What is said for outside, of whom comes from there; else what a process of this
 * node would get: externalTrafficPolicy Local is for others. */
static __always_inline enum frontend_answer frontend_of_arrival(
	__u32 device, const struct shunt_flow_key *arrived, struct sender *sender,
	struct shunt_frontend *copy)
{
	struct shunt_frontend_key dialled = {
		.address = arrived->destination,
		.port = arrived->destination_port,
		.protocol = arrived->protocol,
		.scope = SHUNT_SCOPE_OUTSIDE,
	};
	enum frontend_answer answer = frontend_find(&dialled, copy);

	dialled.scope = SHUNT_SCOPE_NODE;
	sender->passes_policy = false;
	if (answer == FRONTEND_NONE) {
		answer = frontend_dialled(&dialled, copy);
		if (answer == FRONTEND_FOUND)
			sender->origin = origin_of(device, &arrived->source);
		return answer;
	}
	sender->origin = origin_of(device, &arrived->source);
	if (answer != FRONTEND_FOUND || !is_of_this_node(sender))
		return answer;
	sender->passes_policy = true;
	return frontend_find(&dialled, copy);
}

/*
 * Whether the packets leave with an address of this node: where the answers would
 * not come back otherwise, where kube-proxy says so of ClusterIPs, and of the node
 * itself, whose address on the way out is not that on the way to a frontend.
 */
static __always_inline bool needs_source(context *ctx, const struct shunt_flow_key *arrived,
					 const struct shunt_frontend *frontend,
					 const struct sender *sender, const struct choice *choice)
{
	bool is_cluster_ip = frontend->kind == SHUNT_CLUSTER_IP;

	if (sender->origin == SHUNT_ORIGIN_HOST ||
	    !__builtin_memcmp(&arrived->source, &choice->peer.address, sizeof(arrived->source)))
		return true;
	if (is_cluster_ip &&
	    (shunt_config.masquerade_all || sender->origin == SHUNT_ORIGIN_OUTSIDE))
		return true;
	if (!choice->on_this_node)
		return sender->origin != SHUNT_ORIGIN_POD ||
		       !(is_cluster_ip || sender->passes_policy);
	return sender->origin != SHUNT_ORIGIN_OUTSIDE &&
	       leads_back(ctx, &arrived->source, &choice->peer.address);
}

static __always_inline enum shunt_verdict arrival_verdict(const struct shunt_flow_key *arrived,
							  const struct shunt_frontend *frontend)
{
	if (frontend->flags & SHUNT_FRONTEND_HOST_ONLY)
		return SHUNT_NOT_A_SERVICE;
	if ((frontend->flags & SHUNT_FRONTEND_CHECK_SOURCE) &&
	    !source_is_named(frontend->owner.service_id, &arrived->source))
		return SHUNT_SOURCE_DENIED;
	return frontend->slots.count ? SHUNT_TRANSLATED : frontend->when_empty;
}

static __always_inline bool arrival_backend(const struct shunt_flow_key *arrived,
					    const struct shunt_frontend *frontend,
					    struct choice *choice)
{
	const struct shunt_affinity_key client = {
		.address = arrived->source,
		.service_id = frontend->owner.service_id,
	};

	return frontend->affinity_timeout_s ? choose_for_client(&client, frontend, choice)
					    : choose_anew(frontend, choice);
}

/* Nobody can be answered there, or it is its own answer. */
static __always_inline bool is_martian(const struct shunt_flow_key *key)
{
	const struct shunt_addr loopback = {.bytes = {[15] = 1}};
	__u8 first = key->source.bytes[12];

	if (key->source_port == key->destination_port &&
	    !__builtin_memcmp(&key->source, &key->destination, sizeof(key->source)))
		return true;
	if (address_is_ip4(&key->source))
		return first == 0 || first == 127 || first >= 224;
	return key->source.bytes[0] == 0xff || address_is_zero(&key->source) ||
	       !__builtin_memcmp(&key->source, &loopback, sizeof(loopback));
}

/* As select_backend(), for a packet. */
__noinline int select_for_arrival(context *ctx, const struct shunt_flow_key *arrived,
				  struct choice *choice)
{
	struct shunt_frontend frontend;
	struct sender sender;

	if (!arrived || !choice)
		return SHUNT_NOT_A_SERVICE;
	for (int attempt = 0; attempt < SELECT_ATTEMPTS; attempt++) {
		enum frontend_answer answer =
			frontend_of_arrival(context_device(ctx), arrived, &sender, &frontend);
		enum shunt_verdict verdict;

		if (answer == FRONTEND_NONE)
			return SHUNT_NOT_A_SERVICE;
		if (answer == FRONTEND_MOVED)
			continue;
		verdict = arrival_verdict(arrived, &frontend);
		if (verdict != SHUNT_TRANSLATED)
			return verdict;
		if (arrival_backend(arrived, &frontend, choice)) {
			choice->needs_source =
				needs_source(ctx, arrived, &frontend, &sender, choice);
			return SHUNT_TRANSLATED;
		}
	}
	return SHUNT_RACED;
}

#endif /* SHUNT_BPF_ARRIVE_H_ */
