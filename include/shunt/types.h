/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The words that the kernel programs and userspace share: scalars and enums.
 *
 * Compiled by clang as C for BPF and by the C++ compiler for userspace, so it
 * holds nothing but what both understand. Enums have a fixed one-byte type:
 * they stand in map keys and values, where bpftool prints their names.
 */
#ifndef SHUNT_TYPES_H_
#define SHUNT_TYPES_H_

#include <linux/types.h>

/* A transport protocol, by its IANA number (RFC 9293, RFC 768, RFC 9260). */
enum shunt_protocol : __u8 {
	SHUNT_TCP = 6,
	SHUNT_UDP = 17,
	SHUNT_SCTP = 132,
};

/* How an index into a frontend's slots is computed. */
enum shunt_index_rule : __u8 {
	SHUNT_INDEX_RANDOM = 0, /* uniform, anew for every connection */
};

/* What the endpoint conditions say of a backend (KEP-1672). */
enum shunt_backend_state : __u8 {
	SHUNT_BACKEND_FREE = 0,    /* no backend has this id */
	SHUNT_BACKEND_SERVING = 1, /* may be chosen, keeps what it has */
};

/*
 * What became of a connect, a datagram or a question for the peer's name.
 * Every run of a program ends in exactly one of these; README.md of bpf/ says
 * what the caller sees.
 */
enum shunt_verdict : __u8 {
	SHUNT_NOT_A_SERVICE = 0, /* nothing of ours was dialled: untouched */
	SHUNT_TRANSLATED,        /* a backend was chosen */
	SHUNT_CONTINUED,         /* a datagram of a flow that has its backend */
	SHUNT_RESTORED,          /* an address was turned back into what was dialled */
	SHUNT_NO_ENDPOINT,       /* the service port has no usable endpoint */
	SHUNT_NO_MEMORY,         /* the socket has no room to remember the flow */
	SHUNT_RACED,             /* the frontend changed under every attempt */
	SHUNT_VERDICT_COUNT,
};

/* Where a program runs. */
enum shunt_hook : __u8 {
	SHUNT_CONNECT4 = 0,
	SHUNT_CONNECT6,
	SHUNT_SENDMSG4,
	SHUNT_SENDMSG6,
	SHUNT_RECVMSG4,
	SHUNT_RECVMSG6,
	SHUNT_GETPEERNAME4,
	SHUNT_GETPEERNAME6,
	SHUNT_HOOK_COUNT,
};

#endif /* SHUNT_TYPES_H_ */
