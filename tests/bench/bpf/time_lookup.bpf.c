// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Looks frontends up in shunt_frontends, many in one run, in an order without
 * pattern. For bench_maps.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../../../bpf/lib/maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct lookup_args {
	__u32 count;    /* how many lookups */
	__u32 services; /* their addresses begin at `first`, in host byte order */
	__u32 first;
	__u32 is_empty; /* no lookup: what the loop itself costs */
	__u32 random;   /* where the order is; goes on with the next run */
	__u32 found;
};

static long look_up(__u32 i __attribute__((unused)), struct lookup_args *args)
{
	struct shunt_frontend_key key = {.port = 80, .protocol = SHUNT_TCP};
	__be32 words[4] = {0, 0, bpf_htonl(0xffff)};

	args->random = args->random * 1664525 + 1013904223;
	words[3] = bpf_htonl(args->first + (__u32)(((__u64)args->random * args->services) >> 32));
	__builtin_memcpy(&key.address, words, sizeof(words));
	if (args->is_empty)
		args->found += key.address.bytes[15] != 0;
	else
		args->found += bpf_map_lookup_elem(&shunt_frontends, &key) != NULL;
	return 0;
}

SEC("syscall")
int shunt_time_lookup(struct lookup_args *args)
{
	struct lookup_args local = *args;

	bpf_loop(local.count, look_up, &local, 0);
	args->random = local.random;
	args->found = local.found;
	return 0;
}
