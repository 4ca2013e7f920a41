/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which backend? Two verbs: compute an index, look it up.
 */
#ifndef SHUNT_BPF_SELECT_H_
#define SHUNT_BPF_SELECT_H_

#include "lib/affinity.h"
#include "lib/frontend.h"
#include "lib/maps.h"
#include "lib/random.h"

/* A frontend or a list that changes under a reader is read again. Each attempt
 * fails only if the agent replaced just this frontend since the one before. */
#define SELECT_ATTEMPTS 4

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
	bool end_tcp;
	bool on_this_node;
	bool needs_source; /* of packets: they leave with an address of this node */
};

/* Takes the backend, if it still is one of this service port. */
static __always_inline bool choose(const struct shunt_frontend *frontend,
				   const struct shunt_backend_ref *ref, struct choice *choice)
{
	const struct shunt_backend *backend;

	choice->backend = *ref;
	backend = backend_of(&choice->backend);
	if (!backend || backend->service_id != frontend->owner.service_id)
		return false;
	choice->peer.address = backend->address;
	choice->peer.port = backend->port;
	choice->service_id = backend->service_id;
	choice->on_this_node = backend->on_this_node;
	choice->end_tcp = frontend->flags & SHUNT_FRONTEND_END_TCP;
	return true;
}

static __always_inline bool choose_anew(const struct shunt_frontend *frontend,
					struct choice *choice)
{
	__u32 slot =
		frontend->slots.base + compute_index(frontend->index_rule, frontend->slots.count);
	const struct shunt_backend_ref *ref = bpf_map_lookup_elem(&shunt_slots, &slot);

	return ref && choose(frontend, ref, choice);
}

/* With session affinity: the backend that the client had, or one to stay with. */
static __always_inline bool choose_for_client(const struct shunt_affinity_key *client,
					      const struct shunt_frontend *frontend,
					      struct choice *choice)
{
	const struct shunt_affinity *entry = affinity_find(client, frontend);

	if (entry && choose(frontend, &entry->backend, choice))
		return true;
	if (!choose_anew(frontend, choice))
		return false;
	affinity_remember(client, &choice->backend);
	return true;
}

#endif /* SHUNT_BPF_SELECT_H_ */
