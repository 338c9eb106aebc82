import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, Parser } from "yaml";
import type { RawDocument } from "./split-documents.ts";
import { type YamlNode, type YamlText, yamlMap } from "./yaml-node.ts";

/** Of one document: each takes about 200 bytes of memory and a few microseconds. */
const MAX_TOKENS = 1_500_000;
const MAX_DEPTH = 200;

/** What is wrong with a document: "found …, expected …". */
export interface DocumentFault {
  readonly line: number;
  readonly why: string;
}

/** What a document is. */
export interface ParsedDocument {
  readonly root: YamlNode | DocumentFault | undefined;
  /** Number of YAML's tokens in it. */
  readonly tokens: number;
}

/** A document, or what is wrong with it. Nothing in it decides how much work it is but its length. */
export function parseDocument({ text, line }: RawDocument, maxTokens: number = MAX_TOKENS): ParsedDocument {
  const counter = new LineCounter();
  counter.addNewLine(0);
  const lineOf = (offset: number): number => counter.linePos(offset).line + line - 1;
  const parser = new Parser(counter.addNewLine);
  // The schema of strings: what a tag or a number means does not matter here. Checking keys takes quadratic time.
  const composer = new Composer({ schema: "failsafe", uniqueKeys: false, logLevel: "silent", prettyErrors: false });
  const found: Document.Parsed[] = [];
  let tokens = 0;
  const fault = (at: number, why: string): ParsedDocument => ({ root: { line: at, why }, tokens });
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) for (const document of composer.next(token)) found.push(document);
    tokens += 1;
    if (tokens > maxTokens) {
      return fault(line, `found a document of more than ${maxTokens} YAML tokens, expected smaller ones`);
    }
    if (parser.stack.length > MAX_DEPTH) {
      return fault(lineOf(parser.offset), `found values nested deeper than ${MAX_DEPTH}, expected fewer levels`);
    }
  }
  for (const token of parser.end()) for (const document of composer.next(token)) found.push(document);
  for (const document of composer.end()) found.push(document);
  const [document] = found;
  if (document === undefined) return { root: undefined, tokens };
  const [error] = document.errors;
  if (error !== undefined && !isJson(text)) {
    return fault(lineOf(error.pos[0]), `found a YAML error (${error.code}), expected YAML`);
  }
  return { root: convert(document, text, lineOf), tokens };
}

/** What YAML does not have, such as tabs before keys, JSON has. */
function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function convert(
  { contents }: Document.Parsed,
  source: string,
  lineOf: (offset: number) => number,
): YamlNode | DocumentFault | undefined {
  const anchors = new Map<string, YamlNode | undefined>();
  let fault: DocumentFault | undefined;
  const nothing = (line: number): YamlText => ({ kind: "text", line, text: "", isBlock: false });
  const visit = (node: Node | null, near: number): YamlNode => {
    const start = node?.range?.[0];
    const line = start === undefined ? near : lineOf(start);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target !== undefined) return target;
      const isOpen = anchors.has(node.source);
      const state = isOpen ? "an alias inside of what it names" : "an alias without its anchor";
      fault ??= { line, why: `found ${state}, expected one that comes after it` };
      return nothing(line);
    }
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) anchors.set(anchor, undefined);
    const made = make(node, line, start ?? 0);
    if (anchor !== undefined) anchors.set(anchor, made);
    return made;
  };
  const make = (node: Node | null, line: number, start: number): YamlNode => {
    if (isMap<Node, Node | null>(node)) {
      const entries = node.items.map(({ key, value }) => {
        const name = visit(key, line);
        const text = name.kind === "text" ? name : nothing(name.line);
        return [text, visit(value, text.line)] as const;
      });
      return yamlMap(line, entries, source.startsWith("{{", start));
    }
    if (isSeq<Node | null>(node)) return { kind: "list", line, items: node.items.map(item => visit(item, line)) };
    if (!isScalar(node)) return nothing(line);
    const text = typeof node.value === "string" ? node.value : "";
    return { kind: "text", line, text, isBlock: node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED" };
  };
  const root = contents === null ? undefined : visit(contents, lineOf(0));
  return fault ?? root;
}
