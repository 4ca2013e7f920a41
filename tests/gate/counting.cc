// SPDX-License-Identifier: Apache-2.0
#include "tests/gate/counting.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdarg>
#include <cstdlib>
#include <new>

namespace {

std::atomic<uint64_t> allocations, system_calls;

}  // namespace

// The other forms of `operator new` call this one.
void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

// As libc's own, it hands on six arguments, whether there are that many or not.
extern "C" long syscall(long number, ...) noexcept {
  using Syscall = long (*)(long, ...);
  static const auto real = reinterpret_cast<Syscall>(dlsym(RTLD_NEXT, "syscall"));
  system_calls.fetch_add(1, std::memory_order_relaxed);
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}

namespace shunt::testing {

Work WorkSoFar() { return {.allocations = allocations, .system_calls = system_calls}; }

}  // namespace shunt::testing
