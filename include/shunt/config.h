/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Configuration of the datapath: one struct in .rodata, written by the agent
 * before the programs are loaded and constant from then on, so that the
 * verifier removes what is off.
 */
#ifndef SHUNT_CONFIG_H_
#define SHUNT_CONFIG_H_

#include <linux/types.h>

struct shunt_config {
	/* An idle UDP flow of an unconnected socket keeps its backend this long:
	 * before the first answer, and after it. The defaults are those of
	 * nf_conntrack_udp_timeout and nf_conntrack_udp_timeout_stream. */
	__u64 udp_timeout_ns;
	__u64 udp_stream_timeout_ns;
	/* Likewise for TCP in packets: a connection that was not answered, one that
	 * stands, one that one side has ended, and one that both have. */
	__u64 tcp_syn_timeout_ns;
	__u64 tcp_established_timeout_ns;
	__u64 tcp_close_wait_timeout_ns;
	__u64 tcp_time_wait_timeout_ns;
	/* SO_NETNS_COOKIE of the host's network namespace, which is the agent's; 0
	 * where the kernel cannot say (before 5.14). */
	__u64 host_netns_cookie;
	/* bpf_set_retval() exists (kernel 5.18): a refusal is ECONNREFUSED, else
	 * EPERM. */
	__u8 has_set_retval;
	/* bpf_skc_to_mptcp_sock() exists (kernel 5.19) and may be used
	 * (CAP_PERFMON): else getpeername() on an MPTCP socket shows the pod. */
	__u8 has_mptcp;
	/* bpf_probe_read_kernel() may be used (CAP_PERFMON): the address of a client
	 * is known without a bind(), for loadBalancerSourceRanges. */
	__u8 can_read_kernel;
	/* socketLB: host. Only the host's network namespace is served. */
	__u8 only_host;
	/* masqueradeAll: of packets, what is sent to a ClusterIP leaves with an
	 * address of this node, whoever sends it. */
	__u8 masquerade_all;
	__u8 _pad[3];
	/* net.ipv4.ip_local_port_range: ports that the host's own sockets take. */
	__u16 first_local_port;
	__u16 last_local_port;
	__u8 _pad2[4];
};

#endif /* SHUNT_CONFIG_H_ */
