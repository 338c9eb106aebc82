import { decodeUtf8 } from "./clean-name.ts";
import { isZero } from "./header.ts";
import { refusal, type TarPlace } from "./refusal.ts";

/** Largest body of a GNU long-name record (type `L` or `K`), in bytes. */
export const MAX_LONG_NAME_BYTES: number = 64 * 1024;

/** The text of a GNU long-name body, up to its NUL. @throws ArchiveError without a NUL, or with bytes after it. */
export function decodeLongName(body: Uint8Array, place: TarPlace): string {
  const end = body.indexOf(0);
  if (end === -1) throw refusal("gnu-name-without-nul", place, "a GNU long name without its NUL", "a NUL at its end");
  if (!isZero(body.subarray(end))) {
    throw refusal("bytes-after-nul", place, "a GNU long name with bytes after its NUL", "nothing but NULs there");
  }
  return decodeUtf8(body.subarray(0, end), place);
}
