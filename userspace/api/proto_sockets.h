// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_API_PROTO_SOCKETS_H_
#define SHUNT_API_PROTO_SOCKETS_H_

#include "absl/status/statusor.h"
#include "shunt/v1/shunt.pb.h"
#include "userspace/datapath/sockets.h"

namespace shunt {

// As in proto_state.h: InvalidArgument where the message holds no address, or
// what this version does not know.
v1::Socket::End ToProto(const SocketEnd& end);
absl::StatusOr<SocketEnd> FromProto(const v1::Socket::End& proto);

v1::Socket ToProto(const TranslatedSocket& socket);
absl::StatusOr<TranslatedSocket> FromProto(const v1::Socket& proto);

}  // namespace shunt

#endif  // SHUNT_API_PROTO_SOCKETS_H_
