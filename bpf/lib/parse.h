/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which flow does a packet belong to? From here on nobody asks for the family.
 * What cannot be read, or lies about its length, is nobody's: the stack has to
 * say what is wrong with it.
 */
#ifndef SHUNT_BPF_PARSE_H_
#define SHUNT_BPF_PARSE_H_

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "lib/address.h"
#include "lib/context.h"

/* Extension headers of IPv6 that are walked over. */
#define EXTENSION_HEADERS 8

#define IP4_MORE bpf_htons(0x2000)
#define IP4_OFFSET bpf_htons(0x1fff)
#define IP6_MORE bpf_htons(1)
#define IP6_OFFSET bpf_htons(0xfff8)

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16

/* Chunks of SCTP (RFC 9260, 3.2), and where the first one says what it is. */
#define SCTP_INIT 1
#define SCTP_INIT_ACK 2
#define SCTP_ABORT 6
#define SCTP_SHUTDOWN 7
#define SCTP_SHUTDOWN_ACK 8
#define SCTP_SHUTDOWN_COMPLETE 14
#define SCTP_HEADER 12
#define SCTP_CHUNK_HEADER 4

enum packet_kind {
	PACKET_OTHER, /* not ours to touch */
	PACKET_FLOW,  /* TCP, UDP or SCTP */
	PACKET_ERROR, /* an ICMP error, about a packet that it holds */
	PACKET_REST,  /* of these, a fragment without the ports */
};

enum fragment {
	FRAGMENT_NONE, /* whole */
	FRAGMENT_FIRST,
	FRAGMENT_LATER,
};

struct packet {
	struct shunt_addr source;
	struct shunt_addr destination;
	__u16 source_port; /* host byte order */
	__u16 destination_port;
	__u32 network;   /* where the header of IP begins */
	__u32 transport; /* where the one behind it begins */
	__u32 end;       /* as IP says; of one that an error holds, that of the error */
	__u8 protocol;   /* of IP */
	__u8 tcp_flags;  /* of SCTP, what its first chunk means in these words */
	__u8 fragment;   /* enum fragment */
	__u8 _pad;
	__be32 fragment_id;
};

/* Where the header behind that of IP begins, and where the packet ends. */
struct payload {
	__u32 begin;
	__u32 end;
};

static __always_inline enum fragment fragment_of(__be16 offset, __be16 more)
{
	if (offset)
		return FRAGMENT_LATER;
	return more ? FRAGMENT_FIRST : FRAGMENT_NONE;
}

