/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * May this client dial? spec.loadBalancerSourceRanges. Whoever cannot be told
 * apart may not.
 */
#ifndef SHUNT_BPF_SOURCE_H_
#define SHUNT_BPF_SOURCE_H_

#include "lib/maps.h"

static __always_inline bool source_is_named(__u32 service_id, const struct shunt_addr *address)
{
	const struct shunt_source_key key = {
		.prefix_length = 8 * (sizeof(service_id) + sizeof(*address)),
		.service_id = service_id,
		.prefix = *address,
	};

	return bpf_map_lookup_elem(&shunt_sources, &key);
}

#endif /* SHUNT_BPF_SOURCE_H_ */
