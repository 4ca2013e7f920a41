/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet arrives that belongs to no flow: what becomes of it? The choice is
 * that of select.h; here the client is the packet's source address.
 */
#ifndef SHUNT_BPF_ARRIVE_H_
#define SHUNT_BPF_ARRIVE_H_

#include "lib/address.h"
#include "lib/frontend.h"
#include "lib/select.h"
#include "lib/source.h"

/* What is said for outside; else what a process of this node would get. */
static __always_inline enum frontend_answer frontend_from_outside(
	const struct shunt_frontend_key *dialled, struct shunt_frontend *copy)
{
	struct shunt_frontend_key outside = *dialled;
	enum frontend_answer answer;

	outside.scope = SHUNT_SCOPE_OUTSIDE;
	answer = frontend_find(&outside, copy);
	return answer == FRONTEND_NONE ? frontend_dialled(dialled, copy) : answer;
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
__noinline int select_for_arrival(const struct shunt_flow_key *arrived, struct choice *choice)
{
	struct shunt_frontend_key dialled = {};
	struct shunt_frontend frontend;

	if (!arrived || !choice)
		return SHUNT_NOT_A_SERVICE;
	dialled.address = arrived->destination;
	dialled.port = arrived->destination_port;
	dialled.protocol = arrived->protocol;
	for (int attempt = 0; attempt < SELECT_ATTEMPTS; attempt++) {
		enum frontend_answer answer = frontend_from_outside(&dialled, &frontend);
		enum shunt_verdict verdict;

		if (answer == FRONTEND_NONE)
			return SHUNT_NOT_A_SERVICE;
		if (answer == FRONTEND_MOVED)
			continue;
		verdict = arrival_verdict(arrived, &frontend);
		if (verdict != SHUNT_TRANSLATED)
			return verdict;
		if (arrival_backend(arrived, &frontend, choice))
			return SHUNT_TRANSLATED;
	}
	return SHUNT_RACED;
}

#endif /* SHUNT_BPF_ARRIVE_H_ */
