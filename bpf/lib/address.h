/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Addresses as 16 bytes. Whoever reads or writes one of a context or a packet
 * knows IPv4 from IPv6; everybody else sees this.
 */
#ifndef SHUNT_BPF_ADDRESS_H_
#define SHUNT_BPF_ADDRESS_H_

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "shunt/abi.h"

static __always_inline struct shunt_addr address_of_ip4(__be32 ip4)
{
	const __be32 words[4] = {0, 0, bpf_htonl(0xffff), ip4};
	struct shunt_addr address;

	__builtin_memcpy(&address, words, sizeof(words));
	return address;
}

static __always_inline bool address_is_ip4(const struct shunt_addr *address)
{
	__be32 words[4];

	__builtin_memcpy(words, address, sizeof(words));
	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

/* 0.0.0.0 for one of IPv4, :: for one of IPv6. */
static __always_inline struct shunt_addr address_zero_of_family(const struct shunt_addr *address)
{
	return address_is_ip4(address) ? address_of_ip4(0) : (struct shunt_addr){};
}

static __always_inline bool address_is_zero(const struct shunt_addr *address)
{
	const struct shunt_addr zero = address_zero_of_family(address);

	return !__builtin_memcmp(address, &zero, sizeof(zero));
}

static __always_inline bool peer_equal(const struct shunt_peer *a, const struct shunt_peer *b)
{
	__u32 left[5], right[5];

	_Static_assert(sizeof(left) == sizeof(*a), "a peer is five words");
	__builtin_memcpy(left, a, sizeof(left));
	__builtin_memcpy(right, b, sizeof(right));
	return left[4] == right[4] && left[3] == right[3] && left[2] == right[2] &&
	       left[1] == right[1] && left[0] == right[0];
}

#endif /* SHUNT_BPF_ADDRESS_H_ */
