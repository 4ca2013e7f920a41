// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_QUARANTINE_H_
#define SHUNT_DATAPATH_QUARANTINE_H_

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "userspace/datapath/map_store.h"

namespace shunt {

// Holds what no frontend leads to any more but a program that is running may
// still have in its hands: slot ranges and backend ids. They come back once a
// grace period has ended that began after they were added.
//
//   Add  Add  Add  ->  Seal(ticket)  ->  grace period  ->  TakeEnded
//
// Belongs to one thread.
template <typename T>
class Quarantine {
 public:
  explicit Quarantine(GracePeriod& grace_period) : grace_period_(grace_period) {}

  void Add(T item) { unsealed_.push_back(std::move(item)); }
  bool HasUnsealed() const { return !unsealed_.empty(); }

  // `ticket` is of a grace period that began after the last Add.
  void Seal(uint64_t ticket) {
    if (unsealed_.empty()) return;
    sealed_.push_back({ticket, std::exchange(unsealed_, {})});
  }

  // What may be used again. Never waits.
  std::vector<T> TakeEnded() {
    std::vector<T> items;
    while (!sealed_.empty() && grace_period_.HasEnded(sealed_.front().ticket)) TakeOldest(items);
    return items;
  }

  // Waits for the oldest that are sealed. Empty: there are none.
  std::vector<T> WaitForOldest() {
    std::vector<T> items;
    if (sealed_.empty()) return items;
    grace_period_.WaitFor(sealed_.front().ticket);
    TakeOldest(items);
    return items;
  }

 private:
  struct Batch {
    uint64_t ticket;
    std::vector<T> items;
  };

  void TakeOldest(std::vector<T>& items) {
    std::vector<T>& oldest = sealed_.front().items;
    items.insert(items.end(), oldest.begin(), oldest.end());
    sealed_.pop_front();
  }

  GracePeriod& grace_period_;
  std::vector<T> unsealed_;
  std::deque<Batch> sealed_;  // tickets grow
};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_QUARANTINE_H_
