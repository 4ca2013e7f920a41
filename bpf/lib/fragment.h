/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * To which flow does a fragment without ports belong? To that of the first one,
 * which has them, if that came before.
 */
#ifndef SHUNT_BPF_FRAGMENT_H_
#define SHUNT_BPF_FRAGMENT_H_

#include "lib/packet_maps.h"
#include "lib/parse.h"

static __always_inline struct shunt_fragment_key fragment_key(const struct packet *packet,
							      enum shunt_direction direction)
{
	return (struct shunt_fragment_key){
		.source = packet->source,
		.destination = packet->destination,
		.id = packet->fragment_id,
		.protocol = packet->protocol,
		.direction = direction,
	};
}

/* A first fragment, as it was before it was translated. Without room for it the
 * others are lost, as if one of them was. */
__noinline int fragment_remember(const struct packet *first, enum shunt_direction direction)
{
	struct shunt_fragment_key key;
	struct shunt_fragment ports;

	if (!first)
		return false;
	key = fragment_key(first, direction);
	ports.source_port = first->source_port;
	ports.destination_port = first->destination_port;
	return !bpf_map_update_elem(&shunt_fragments, &key, &ports, BPF_ANY);
}

/* Gives a later one its ports; whether they are known. */
__noinline int fragment_complete(struct packet *later, enum shunt_direction direction)
{
	const struct shunt_fragment *ports;
	struct shunt_fragment_key key;

	if (!later)
		return false;
	key = fragment_key(later, direction);
	ports = bpf_map_lookup_elem(&shunt_fragments, &key);
	if (!ports)
		return false;
	later->source_port = ports->source_port;
	later->destination_port = ports->destination_port;
	return true;
}

#endif /* SHUNT_BPF_FRAGMENT_H_ */
