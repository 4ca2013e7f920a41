/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A random number: SplitMix64 (Steele, Lea, Flood, 2014) with a state for each
 * CPU, as bpf_get_prandom_u32() is a fifth of what a whole connect costs. Fair,
 * and no secret. Two programs that interrupt each other on one CPU may get the
 * same number.
 */
#ifndef SHUNT_BPF_RANDOM_H_
#define SHUNT_BPF_RANDOM_H_

#include "lib/maps.h"

static __always_inline __u32 random_number(void)
{
	__u32 zero = 0;
	__u64 *state = bpf_map_lookup_elem(&shunt_random, &zero);
	__u64 mixed;

	if (!state)
		return bpf_get_prandom_u32();
	if (!*state)
		*state = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	mixed = *state += 0x9e3779b97f4a7c15;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
	return (mixed ^ mixed >> 31) >> 32;
}

/* Uniform in [0, count), exactly (D. Lemire, "Fast Random Integer Generation in
 * an Interval", 2019). A repetition has a chance of count / 2^32. */
static __always_inline __u32 random_below(__u32 count)
{
	__u64 product = (__u64)random_number() * count;

	if ((__u32)product < count) {
		__u32 unfair = -count % count;

		for (int i = 0; i < 8 && (__u32)product < unfair; i++)
			product = (__u64)random_number() * count;
	}
	return product >> 32;
}

#endif /* SHUNT_BPF_RANDOM_H_ */
