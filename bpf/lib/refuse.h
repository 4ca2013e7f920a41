/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Turns a packet into the answer that nobody is there: ICMP port unreachable,
 * from whom it was sent to, with the packet's header and 8 bytes behind it.
 */
#ifndef SHUNT_BPF_REFUSE_H_
#define SHUNT_BPF_REFUSE_H_

#include "lib/packet_maps.h"
#include "lib/parse.h"

/* Of each CPU, as the kernel does with its own (net.ipv4.icmp_msgs_per_sec and
 * icmp_msgs_burst). */
#define REFUSALS_PER_S 1000
#define REFUSALS_AT_ONCE 50

/* What is held: of the header of IP, with options, and the part behind it. */
#define HELD_HEADER_MAX 120
#define HELD_PAYLOAD 8
#define HELD_MAX (HELD_HEADER_MAX + HELD_PAYLOAD)

/* <linux/icmp.h> needs the C library. Both families share a form. */
#define ICMP_UNREACHABLE 3 /* RFC 792 */
#define ICMP_PORT 3
#define ICMPV6_UNREACHABLE 1 /* RFC 4443 */
#define ICMPV6_PORT 4

struct icmp_header {
	__u8 type, code;
	__sum16 checksum;
	__be32 unused;
};

static __always_inline bool may_refuse(void)
{
	__u32 zero = 0;
	struct shunt_refusals *refusals = bpf_map_lookup_elem(&shunt_refusals, &zero);
	__u64 now = bpf_ktime_get_coarse_ns(), earned;

	if (!refusals)
		return false;
	earned = (now - refusals->refilled_ns) * REFUSALS_PER_S / NS_PER_S;
	if (earned) {
		__u64 left = refusals->left + earned;

		refusals->left = left < REFUSALS_AT_ONCE ? left : REFUSALS_AT_ONCE;
		refusals->refilled_ns = now;
	}
	if (!refusals->left)
		return false;
	refusals->left--;
	return true;
}

/*
 * Cuts the packet behind what will be held. A checksum that the device is to
 * complete would be written into the answer after its own was computed: such a
 * packet refuses to be cut before that field, which is how it is known. Then it
 * keeps TCP's header, and its field holds the sum of the pseudo header.
 */
static __always_inline bool cut_packet(struct __sk_buff *skb, const struct packet *packet,
				       bool *is_partial)
{
	__u32 length = packet->transport + HELD_PAYLOAD;
	__be16 last;

	if (bpf_skb_load_bytes(skb, length - sizeof(last), &last, sizeof(last)))
		return false;
	*is_partial = bpf_skb_change_tail(skb, length - sizeof(last), 0);
	if (*is_partial && packet->protocol == IPPROTO_SCTP)
		return false; /* would be written over by SCTP's, which is longer */
	if (*is_partial && packet->protocol == IPPROTO_TCP)
		length = packet->transport + sizeof(struct tcphdr);
	return !bpf_skb_change_tail(skb, length, 0) &&
	       (*is_partial ||
		!bpf_skb_store_bytes(skb, length - sizeof(last), &last, sizeof(last), 0));
}

