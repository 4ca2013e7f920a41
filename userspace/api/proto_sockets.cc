// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/proto_sockets.h"

#include "userspace/api/proto_state.h"
#include "userspace/base/status.h"

namespace shunt {

v1::Socket::End ToProto(const SocketEnd& end) {
  v1::Socket::End proto;
  proto.set_address(end.address.ToString());
  proto.set_port(end.port);
  return proto;
}

absl::StatusOr<SocketEnd> FromProto(const v1::Socket::End& proto) {
  SHUNT_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::Parse(proto.address()));
  return SocketEnd{.address = address, .port = static_cast<uint16_t>(proto.port())};
}

v1::Socket ToProto(const TranslatedSocket& socket) {
  v1::Socket proto;
  *proto.mutable_service() = ToProto(socket.service);
  proto.set_netns(socket.netns);
  proto.set_cookie(socket.cookie);
  *proto.mutable_local() = ToProto(socket.local);
  *proto.mutable_dialled() = ToProto(socket.dialled);
  *proto.mutable_backend() = ToProto(socket.backend);
  proto.set_stale(socket.stale);
  return proto;
}

absl::StatusOr<TranslatedSocket> FromProto(const v1::Socket& proto) {
  TranslatedSocket socket = {
      .netns = proto.netns(), .cookie = proto.cookie(), .stale = proto.stale()};
  SHUNT_ASSIGN_OR_RETURN(socket.service, FromProto(proto.service()));
  SHUNT_ASSIGN_OR_RETURN(socket.local, FromProto(proto.local()));
  SHUNT_ASSIGN_OR_RETURN(socket.dialled, FromProto(proto.dialled()));
  SHUNT_ASSIGN_OR_RETURN(socket.backend, FromProto(proto.backend()));
  return socket;
}

}  // namespace shunt
