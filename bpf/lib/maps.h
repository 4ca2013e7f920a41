/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map, in the order in which a connect walks them. The programs may only
 * read what the agent writes (BPF_F_RDONLY_PROG); but the kernel refuses to
 * share memory for writing with a map that says so.
 */
#ifndef SHUNT_BPF_MAPS_H_
#define SHUNT_BPF_MAPS_H_

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "shunt/abi.h"
#include "shunt/config.h"

/* A map of its own, which is pinned: people may ask what programs run with. */
const volatile struct shunt_config shunt_config SEC(".rodata.config") = {
	.udp_timeout_ns = 30 * 1000000000ull,
	.udp_stream_timeout_ns = 120 * 1000000000ull,
	.tcp_syn_timeout_ns = 120 * 1000000000ull,
	.tcp_established_timeout_ns = 24 * 3600 * 1000000000ull,
	.tcp_close_wait_timeout_ns = 3600 * 1000000000ull,
	.tcp_time_wait_timeout_ns = 120 * 1000000000ull,
	.first_local_port = 32768,
	.last_local_port = 60999,
	.has_set_retval = 1,
	.has_mptcp = 1,
	.can_read_kernel = 1,
};

/* What is dialled. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHUNT_MAX_FRONTENDS);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, struct shunt_frontend_key);
	__type(value, struct shunt_frontend);
} shunt_frontends SEC(".maps");

/* One arena: every list of backends owns a contiguous range of it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHUNT_MAX_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shunt_backend_ref);
} shunt_slots SEC(".maps");

/* Who may dial the frontends of a service port that check the source. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, SHUNT_MAX_SOURCES);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, struct shunt_source_key);
	__type(value, __u8);
} shunt_sources SEC(".maps");

/* Which backend a client had last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SHUNT_MAX_AFFINITY);
	__type(key, struct shunt_affinity_key);
	__type(value, struct shunt_affinity);
} shunt_affinity SEC(".maps");

/* Backends by id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHUNT_MAX_BACKENDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shunt_backend);
} shunt_backends SEC(".maps");

/* What a connected socket dialled and got. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct shunt_socket);
} shunt_socket SEC(".maps");

/* The flows of an unconnected UDP socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct shunt_datagrams);
} shunt_datagrams SEC(".maps");

/* Runs by verdict and hook. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SHUNT_VERDICT_COUNT);
	__type(key, __u32); /* enum shunt_verdict */
	__type(value, struct shunt_counter);
} shunt_counters SEC(".maps");

/* Other counts. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SHUNT_TALLY_COUNT);
	__type(key, __u32); /* enum shunt_tally */
	__type(value, __u64);
} shunt_tallies SEC(".maps");

/* The state of random_number(), for each CPU. Not pinned: nobody has to keep it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} shunt_random SEC(".maps");

/* Cgroups, by id, whose processes are left alone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHUNT_MAX_OPT_OUTS);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, __u64);
	__type(value, __u8);
} shunt_opt_outs SEC(".maps");

/* Names of service ids: for people, and for an agent that starts. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHUNT_MAX_SERVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct shunt_service);
} shunt_services SEC(".maps");

/* Who made these maps, and how they are laid out. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct shunt_meta);
} shunt_meta SEC(".maps");

#endif /* SHUNT_BPF_MAPS_H_ */