static __always_inline bool parse_ip4(context *ctx, struct packet *packet, struct payload *payload)
{
	struct iphdr ip;
	__u32 length;

	if (!load_bytes(ctx, packet->network, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return false;
	length = bpf_ntohs(ip.tot_len);
	packet->source = address_of_ip4(ip.saddr);
	packet->destination = address_of_ip4(ip.daddr);
	packet->protocol = ip.protocol;
	packet->fragment = fragment_of(ip.frag_off & IP4_OFFSET, ip.frag_off & IP4_MORE);
	packet->fragment_id = ip.id;
	payload->begin = packet->network + 4 * ip.ihl;
	/* Of a packet beyond 64 KB, which has 0 there, the frame alone knows the length. */
	payload->end = length ? packet->network + length : context_length(ctx);
	return true;
}

static __always_inline struct shunt_addr address_of_in6(const struct in6_addr *in6)
{
	struct shunt_addr address;

	__builtin_memcpy(&address, in6, sizeof(address));
	return address;
}

static __always_inline bool is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH;
}

/* Walks over one extension header. */
static __always_inline bool skip_extension(context *ctx, struct packet *packet,
					   struct payload *payload)
{
	struct {
		__u8 next;
		__u8 length;
		__be16 offset; /* of a fragment */
		__be32 id;     /* likewise */
	} header;

	if (!load_bytes(ctx, payload->begin, &header, sizeof(header)))
		return false;
	if (packet->protocol == IPPROTO_FRAGMENT) {
		packet->fragment =
			fragment_of(header.offset & IP6_OFFSET, header.offset & IP6_MORE);
		packet->fragment_id = header.id;
		payload->begin += 8;
	} else if (packet->protocol == IPPROTO_AH) {
		payload->begin += 4 * (header.length + 2);
	} else {
		payload->begin += 8 * (header.length + 1);
	}
	packet->protocol = header.next;
	return true;
}

static __always_inline bool parse_ip6(context *ctx, struct packet *packet, struct payload *payload)
{
	struct ipv6hdr ip;
	__u32 length;

	if (!load_bytes(ctx, packet->network, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	length = bpf_ntohs(ip.payload_len);
	packet->source = address_of_in6(&ip.saddr);
	packet->destination = address_of_in6(&ip.daddr);
	packet->protocol = ip.nexthdr;
	payload->begin = packet->network + sizeof(ip);
	payload->end = length ? payload->begin + length : context_length(ctx);
	for (int i = 0; i < EXTENSION_HEADERS && is_extension(packet->protocol); i++) {
		if (packet->fragment == FRAGMENT_LATER)
			break; /* what follows is anything */
		if (!skip_extension(ctx, packet, payload))
			return false;
	}
	return true;
}

static __always_inline bool parse_ip(context *ctx, struct packet *packet, bool is_ip4, bool is_cut)
{
	struct payload payload = {};

	if (!(is_ip4 ? parse_ip4(ctx, packet, &payload) : parse_ip6(ctx, packet, &payload)))
		return false;
	packet->transport = payload.begin;
	packet->end = is_cut ? context_length(ctx) : payload.end;
	return packet->end <= context_length(ctx);
}

static __always_inline bool has_ports(const struct packet *packet)
{
	return packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP ||
	       packet->protocol == IPPROTO_SCTP;
}

static __always_inline __u32 header_size(const struct packet *packet)
{
	if (packet->protocol == IPPROTO_TCP)
		return sizeof(struct tcphdr);
	return packet->protocol == IPPROTO_UDP ? sizeof(struct udphdr)
					       : SCTP_HEADER + SCTP_CHUNK_HEADER;
}

static __always_inline __u8 flags_of_chunk(__u8 chunk)
{
	switch (chunk) {
	case SCTP_INIT:
		return TCP_SYN;
	case SCTP_INIT_ACK:
		return TCP_SYN | TCP_ACK;
	case SCTP_ABORT:
		return TCP_RST;
	case SCTP_SHUTDOWN:
	case SCTP_SHUTDOWN_ACK:
	case SCTP_SHUTDOWN_COMPLETE:
		return TCP_FIN;
	}
	return TCP_ACK;
}

static __always_inline void parse_flags(context *ctx, struct packet *packet)
{
	__u8 chunk = 0;

	if (packet->protocol == IPPROTO_TCP) {
		load_bytes(ctx, packet->transport + 13, &packet->tcp_flags, 1);
	} else if (packet->protocol == IPPROTO_SCTP) {
		load_bytes(ctx, packet->transport + SCTP_HEADER, &chunk, 1);
		packet->tcp_flags = flags_of_chunk(chunk);
	}
}

/* All three protocols begin with their ports. An error holds 8 bytes of them. */
static __always_inline bool parse_ports(context *ctx, struct packet *packet, bool is_cut)
{
	__u32 least = is_cut ? 8 : header_size(packet);
	__be16 ports[2];

	if (!has_ports(packet) || packet->fragment == FRAGMENT_LATER ||
	    packet->transport + least > packet->end ||
	    !load_bytes(ctx, packet->transport, ports, sizeof(ports)))
		return false;
	packet->source_port = bpf_ntohs(ports[0]);
	packet->destination_port = bpf_ntohs(ports[1]);
	if (!is_cut)
		parse_flags(ctx, packet);
	return true;
}

static __always_inline bool is_error(context *ctx, const struct packet *packet, bool is_ip4)
{
	__u8 type;

	if (packet->protocol != (is_ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) ||
	    !load_bytes(ctx, packet->transport, &type, sizeof(type)))
		return false;
	if (!is_ip4)
		return type >= 1 && type <= 4;
	return type == 3 || type == 11 || type == 12;
}

/*
 * An enum packet_kind. `packet->network` says where to begin. Not inlined: the
 * verifier looks at it once.
 */
__noinline int parse_packet(context *ctx, struct packet *packet)
{
	__be16 protocol = context_protocol(ctx);
	bool is_ip4 = protocol == bpf_htons(ETH_P_IP);

	if (!packet || (!is_ip4 && protocol != bpf_htons(ETH_P_IPV6)) ||
	    !parse_ip(ctx, packet, is_ip4, false))
		return PACKET_OTHER;
	if (packet->fragment == FRAGMENT_LATER)
		return has_ports(packet) ? PACKET_REST : PACKET_OTHER;
	if (!packet->fragment && is_error(ctx, packet, is_ip4))
		return PACKET_ERROR;
	return parse_ports(ctx, packet, false) ? PACKET_FLOW : PACKET_OTHER;
}

/* The packet that an ICMP error holds: whether it is of a flow. */
__noinline int parse_held_packet(context *ctx, const struct packet *error, struct packet *held)
{
	if (!error || !held)
		return false;
	held->network = error->transport + 8;
	return parse_ip(ctx, held, context_protocol(ctx) == bpf_htons(ETH_P_IP), true) &&
	       parse_ports(ctx, held, true);
}

#endif /* SHUNT_BPF_PARSE_H_ */
