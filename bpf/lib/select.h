/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which backend? Two verbs: compute an index, look it up.
 */
#ifndef SHUNT_BPF_SELECT_H_
#define SHUNT_BPF_SELECT_H_

#include "lib/frontend.h"
#include "lib/maps.h"

/* A frontend or a list that changes under a reader is read again. Each attempt
 * fails only if the agent replaced just this frontend since the one before. */
#define SELECT_ATTEMPTS 4

/* Uniform in [0, count), exactly (D. Lemire, "Fast Random Integer Generation in
 * an Interval", 2019). A repetition has a chance of count / 2^32. */
static __always_inline __u32 random_below(__u32 count)
{
	__u64 product = (__u64)bpf_get_prandom_u32() * count;

	if ((__u32)product < count) {
		__u32 unfair = -count % count;

		for (int i = 0; i < 8 && (__u32)product < unfair; i++)
			product = (__u64)bpf_get_prandom_u32() * count;
	}
	return product >> 32;
}

static __always_inline __u32 compute_index(enum shunt_index_rule rule, __u32 count)
{
	switch (rule) {
	case SHUNT_INDEX_RANDOM:
		return random_below(count);
	}
	return 0; /* a rule of a newer agent: any backend is better than none */
}

/* The backend that `ref` means, if it still is there. */
static __always_inline const struct shunt_backend *backend_of(const struct shunt_backend_ref *ref)
{
	__u32 id = ref->id;
	const struct shunt_backend *backend = bpf_map_lookup_elem(&shunt_backends, &id);

	if (!backend || backend->state == SHUNT_BACKEND_FREE ||
	    *(const volatile __u32 *)&backend->generation != ref->generation)
		return NULL;
	return backend;
}

struct choice {
	struct shunt_peer peer;
	struct shunt_backend_ref backend;
	__u32 service_id;
};

static __always_inline bool choose_from(const struct shunt_frontend *frontend,
					struct choice *choice)
{
	__u32 slot =
		frontend->slots.base + compute_index(frontend->index_rule, frontend->slots.count);
	const struct shunt_backend_ref *ref = bpf_map_lookup_elem(&shunt_slots, &slot);
	const struct shunt_backend *backend;

	if (!ref)
		return false;
	choice->backend = *ref;
	backend = backend_of(&choice->backend);
	if (!backend || backend->service_id != frontend->owner.service_id)
		return false;
	choice->peer.address = backend->address;
	choice->peer.port = backend->port;
	choice->service_id = backend->service_id;
	return true;
}

/* Chooses for a new connection or flow. *choice is set for SHUNT_TRANSLATED. */
static __always_inline enum shunt_verdict select_backend(const struct shunt_frontend_key *key,
							 struct choice *choice)
{
	struct shunt_frontend frontend;

	for (int attempt = 0; attempt < SELECT_ATTEMPTS; attempt++) {
		enum frontend_answer answer = frontend_find(key, &frontend);

		if (answer == FRONTEND_NONE)
			return SHUNT_NOT_A_SERVICE;
		if (answer == FRONTEND_MOVED)
			continue;
		if (!frontend.slots.count)
			return frontend.when_empty;
		if (choose_from(&frontend, choice))
			return SHUNT_TRANSLATED;
	}
	return SHUNT_RACED;
}

#endif /* SHUNT_BPF_SELECT_H_ */
