// SPDX-License-Identifier: Apache-2.0
//
// ThreadSanitizer sees only what is compiled with it, and Debian's Abseil is
// not: absl::Mutex is a futex that it knows nothing of, so that all that a mutex
// guards would be reported as a race. This file takes the place of the functions
// of absl::Mutex and absl::CondVar (a program's own definitions come before a
// shared library's), calls the original, and tells ThreadSanitizer who comes
// after whom. It is linked into programs of the preset tsan only.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/mutex.h"

// Debian's Abseil has its inline namespace in every name.
#define ABSL_SYMBOL(name) "_ZN4absl7debian3" name

namespace absl {
namespace {

// A member function of T by its mangled name, as the free function that it is
// to the linker.
template <typename T, typename R, typename... A>
class Original {
 public:
  explicit Original(const char* name) : function_(reinterpret_cast<F*>(dlsym(RTLD_NEXT, name))) {
    if (function_ != nullptr) return;
    std::fprintf(stderr, "%s: libabsl_synchronization has no %s\n", __FILE__, name);
    std::abort();
  }

  R operator()(T* object, A... arguments) const { return function_(object, arguments...); }

 private:
  using F = R(T*, A...);
  F* const function_;
};

// Which functions evaluate a condition is Abseil's affair: often it is the
// thread that unlocks, within its call of Unlock(). It holds the mutex then.
struct ConditionUnder {
  Mutex* mutex;
  const Condition* condition;
};

bool Evaluate(ConditionUnder* wait) {
  __tsan_acquire(wait->mutex);
  const bool result = wait->condition->Eval();
  __tsan_release(wait->mutex);
  return result;
}

// Gives up `mutex` while `wait` runs, which gets the condition to hand on.
template <typename Wait>
bool WaitFor(Mutex* mutex, const Condition& condition, Wait wait) {
  ConditionUnder under{mutex, &condition};
  __tsan_release(mutex);
  const bool result = wait(Condition(&Evaluate, &under));
  __tsan_acquire(mutex);
  return result;
}

}  // namespace

void Mutex::Lock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static const Original<Mutex, void> original(ABSL_SYMBOL("5Mutex4LockEv"));
  original(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static const Original<Mutex, bool> original(ABSL_SYMBOL("5Mutex7TryLockEv"));
  const bool locked = original(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static const Original<Mutex, void> original(ABSL_SYMBOL("5Mutex6UnlockEv"));
  __tsan_release(this);
  original(this);
}

void Mutex::ReaderLock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static const Original<Mutex, void> original(ABSL_SYMBOL("5Mutex10ReaderLockEv"));
  original(this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static const Original<Mutex, void> original(ABSL_SYMBOL("5Mutex12ReaderUnlockEv"));
  __tsan_release(this);
  original(this);
}

void Mutex::Await(const Condition& condition) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  static const Original<Mutex, void, const Condition&> original(
      ABSL_SYMBOL("5Mutex5AwaitERKNS0_9ConditionE"));
  WaitFor(this, condition, [this](const Condition& wrapped) {
    original(this, wrapped);
    return true;
  });
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static const Original<Mutex, bool, const Condition&, Duration> original(
      ABSL_SYMBOL("5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE"));
  return WaitFor(this, condition, [this, timeout](const Condition& wrapped) {
    return original(this, wrapped, timeout);
  });
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static const Original<Mutex, bool, const Condition&, Time> original(
      ABSL_SYMBOL("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE"));
  return WaitFor(this, condition, [this, deadline](const Condition& wrapped) {
    return original(this, wrapped, deadline);
  });
}

void Mutex::LockWhen(const Condition& condition) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Lock();
  Await(condition);
}

void CondVar::Wait(Mutex* mutex) {
  static const Original<CondVar, void, Mutex*> original(ABSL_SYMBOL("7CondVar4WaitEPNS0_5MutexE"));
  __tsan_release(mutex);
  original(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const Original<CondVar, bool, Mutex*, Duration> original(
      ABSL_SYMBOL("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE"));
  __tsan_release(mutex);
  const bool expired = original(this, mutex, timeout);
  __tsan_acquire(mutex);
  return expired;
}

}  // namespace absl
