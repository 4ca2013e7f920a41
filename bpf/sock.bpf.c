// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * East-west: what processes in the cgroup dial is translated before the first
 * packet exists, and shown back to them as they dialled it. README.md tells the
 * life of a connect.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>

#include "lib/datagram.h"
#include "lib/dial.h"
#include "lib/sockaddr.h"
#include "lib/socket.h"
#include "lib/verdict.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline struct shunt_frontend_key frontend_key(const struct bpf_sock_addr *ctx,
							      const struct shunt_peer *dialled)
{
	return (struct shunt_frontend_key){
		.address = dialled->address,
		.port = dialled->port,
		.protocol = ctx->protocol,
	};
}

static __always_inline bool is_balanced(const struct bpf_sock_addr *ctx)
{
	return ctx->protocol == IPPROTO_TCP || ctx->protocol == IPPROTO_UDP;
}

static __always_inline enum shunt_verdict on_connect(struct bpf_sock_addr *ctx,
						     const struct shunt_peer *dialled,
						     struct shunt_peer *got)
{
	struct shunt_frontend_key key = frontend_key(ctx, dialled);
	struct choice choice = {};
	enum shunt_verdict verdict;

	if (!is_balanced(ctx))
		return SHUNT_NOT_A_SERVICE;
	verdict = select_backend(ctx, &key, &choice);
	if (verdict == SHUNT_TRANSLATED)
		socket_connected(ctx, dialled, &choice);
	else
		socket_forget(ctx);
	*got = choice.peer;
	return verdict;
}

static __always_inline enum shunt_verdict on_sendmsg(struct bpf_sock_addr *ctx,
						     const struct shunt_peer *dialled,
						     struct shunt_peer *got)
{
	struct shunt_frontend_key key = frontend_key(ctx, dialled);
	const struct shunt_peer *connected = NULL;

	if (!is_balanced(ctx))
		return SHUNT_NOT_A_SERVICE;
	/* A connected socket may name its peer again, and hears no other. */
	if (ctx->sk->state == BPF_TCP_ESTABLISHED)
		connected = socket_got(ctx->sk, dialled);
	if (!connected)
		return datagram_send(ctx, &key, dialled, got);
	*got = *connected;
	return SHUNT_CONTINUED;
}

/* After connect() a socket has one peer; after connect(AF_UNSPEC) it has none
 * again, though what it dialled is still kept. */
static __always_inline enum shunt_verdict on_recvmsg(struct bpf_sock_addr *ctx,
						     const struct shunt_peer *source,
						     struct shunt_peer *shown)
{
	const struct shunt_peer *dialled = NULL;

	if (ctx->sk->state == BPF_TCP_ESTABLISHED)
		dialled = socket_dialled(ctx->sk, source);
	if (!dialled)
		dialled = datagram_dialled(ctx->sk, source);
	if (!dialled)
		return SHUNT_NOT_A_SERVICE;
	*shown = *dialled;
	return SHUNT_RESTORED;
}

static __always_inline enum shunt_verdict on_getpeername(struct bpf_sock_addr *ctx,
							 const struct shunt_peer *peer,
							 struct shunt_peer *shown)
{
	const struct shunt_peer *dialled = socket_dialled(ctx->sk, peer);

	if (!dialled)
		return SHUNT_NOT_A_SERVICE;
	*shown = *dialled;
	return SHUNT_RESTORED;
}

static __always_inline bool is_rewritten(enum shunt_verdict verdict)
{
	return verdict == SHUNT_TRANSLATED || verdict == SHUNT_CONTINUED ||
	       verdict == SHUNT_RESTORED;
}

/*
 * An entry point reads the address, asks what becomes of it, writes the other
 * address, and leaves through one verdict. They differ in the family, the
 * question, and whether a call or an answer leaves.
 */
#define ENTRY_POINT(name, family, hook, question, leave)                     \
	SEC("cgroup/" #name)                                                 \
	int shunt_##name(struct bpf_sock_addr *ctx)                          \
	{                                                                    \
		const struct shunt_peer asked = sockaddr_read##family(ctx);  \
		struct shunt_peer answer = {};                               \
		enum shunt_verdict verdict = question(ctx, &asked, &answer); \
                                                                             \
		if (is_rewritten(verdict))                                   \
			sockaddr_write##family(ctx, &answer);                \
		return leave(hook, verdict);                                 \
	}

ENTRY_POINT(connect4, 4, SHUNT_CONNECT4, on_connect, verdict_of_call)
ENTRY_POINT(connect6, 6, SHUNT_CONNECT6, on_connect, verdict_of_call)
ENTRY_POINT(sendmsg4, 4, SHUNT_SENDMSG4, on_sendmsg, verdict_of_call)
ENTRY_POINT(sendmsg6, 6, SHUNT_SENDMSG6, on_sendmsg, verdict_of_call)
ENTRY_POINT(recvmsg4, 4, SHUNT_RECVMSG4, on_recvmsg, verdict_of_answer)
ENTRY_POINT(recvmsg6, 6, SHUNT_RECVMSG6, on_recvmsg, verdict_of_answer)
ENTRY_POINT(getpeername4, 4, SHUNT_GETPEERNAME4, on_getpeername, verdict_of_answer)
ENTRY_POINT(getpeername6, 6, SHUNT_GETPEERNAME6, on_getpeername, verdict_of_answer)
