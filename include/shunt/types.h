/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The words that the kernel programs and userspace share: scalars and enums.
 *
 * Compiled by clang as C for BPF and by the C++ compiler for userspace, so it
 * holds nothing but what both understand. Enums have a fixed one-byte type:
 * they stand in map keys and values, where bpftool prints their names.
 */
#ifndef SHUNT_TYPES_H_
#define SHUNT_TYPES_H_

#include <linux/types.h>

/* A transport protocol, by its IANA number (RFC 9293, RFC 768, RFC 9260). */
enum shunt_protocol : __u8 {
	SHUNT_ANY_PROTOCOL = 0, /* in the key of SHUNT_OTHER_PORTS alone */
	SHUNT_TCP = 6,
	SHUNT_UDP = 17,
	SHUNT_SCTP = 132,
};

/* From where a frontend is dialled. What is dialled from outside is looked up as
 * such first, and then as if it was dialled on this node. */
enum shunt_scope : __u8 {
	SHUNT_SCOPE_NODE = 0,    /* by a process of this node, in whatever pod */
	SHUNT_SCOPE_OUTSIDE = 1, /* by a packet that arrived; only where that differs */
};

/* Where a packet comes from, as its device and its source address tell. */
enum shunt_origin : __u8 {
	SHUNT_ORIGIN_UNKNOWN = 0, /* nobody says which addresses are pods' */
	SHUNT_ORIGIN_OUTSIDE,
	SHUNT_ORIGIN_POD,  /* as kube-proxy's detectLocalMode has it */
	SHUNT_ORIGIN_HOST, /* this node itself */
};

/* What a frontend is of its Service, in the order of rights: where two Services
 * want one address, port and protocol, the smaller kind has it. */
enum shunt_frontend_kind : __u8 {
	SHUNT_CLUSTER_IP = 0,
	SHUNT_OTHER_PORTS,      /* all ports that a ClusterIP does not have: port 0 */
	SHUNT_LOAD_BALANCER_IP, /* status.loadBalancer.ingress[].ip */
	SHUNT_EXTERNAL_IP,      /* spec.externalIPs[] */
	SHUNT_NODE_PORT,        /* spec.ports[].nodePort at an address of this node */
};

/* Bits of shunt_frontend.flags. */
enum shunt_frontend_flag : __u8 {
	SHUNT_FRONTEND_LOCAL = 1,        /* its slots are the list of this node's endpoints */
	SHUNT_FRONTEND_CHECK_SOURCE = 2, /* only for whom shunt_sources names */
	SHUNT_FRONTEND_HOST_ONLY = 4,    /* only for the host's network namespace */
	SHUNT_FRONTEND_END_TCP = 8,      /* TCP connections end with their backend */
};

/* How an index into a frontend's slots is computed. */
enum shunt_index_rule : __u8 {
	SHUNT_INDEX_RANDOM = 0, /* uniform, anew for every connection */
};

/* Where a packet is looked at. */
enum shunt_direction : __u8 {
	SHUNT_ARRIVES = 0, /* at a device: its destination is translated */
	SHUNT_LEAVES = 1,  /* by a device: its source is translated */
};

/* Bits of shunt_flow.state. */
enum shunt_flow_state : __u8 {
	SHUNT_FLOW_ANSWER = 1,       /* an entry for what the backend sends */
	SHUNT_FLOW_ANSWERED = 2,     /* the backend has sent something */
	SHUNT_FLOW_CLIENT_ENDS = 4,  /* TCP: FIN from the client */
	SHUNT_FLOW_BACKEND_ENDS = 8, /* TCP: FIN from the backend */
	SHUNT_FLOW_RESET = 16,       /* TCP: RST from either */
	SHUNT_FLOW_UNBOUND = 32,     /* its address is chosen when the first packet leaves */
};

/* What the endpoint conditions say of a backend (KEP-1672). */
enum shunt_backend_state : __u8 {
	SHUNT_BACKEND_FREE = 0,    /* no backend has this id */
	SHUNT_BACKEND_SERVING = 1, /* may be chosen, keeps what it has */
};

/*
 * What became of a connect, a datagram, a packet or a question for the peer's name.
 * Every run of a program ends in exactly one of these; README.md of bpf/ says
 * what the caller sees.
 */
enum shunt_verdict : __u8 {
	SHUNT_NOT_A_SERVICE = 0, /* nothing of ours was dialled: untouched */
	SHUNT_TRANSLATED,        /* a backend was chosen */
	SHUNT_CONTINUED,         /* a datagram or packet of a flow that has its backend */
	SHUNT_RESTORED,          /* an address was turned back into what was dialled */
	SHUNT_NO_ENDPOINT,       /* the service port has no usable endpoint */
	SHUNT_NO_PORT,           /* a ClusterIP was dialled at a port that it does not have */
	SHUNT_NO_LOCAL_ENDPOINT, /* the policy is Local, and all endpoints are on other nodes */
	SHUNT_SOURCE_DENIED,     /* loadBalancerSourceRanges does not name the client */
	SHUNT_LEFT_ALONE,        /* a Service, but this process is not served here (socketLB) */
	SHUNT_NO_MEMORY,         /* no room to remember the flow, or no port to send it from */
	SHUNT_RACED,             /* the frontend changed under every attempt */
	SHUNT_VERDICT_COUNT,
};

/* Things that the programs count besides verdicts. */
enum shunt_tally : __u8 {
	SHUNT_TALLY_AFFINITY_ADDED = 0, /* entries ever made in shunt_affinity */
	SHUNT_TALLY_COUNT,
};

/* Where a program runs. */
enum shunt_hook : __u8 {
	SHUNT_CONNECT4 = 0,
	SHUNT_CONNECT6,
	SHUNT_SENDMSG4,
	SHUNT_SENDMSG6,
	SHUNT_RECVMSG4,
	SHUNT_RECVMSG6,
	SHUNT_GETPEERNAME4,
	SHUNT_GETPEERNAME6,
	SHUNT_INGRESS, /* of a device: what arrives */
	SHUNT_EGRESS,  /* of a device: what leaves */
	SHUNT_HOOK_COUNT,
};

#endif /* SHUNT_TYPES_H_ */