/* The sum of what is held, as it will be when it is sent. */
static __always_inline bool sum_of_held(struct __sk_buff *skb, const struct packet *packet,
					bool is_partial, __wsum *sum)
{
	__u8 held[HELD_MAX] = {};
	__u32 header = packet->transport - packet->network;
	__u32 length = header + HELD_PAYLOAD;
	__s64 difference;
	__be16 pseudo;

	if (header < sizeof(struct iphdr) || header > HELD_HEADER_MAX)
		return false;
	if (is_partial)
		length = header;
	barrier_var(length);
	if (length < sizeof(struct iphdr) || length > sizeof(held) ||
	    bpf_skb_load_bytes(skb, packet->network, held, length))
		return false;
	difference = bpf_csum_diff(NULL, 0, (__be32 *)held, sizeof(held), 0);
	if (!is_partial) {
		*sum = difference;
		return true;
	}
	/* With its checksum complete, the rest sums up to the pseudo header's inverse. */
	if (bpf_skb_load_bytes(skb, packet->transport + (packet->protocol == IPPROTO_TCP ? 16 : 6),
			       &pseudo, sizeof(pseudo)))
		return false;
	*sum = (__u64)(__u32)difference + (__u16)~pseudo;
	return true;
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The headers in front of what is held; the link's stays for now. */
static __always_inline bool write_answer4(struct __sk_buff *skb, const struct packet *packet,
					  __wsum held)
{
	struct {
		struct iphdr ip;
		struct icmp_header icmp;
	} answer = {};

	answer.ip.version = 4;
	answer.ip.ihl = 5;
	answer.ip.ttl = 64;
	answer.ip.protocol = IPPROTO_ICMP;
	answer.ip.tot_len = bpf_htons(skb->len - packet->network);
	__builtin_memcpy(&answer.ip.saddr, &packet->destination.bytes[12], 4);
	__builtin_memcpy(&answer.ip.daddr, &packet->source.bytes[12], 4);
	answer.ip.check = fold(bpf_csum_diff(NULL, 0, (__be32 *)&answer.ip, sizeof(answer.ip), 0));
	answer.icmp.type = ICMP_UNREACHABLE;
	answer.icmp.code = ICMP_PORT;
	answer.icmp.checksum = fold(
		bpf_csum_diff(NULL, 0, (__be32 *)&answer.icmp, sizeof(struct icmp_header), held));
	return !bpf_skb_store_bytes(skb, packet->network, &answer, sizeof(answer), 0);
}

/* With the sum of the pseudo header (RFC 8200, 8.1). */
static __always_inline bool write_answer6(struct __sk_buff *skb, const struct packet *packet,
					  __wsum held)
{
	struct {
		struct ipv6hdr ip;
		struct icmp_header icmp;
	} answer = {};
	__be32 length = bpf_htonl(skb->len - packet->network - sizeof(answer.ip));
	__be32 next = bpf_htonl(IPPROTO_ICMPV6);

	answer.ip.version = 6;
	answer.ip.hop_limit = 64;
	answer.ip.nexthdr = IPPROTO_ICMPV6;
	answer.ip.payload_len = bpf_htons(bpf_ntohl(length));
	__builtin_memcpy(&answer.ip.saddr, &packet->destination, 16);
	__builtin_memcpy(&answer.ip.daddr, &packet->source, 16);
	answer.icmp.type = ICMPV6_UNREACHABLE;
	answer.icmp.code = ICMPV6_PORT;
	held = bpf_csum_diff(NULL, 0, (__be32 *)&answer.ip.saddr, 32, held);
	held = bpf_csum_diff(NULL, 0, &length, sizeof(length), held);
	held = bpf_csum_diff(NULL, 0, &next, sizeof(next), held);
	answer.icmp.checksum = fold(
		bpf_csum_diff(NULL, 0, (__be32 *)&answer.icmp, sizeof(struct icmp_header), held));
	return !bpf_skb_store_bytes(skb, packet->network, &answer, sizeof(answer), 0);
}

/* Back to whom it came from, where the link has addresses. */
static __always_inline bool turn_link(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 addresses[2][ETH_ALEN];

	if (packet->network != ETH_HLEN)
		return true;
	return !bpf_skb_load_bytes(skb, 0, addresses, sizeof(addresses)) &&
	       !bpf_skb_store_bytes(skb, 0, addresses[1], ETH_ALEN, 0) &&
	       !bpf_skb_store_bytes(skb, ETH_ALEN, addresses[0], ETH_ALEN, 0);
}

/* The packet is an answer afterwards, to be sent where it came from. False: too
 * many, or no memory; then it is to be dropped. */
__noinline int refuse_packet(struct __sk_buff *skb, const struct packet *packet)
{
	bool is_ip4 = skb->protocol == bpf_htons(ETH_P_IP), is_partial;
	__u32 room = sizeof(struct icmp_header) +
		     (is_ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	__wsum held;

	return packet && may_refuse() && cut_packet(skb, packet, &is_partial) &&
	       sum_of_held(skb, packet, is_partial, &held) &&
	       !bpf_skb_adjust_room(skb, room, BPF_ADJ_ROOM_MAC, 0) &&
	       (is_ip4 ? write_answer4(skb, packet, held) : write_answer6(skb, packet, held)) &&
	       turn_link(skb, packet);
}

#endif /* SHUNT_BPF_REFUSE_H_ */
