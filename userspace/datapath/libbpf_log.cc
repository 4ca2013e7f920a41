// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>

namespace shunt {
namespace {

constexpr size_t kKept = 64 * 1024;

std::string& Text() {
  static thread_local std::string text;
  return text;
}

int Collect(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  char* line = nullptr;
  if (vasprintf(&line, format, arguments) < 0) return 0;
  Text() += line;
  free(line);
  if (Text().size() > kKept) Text().erase(0, Text().size() - kKept);
  return 0;
}

}  // namespace

LibbpfLog::LibbpfLog() {
  Text().clear();
  libbpf_set_print(Collect);
}

LibbpfLog::~LibbpfLog() { libbpf_set_print(nullptr); }

const std::string& LibbpfLog::text() const { return Text(); }

}  // namespace shunt
