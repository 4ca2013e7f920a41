/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys and values of the maps: the contract between kernel and userspace.
 *
 * Addresses are 16 bytes in network byte order, IPv4 as ::ffff:a.b.c.d
 * (RFC 4291, 2.5.5.2), in both families and everywhere. Ports are in HOST byte
 * order: `bpftool map dump` is a user interface, and there port 80 must read
 * 80; it costs the datapath one byte swap. Padding is explicit and zero.
 *
 * Who writes: the agent alone, but for shunt_socket, shunt_datagrams,
 * shunt_affinity, shunt_flows, shunt_refusals, shunt_counters and shunt_tallies,
 * which only the programs write, and shunt_opt_outs, which `shuntctl opt-out`
 * writes.
 */
#ifndef SHUNT_ABI_H_
#define SHUNT_ABI_H_

#include <linux/types.h>

#include "shunt/limits.h"
#include "shunt/types.h"

/* Changes whenever a key, a value or the meaning of one does. An agent that
 * finds another number builds its own maps beside the pinned ones. */
#define SHUNT_LAYOUT_VERSION 4
#define SHUNT_MAGIC 0x53484e54 /* "SHNT" */

struct shunt_addr {
	__u8 bytes[16];
} __attribute__((aligned(4)));

/* What a client dials. Also what it got: an address and a port. */
struct shunt_frontend_key {
	struct shunt_addr address;
	__u16 port; /* host byte order; 0 for SHUNT_OTHER_PORTS */
	enum shunt_protocol protocol;
	enum shunt_scope scope;
};

/* Entries [base, base + count) of shunt_slots. */
struct shunt_range {
	__u32 base;
	__u32 count;
} __attribute__((aligned(8)));

/* Whose frontend this is. `tag` is shunt_frontend_tag() of its own key: the
 * kernel may recycle a replaced hash element at once, so a reader that finds
 * another tag was given somebody else's value. */
struct shunt_owner {
	__u32 service_id;
	__u32 tag;
} __attribute__((aligned(8)));

/* The commit record: one update of this value moves traffic to a new list.
 * `owner` and `slots` are each read and written as one 64-bit word. */
struct shunt_frontend {
	struct shunt_owner owner;
	struct shunt_range slots;
	__u32 affinity_timeout_s; /* sessionAffinity ClientIP; 0: none */
	enum shunt_index_rule index_rule;
	enum shunt_verdict when_empty; /* the verdict where slots.count is 0 */
	enum shunt_frontend_kind kind;
	__u8 flags; /* enum shunt_frontend_flag */
};

/* A backend, and which of those that had its id: ids are used again, and then
 * the generation has moved on. Never {0, 0}. */
struct shunt_backend_ref {
	__u32 id;
	__u32 generation;
} __attribute__((aligned(8)));

/* One endpoint as a backend of one service port. It belongs to that service
 * port alone, so that the last step of a choice can check whose it is. */
struct shunt_backend {
	struct shunt_addr address;
	__u32 service_id;
	__u32 generation; /* changes when the id is freed, before it is used again */
	__u16 port;       /* host byte order */
	enum shunt_protocol protocol;
	enum shunt_backend_state state;
	__u8 on_this_node; /* what it answers passes this node, wherever it goes */
	__u8 _pad[3];
};

/* The name of a service port, for people: NUL-terminated. */
struct shunt_service {
	char name_space[SHUNT_MAX_NAMESPACE + 1];
	char name[SHUNT_MAX_SERVICE_NAME + 1];
	char port_name[SHUNT_MAX_PORT_NAME + 1];
	enum shunt_protocol protocol;
	__u8 _pad[3];
};

/* An address and a port of a socket. */
struct shunt_peer {
	struct shunt_addr address;
	__u16 port; /* host byte order */
	__u8 _pad[2];
};

/* A connected socket: what it dialled, what it got. */
struct shunt_socket {
	struct shunt_peer dialled;
	struct shunt_peer got;
	struct shunt_backend_ref backend;
	__u32 service_id;
	__u8 end_tcp; /* SHUNT_FRONTEND_END_TCP was set when it connected */
	__u8 _pad[3];
};

