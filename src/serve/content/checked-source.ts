import type { ByteRange } from "../../content/contracts.ts";
import type { StoredContent } from "./served-registry.ts";

/** Where the bytes of a blob come from. */
export interface CheckedSource extends StoredContent, AsyncDisposable {
  /** Another text means that these are other bytes than before, of which nothing is known. */
  readonly identity: string;
  /** Fills `into` with bytes from `position` on. @throws Error if they cannot be read. */
  fill(into: Uint8Array, position: number): Promise<void>;
  /** Is called once for each piece that goes out. @throws Error if the file is not what it was. */
  confirm(): Promise<void>;
  /** What the sums of the archive claim: sha256 in hex. */
  pieceHash(piece: number): string | undefined;
  /** @param range bytes of the blob that are wrong; undefined if that is not known. */
  onDamage(range: ByteRange | undefined, found: unknown): Promise<void>;
}

/** How blobs are cut. */
export interface PieceSizes {
  /** Bytes that are hashed before the first of them goes out. */
  readonly pieceBytes: number;
  /** Bytes that are read at once to be sent; a piece has a whole number of them. */
  readonly chunkBytes: number;
  /** Bytes that are read at once to be hashed: a whole number of chunks. To hand them to a thread costs the same for few and many. */
  readonly stepBytes: number;
}
