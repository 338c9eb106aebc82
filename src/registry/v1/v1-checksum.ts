import { createHash, type Hash } from "node:crypto";
import { IntegrityError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { V1LayerJson } from "./v1-store.ts";

export interface V1ChecksumOptions {
  /** Of the layer, as messages name it. */
  readonly what: string;
  /** True makes a note of a checksum that does not fit. */
  readonly noChecksums?: boolean | undefined;
  readonly onNote?: ((message: string, isDetail?: boolean) => void) | undefined;
}

const SHA256 = /^sha256:(.*)$/is;

/** True if a layer has a checksum that tells whether its bytes are right. */
export function isCheckable({ checksums }: Pick<V1LayerJson, "checksums">): boolean {
  return checksums.some(checksum => SHA256.test(checksum));
}

/**
 * The checksum of the v1 protocol: sha256 over the JSON, a newline, and the layer as stored. A server may give several, and
 * one that fits is enough. A tarsum ignores the order of the files, MD5 is broken: neither is checked.
 */
export class V1Checksum {
  readonly #hash: Hash | undefined;
  readonly #expected: readonly string[];
  readonly #options: V1ChecksumOptions;

  constructor({ bytes, checksums }: Pick<V1LayerJson, "bytes" | "checksums">, options: V1ChecksumOptions) {
    this.#options = options;
    this.#expected = checksums.flatMap(checksum => SHA256.exec(checksum)?.[1]?.trim().toLowerCase() ?? []);
    if (this.#expected.length > 0) this.#hash = createHash("sha256").update(bytes).update("\n");
    const others = checksums.filter(checksum => !SHA256.test(checksum)).map(quote);
    if (this.#hash === undefined && others.length > 0)
      options.onNote?.(`${options.what} has no checksum that can be checked: found ${others.join(", ")}`, true);
  }

  /** Takes the layer, part by part. */
  take(part: Uint8Array): void {
    this.#hash?.update(part);
  }

  /** @throws IntegrityError if no checksum fits. */
  end(): void {
    const found = this.#hash?.digest("hex");
    if (found === undefined || this.#expected.includes(found)) return;
    const { what, noChecksums = false, onNote } = this.#options;
    const expected = this.#expected.map(value => quote(`sha256:${value}`)).join(" or ");
    if (noChecksums) {
      onNote?.(`${what} does not fit its checksum, and is taken anyway: found sha256:${found}, expected ${expected}`);
      return;
    }
    throw new IntegrityError(`Cannot accept ${what}: its checksum is sha256:${found}, expected ${expected}`, {
      hint: "The layer is damaged in its registry. --no-v1-checksums takes it as it is.",
    });
  }
}
