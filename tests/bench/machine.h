// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_MACHINE_H_
#define SHUNT_TESTS_BENCH_MACHINE_H_

#include <string>
#include <utility>
#include <vector>

namespace shunt::bench {

// What a figure depends on, by name: "cpu", "cpus", "kernel", "compiler", …
using Machine = std::vector<std::pair<std::string, std::string>>;

Machine GetMachine();

// On one line.
std::string DescribeMachine(const Machine& machine);

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_MACHINE_H_