/* Whose connections stay with one backend: a client and a service port. At the
 * socket hooks a client is a network namespace, in packets a source address. */
struct shunt_affinity_key {
	__u64 netns_cookie;        /* SO_NETNS_COOKIE; 0: the client is an address */
	struct shunt_addr address; /* of the client, or the family's zero (:: or 0.0.0.0) */
	__u32 service_id;
	__u32 _pad;
};

struct shunt_affinity {
	struct shunt_backend_ref backend;
	__u64 last_used_ns; /* CLOCK_MONOTONIC, coarse: the last new connection */
};

/* Who may dial the frontends of a service port that check the source: those
 * whose address begins with the first (prefix_length - 32) bits of `prefix`. */
struct shunt_source_key {
	__u32 prefix_length; /* in bits, with the 32 of service_id */
	__u32 service_id;
	struct shunt_addr prefix;
};

/* A socket that was translated, as the iterator `shunt_sockets` shows it. */
struct shunt_socket_record {
	struct shunt_socket socket;
	struct shunt_peer local; /* its own end */
	__u32 netns;             /* inode number of its network namespace */
	__u64 cookie;            /* SO_COOKIE */
	enum shunt_protocol protocol;
	__u8 stale; /* its backend is gone */
	__u8 _pad[6];
};

/* Of one network namespace: how many sockets are connected to a backend that is
 * gone, and have to be ended. */
struct shunt_stale {
	__u32 udp, tcp;
};

/* One flow of an unconnected UDP socket. */
struct shunt_datagram_flow {
	struct shunt_peer dialled;
	struct shunt_peer got;
	struct shunt_backend_ref backend;
	__u64 last_used_ns; /* CLOCK_MONOTONIC, coarse */
	__u32 sent_as;      /* shunt_datagrams.sent, when it was used last */
	__u8 answered;
	__u8 _pad[3];
};

/* The flows of an unconnected UDP socket: the first `count` are in use. */
struct shunt_datagrams {
	__u32 count;
	__u32 sent; /* datagrams of all flows; wraps around */
	struct shunt_datagram_flow flows[SHUNT_MAX_SOCKET_FLOWS];
};

/* What a packet of a flow shows where it is looked at. */
struct shunt_flow_key {
	struct shunt_addr source;
	struct shunt_addr destination;
	__u16 source_port; /* host byte order */
	__u16 destination_port;
	enum shunt_protocol protocol;
	enum shunt_direction direction;
	__u8 _pad[2];
};

/*
 * What becomes of it: a packet that arrives gets the destination `to`, one that
 * leaves gets the source `to`. Entries come in pairs that undo each other:
 *
 *   arrives  P -> X   to Y        leaves  Y -> P   to X
 *
 * so that to P, everything comes from X and goes to X, while it is Y. Each flow
 * has one pair with P the client, X what it dialled and Y the backend; one whose
 * answers would not pass this node has another, with P the backend, X an address
 * of this node and Y the client.
 *
 * `tag` is shunt_flow_tag() of its own key; see shunt_owner.
 */
struct shunt_flow {
	__u32 tag;
	__u32 service_id;
	struct shunt_peer to;
	__u32 state; /* enum shunt_flow_state */
	struct shunt_backend_ref backend;
	__u64 last_used_ns; /* CLOCK_MONOTONIC, coarse; exact to a second */
};

/* A device whose packets are looked at: its main address in each family, for
 * what has to come back to this node; zero (::) where it has none. */
struct shunt_device {
	struct shunt_addr address4;
	struct shunt_addr address6;
	__u8 is_of_pods; /* what arrives there is from pods of this node */
	__u8 _pad[3];
};

/* Who has the addresses that begin with the first prefix_length bits of `prefix`;
 * the value is an enum shunt_origin. */
struct shunt_origin_key {
	__u32 prefix_length;
	struct shunt_addr prefix;
};

