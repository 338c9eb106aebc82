import { COMPLETE } from "./complete-word.ts";

/**
 * For bash 3.2 and later. Bash splits words at colons and equals signs, which references and flags contain, so the line is
 * read again here; `cut` is how much of the word readline leaves alone.
 */
export const BASH: string = `# bash completion for imgpack
_imgpack() {
  local line=$COMP_LINE at=0 char='' quote='' escaped='' word='' begun='' target=''
  local index=-1 current='' cut=0 isTarget='' isQuoted='' isExpanded='' dollars=''
  local -a words=()
  while ((at <= \${#line})); do
    if ((at == COMP_POINT - \${#2})); then cut=\${#word}; fi
    if ((at == COMP_POINT)); then
      index=\${#words[@]} current=$word begun=1 isTarget=$target isQuoted=$quote isExpanded=$dollars
    fi
    char=\${line:at:1}
    if [[ -z $char ]] || [[ -z $quote$escaped && $char == [[:space:]\\<\\>] ]]; then
      if [[ $char == [\\<\\>] && $word == [0-9\\&] ]]; then begun=''; fi
      if [[ -n $begun && -n $target ]]; then
        target=''
      elif [[ -n $begun ]]; then
        words+=("$word")
      fi
      word='' begun='' dollars=''
      if [[ $char == [\\<\\>] ]]; then target=1; fi
    else
      begun=1
      if [[ -n $escaped ]]; then
        if [[ $quote == \\" && $char != [\\"\\\\\\$\\\`] ]]; then word+=\\\\; fi
        word+=$char escaped=''
      elif [[ $char == \\\\ && $quote != \\' ]]; then
        escaped=1
      elif [[ $char == "$quote" ]]; then
        quote=''
      elif [[ -z $quote && $char == [\\"\\'] ]]; then
        quote=$char
      else
        if [[ $char == [\\$\\\`] && $quote != \\' ]]; then dollars=1; fi
        word+=$char
      fi
    fi
    at=$((at + 1))
  done
  COMPREPLY=()
  if [[ -n $isTarget ]]; then
    compopt -o bashdefault -o default 2>/dev/null
    return
  fi
  if ((index < 1)); then return; fi
  words[index]=$current

  local program=imgpack kind='' endings='' prefix='' value='' text=''
  local -a found=() files=()
  if [[ \${words[0]} == */* ]]; then program=\${words[0]}; fi
  if [[ $program == '~/'* ]]; then program=$HOME\${program:1}; fi
  {
    IFS=$'\\t' read -r kind endings prefix
    while IFS=$'\\t' read -r value text; do
      if [[ $value == "$current"* ]]; then found+=("$value"); fi
    done
  } < <("$program" ${COMPLETE} "$((index - 1))" "\${words[@]:1}" 2>/dev/null </dev/null)

  if [[ $kind == files || $kind == folders ]]; then
    local path=\${current#"$prefix"}
    if [[ -n $isExpanded || $path == '~'* && $path != '~/'* ]]; then
      if ((\${#found[@]} == 0)); then compopt -o bashdefault -o default 2>/dev/null; fi
    else
      while IFS= read -r -d '' value; do files+=("$prefix$value"); done < <(_imgpack_files "$kind" "$endings" "$path")
    fi
  fi
  for value in "\${found[@]}"; do COMPREPLY+=("\${value:cut}"); done
  if ((\${#found[@]} == 0)); then
    compopt -o filenames 2>/dev/null
    for value in "\${files[@]}"; do COMPREPLY+=("\${value:cut}"); done
  else
    # With "filenames", bash would quote the colons of references, too.
    compopt -o nosort 2>/dev/null
    for value in "\${files[@]}"; do
      if _imgpack_is_folder "\${value#"$prefix"}"; then value+=/; fi
      value=\${value:cut}
      if [[ -z $isQuoted ]]; then printf -v value %q "$value"; fi
      COMPREPLY+=("$value")
    done
    if ((\${#COMPREPLY[@]} == 1)) && [[ \${COMPREPLY[0]} == *[/:=] ]]; then compopt -o nospace 2>/dev/null; fi
  fi
}

_imgpack_is_folder() {
  if [[ $1 == '~/'* ]]; then [[ -d $HOME\${1:1} ]]; else [[ -d $1 ]]; fi
}

# Prints the files and folders whose names begin with $3, each with a zero byte after it. If files have one of the endings
# $2, only these are printed.
_imgpack_files() (
  shopt -s nullglob
  shopt -u failglob dotglob
  set +f
  GLOBIGNORE=
  name='' ending='' base=$3 fitting=() folders=() others=()
  read -r -a endings <<<"$2"
  if [[ $base == '~/'* ]]; then base=$HOME\${base:1}; fi
  for name in "$base"*; do
    shown=$3\${name:\${#base}}
    if [[ -d $name ]]; then
      folders+=("$shown")
      continue
    fi
    others+=("$shown")
    for ending in "\${endings[@]}"; do
      if [[ $name == *"$ending" ]]; then
        fitting+=("$shown")
        break
      fi
    done
  done
  if [[ $1 == folders ]]; then
    others=()
  elif ((\${#fitting[@]} > 0)); then
    others=("\${fitting[@]}")
  fi
  if ((\${#others[@]} + \${#folders[@]} > 0)); then printf '%s\\0' "\${others[@]}" "\${folders[@]}"; fi
)

# Of a quoted path to the command, bash looks for what follows the last slash, with the quote.
complete -F _imgpack imgpack "imgpack'" 'imgpack"'
`;
