/** A value of the part of TOML 1.0 that registries.conf is written in. */
export type TomlValue = string | boolean | number | readonly TomlValue[] | TomlTable;
export type TomlTable = Map<string, TomlValue>;

/** Where reading stopped; messages never quote the file. */
export class TomlFault extends Error {
  readonly line: number;

  constructor(expected: string, line: number) {
    super(expected);
    this.line = line;
  }
}

const MAX_DEPTH = 16;

/**
 * Reads tables, arrays of tables, strings on one line, booleans, whole numbers, arrays and inline tables. The rest of
 * TOML (dates, floats, strings over several lines) no one writes into registries.conf: it is refused, never guessed.
 *
 * @throws TomlFault
 */
export function parseToml(text: string): TomlTable {
  return new TomlReader(text).read();
}

class TomlReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): TomlTable {
    const root: TomlTable = new Map();
    const defined = new Set<TomlTable>();
    let table = root;
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#take("[[")) {
        table = this.#appendTable(root, this.#keys());
        this.#expect("]]");
      } else if (this.#take("[")) {
        table = this.#openTable(root, this.#keys());
        this.#expect("]");
        if (defined.has(table)) throw this.#fault("a table that stands once");
        defined.add(table);
      } else {
        this.#assign(table, 0);
      }
      this.#endLine();
    }
    return root;
  }

  #assign(table: TomlTable, depth: number): void {
    const keys = this.#keys();
    this.#expect("=");
    const last = keys.pop() ?? "";
    const parent = this.#openTable(table, keys);
    if (parent.has(last)) throw this.#fault("a key that stands once");
    parent.set(last, this.#value(depth + 1));
  }

  #keys(): string[] {
    const keys: string[] = [];
    do {
      this.#skipSpace();
      const quoted = this.#peek() === '"' || this.#peek() === "'";
      const key = quoted ? this.#string() : this.#match(/[A-Za-z0-9_-]+/y);
      if (key === undefined) throw this.#fault("a key");
      keys.push(key);
      this.#skipSpace();
    } while (this.#take("."));
    return keys;
  }

  #openTable(root: TomlTable, keys: readonly string[]): TomlTable {
    let table = root;
    for (const key of keys) {
      const found = table.get(key);
      // A path goes on in the last table of an array.
      const next = Array.isArray(found) ? (found as readonly TomlValue[]).at(-1) : found;
      if (next !== undefined && !(next instanceof Map)) throw this.#fault("a table");
      const opened: TomlTable = next ?? new Map();
      if (next === undefined) table.set(key, opened);
      table = opened;
    }
    return table;
  }

  #appendTable(root: TomlTable, keys: string[]): TomlTable {
    const last = keys.pop() ?? "";
    const parent = this.#openTable(root, keys);
    const found = parent.get(last) ?? [];
    if (!Array.isArray(found)) throw this.#fault("an array of tables");
    const table: TomlTable = new Map();
    parent.set(last, [...(found as readonly TomlValue[]), table]);
    return table;
  }

  #value(depth: number): TomlValue {
    if (depth > MAX_DEPTH) throw this.#fault(`at most ${MAX_DEPTH} levels`);
    this.#skipSpace();
    const first = this.#peek();
    if (first === '"' || first === "'") return this.#string();
    if (this.#take("[")) return this.#array(depth);
    if (this.#take("{")) return this.#inlineTable(depth);
    const word = this.#match(/[A-Za-z0-9_+-]+(?![.:])/y);
    if (word === "true" || word === "false") return word === "true";
    if (word !== undefined && /^[+-]?(0|[1-9][0-9]{0,14})$/.test(word)) return Number(word);
    throw this.#fault("a string, a whole number, true, false, an array or an inline table");
  }

  #array(depth: number): readonly TomlValue[] {
    const values: TomlValue[] = [];
    for (;;) {
      this.#skipBlank();
      if (this.#take("]")) return values;
      values.push(this.#value(depth + 1));
      this.#skipBlank();
      if (this.#take("]")) return values;
      this.#expect(",");
    }
  }

  #inlineTable(depth: number): TomlTable {
    const table: TomlTable = new Map();
    this.#skipSpace();
    if (this.#take("}")) return table;
    for (;;) {
      this.#assign(table, depth);
      this.#skipSpace();
      if (this.#take("}")) return table;
      this.#expect(",");
    }
  }

  #string(): string {
    if (this.#text.startsWith('"""', this.#at) || this.#text.startsWith("'''", this.#at)) {
      throw this.#fault("a string on one line");
    }
    const literal = this.#match(/'[^'\n\r]*'/y);
    if (literal !== undefined) return literal.slice(1, -1);
    const basic = this.#match(/"(?:[^"\\\n\r]|\\(?:["\\btnfr]|u[0-9A-Fa-f]{4}))*"/y);
    if (basic === undefined) throw this.#fault("a closed string");
    try {
      return JSON.parse(basic) as string;
    } catch {
      // The pattern lets nothing else through that is not JSON.
      throw this.#fault("a string without control characters");
    }
  }

  #endLine(): void {
    this.#skipSpace();
    this.#match(/#[^\n]*/y);
    if (this.#at < this.#text.length && this.#match(/\r?\n/y) === undefined) throw this.#fault("the end of the line");
  }

  #skipSpace(): void {
    this.#match(/[ \t]*/y);
  }

  /** Blanks, line ends and comments. */
  #skipBlank(): void {
    this.#match(/(?:[ \t\r\n]|#[^\n]*)*/y);
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #expect(token: string): void {
    this.#skipSpace();
    if (!this.#take(token)) throw this.#fault(JSON.stringify(token));
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #fault(expected: string): TomlFault {
    return new TomlFault(expected, this.#text.slice(0, this.#at).split("\n").length);
  }
}