/* How many refusals may be sent; the only entry of shunt_refusals. */
struct shunt_refusals {
	__u64 refilled_ns; /* CLOCK_MONOTONIC, coarse */
	__u64 left;
};

/* Runs that ended in one verdict, by hook. */
struct shunt_counter {
	__u64 runs[SHUNT_HOOK_COUNT];
};

/* The only entry of shunt_meta. */
struct shunt_meta {
	__u32 magic;
	__u32 layout_version;
	__u32 opt_outs; /* entries of shunt_opt_outs: at 0 nobody looks there */
	char build[48]; /* version of the agent that wrote last, NUL-terminated */
};

/*
 * A 32-bit mix of the key (the finalizer of MurmurHash3 over its five words).
 * Not a security measure: it only has to tell two keys apart whose hash
 * elements were recycled into each other within one run of a program.
 */
static inline __u32 shunt_frontend_tag(const struct shunt_frontend_key *key)
{
	__u32 words[5], hash = 0x9e3779b9;

	__builtin_memcpy(words, key, sizeof(words));
	for (int i = 0; i < 5; i++) {
		hash ^= words[i];
		hash *= 0x85ebca6b;
		hash ^= hash >> 15;
	}
	return hash;
}

/* The same for flows, made for speed: it is computed for each packet. */
static inline __u32 shunt_flow_tag(const struct shunt_flow_key *key)
{
	__u64 words[5], hash = 0x9e3779b97f4a7c15ull;

	__builtin_memcpy(words, key, sizeof(words));
	for (int i = 0; i < 5; i++)
		hash = (hash ^ words[i]) * 0xff51afd7ed558ccdull;
	return hash >> 32;
}

#ifdef __cplusplus
#include <type_traits>

/* No hidden padding: equal objects are equal bytes. */
#define SHUNT_ABI_CHECK(type, size)                                    \
	static_assert(std::has_unique_object_representations_v<type>); \
	static_assert(sizeof(type) == size)
#else
#define SHUNT_ABI_CHECK(type, size) _Static_assert(sizeof(type) == size, #type)
#endif

SHUNT_ABI_CHECK(struct shunt_addr, 16);
SHUNT_ABI_CHECK(struct shunt_frontend_key, 20);
SHUNT_ABI_CHECK(struct shunt_range, 8);
SHUNT_ABI_CHECK(struct shunt_owner, 8);
SHUNT_ABI_CHECK(struct shunt_frontend, 24);
SHUNT_ABI_CHECK(struct shunt_backend_ref, 8);
SHUNT_ABI_CHECK(struct shunt_backend, 32);
SHUNT_ABI_CHECK(struct shunt_service, 196);
SHUNT_ABI_CHECK(struct shunt_peer, 20);
SHUNT_ABI_CHECK(struct shunt_socket, 56);
SHUNT_ABI_CHECK(struct shunt_datagram_flow, 64);
SHUNT_ABI_CHECK(struct shunt_datagrams, 8 + 64 * SHUNT_MAX_SOCKET_FLOWS);
SHUNT_ABI_CHECK(struct shunt_flow_key, 40);
SHUNT_ABI_CHECK(struct shunt_flow, 48);
SHUNT_ABI_CHECK(struct shunt_device, 36);
SHUNT_ABI_CHECK(struct shunt_origin_key, 20);
SHUNT_ABI_CHECK(struct shunt_refusals, 16);
SHUNT_ABI_CHECK(struct shunt_counter, 8 * SHUNT_HOOK_COUNT);
SHUNT_ABI_CHECK(struct shunt_meta, 60);
SHUNT_ABI_CHECK(struct shunt_affinity_key, 32);
SHUNT_ABI_CHECK(struct shunt_affinity, 16);
SHUNT_ABI_CHECK(struct shunt_source_key, 24);
SHUNT_ABI_CHECK(struct shunt_socket_record, 96);
SHUNT_ABI_CHECK(struct shunt_stale, 8);

#endif /* SHUNT_ABI_H_ */
