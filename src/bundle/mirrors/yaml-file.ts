import {
  Document,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Scalar,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { cannotWrite } from "./mirror-file.ts";

/** Marks a value of ours in a file that others write, too. */
const MARK = " imgpack mirrors";

/** A YAML file that others write, too: what they wrote stays, with its comments. */
export class YamlFile {
  readonly #document: Document.Parsed | Document;
  readonly #path: string;

  /**
   * @param existing undefined for a new file.
   * @throws StorageError for anything but a single document with a map.
   */
  constructor(existing: string | undefined, path: string) {
    this.#path = path;
    const document = existing === undefined ? new Document({}) : parseDocument(existing, { logLevel: "silent" });
    const [error] = document.errors;
    if (error !== undefined) {
      throw cannotWrite(path, `a YAML error (${error.code}), expected one document`, "Fix the file first.");
    }
    if (document.contents === null) document.contents = document.createNode({}) as never;
    if (!isMap(document.contents)) throw cannotWrite(path, "no map in it, expected one", "Fix the file first.");
    this.#document = document;
  }

  /** The map at a path of keys; made if there is none. @throws StorageError if something else is there */
  map(...keys: readonly string[]): YAMLMap {
    return this.#collection(keys, {}, isMap, "a map") as YAMLMap;
  }

  /** The list at a path of keys; made if there is none. @throws StorageError if something else is there */
  list(...keys: readonly string[]): YAMLSeq {
    return this.#collection(keys, [], isSeq, "a list") as YAMLSeq;
  }

  get text(): string {
    return this.#document.toString({ lineWidth: 0 });
  }

  /** A text with our mark. */
  marked(text: string): Scalar {
    const scalar = this.#document.createNode(text) as Scalar;
    scalar.comment = MARK;
    return scalar;
  }

  node(value: unknown): ReturnType<Document["createNode"]> {
    return this.#document.createNode(value);
  }

  /** @param what is there, completes "found …". */
  refusal(what: string): Error {
    return cannotWrite(
      this.#path,
      `${what}, expected none`,
      "Remove it, or choose another folder with -o and merge both by hand.",
    );
  }

  #collection(keys: readonly string[], empty: object, is: (node: unknown) => boolean, what: string): unknown {
    const found = this.#document.getIn(keys, true);
    if (is(found)) return found;
    if (found !== undefined && !(isScalar(found) && found.value === null)) {
      throw cannotWrite(this.#path, `something else at ${keys.join(".")}, expected ${what}`, "Fix the file first.");
    }
    const made = this.#document.createNode(empty);
    this.#document.setIn(keys, made);
    return made;
  }
}

export function isMarked(node: unknown): boolean {
  return isScalar(node) && node.comment === MARK;
}

/** A document of ours alone, as lines. */
export function yamlLines(value: unknown): readonly string[] {
  return stringify(value, { lineWidth: 0 }).trimEnd().split("\n");
}
