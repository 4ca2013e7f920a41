/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long a flow of packets is kept that nobody uses: for the programs, which
 * then know it no more, and for the agent, which removes it.
 */
#ifndef SHUNT_FLOW_TIMEOUT_H_
#define SHUNT_FLOW_TIMEOUT_H_

#include "shunt/config.h"
#include "shunt/types.h"

#define SHUNT_RESET_TIMEOUT_NS 10000000000ull
/* Of SCTP: not answered, or ending; and one that stands, whose ends send each
 * other a heartbeat every 30 s. */
#define SHUNT_SCTP_INIT_TIMEOUT_NS 30000000000ull
#define SHUNT_SCTP_TIMEOUT_NS 210000000000ull

static inline __u64 shunt_flow_timeout(const volatile struct shunt_config *config,
				       enum shunt_protocol protocol, __u32 state)
{
	const __u32 both_end = SHUNT_FLOW_CLIENT_ENDS | SHUNT_FLOW_BACKEND_ENDS;

	if (protocol == SHUNT_UDP)
		return state & SHUNT_FLOW_ANSWERED ? config->udp_stream_timeout_ns
						   : config->udp_timeout_ns;
	if (state & SHUNT_FLOW_RESET)
		return SHUNT_RESET_TIMEOUT_NS;
	if (protocol == SHUNT_SCTP)
		return (state & SHUNT_FLOW_ANSWERED) && !(state & both_end)
			       ? SHUNT_SCTP_TIMEOUT_NS
			       : SHUNT_SCTP_INIT_TIMEOUT_NS;
	if ((state & both_end) == both_end)
		return config->tcp_time_wait_timeout_ns;
	if (state & both_end)
		return config->tcp_close_wait_timeout_ns;
	return state & SHUNT_FLOW_ANSWERED ? config->tcp_established_timeout_ns
					   : config->tcp_syn_timeout_ns;
}

#endif /* SHUNT_FLOW_TIMEOUT_H_ */
