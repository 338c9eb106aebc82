/**
 * The scripts call imgpack with the words before the cursor and offer the lines that it prints. SHELL is set because yargs
 * prints "word:description" for zsh and fish, and the colon would break host:port.
 */
const ASK = "SHELL=bash imgpack --get-yargs-completions";

const BASH = `_imgpack() {
  # Bash splits words at colons, which references contain: split the line again at spaces.
  local line="\${COMP_LINE:0:COMP_POINT}" words word prefix
  read -r -a words <<< "$line"
  [[ "$line" == *' ' ]] && words+=("")
  local current="\${words[\${#words[@]}-1]}"
  COMPREPLY=()
  prefix="\${current%"\${current##*:}"}"
  while IFS= read -r word; do
    [[ "$word" == "$current"* ]] && COMPREPLY+=("\${word#"$prefix"}")
  done < <(${ASK} "\${words[@]}" 2>/dev/null)
}
complete -o default -F _imgpack imgpack`;

const ZSH = `#compdef imgpack
_imgpack() {
  local -a found
  found=("\${(@f)$(${ASK} "\${words[@]:0:$CURRENT}" 2>/dev/null)}")
  if (( \${#found} )) && [[ -n "$found[1]" ]]; then
    compadd -- "\${found[@]}"
  else
    _files
  fi
}
compdef _imgpack imgpack`;

const FISH = `function __imgpack_complete
  set -l words (commandline -opc) (commandline -ct)
  env ${ASK} $words 2>/dev/null
end
complete -c imgpack -a '(__imgpack_complete)'`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/** @param shell bash, zsh or fish */
export function completionScript(shell: string): string {
  return SCRIPTS[shell] ?? BASH;
}
