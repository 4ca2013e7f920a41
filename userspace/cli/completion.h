// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_COMPLETION_H_
#define SHUNT_CLI_COMPLETION_H_

#include <string>
#include <vector>

#include "userspace/cli/grammar.h"
#include "userspace/cli/session.h"

namespace shunt {

// What `shuntctl __complete WORDS...` prints for the scripts of all shells: one
// candidate a line, with a tab and a description where there is one. The last
// of `words` is the one being typed, perhaps empty. Prints nothing where a file
// name is wanted, which the shell knows better. Names of Services come from
// the source, silently none where there is no source.
void PrintCompletions(Grammar& grammar, const std::vector<std::string>& words,
                      const Environment& environment);

}  // namespace shunt

#endif  // SHUNT_CLI_COMPLETION_H_
