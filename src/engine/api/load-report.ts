import { EngineError } from "../../errors.ts";
import { formatBytes } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { array, checkSchema, fields, nullish, string } from "../../util/json/schema.ts";
import { engineRefusal, invalidAnswer } from "../engine-fault.ts";

const MAX_LINE_BYTES = 1024 * 1024;
const MAX_NAMES = 10_000;
const MAX_NAME_BYTES = 4 * 1024 * 1024;
const LINE = fields({ stream: nullish(string()), error: nullish(string()), Names: nullish(array(string())) });
const LOADED = /^Loaded image(?: ID|\(s\)|s)?: *(.*)$/;

/** Reads what an engine says of a load: JSON documents, one in a line. */
export class LoadReport {
  readonly #deed: string;
  readonly #names: string[] = [];
  #nameBytes = 0;
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** @param deed for messages. */
  constructor(deed: string) {
    this.#deed = deed;
  }

  /** @throws EngineError with the error that the engine reports. */
  add(part: Buffer): void {
    let from = 0;
    for (let at = part.indexOf("\n"); at !== -1; at = part.indexOf("\n", from)) {
      this.#line(Buffer.concat([...this.#rest, part.subarray(from, at)]));
      this.#rest = [];
      this.#restBytes = 0;
      from = at + 1;
    }
    this.#restBytes += part.length - from;
    if (this.#restBytes > MAX_LINE_BYTES) throw this.#invalid();
    this.#rest.push(part.subarray(from));
  }

  /** @returns the names and ids that were loaded. @throws as `add`. */
  end(): readonly string[] {
    this.#line(Buffer.concat(this.#rest));
    return [...new Set(this.#names)];
  }

  #line(bytes: Buffer): void {
    if (bytes.toString("latin1").trim() === "") return;
    const fail = (): Error => this.#invalid();
    const limits = { what: "answer", where: "the engine", maxBytes: MAX_LINE_BYTES, fail };
    const { stream, error, Names } = checkSchema(LINE, parseJson(bytes, limits), "answer", "the engine", fail);
    if (error) throw engineRefusal(this.#deed, error);
    for (const name of [...(Names ?? []), ...namesIn(stream ?? "")]) {
      this.#names.push(name);
      this.#nameBytes += name.length;
    }
    if (this.#names.length > MAX_NAMES || this.#nameBytes > MAX_NAME_BYTES)
      throw invalidAnswer(this.#deed, `more than ${MAX_NAMES} names or ${formatBytes(MAX_NAME_BYTES)} of them`);
  }

  #invalid(): EngineError {
    return new EngineError(`Cannot ${this.#deed}: the answer is no JSON, expected what was loaded`);
  }
}

/** The names in what `docker load` and `podman load` print. */
export function namesIn(text: string): readonly string[] {
  return text.split("\n").flatMap(line => {
    const names = LOADED.exec(line.trim())?.[1];
    return names === undefined
      ? []
      : names
          .split(",")
          .map(name => name.trim())
          .filter(name => name !== "");
  });
}
