// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ends the sockets whose backend is gone, in two steps: one walk over the sockets
 * of all network namespaces, which may look but not end, says in which ones there
 * are any; then a walk over the sockets of each of those, by a thread that has
 * entered it. Only sockets that Shunt translated and that are connected to exactly
 * what it gave them, while the socket is locked and its backend is gone. Needs
 * bpf_sock_destroy() (kernel 6.5).
 *
 * Not those of MPTCP: their record hangs at the MPTCP socket, and an iterator that
 * may end a connection finds no way from there to it, nor back.
 */
#include "lib/stale.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct udp_sock;
struct tcp_sock;

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct sock *sk;
	struct shunt_socket *value;
} KERNEL_STRUCT;

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
} KERNEL_STRUCT;

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
} KERNEL_STRUCT;

extern int bpf_sock_destroy(struct sock_common *sk) __ksym;

/* Network namespaces, by inode number, that hold sockets to be ended. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct shunt_stale);
} stale_namespaces SEC(".maps");

__u64 undecided; /* sockets that are to be ended, and are not connected (yet) */
__u64 ended;

SEC("iter/bpf_sk_storage_map")
int shunt_find_stale(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct shunt_socket *socket = ctx->value;
	const struct sock *sk = ctx->sk;
	struct shunt_stale stale = {}, *found;
	__u32 netns;

	if (!sk || !socket || !is_to_be_ended(socket, sk->sk_protocol))
		return 0;
	if (!is_connected_to(&sk->__sk_common, &socket->got)) {
		undecided++;
		return 0;
	}
	netns = sk->__sk_common.skc_net.net->ns.inum;
	found = bpf_map_lookup_elem(&stale_namespaces, &netns);
	if (found)
		stale = *found;
	if (sk->sk_protocol == SHUNT_UDP)
		stale.udp++;
	else
		stale.tcp++;
	if (found)
		*found = stale;
	else if (bpf_map_update_elem(&stale_namespaces, &netns, &stale, BPF_ANY))
		undecided++; /* no room: next time */
	return 0;
}

/* With its record, which has told all that it had to. */
static __always_inline void end(struct sock_common *sk, void *whole)
{
	if (bpf_sock_destroy(sk))
		return;
	bpf_sk_storage_delete(&shunt_socket, whole);
	__sync_fetch_and_add(&ended, 1);
}

SEC("iter/udp")
int shunt_end_udp(struct bpf_iter__udp *ctx)
{
	struct sock_common *sk = (struct sock_common *)ctx->udp_sk;
	const struct shunt_socket *socket;

	if (!sk)
		return 0;
	socket = bpf_sk_storage_get(&shunt_socket, sk, NULL, 0);
	if (socket && is_to_be_ended(socket, SHUNT_UDP) && is_connected_to(sk, &socket->got))
		end(sk, sk);
	return 0;
}

SEC("iter/tcp")
int shunt_end_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	const struct shunt_socket *socket;
	struct tcp_sock *tcp;

	if (!sk)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk); /* NULL for what is no whole socket */
	if (!tcp)
		return 0;
	socket = bpf_sk_storage_get(&shunt_socket, tcp, NULL, 0);
	if (socket && is_to_be_ended(socket, SHUNT_TCP) && is_connected_to(sk, &socket->got))
		end(sk, tcp);
	return 0;
}
