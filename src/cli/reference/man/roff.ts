/** Characters that mean something to roff, or that it would print as typographic ones. Names and commands are to be copied. */
const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  '"': "\\(dq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  // Not in every character set that a terminal may have.
  "…": "...\\&",
  "→": "->",
};

const MAX_LINE = 78;

/** Text as roff prints it, within a line. */
export function roff(text: string): string {
  const escaped = [...text].map(character => SPECIAL[character] ?? character).join("");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII.
  return escaped.replace(/[^\x00-\x7f]/gu, character => `\\[u${hexOf(character)}]`);
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`;
}

/** Escaped text as lines: a new one for each sentence, as roff wants it, and none that is a request. */
export function paragraph(escaped: string): readonly string[] {
  return escaped.split(/(?<=[^.][.?!]) (?=\S)/).flatMap(sentence => wrap(sentence));
}

function wrap(text: string): readonly string[] {
  const wrapped: string[] = [];
  for (const word of text.split(" ")) {
    const last = wrapped.at(-1);
    if (last === undefined || last.length + word.length >= MAX_LINE)
      wrapped.push(/^[.']/.test(word) ? `\\&${word}` : word);
    else wrapped[wrapped.length - 1] = `${last} ${word}`;
  }
  return wrapped;
}

/** A request with arguments that may have blanks: `.TH`, `.SH`, `.SS`. */
export function request(name: string, ...args: readonly string[]): string {
  const quoted = args.map(arg => (/^[\w.\\-]+$/.test(roff(arg)) ? roff(arg) : `"${roff(arg)}"`));
  return [`.${name}`, ...quoted].join(" ");
}

/** A term, and what it means. */
export function entry(term: string, text: string): readonly string[] {
  return [".TP", term, ...paragraph(roff(text))];
}

/** A command line as it is typed: it is not filled or broken. */
export function code(text: string): readonly string[] {
  return [".RS 4", ".nf", ...text.split("\n").map(line => roff(line).replace(/^(?=[.'])/, "\\&")), ".fi", ".RE"];
}
