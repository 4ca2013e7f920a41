// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_PEM_H_
#define SHUNT_SOURCES_KUBERNETES_PEM_H_

#include <string>

#include "absl/status/status.h"

namespace shunt {

// Whether a text is what it is taken for, before it is used: files are replaced
// while they are read, and half of a certificate must not take the place of a
// whole one. Errors hold nothing of the text.

absl::Status CheckCertificates(const std::string& pem);
absl::Status CheckKeyOf(const std::string& certificate, const std::string& key);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_PEM_H_
