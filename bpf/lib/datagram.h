/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * To whom did this unconnected UDP socket talk? One flow for each address that
 * it sent to, as conntrack would have, with conntrack's timeouts. Kept with the
 * socket; all hooks run under the socket's lock.
 */
#ifndef SHUNT_BPF_DATAGRAM_H_
#define SHUNT_BPF_DATAGRAM_H_

#include "lib/address.h"
#include "lib/dial.h"
#include "lib/maps.h"

/* How often to choose again where the socket already talks to the chosen
 * backend through another Service: then answers could not be told apart. */
#define DISTINCT_ATTEMPTS 4

static __always_inline bool flow_is_alive(const struct shunt_datagram_flow *flow, __u64 now)
{
	__u64 timeout =
		flow->answered ? shunt_config.udp_stream_timeout_ns : shunt_config.udp_timeout_ns;

	return now - flow->last_used_ns < timeout && backend_of(&flow->backend);
}

/*
 * Searches. Functions of their own, not inlined: the verifier looks at each
 * once instead of once for each place that a flow could be found in. They
 * return an index, or NO_FLOW.
 */
#define NO_FLOW SHUNT_MAX_SOCKET_FLOWS

__noinline __u32 flow_to(const struct shunt_datagrams *flows, const struct shunt_peer *dialled)
{
	if (!flows || !dialled)
		return NO_FLOW;
	for (__u32 i = 0; i < SHUNT_MAX_SOCKET_FLOWS && i < flows->count; i++) {
		if (peer_equal(&flows->flows[i].dialled, dialled))
			return i;
	}
	return NO_FLOW;
}

/* The flow that an answer from `source` belongs to. Should several lead to one
 * pod, the one that was sent to last. */
__noinline __u32 flow_from(const struct shunt_datagrams *flows, const struct shunt_peer *source)
{
	__u32 latest = NO_FLOW;
	__u32 age = ~0u; /* in datagrams */

	if (!flows || !source)
		return NO_FLOW;
	for (__u32 i = 0; i < SHUNT_MAX_SOCKET_FLOWS && i < flows->count; i++) {
		if (peer_equal(&flows->flows[i].got, source) &&
		    flows->sent - flows->flows[i].sent_as < age) {
			latest = i;
			age = flows->sent - flows->flows[i].sent_as;
		}
	}
	return latest;
}

__noinline __u32 flow_idle_longest(const struct shunt_datagrams *flows)
{
	__u32 oldest = 0;
	__u64 oldest_use = ~0ull;

	if (!flows)
		return NO_FLOW;
	for (__u32 i = 0; i < SHUNT_MAX_SOCKET_FLOWS; i++) {
		if (flows->flows[i].last_used_ns < oldest_use) {
			oldest = i;
			oldest_use = flows->flows[i].last_used_ns;
		}
	}
	return oldest;
}

static __always_inline struct shunt_datagram_flow *flow_at(struct shunt_datagrams *flows,
							   __u32 index)
{
	_Static_assert((SHUNT_MAX_SOCKET_FLOWS & (SHUNT_MAX_SOCKET_FLOWS - 1)) == 0, "a mask");
	if (!flows || index >= SHUNT_MAX_SOCKET_FLOWS)
		return NULL;
	barrier_var(index); /* or the compiler drops the mask, which the verifier needs */
	return &flows->flows[index & (SHUNT_MAX_SOCKET_FLOWS - 1)];
}

/* A datagram is sent. */
static __always_inline void flow_used(struct shunt_datagrams *flows,
				      struct shunt_datagram_flow *flow, __u64 now)
{
	flow->last_used_ns = now;
	flow->sent_as = ++flows->sent;
}

/* Room for one more flow: a free place, or that of the one idle longest. */
static __always_inline struct shunt_datagram_flow *flow_make(struct shunt_datagrams *flows)
{
	__u32 count = flows->count;

	if (count >= SHUNT_MAX_SOCKET_FLOWS)
		return flow_at(flows, flow_idle_longest(flows));
	flows->count = count + 1;
	return flow_at(flows, count);
}

