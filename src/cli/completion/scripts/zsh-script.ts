import { COMPLETE } from "./complete-word.ts";

/** For a file of `fpath`, and for `source <(…)` after `compinit`. */
export const ZSH: string = `#compdef imgpack imgpack' imgpack"
# zsh completion for imgpack, also with a path in quotes, of which zsh looks for what follows the last slash
_imgpack() {
  local program=imgpack typed=\${(Q)PREFIX} prefix=$PREFIX inner=$IPREFIX stripped='' line='' value='' text=''
  local -a asked answer head words_ parts endings expl
  local -i result=1
  asked=("\${(@Q)words[2,-1]}")
  asked[CURRENT-1]=$typed
  if [[ $words[1] == */* ]]; then program=\${(Q)words[1]}; fi
  if [[ $program == '~/'* ]]; then program=$HOME\${program[2,-1]}; fi
  answer=("\${(@f)$("$program" ${COMPLETE} $((CURRENT - 2)) "\${(@)asked}" 2>/dev/null </dev/null)}")
  head=("\${(@ps:\\t:)answer[1]}")

  # What is typed before the last of these characters need not be shown with each word.
  if compset -P '*[/:=]'; then stripped=\${typed%"\${typed##*[/:=]}"}; fi
  for line in "\${(@)answer[2,-1]}"; do
    value=\${line%%$'\\t'*} text=\${line#*$'\\t'}
    if [[ $value != "$stripped"* ]]; then continue; fi
    line=\${value#"$stripped"}
    if [[ -z $line ]]; then continue; fi
    line=\${line//:/\\\\:}
    if [[ -n $text ]]; then line+=:$text; fi
    if [[ $value == *[/:=] ]]; then parts+=("$line"); else words_+=("$line"); fi
  done
  if (( \${#parts} )); then _describe -V -t parts imgpack parts -S '' && result=0; fi
  if (( \${#words_} )); then _describe -V -t words imgpack words_ && result=0; fi

  PREFIX=$prefix IPREFIX=$inner
  if [[ -n $head[3] ]]; then compset -P 1 '*='; fi
  if [[ $head[1] == folders ]]; then
    _files -/ && result=0
  elif [[ $head[1] == files && $head[2] == '*' ]]; then
    _files && result=0
  elif [[ $head[1] == files ]]; then
    endings=("\${(@s: :)head[2]}")
    endings=("\${(@)endings#.}")
    if _wanted fitting-files expl file _path_files -g "*.(\${(j:|:)endings})(-.)"; then
      result=0
      _wanted directories expl folder _path_files -/
    else
      _files && result=0
    fi
  fi
  return result
}

if [[ $funcstack[1] == _imgpack ]]; then _imgpack "$@"; else compdef _imgpack imgpack "imgpack'" 'imgpack"'; fi
`;
