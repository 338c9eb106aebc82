// Spreads in the arguments of a call: each element takes a place on the stack, so a long list is a RangeError.

const PAIRS: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** The calls of a source that spread something into their arguments, as `line: text`. */
export function callSpreads(text: string): readonly string[] {
  const code = text.replace(/\/\*.*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/gs, found => found.replace(/[^\n]/g, " "));
  const found: string[] = [];
  const open: number[] = [];
  for (const { 0: token, index } of code.matchAll(/[([{]|[)\]}]|\.\.\./g)) {
    const around = open.at(-1);
    if (token === "...") {
      const isCall = around !== undefined && code[around] === "(" && !isParameters(code, around);
      if (isCall) found.push(`${code.slice(0, index).split("\n").length}: ${lineAt(text, index)}`);
    } else if (token in PAIRS) {
      if (around !== undefined && code[around] === PAIRS[token]) open.pop();
    } else {
      open.push(index);
    }
  }
  return found;
}

/** Rest parameters of a function look the same. */
function isParameters(code: string, start: number): boolean {
  let depth = 0;
  for (let at = start; at < code.length; at += 1) {
    if (code[at] === "(") depth += 1;
    if (code[at] === ")") depth -= 1;
    if (depth === 0) return /^\)(?::|\s*=>|\s*\{)/.test(code.slice(at, at + 40));
  }
  return false;
}

function lineAt(text: string, index: number): string {
  return text.slice(text.lastIndexOf("\n", index) + 1, text.indexOf("\n", index)).trim();
}