/* As select_backend(), but a backend that this socket does not talk to already. */
static __always_inline enum shunt_verdict select_distinct(struct bpf_sock_addr *ctx,
							  struct shunt_datagrams *flows,
							  const struct shunt_frontend_key *key,
							  struct choice *choice)
{
	enum shunt_verdict verdict = SHUNT_RACED;

	for (int attempt = 0; attempt < DISTINCT_ATTEMPTS; attempt++) {
		verdict = select_backend(ctx, key, choice);
		if (verdict != SHUNT_TRANSLATED || flow_from(flows, &choice->peer) == NO_FLOW)
			break;
	}
	return verdict;
}

/* The socket talks to the chosen backend from now on, in the place of `flow` if
 * it is one. False where there is no memory for it. */
static __always_inline bool datagram_remember(struct shunt_datagrams *flows,
					      struct shunt_datagram_flow *flow,
					      const struct shunt_peer *dialled,
					      const struct choice *choice)
{
	if (!flow)
		flow = flow_make(flows);
	if (!flow)
		return false;
	flow->dialled = *dialled;
	flow->got = choice->peer;
	flow->backend = choice->backend;
	flow->answered = 0;
	flow_used(flows, flow, bpf_ktime_get_coarse_ns());
	return true;
}

/* A datagram to a pod that the socket also talks to through a Service: from now
 * on the pod's answers are its own, until the Service is asked again. */
static __always_inline void datagram_direct(struct shunt_datagrams *flows,
					    struct shunt_datagram_flow *flow,
					    const struct shunt_peer *peer)
{
	if (flow_from(flows, peer) == NO_FLOW)
		return;
	if (!flow)
		flow = flow_make(flows);
	if (!flow)
		return;
	*flow = (struct shunt_datagram_flow){.dialled = *peer, .got = *peer};
	flow_used(flows, flow, bpf_ktime_get_coarse_ns());
}

/* Where does a datagram to `dialled` go? *got is set for SHUNT_TRANSLATED and
 * SHUNT_CONTINUED. */
static __always_inline enum shunt_verdict datagram_send(struct bpf_sock_addr *ctx,
							const struct shunt_frontend_key *key,
							const struct shunt_peer *dialled,
							struct shunt_peer *got)
{
	struct shunt_datagrams *flows = bpf_sk_storage_get(&shunt_datagrams, ctx->sk, NULL, 0);
	struct shunt_datagram_flow *flow = flow_at(flows, flow_to(flows, dialled));
	__u64 now = bpf_ktime_get_coarse_ns();
	struct choice choice = {};
	enum shunt_verdict verdict;

	if (flow && flow_is_alive(flow, now)) {
		flow_used(flows, flow, now);
		*got = flow->got;
		return SHUNT_CONTINUED;
	}
	verdict = select_distinct(ctx, flows, key, &choice);
	if (verdict == SHUNT_NOT_A_SERVICE && flows)
		datagram_direct(flows, flow, dialled);
	if (verdict != SHUNT_TRANSLATED)
		return verdict;
	if (!flows)
		flows = bpf_sk_storage_get(&shunt_datagrams, ctx->sk, NULL,
					   BPF_SK_STORAGE_GET_F_CREATE);
	if (!flows || !datagram_remember(flows, flow, dialled, &choice))
		return SHUNT_NO_MEMORY;
	*got = choice.peer;
	return SHUNT_TRANSLATED;
}

/* What was dialled to be answered by `source`; NULL where that was `source`. */
static __always_inline const struct shunt_peer *datagram_dialled(struct bpf_sock *sk,
								 const struct shunt_peer *source)
{
	struct shunt_datagrams *flows = bpf_sk_storage_get(&shunt_datagrams, sk, NULL, 0);
	struct shunt_datagram_flow *flow = flow_at(flows, flow_from(flows, source));

	if (!flow)
		return NULL;
	flow->answered = 1;
	flow->last_used_ns = bpf_ktime_get_coarse_ns();
	return &flow->dialled;
}

#endif /* SHUNT_BPF_DATAGRAM_H_ */
