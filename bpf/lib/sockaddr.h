/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Between a socket hook's context and addresses.
 */
#ifndef SHUNT_BPF_SOCKADDR_H_
#define SHUNT_BPF_SOCKADDR_H_

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/address.h"

/* The address and port that the call is about. */
static __always_inline struct shunt_peer sockaddr_read4(const struct bpf_sock_addr *ctx)
{
	return (struct shunt_peer){
		.address = address_of_ip4(ctx->user_ip4),
		.port = bpf_ntohs(ctx->user_port),
	};
}

static __always_inline struct shunt_peer sockaddr_read6(const struct bpf_sock_addr *ctx)
{
	const __be32 words[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				 ctx->user_ip6[3]};
	struct shunt_peer peer = {.port = bpf_ntohs(ctx->user_port)};

	__builtin_memcpy(&peer.address, words, sizeof(words));
	return peer;
}

/* Puts another in its place. */
static __always_inline void sockaddr_write4(struct bpf_sock_addr *ctx,
					    const struct shunt_peer *peer)
{
	__be32 words[4];

	__builtin_memcpy(words, &peer->address, sizeof(words));
	ctx->user_ip4 = words[3];
	ctx->user_port = bpf_htons(peer->port);
}

static __always_inline void sockaddr_write6(struct bpf_sock_addr *ctx,
					    const struct shunt_peer *peer)
{
	__be32 words[4];

	__builtin_memcpy(words, &peer->address, sizeof(words));
	ctx->user_ip6[0] = words[0];
	ctx->user_ip6[1] = words[1];
	ctx->user_ip6[2] = words[2];
	ctx->user_ip6[3] = words[3];
	ctx->user_port = bpf_htons(peer->port);
}

/* Where a socket of IPv6 is bound: zero where it is not. */
static __always_inline struct shunt_addr address_of_ip6(const struct bpf_sock *sk)
{
	const __be32 words[4] = {sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3]};
	struct shunt_addr address;

	__builtin_memcpy(&address, words, sizeof(words));
	return address;
}

#endif /* SHUNT_BPF_SOCKADDR_H_ */
