// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is connected where: walks the sockets that Shunt translated, in all network
 * namespaces, and writes a struct shunt_socket_record for each.
 */
#include "lib/stale.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define IPPROTO_MPTCP 262

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct sock *sk;
	struct shunt_socket *value;
} KERNEL_STRUCT;

SEC("iter/bpf_sk_storage_map")
int shunt_sockets(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	const struct shunt_socket *value = ctx->value;
	struct sock *sk = ctx->sk;
	struct shunt_socket_record record = {};
	struct in6_addr ip6;

	if (!sk || !value)
		return 0;
	record.socket = *value;
	if (!is_connected_to(&sk->__sk_common, &record.socket.got))
		return 0;
	ip6 = sk->__sk_common.skc_v6_rcv_saddr;
	record.local.address =
		address_of(sk->__sk_common.skc_family, sk->__sk_common.skc_rcv_saddr, &ip6);
	record.local.port = sk->__sk_common.skc_num;
	record.netns = sk->__sk_common.skc_net.net->ns.inum;
	record.cookie = bpf_get_socket_cookie(sk);
	record.protocol = sk->sk_protocol == IPPROTO_MPTCP ? SHUNT_TCP : sk->sk_protocol;
	record.stale = backend_is_gone(&record.socket.backend);
	bpf_seq_write(seq, &record, sizeof(record));
	return 0;
}
