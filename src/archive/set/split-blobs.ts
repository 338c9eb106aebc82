import type { BlobSource } from "../../content/contracts.ts";
import type { BlobSegment } from "../../content/joined-blob.ts";
import { InternalError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ArchiveSource } from "../archive-source.ts";
import { parsePartName } from "../entry-names.ts";
import { type NumberedSlices, numberedSlices } from "./numbered-slices.ts";

/** A blob that is split among volumes. Parts that follow each other and are not there are one gap. */
export interface SplitBlob {
  readonly segments: readonly BlobSegment[];
  /** Bytes `start` to `end - 1`, of parts that are not there; undefined if all are. */
  readonly gap?: { readonly start: number; readonly end: number };
}

/** The parts of split blobs that some volumes of one set have, by digest and number. */
export class SplitBlobs {
  readonly #parts: NumberedSlices;

  constructor(volumes: Iterable<ArchiveSource>) {
    this.#parts = numberedSlices(volumes, parsePartName, ({ part }) => part);
  }

  /** Bytes of a blob in the parts that are there. */
  presentBytes(digest: Digest): number {
    return [...(this.#parts.get(digest)?.values() ?? [])].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * @param size of the whole blob.
   * @param count number of its parts.
   * @returns undefined if the parts that are there do not say which bytes they are: they have another size together, or parts
   * are lacking in two places.
   */
  find(digest: Digest, size: number, count: number): SplitBlob | undefined {
    const parts = this.#parts.get(digest);
    if (parts === undefined) return undefined;
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const found = numbers.map(number => parts.get(number));
    const present = found.reduce((sum, part) => sum + (part?.size ?? 0), 0);
    const first = found.indexOf(undefined);
    if (first < 0) return present === size ? { segments: found.flatMap(part => segmentsOf(part)) } : undefined;
    const last = found.lastIndexOf(undefined);
    const isOneGap = found.slice(first, last + 1).every(part => part === undefined);
    if (!isOneGap || present >= size) return undefined;
    const head = found.slice(0, first).flatMap(part => segmentsOf(part));
    const start = head.reduce((sum, { source }) => sum + source.size, 0);
    const gap = { start, end: start + size - present };
    const tail = found.slice(last + 1).flatMap(part => segmentsOf(part));
    return { segments: [...head, { source: lackingBytes(digest, size - present) }, ...tail], gap };
  }
}

function segmentsOf(part: BlobSource | undefined): readonly BlobSegment[] {
  return part === undefined ? [] : [{ source: part }];
}

/** Takes the place of a gap, which a patch covers. */
function lackingBytes(digest: Digest, size: number): BlobSource {
  return {
    size,
    open: async () => {
      throw new InternalError(`Cannot read blob ${digest}: a part of it is absent, and no patch covers it`);
    },
  };
}
