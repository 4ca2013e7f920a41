/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sizes that are fixed when the objects are compiled. A map that is full is
 * reported with its name and the limit from here; what fits keeps working.
 */
#ifndef SHUNT_LIMITS_H_
#define SHUNT_LIMITS_H_

/* Entries of shunt_frontends and shunt_services. Memory follows use. */
#define SHUNT_MAX_FRONTENDS 262144
#define SHUNT_MAX_SERVICES 131072

/* Entries of shunt_slots (8 bytes each) and shunt_backends (32 bytes each),
 * allocated whole when the maps are made. */
#define SHUNT_MAX_SLOTS 1048576
#define SHUNT_MAX_BACKENDS 262144

/* Entries of shunt_affinity (the least recently used makes room), shunt_sources
 * and shunt_opt_outs. */
#define SHUNT_MAX_AFFINITY 65536
#define SHUNT_MAX_SOURCES 262144
#define SHUNT_MAX_OPT_OUTS 4096

/* Entries of shunt_flows: two for each connection that comes in packets, four
 * where the backend is on another node; allocated whole when packets are on. The
 * least recently used makes room. And of shunt_devices and shunt_origins. */
#define SHUNT_MAX_FLOWS 262144
#define SHUNT_MAX_DEVICES 4096
#define SHUNT_MAX_ORIGINS 4096

/* Backends in one list. Kubernetes' own limit is 1,000 endpoints a slice and
 * no limit of slices; a bigger list is cut and reported. */
#define SHUNT_MAX_SLOTS_PER_LIST 65536

/* Services that one unconnected UDP socket can talk to at the same time; the
 * flow that was idle longest makes room for one more. */
#define SHUNT_MAX_SOCKET_FLOWS 64

/* Longest names, without the closing NUL: a namespace (RFC 1123 label), a
 * Service (RFC 1035 label) and a port (RFC 6335 service name). */
#define SHUNT_MAX_NAMESPACE 63
#define SHUNT_MAX_SERVICE_NAME 63
#define SHUNT_MAX_PORT_NAME 63

#endif /* SHUNT_LIMITS_H_ */
