import type { BlobSource, ByteRange } from "../../content/contracts.ts";
import { patchedBlob } from "../../content/joined-blob.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ArchiveSource } from "../archive-source.ts";
import { parsePieceName } from "../entry-names.ts";
import { type NumberedSlices, numberedSlices } from "./numbered-slices.ts";

/** The pieces of blobs that patches have. They replace bytes wherever these are. */
export class Pieces {
  readonly #pieces: NumberedSlices;

  /** @throws ArchiveError "patch-differs" for pieces that overlap. */
  constructor(patches: Iterable<ArchiveSource>) {
    this.#pieces = numberedSlices(patches, parsePieceName, ({ from }) => from);
    for (const [digest, pieces] of this.#pieces) checkApart(digest, pieces);
  }

  /** Whether pieces cover all bytes of a range. */
  cover(digest: Digest, { start, end }: ByteRange): boolean {
    let position = start;
    const pieces = [...(this.#pieces.get(digest) ?? [])].sort(([left], [right]) => left - right);
    for (const [from, { size }] of pieces) {
      if (from <= position && from + size > position) position = from + size;
    }
    return position >= end;
  }

  /**
   * A blob with its pieces in place.
   *
   * @throws ArchiveError "patch-differs" for a piece beyond the end of the blob.
   */
  applyTo(digest: Digest, blob: BlobSource): BlobSource {
    const pieces = this.#pieces.get(digest);
    if (pieces === undefined) return blob;
    for (const [from, { size }] of pieces) {
      if (from + size <= blob.size) continue;
      throw unusable(digest, `bytes ${from} to ${from + size - 1} of a blob of ${blob.size} bytes`, "pieces of it");
    }
    return patchedBlob(blob, pieces);
  }
}

function checkApart(digest: Digest, pieces: ReadonlyMap<number, BlobSource>): void {
  let end = 0;
  for (const [from, { size }] of [...pieces].sort(([left], [right]) => left - right)) {
    if (from < end) throw unusable(digest, `byte ${from} in two pieces`, "each byte once");
    end = from + size;
  }
}

function unusable(digest: Digest, found: string, expected: string): ArchiveError {
  return new ArchiveError("patch-differs", `Cannot patch blob ${digest}: found ${found}, expected ${expected}`, {
    hint: 'Make the patch again: "imgpack verify FILE... --need need.json", then "imgpack pull -f need.json -o patch.tar".',
  });
}
