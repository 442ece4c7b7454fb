// The shells' side: they ask the binary, so nothing here names a command.
#include "cli/completion.h"

namespace millrace::cli {
namespace {

constexpr std::string_view kBash =
    R"(# Completion of millrace for bash: source <(millrace completion bash)
_millrace() {
  local current=${COMP_WORDS[COMP_CWORD]} line ending
  local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :folders)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
      :files*)
        compopt -o filenames 2>/dev/null
        ending=${line#:files}
        mapfile -t COMPREPLY < <(compgen -d -- "$current"
                                 compgen -f -X "!*${ending# }" -- "$current") ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("${COMP_WORDS[0]/#\~\//$HOME/}" complete "${words[@]/#\~\//$HOME/}" 2>/dev/null)
}
complete -F _millrace millrace
)";

constexpr std::string_view kZsh = R"(#compdef millrace
# Completion of millrace for zsh: source <(millrace completion zsh), after compinit.
_millrace() {
  local line
  local -a names
  for line in "${(@f)$(${(Q)words[1]} complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :folders) _files -/ ;;
      :files*) _files -g "*${${line#:files}# }" ;;
      *$'\t'*) names+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      *) names+=("${line//:/\\:}") ;;
    esac
  done
  (( $#names )) && _describe millrace names
}
compdef _millrace millrace
)";

constexpr std::string_view kFish =
    R"(# Completion of millrace for fish: millrace completion fish | source
function __millrace_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    test -n "$current"; or set current ''
    for line in ($words[1] complete $words[2..-1] $current 2>/dev/null)
        switch $line
            case ':folders'
                __fish_complete_directories $current ''
            case ':files'
                __fish_complete_path $current
            case ':files *'
                set -l ending (string replace ':files ' '' -- $line)
                __fish_complete_directories $current ''
                __fish_complete_path $current | string match -- "*$ending"\t"*"
            case '*'
                echo -- $line
        end
    end
end
complete -c millrace -f -a '(__millrace_complete)'
)";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return "";
}

}  // namespace millrace::cli
