/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of packets alone, in the order in which a packet walks them; the
 * others are those of maps.h. Flows take memory from the start, so the socket
 * programs do not have them.
 */
#ifndef SHUNT_BPF_PACKET_MAPS_H_
#define SHUNT_BPF_PACKET_MAPS_H_

#include "lib/maps.h"

/* What becomes of packets of flows that are known. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SHUNT_MAX_FLOWS);
	__type(key, struct shunt_flow_key);
	__type(value, struct shunt_flow);
} shunt_flows SEC(".maps");

/* A datagram that comes in fragments, of which the first alone has ports: the
 * programs alone read and write this. */
struct shunt_fragment_key {
	struct shunt_addr source;
	struct shunt_addr destination;
	__be32 id;
	enum shunt_protocol protocol;
	enum shunt_direction direction;
	__u8 _pad[2];
};

struct shunt_fragment {
	__u16 source_port; /* host byte order */
	__u16 destination_port;
};

#define SHUNT_MAX_FRAGMENTS 8192

/* The ports of datagrams that come in fragments. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SHUNT_MAX_FRAGMENTS);
	__type(key, struct shunt_fragment_key);
	__type(value, struct shunt_fragment);
} shunt_fragments SEC(".maps");

/* Addresses of the devices, by index. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHUNT_MAX_DEVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct shunt_device);
} shunt_devices SEC(".maps");

/* Who sends from which addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, SHUNT_MAX_ORIGINS);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, struct shunt_origin_key);
	__type(value, enum shunt_origin);
} shunt_origins SEC(".maps");

/* How many refusals may be sent. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shunt_refusals);
} shunt_refusals SEC(".maps");

#endif /* SHUNT_BPF_PACKET_MAPS_H_ */
