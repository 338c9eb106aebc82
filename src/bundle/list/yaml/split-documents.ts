/** A part of a stream, with the line of the file that it begins at. */
export interface RawDocument {
  readonly text: string;
  readonly line: number;
}

/**
 * Splits a YAML stream at its markers, before anything is parsed, so that one document at a time is in memory. What follows
 * `...` belongs to none: Helm writes the notes of a chart there. So it does after `NOTES:`, in the output of
 * `helm install --dry-run`.
 */
export function* splitDocuments(text: string): Generator<RawDocument> {
  const isInstall = /^(?:HOOKS|MANIFEST):\s*$/m.test(text);
  // Sticky and per line: nothing is split into an array of lines.
  const mark = /^(?:(---)(?=[ \t\r\n]|$)|(\.\.\.)(?=[ \t\r\n]|$)|(NOTES:)[ \t]*\r?$)/gm;
  let start: number | undefined = 0;
  let line = 1;
  let counted = 0;
  const lineOf = (offset: number): number => {
    for (let at = text.indexOf("\n", counted); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
      line += 1;
      counted = at + 1;
    }
    return line;
  };
  for (const { index, 1: begins, 2: ends, 3: notes } of text.matchAll(mark)) {
    if (notes !== undefined && !isInstall) continue;
    if (start !== undefined && index > start) yield { text: text.slice(start, index), line: lineOf(start) };
    if (notes !== undefined) return;
    if (begins !== undefined) start = index;
    if (ends !== undefined) start = undefined;
  }
  if (start !== undefined && start < text.length) yield { text: text.slice(start), line: lineOf(start) };
}

/** Smaller ones are parsed whole. */
const LARGE_LIST = 256 * 1024;

/**
 * Splits a large `kind: List`, as `kubectl get -o yaml` prints it, into its objects: their lines are indented, so that a "-"
 * at the start of a line begins the next one. A list with aliases stays whole.
 */
export function* splitList(document: RawDocument, minLength: number = LARGE_LIST): Generator<RawDocument> {
  const { text, line } = document;
  const items = /^items:[ \t]*\r?\n/m.exec(text);
  const isList = text.length >= minLength && /^kind:[ \t]*["']?\w*List["']?[ \t]*\r?$/m.test(text);
  if (items === null || !isList || /[\s,[{]\*[A-Za-z]/.test(text)) {
    yield document;
    return;
  }
  let at = items.index + items[0].length;
  let found = line + newlines(text, 0, at);
  let isOpen = false;
  const begins = /^(?:- |[^\s#-])/gm;
  begins.lastIndex = at;
  for (let next = begins.exec(text); ; next = begins.exec(text)) {
    const end = next?.index ?? text.length;
    if (isOpen) yield { text: `  ${text.slice(at + 2, end)}`, line: found };
    if (next === null) return;
    found += newlines(text, at, end);
    at = end;
    isOpen = next[0] === "- ";
  }
}

function newlines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", start); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

const [QUOTE, BACKSLASH, NEWLINE] = [0x22, 0x5c, 0x0a];
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/** Splits JSON texts that follow one another. */
export function* splitJson(text: string): Generator<RawDocument> {
  let [depth, line, start, startLine] = [0, 1, 0, 1];
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === NEWLINE) [line, isString] = [line + 1, false];
    else if (code === QUOTE) isString = !isString;
    else if (isString) at += code === BACKSLASH ? 1 : 0;
    else if (OPENING.has(code)) {
      if (depth === 0) [start, startLine] = [at, line];
      depth += 1;
    } else if (CLOSING.has(code) && depth > 0) {
      depth -= 1;
      if (depth > 0) continue;
      yield { text: text.slice(start, at + 1), line: startLine };
      [start, startLine] = [at + 1, line];
    }
  }
  if (text.slice(start).trim() !== "") yield { text: text.slice(start), line: startLine };
}
