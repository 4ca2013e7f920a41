/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one exit of a hook: counts the verdict and turns it into what the kernel
 * does with the call. README.md has the table.
 */
#ifndef SHUNT_BPF_VERDICT_H_
#define SHUNT_BPF_VERDICT_H_

#include <asm-generic/errno.h>

#include "lib/maps.h"

enum {
	CALL_FAILS = 0,
	CALL_PROCEEDS = 1
};

static __always_inline void verdict_count(enum shunt_hook hook, enum shunt_verdict verdict)
{
	__u32 key = verdict;
	struct shunt_counter *counter = bpf_map_lookup_elem(&shunt_counters, &key);

	if (counter)
		counter->runs[hook]++;
}

/* The call returns -1 with this errno. */
static __always_inline int fail_with(int error)
{
	if (shunt_config.has_set_retval)
		bpf_set_retval(-error);
	return CALL_FAILS;
}

/* connect() and sendmsg(). */
static __always_inline int verdict_of_call(enum shunt_hook hook, enum shunt_verdict verdict)
{
	verdict_count(hook, verdict);
	switch (verdict) {
	case SHUNT_NOT_A_SERVICE:
	case SHUNT_TRANSLATED:
	case SHUNT_CONTINUED:
	case SHUNT_RESTORED:
	case SHUNT_LEFT_ALONE:
		return CALL_PROCEEDS;
	case SHUNT_NO_ENDPOINT:
	case SHUNT_NO_PORT:
		return fail_with(ECONNREFUSED);
	case SHUNT_NO_LOCAL_ENDPOINT:
	case SHUNT_SOURCE_DENIED:
		return fail_with(ETIMEDOUT);
	case SHUNT_NO_MEMORY:
		return fail_with(ENOBUFS);
	case SHUNT_RACED:
		return fail_with(EAGAIN);
	case SHUNT_VERDICT_COUNT:
		break;
	}
	return fail_with(ECONNREFUSED);
}

/* recvmsg() and getpeername(): they cannot be refused. */
static __always_inline int verdict_of_answer(enum shunt_hook hook, enum shunt_verdict verdict)
{
	verdict_count(hook, verdict);
	return CALL_PROCEEDS;
}

enum packet_fate {
	PACKET_GOES_ON,
	PACKET_IS_DROPPED,
	PACKET_IS_REFUSED, /* an ICMP error goes back */
};

/* What arrives at a device, or leaves by it. */
static __always_inline enum packet_fate verdict_of_packet(enum shunt_hook hook,
							  enum shunt_verdict verdict)
{
	verdict_count(hook, verdict);
	switch (verdict) {
	case SHUNT_NOT_A_SERVICE:
	case SHUNT_TRANSLATED:
	case SHUNT_CONTINUED:
	case SHUNT_RESTORED:
	case SHUNT_LEFT_ALONE:
		return PACKET_GOES_ON;
	case SHUNT_NO_ENDPOINT:
	case SHUNT_NO_PORT:
		return PACKET_IS_REFUSED;
	case SHUNT_NO_LOCAL_ENDPOINT:
	case SHUNT_SOURCE_DENIED:
	case SHUNT_NO_MEMORY:
	case SHUNT_RACED:
	case SHUNT_VERDICT_COUNT:
		break;
	}
	return PACKET_IS_DROPPED;
}

#endif /* SHUNT_BPF_VERDICT_H_ */
