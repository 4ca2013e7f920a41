// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_REFUSAL_H_
#define SHUNT_SOURCES_KUBERNETES_REFUSAL_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "userspace/sources/kubernetes/api_object.h"
#include "userspace/sources/kubernetes/transport.h"

namespace shunt {

// What an answer says that is none: its code, and what its body adds, if that can
// be read.
ApiStatus ReadRefusal(const AnswerHead& head, std::string_view body);

// "HTTP 403 Forbidden: \"services is forbidden\"".
std::string RefusalText(const ApiStatus& refusal);

// How long the server asks to wait, within reason; zero where it does not ask.
absl::Duration RetryAfter(const ApiStatus& refusal);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_REFUSAL_H_
