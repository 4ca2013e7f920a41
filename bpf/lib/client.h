/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who dials? A client at the socket is a network namespace: a pod, or the host.
 */
#ifndef SHUNT_BPF_CLIENT_H_
#define SHUNT_BPF_CLIENT_H_

#include "lib/core.h"
#include "lib/maps.h"
#include "lib/sockaddr.h"

/* Cgroups are nested; a pod's is the third or fourth level on a node. */
#define CGROUP_LEVELS 8

/* Interfaces of a namespace, and addresses of one, that are looked at for the
 * client's own: the first of each pod is its only one. */
#define CLIENT_INTERFACES 64
#define CLIENT_ADDRESSES 8

static __always_inline bool client_is_host(struct bpf_sock_addr *ctx)
{
	return bpf_get_netns_cookie(ctx) == shunt_config.host_netns_cookie;
}

/*
 * Functions that are not inlined are looked at by the verifier once, for
 * whatever they are given; so pointers into the kernel come as numbers.
 */

/* Whether the process stands below a cgroup that opted out. */
__noinline bool client_opted_out(void)
{
	for (int level = 1; level <= CGROUP_LEVELS; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (!id)
			return false;
		if (bpf_map_lookup_elem(&shunt_opt_outs, &id))
			return true;
	}
	return false;
}

/* Somebody else is to see what this process dials (socketLB). */
static __always_inline bool client_is_left_alone(struct bpf_sock_addr *ctx)
{
	__u32 zero = 0;
	const struct shunt_meta *meta = bpf_map_lookup_elem(&shunt_meta, &zero);

	if (shunt_config.only_host && !client_is_host(ctx))
		return true;
	return meta && meta->opt_outs && client_opted_out();
}

__noinline bool first_address4(__u64 interface, struct shunt_addr *address)
{
	const struct net_device *device = (const void *)interface;
	const struct in_ifaddr *entry = KERNEL_READ(KERNEL_READ(device, ip_ptr), ifa_list);

	for (int i = 0; i < CLIENT_ADDRESSES && entry && address; i++) {
		if (KERNEL_READ(entry, ifa_scope) == RT_SCOPE_UNIVERSE) {
			*address = address_of_ip4(KERNEL_READ(entry, ifa_local));
			return true;
		}
		entry = KERNEL_READ(entry, ifa_next);
	}
	return false;
}

__noinline bool first_address6(__u64 interface, struct shunt_addr *address)
{
	const struct net_device *device = (const void *)interface;
	const struct inet6_dev *inet6 = KERNEL_READ(device, ip6_ptr);
	const struct list_head *end = &inet6->addr_list;
	const struct list_head *link = inet6 ? KERNEL_READ(inet6, addr_list.next) : end;

	for (int i = 0; i < CLIENT_ADDRESSES && link != end && address; i++) {
		const struct inet6_ifaddr *entry = CONTAINER_OF(link, struct inet6_ifaddr, if_list);

		if (!KERNEL_READ(entry, scope)) {
			bpf_probe_read_kernel(address, sizeof(*address), &entry->addr);
			return true;
		}
		link = KERNEL_READ(link, next);
	}
	return false;
}

/* The first global address of the first interface that has one, in the network
 * namespace of a socket: a pod's own. It is a host's main one as a rule, though
 * not by law. */
__noinline bool first_address(__u64 socket, bool is_ip4, struct shunt_addr *address)
{
	const struct sock *sk = (const void *)socket;
	const struct net *net = KERNEL_READ(sk, __sk_common.skc_net.net);
	const struct list_head *end = &net->dev_base_head;
	const struct list_head *link = KERNEL_READ(net, dev_base_head.next);

	if (!address)
		return false;
	for (int i = 0; i < CLIENT_INTERFACES && link != end; i++) {
		const struct net_device *device = CONTAINER_OF(link, struct net_device, dev_list);
		__u64 interface = (__u64)device;
		__u32 flags = KERNEL_READ(device, flags);

		if ((flags & IFF_UP) && !(flags & IFF_LOOPBACK) &&
		    (is_ip4 ? first_address4(interface, address)
			    : first_address6(interface, address)))
			return true;
		link = KERNEL_READ(link, next);
	}
	return false;
}

/* The address that the client comes from: the one that the socket is bound to,
 * else the first of its namespace. False where it cannot be known. */
static __always_inline bool client_address(struct bpf_sock_addr *ctx,
					   const struct shunt_addr *dialled,
					   struct shunt_addr *address)
{
	bool is_ip4 = address_is_ip4(dialled);
	const struct bpf_sock *sk = ctx->sk;

	barrier_var(sk); /* or the compiler adds offsets to the context, which is forbidden */
	*address = is_ip4 ? address_of_ip4(sk->src_ip4) : address_of_ip6(sk);
	if (!address_is_zero(address))
		return true;
	return shunt_config.can_read_kernel && first_address(kernel_address(sk), is_ip4, address);
}

#endif /* SHUNT_BPF_CLIENT_H_ */
