/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Of the kernel's own structures, the members that we read: libbpf finds out
 * where they are on the kernel that runs (CO-RE, from its BTF).
 */
#ifndef SHUNT_BPF_CORE_H_
#define SHUNT_BPF_CORE_H_

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#define KERNEL_STRUCT __attribute__((preserve_access_index))

/* <linux/if.h> needs the C library. */
#define IFF_UP 0x1
#define IFF_LOOPBACK 0x8
#define RT_SCOPE_UNIVERSE 0

struct list_head {
	struct list_head *next;
} KERNEL_STRUCT;

struct in_ifaddr {
	struct in_ifaddr *ifa_next;
	__be32 ifa_local;
	unsigned char ifa_scope;
} KERNEL_STRUCT;

struct in_device {
	struct in_ifaddr *ifa_list;
} KERNEL_STRUCT;

struct inet6_ifaddr {
	struct in6_addr {
		__u8 bytes[16];
	} addr;
	struct list_head if_list;
	__u16 scope;
} KERNEL_STRUCT;

struct inet6_dev {
	struct list_head addr_list;
} KERNEL_STRUCT;

struct net_device {
	struct list_head dev_list;
	unsigned int flags;
	struct in_device *ip_ptr;
	struct inet6_dev *ip6_ptr;
} KERNEL_STRUCT;

struct net {
	struct list_head dev_base_head;
} KERNEL_STRUCT;

struct sock {
	struct sock_common {
		struct {
			struct net *net;
		} skc_net;
	} __sk_common;
} KERNEL_STRUCT;

/* The value of a member; 0 where there is nothing to read. */
#define KERNEL_READ(pointer, member)                                                            \
	({                                                                                      \
		typeof_unqual((pointer)->member) value = {};                                    \
		bpf_probe_read_kernel(&value, sizeof(value), (const void *)&(pointer)->member); \
		value;                                                                          \
	})

/* A pointer as a plain number: one to a socket of a context may neither be added
 * to nor read through. */
static __always_inline __u64 kernel_address(const void *pointer)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

/* The structure around one of its members. */
#define CONTAINER_OF(pointer, type, member)       \
	((const type *)((const char *)(pointer) - \
			__builtin_preserve_field_info(((type *)0)->member, 0)))

#endif /* SHUNT_BPF_CORE_H_ */
