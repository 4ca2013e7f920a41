/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What did this connected socket dial? Kept with the socket, so that it goes
 * when the socket goes. All hooks run under the socket's lock.
 */
#ifndef SHUNT_BPF_SOCKET_H_
#define SHUNT_BPF_SOCKET_H_

#include <linux/in.h>

#include "lib/maps.h"
#include "lib/select.h"
#include "lib/sockaddr.h"

/* The connection is that of a subflow; the socket that the application holds is
 * the MPTCP socket around it. NULL for all others. */
static __always_inline struct mptcp_sock *mptcp_around(struct bpf_sock_addr *ctx)
{
	if (!shunt_config.has_mptcp || ctx->protocol != IPPROTO_TCP)
		return NULL;
	return bpf_skc_to_mptcp_sock(ctx->sk);
}

/* Without memory for it the connection still works; only getpeername() and
 * recvfrom() will then show the backend. */
static __always_inline void socket_remember(void *sk, const struct shunt_peer *dialled,
					    const struct choice *choice)
{
	struct shunt_socket *socket =
		bpf_sk_storage_get(&shunt_socket, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!socket)
		return;
	socket->dialled = *dialled;
	socket->got = choice->peer;
	socket->backend = choice->backend;
	socket->service_id = choice->service_id;
	socket->end_tcp = choice->end_tcp;
}

static __always_inline void socket_connected(struct bpf_sock_addr *ctx,
					     const struct shunt_peer *dialled,
					     const struct choice *choice)
{
	struct mptcp_sock *mptcp = mptcp_around(ctx);

	if (mptcp)
		socket_remember(mptcp, dialled, choice);
	else
		socket_remember(ctx->sk, dialled, choice);
}

/* What it dialled before does not count any more. That of an MPTCP socket does:
 * this may be a later subflow, which the kernel connects to an address that the
 * pod announced. */
static __always_inline void socket_forget(struct bpf_sock_addr *ctx)
{
	/* To look costs less than to delete nothing, which is what most do. */
	if (bpf_sk_storage_get(&shunt_socket, ctx->sk, NULL, 0))
		bpf_sk_storage_delete(&shunt_socket, ctx->sk);
}

/* What was dialled to be connected to `peer`; NULL where that was `peer`. */
static __always_inline const struct shunt_peer *socket_dialled(struct bpf_sock *sk,
							       const struct shunt_peer *peer)
{
	struct shunt_socket *socket = bpf_sk_storage_get(&shunt_socket, sk, NULL, 0);

	return socket && peer_equal(&socket->got, peer) ? &socket->dialled : NULL;
}

/* What a connected socket got that dialled just this; NULL where it did not. */
static __always_inline const struct shunt_peer *socket_got(struct bpf_sock *sk,
							   const struct shunt_peer *dialled)
{
	struct shunt_socket *socket = bpf_sk_storage_get(&shunt_socket, sk, NULL, 0);

	return socket && peer_equal(&socket->dialled, dialled) ? &socket->got : NULL;
}

#endif /* SHUNT_BPF_SOCKET_H_ */
