/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is dialled?
 *
 * The agent replaces frontends while programs read them, and the kernel may
 * give a replaced hash element to another key at once. So a value is copied,
 * its two decisive words each by one load, and then asked whose it is.
 */
#ifndef SHUNT_BPF_FRONTEND_H_
#define SHUNT_BPF_FRONTEND_H_

#include "lib/maps.h"

enum frontend_answer {
	FRONTEND_NONE, /* nothing of ours */
	FRONTEND_FOUND,
	FRONTEND_MOVED, /* recycled while it was read: ask again */
};

static __always_inline struct shunt_owner read_owner(const struct shunt_frontend *frontend)
{
	__u64 word = *(const volatile __u64 *)&frontend->owner;
	struct shunt_owner owner;

	__builtin_memcpy(&owner, &word, sizeof(owner));
	return owner;
}

static __always_inline struct shunt_range read_range(const struct shunt_frontend *frontend)
{
	__u64 word = *(const volatile __u64 *)&frontend->slots;
	struct shunt_range range;

	__builtin_memcpy(&range, &word, sizeof(range));
	return range;
}

static __always_inline enum frontend_answer frontend_find(const struct shunt_frontend_key *key,
							  struct shunt_frontend *copy)
{
	const struct shunt_frontend *found = bpf_map_lookup_elem(&shunt_frontends, key);

	if (!found)
		return FRONTEND_NONE;
	copy->slots = read_range(found);
	copy->affinity_timeout_s = found->affinity_timeout_s;
	copy->index_rule = found->index_rule;
	copy->when_empty = found->when_empty;
	copy->kind = found->kind;
	copy->flags = found->flags;
	copy->owner = read_owner(found); /* last: what was read before it was of this owner */
	return copy->owner.tag == shunt_frontend_tag(key) ? FRONTEND_FOUND : FRONTEND_MOVED;
}

/* The frontend that is dialled; else that of all other ports of its address.
 */
static __always_inline enum frontend_answer frontend_dialled(const struct shunt_frontend_key *key,
							     struct shunt_frontend *copy)
{
	const struct shunt_frontend_key other_ports = {.address = key->address};
	enum frontend_answer answer = frontend_find(key, copy);

	return answer == FRONTEND_NONE ? frontend_find(&other_ports, copy) : answer;
}

#endif /* SHUNT_BPF_FRONTEND_H_ */
