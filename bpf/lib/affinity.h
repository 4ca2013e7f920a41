/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which backend did this client have last? sessionAffinity ClientIP: an entry
 * counts for as long as the Service says, counted from the client's last new
 * connection, and while its backend is in the list that the client dials now.
 */
#ifndef SHUNT_BPF_AFFINITY_H_
#define SHUNT_BPF_AFFINITY_H_

#include "lib/maps.h"

#define NS_PER_S 1000000000ull

/* Steps of a binary search in the longest list. */
#define SEARCH_STEPS 17
_Static_assert(SHUNT_MAX_SLOTS_PER_LIST < 1 << SEARCH_STEPS, "a longer list needs more steps");

/* Whether a list, which is sorted by id, names the backend. Not inlined: the
 * verifier looks at it once. */
__noinline bool list_names(__u32 base, __u32 count, __u32 id, __u32 generation)
{
	__u32 low = 0, high = count;

	for (int i = 0; i < SEARCH_STEPS && low < high; i++) {
		__u32 middle = low + (high - low) / 2, slot = base + middle;
		const struct shunt_backend_ref *ref = bpf_map_lookup_elem(&shunt_slots, &slot);

		if (!ref)
			return false;
		if (ref->id == id)
			return ref->generation == generation;
		if (ref->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The entry of the client, should it count; it does from now on for another
 * whole timeout. */
static __always_inline const struct shunt_affinity *affinity_find(
	const struct shunt_affinity_key *key, const struct shunt_frontend *frontend)
{
	struct shunt_affinity *entry = bpf_map_lookup_elem(&shunt_affinity, key);
	__u64 now = bpf_ktime_get_coarse_ns();

	if (!entry || now - entry->last_used_ns >= frontend->affinity_timeout_s * NS_PER_S ||
	    !list_names(frontend->slots.base, frontend->slots.count, entry->backend.id,
			entry->backend.generation))
		return NULL;
	entry->last_used_ns = now;
	return entry;
}

static __always_inline void tally(enum shunt_tally what)
{
	__u32 key = what;
	__u64 *count = bpf_map_lookup_elem(&shunt_tallies, &key);

	if (count)
		(*count)++;
}

/* A full table loses the client that was idle longest. Without room for the
 * entry the connection still works. */
static __always_inline void affinity_remember(const struct shunt_affinity_key *key,
					      const struct shunt_backend_ref *backend)
{
	const struct shunt_affinity entry = {
		.backend = *backend,
		.last_used_ns = bpf_ktime_get_coarse_ns(),
	};

	if (!bpf_map_update_elem(&shunt_affinity, key, &entry, BPF_NOEXIST))
		tally(SHUNT_TALLY_AFFINITY_ADDED);
	else
		bpf_map_update_elem(&shunt_affinity, key, &entry, BPF_EXIST);
}

#endif /* SHUNT_BPF_AFFINITY_H_ */
