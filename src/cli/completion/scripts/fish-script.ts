import { COMPLETE } from "./complete-word.ts";

/** For fish 3.0 and later. */
export const FISH: string = `# fish completion for imgpack
function __imgpack_complete
    set -l before (commandline -opc)
    set -l after (commandline -op)
    set -l token (commandline -ct)
    # Quotes may still be open.
    set -l current (string unescape -- $token; or string unescape -- $token\\"; or string unescape -- $token\\'; or echo $token)
    set -l program imgpack
    if string match -q '*/*' -- $before[1]
        set program (string replace -r '^~/' $HOME/ -- $before[1])
    end
    set -e before[1]
    set -l index (count $before)
    for unused in (seq (math $index + 2))
        set -e after[1]
    end
    set -l answer ($program ${COMPLETE} $index $before "$current" $after 2>/dev/null </dev/null)
    set -q answer[1]; or return
    set -l head (string split \\t -- $answer[1])
    set -e answer[1]
    printf '%s\\n' $answer
    test $head[1] = none; and return

    # A program of this name has no completions, so that fish offers files.
    set -l path (string replace -r -- '^--[^=]+=' '' $token)
    test -n "$head[3]"; or set path $token
    set -l files (complete -C "__imgpack_file $path" | string replace -r '\\t.*' '')
    set -l folders (string match -r '.*/$' -- $files)
    if test $head[1] = folders
        set files $folders
    else if test $head[2] != '*'
        set -l endings (string escape --style=regex -- (string split ' ' -- $head[2]))
        set -l fitting (string match -r '.*(?:'(string join '|' -- $endings)')$' -- $files)
        set files $fitting $folders $files
    end
    for file in $files
        echo "$head[3]$file"
    end
end
complete -c imgpack -f -k -a '(__imgpack_complete)'
`;
