/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Puts another address and port into a packet, and keeps every checksum right:
 * also one that the device is still to complete, one that it has computed of the
 * whole, and that of UDP which is none. Checksums are changed by the difference,
 * so one that was wrong stays wrong.
 *
 * A difference is that of 16 bytes in both families: what IPv4 addresses have in
 * common there cancels out.
 */
#ifndef SHUNT_BPF_REWRITE_H_
#define SHUNT_BPF_REWRITE_H_

#include "lib/flow.h"
#include "lib/parse.h"

/* Says that the address is of IPv6 (kernel 6.16), whose header has no checksum
 * that would make up for it in a checksum of the whole. */
#define CSUM_IPV6 (1ull << 7)

enum packet_end {
	PACKET_SOURCE,
	PACKET_DESTINATION,
};

/* One end of a packet, and what it shall be. */
struct change {
	enum packet_end end;
	struct shunt_peer from;
	struct shunt_peer to;
};

/* What arrives gets another destination, what leaves another source. */
static __always_inline struct change change_of(const struct shunt_flow_key *key,
					       const struct shunt_peer *to)
{
	struct change change = {.to = *to};

	if (key->direction == SHUNT_ARRIVES) {
		change.end = PACKET_DESTINATION;
		change.from.address = key->destination;
		change.from.port = key->destination_port;
	} else {
		change.end = PACKET_SOURCE;
		change.from.address = key->source;
		change.from.port = key->source_port;
	}
	return change;
}

static __always_inline bool is_ip4_packet(context *ctx)
{
	return context_protocol(ctx) == bpf_htons(ETH_P_IP);
}

static __always_inline __wsum address_difference(const struct change *change)
{
	return bpf_csum_diff((__be32 *)&change->from.address, sizeof(change->from.address),
			     (__be32 *)&change->to.address, sizeof(change->to.address), 0);
}

/* The address, with the checksum of IPv4's header. */
static __always_inline bool write_address(context *ctx, __u32 network, const struct change *change,
					  __wsum difference)
{
	bool is_source = change->end == PACKET_SOURCE;

	if (!is_ip4_packet(ctx))
		return store_bytes(ctx,
				   network + (is_source ? offsetof(struct ipv6hdr, saddr)
							: offsetof(struct ipv6hdr, daddr)),
				   &change->to.address, 16);
	return fix_ip4_checksum(ctx, network + offsetof(struct iphdr, check), difference) &&
	       store_bytes(ctx,
			   network + (is_source ? offsetof(struct iphdr, saddr)
						: offsetof(struct iphdr, daddr)),
			   &change->to.address.bytes[12], 4);
}

static __always_inline bool write_port(context *ctx, __u32 transport, const struct change *change)
{
	__be16 port = bpf_htons(change->to.port);

	return store_bytes(ctx, transport + (change->end == PACKET_SOURCE ? 0 : 2), &port,
			   sizeof(port));
}

/* A checksum over a pseudo header with the address. */
static __always_inline bool fix_pseudo(context *ctx, __u32 checksum, __wsum difference, __u64 flags)
{
	flags |= BPF_F_PSEUDO_HDR;
	if (!is_ip4_packet(ctx) && fix_checksum(ctx, checksum, 0, difference, flags | CSUM_IPV6))
		return true;
	return fix_checksum(ctx, checksum, 0, difference, flags);
}

static __always_inline bool fix_port(context *ctx, __u32 checksum, const struct change *change,
				     __u64 flags)
{
	return change->from.port == change->to.port ||
	       fix_checksum(ctx, checksum, bpf_htons(change->from.port), bpf_htons(change->to.port),
			    flags | sizeof(__be16));
}

/* SCTP's checksum is over the whole packet, ports included, and not over the
 * addresses: these alone are changed. */
static __always_inline bool keeps_port(__u8 protocol)
{
	return protocol == IPPROTO_SCTP;
}

/* A packet of a flow. False where there is no memory to write to: then it
 * may be half done. */
static __always_inline bool rewrite_packet(context *ctx, const struct packet *packet,
					   const struct change *change)
{
	bool is_udp = packet->protocol == IPPROTO_UDP;
	__u64 flags = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__u32 checksum = packet->transport +
			 (is_udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
	__wsum difference = address_difference(change);

	/* Of a fragment the first had the rest of it. */
	if (packet->fragment == FRAGMENT_LATER || keeps_port(packet->protocol))
		return write_address(ctx, packet->network, change, difference);
	return fix_pseudo(ctx, checksum, difference, flags) &&
	       fix_port(ctx, checksum, change, flags) &&
	       write_port(ctx, packet->transport, change) &&
	       write_address(ctx, packet->network, change, difference);
}

/* The header around the packet that an error holds, if it names the same end. */
static __always_inline bool rewrite_error_header(context *ctx, const struct packet *error,
						 const struct change *change)
{
	const struct shunt_addr *address =
		change->end == PACKET_SOURCE ? &error->source : &error->destination;
	__wsum difference = address_difference(change);

	if (__builtin_memcmp(address, &change->from.address, sizeof(*address)))
		return true;
	return write_address(ctx, error->network, change, difference) &&
	       (is_ip4_packet(ctx) || fix_pseudo(ctx, error->transport + 2, difference, 0));
}

/*
 * An ICMP error about a packet that went the other way: what it holds is changed
 * at the other end. Its checksum is over that too: IPv4's header has made up for
 * its address there, the ports have not. The checksum of TCP or UDP in there is
 * of a packet that is cut, and nobody can check it.
 */
static __always_inline bool rewrite_error(context *ctx, const struct packet *error,
					  const struct packet *held, const struct change *change)
{
	const struct change inner = {
		.end = change->end == PACKET_SOURCE ? PACKET_DESTINATION : PACKET_SOURCE,
		.from = change->from,
		.to = change->to,
	};
	__wsum difference = address_difference(&inner);
	__u32 checksum = error->transport + 2;

	return (is_ip4_packet(ctx) || fix_checksum(ctx, checksum, 0, difference, 0)) &&
	       fix_port(ctx, checksum, &inner, 0) && write_port(ctx, held->transport, &inner) &&
	       write_address(ctx, held->network, &inner, difference) &&
	       rewrite_error_header(ctx, error, change);
}

#endif /* SHUNT_BPF_REWRITE_H_ */
