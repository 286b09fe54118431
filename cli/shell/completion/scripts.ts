import type { shells } from './candidates.js';

// Each asks `arcus complete` for what may come next, a line each: the word, a tab, what it is; or `:files`. Nothing that
// was typed is evaluated, and whatever goes wrong leaves the line as it is.

/** What a shell is to read at its start, so that Tab completes `arcus`. */
export const completionScripts: Readonly<Record<(typeof shells)[number], string>> = {
  bash: String.raw`# For ~/.bashrc: source <(arcus completion bash)
_arcus_completion() {
  local line="${'$'}{COMP_LINE:0:COMP_POINT}" current cut value
  local -a words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=('')
  words=("${'$'}{words[@]//\\/}")
  current="${'$'}{words[${'$'}{#words[@]}-1]}"
  # Readline puts the answer behind the last of these signs.
  cut="${'$'}{current%"${'$'}{current##*[=:]}"}"
  COMPREPLY=()
  while IFS= read -r value; do
    if [[ "$value" == ':files' ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    COMPREPLY+=("$(printf '%q' "${'$'}{value#"$cut"}")")
  done < <("${'$'}{words[0]}" complete bash -- "${'$'}{words[@]:1}" 2>/dev/null)
  [[ ${'$'}{#COMPREPLY[@]} -eq 1 && "${'$'}{COMPREPLY[0]}" == *= ]] && compopt -o nospace 2>/dev/null
}
complete -F _arcus_completion arcus`,

  zsh: String.raw`#compdef arcus
# For ~/.zshrc, after compinit: source <(arcus completion zsh)
_arcus() {
  local -a lines values
  local line
  lines=("${'$'}{(@f)$("${'$'}{words[1]}" complete zsh -- "${'$'}{(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "${'$'}{lines[1]}" == ':files' ]]; then
    _files
    return
  fi
  for line in "${'$'}{lines[@]}"; do
    [[ -n "$line" ]] && values+=("${'$'}{${'$'}{line%%$'\t'*}//:/\\:}:${'$'}{line#*$'\t'}")
  done
  _describe 'arcus' values
}
if [[ "${'$'}{funcstack[1]}" == '_arcus' ]]; then
  _arcus "$@"
else
  compdef _arcus arcus
fi`,

  fish: String.raw`# For ~/.config/fish/completions/arcus.fish: arcus completion fish > that file
function __arcus_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] complete fish -- $words[2..-1] 2>/dev/null)
    if test "$lines[1]" = ':files'
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $lines
    end
end
complete -c arcus -f -a '(__arcus_complete)'`,
};
