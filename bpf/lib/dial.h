/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process dials: what becomes of it? The choice is that of select.h; here it
 * is asked who the process is.
 */
#ifndef SHUNT_BPF_DIAL_H_
#define SHUNT_BPF_DIAL_H_

#include "lib/client.h"
#include "lib/frontend.h"
#include "lib/select.h"
#include "lib/source.h"

/* Not inlined: few Services have ranges. */
__noinline bool source_may_dial(struct bpf_sock_addr *ctx, const struct shunt_frontend_key *dialled,
				__u32 service_id)
{
	struct shunt_addr address;

	return dialled && client_address(ctx, &dialled->address, &address) &&
	       source_is_named(service_id, &address);
}

/* What the frontend says before any backend is asked for. */
static __always_inline enum shunt_verdict frontend_verdict(struct bpf_sock_addr *ctx,
							   const struct shunt_frontend_key *dialled,
							   const struct shunt_frontend *frontend)
{
	if (client_is_left_alone(ctx))
		return SHUNT_LEFT_ALONE;
	if ((frontend->flags & SHUNT_FRONTEND_HOST_ONLY) && !client_is_host(ctx))
		return SHUNT_NOT_A_SERVICE;
	if ((frontend->flags & SHUNT_FRONTEND_CHECK_SOURCE) &&
	    !source_may_dial(ctx, dialled, frontend->owner.service_id))
		return SHUNT_SOURCE_DENIED;
	return frontend->slots.count ? SHUNT_TRANSLATED : frontend->when_empty;
}

static __always_inline struct shunt_affinity_key affinity_key(
	struct bpf_sock_addr *ctx, const struct shunt_frontend_key *dialled, __u32 service_id)
{
	return (struct shunt_affinity_key){
		.netns_cookie = bpf_get_netns_cookie(ctx),
		.address = address_zero_of_family(&dialled->address),
		.service_id = service_id,
	};
}

static __always_inline bool dial_backend(struct bpf_sock_addr *ctx,
					 const struct shunt_frontend_key *dialled,
					 const struct shunt_frontend *frontend,
					 struct choice *choice)
{
	struct shunt_affinity_key client;

	if (!frontend->affinity_timeout_s)
		return choose_anew(frontend, choice);
	client = affinity_key(ctx, dialled, frontend->owner.service_id);
	return choose_for_client(&client, frontend, choice);
}

/* Chooses for a new connection or flow: an enum shunt_verdict. *choice is set
 * for SHUNT_TRANSLATED. Not inlined: the verifier looks at it once in each
 * program, which so is loaded in a third of the time. */
__noinline int select_backend(struct bpf_sock_addr *ctx, const struct shunt_frontend_key *dialled,
			      struct choice *choice)
{
	struct shunt_frontend frontend;

	if (!dialled || !choice)
		return SHUNT_NOT_A_SERVICE;
	for (int attempt = 0; attempt < SELECT_ATTEMPTS; attempt++) {
		enum frontend_answer answer = frontend_dialled(dialled, &frontend);
		enum shunt_verdict verdict;

		if (answer == FRONTEND_NONE)
			return SHUNT_NOT_A_SERVICE;
		if (answer == FRONTEND_MOVED)
			continue;
		verdict = frontend_verdict(ctx, dialled, &frontend);
		if (verdict != SHUNT_TRANSLATED)
			return verdict;
		if (dial_backend(ctx, dialled, &frontend, choice))
			return SHUNT_TRANSLATED;
	}
	return SHUNT_RACED;
}

#endif /* SHUNT_BPF_DIAL_H_ */
