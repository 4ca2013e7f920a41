// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/command.h"

namespace shunt {
namespace {

// The scripts only carry words to `shuntctl __complete` and its answer back: so
// every shell completes the same, and knows each new command by itself. Where
// the answer is empty, the shell completes file names.

// Bash splits words at "=" and ":"; the first column of the answer is what it
// compares with, so only what stands behind the last of them is offered.
constexpr char kBash[] = R"(# bash completion for shuntctl: source <(shuntctl completion bash)
_shuntctl() {
  local line=${COMP_LINE:0:COMP_POINT} words current candidate
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  local typed=${COMP_WORDS[COMP_CWORD]}
  [[ $typed == "=" || $typed == ":" ]] && typed=""
  local handled=${current%"$typed"}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    COMPREPLY+=("${candidate#"$handled"}")
  done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -o default -F _shuntctl shuntctl
)";

constexpr char kZsh[] = R"(#compdef shuntctl
# zsh completion for shuntctl: a file _shuntctl in a directory of $fpath, or
# source <(shuntctl completion zsh)
_shuntctl() {
  local line word about
  local -a candidates
  while IFS=$'\t' read -r word about; do
    candidates+=("${word//:/\\:}${about:+:$about}")
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#candidates} )); then
    _describe shuntctl candidates
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_shuntctl" ]; then
  _shuntctl
else
  compdef _shuntctl shuntctl
fi
)";

constexpr char kFish[] = R"(# fish completion for shuntctl: shuntctl completion fish | source
function __shuntctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    if test (count $answer) -gt 0
        printf '%s\n' $answer
    else
        __fish_complete_path "$current"
    end
end
complete -c shuntctl -f -a '(__shuntctl_complete)'
)";

}  // namespace

absl::Status PrintCompletionScript(Session& session) {
  const std::string& shell = session.options().shell;
  session.out() << (shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish);
  return absl::OkStatus();
}

}  // namespace shunt
