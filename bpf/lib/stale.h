/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets as iterators see them, and whether their backend is gone. For the
 * objects that need the kernel's BTF and CAP_PERFMON; the hooks do without.
 */
#ifndef SHUNT_BPF_STALE_H_
#define SHUNT_BPF_STALE_H_

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "shunt/abi.h"

#define KERNEL_STRUCT __attribute__((preserve_access_index))

/* <linux/in.h> has an in6_addr of its own; here it is the kernel's. */
#define AF_INET6 10

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} KERNEL_STRUCT;

struct ns_common {
	unsigned int inum;
} KERNEL_STRUCT;

struct net {
	struct ns_common ns;
} KERNEL_STRUCT;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
} KERNEL_STRUCT;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	struct {
		struct net *net;
	} skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} KERNEL_STRUCT;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
} KERNEL_STRUCT;

/* The hooks' own maps: userspace gives us the pinned ones. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct shunt_socket);
} shunt_socket SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHUNT_MAX_BACKENDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shunt_backend);
} shunt_backends SEC(".maps");

static __always_inline bool backend_is_gone(const struct shunt_backend_ref *ref)
{
	__u32 id = ref->id;
	const struct shunt_backend *backend = bpf_map_lookup_elem(&shunt_backends, &id);

	return !backend || backend->state == SHUNT_BACKEND_FREE ||
	       *(const volatile __u32 *)&backend->generation != ref->generation;
}

static __always_inline struct shunt_addr address_of(unsigned short family, __be32 ip4,
						    const struct in6_addr *ip6)
{
	const __be32 words[4] = {0, 0, bpf_htonl(0xffff), ip4};
	struct shunt_addr address;

	if (family == AF_INET6)
		__builtin_memcpy(&address, ip6, sizeof(address));
	else
		__builtin_memcpy(&address, words, sizeof(address));
	return address;
}

/* Whether the socket still is connected to what Shunt gave it: it may have
 * dialled somebody else since. Not yet, while its connect() is on the way. */
static __always_inline bool is_connected_to(const struct sock_common *sk,
					    const struct shunt_peer *got)
{
	__u16 port = bpf_ntohs(sk->skc_dport);
	struct in6_addr ip6 = sk->skc_v6_daddr;
	const struct shunt_addr address = address_of(sk->skc_family, sk->skc_daddr, &ip6);

	return sk->skc_state != BPF_TCP_CLOSE && port == got->port &&
	       !__builtin_memcmp(&address, &got->address, sizeof(address));
}

/* A connected UDP socket has no other way to notice that its pod is gone; a TCP
 * connection is ended where its Service asked for that. */
static __always_inline bool is_to_be_ended(const struct shunt_socket *socket, __u16 protocol)
{
	return (protocol == SHUNT_UDP || (protocol == SHUNT_TCP && socket->end_tcp)) &&
	       backend_is_gone(&socket->backend);
}

#endif /* SHUNT_BPF_STALE_H_ */
