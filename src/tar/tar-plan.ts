import { ArchiveError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { cleanName } from "./clean-name.ts";
import { EntryTable } from "./entry-table.ts";
import { BLOCK_BYTES, encodeHeader, MAX_HEADER_NAME_BYTES } from "./header.ts";
import { padded } from "./tar-walk.ts";

/** The position of one file in a planned archive; offsets in bytes from the start of the archive. */
export interface TarSlot {
  readonly name: string;
  readonly headerOffset: number;
  readonly bodyOffset: number;
  readonly size: number;
}

/** Slots in file order: disjoint, 512-aligned; `totalBytes` includes padding and the two closing zero blocks. */
export interface TarPlan {
  readonly slots: ReadonlyMap<string, TarSlot>;
  readonly totalBytes: number;
}

/** Zeros outside of headers and bodies. */
export interface TarGap {
  readonly position: number;
  readonly length: number;
}

export const END_BYTES: number = 2 * BLOCK_BYTES;

function refused(reason: string, name: string, found: string, expected: string): ArchiveError {
  return new ArchiveError(reason, `Cannot lay out entry ${quote(name)} of the archive: ${found}, expected ${expected}`);
}

/**
 * Plans a tar of files in the given order; the same files give the same archive, byte for byte.
 *
 * @throws ArchiveError for a repeated name, a name that does not fit a plain header (100 bytes) or that `indexTar` would
 * refuse, and for a size or total that is no safe integer.
 */
export function planTar(files: readonly { readonly name: string; readonly size: number }[]): TarPlan {
  const slots = new Map<string, TarSlot>();
  const names = new EntryTable();
  let position = 0;
  for (const { name, size } of files) {
    const place = { what: "the planned archive", name };
    if (cleanName(name, false, place) !== name) throw refused("unclean-name", name, 'a leading "./"', "none");
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes > MAX_HEADER_NAME_BYTES) {
      throw refused("name-too-long", name, `a name of ${nameBytes} bytes`, `at most ${MAX_HEADER_NAME_BYTES}`);
    }
    if (!Number.isSafeInteger(size) || size < 0) {
      throw refused("bad-size", name, `a size of ${size}`, "a whole number of bytes");
    }
    const bodyOffset = position + BLOCK_BYTES;
    const collision = names.add({ name, type: "file", bodyOffset, size }, "header");
    if (collision?.kind === "repeated") throw refused("duplicate-name", name, "a repeated name", "each name once");
    if (collision !== undefined)
      throw refused("file-and-folder", name, "a name is both file and folder", "one of them");
    slots.set(name, { name, headerOffset: position, bodyOffset, size });
    position = bodyOffset + padded(size);
    if (!Number.isSafeInteger(position + END_BYTES)) {
      throw refused("bad-size", name, `it would end at byte ${position}`, "an archive of less than 2^53 bytes");
    }
  }
  return { slots, totalBytes: position + END_BYTES };
}

/** The 512 bytes at the slot's `headerOffset`. */
export function encodeSlotHeader(slot: TarSlot): Uint8Array {
  return encodeHeader(slot.name, slot.size);
}

/** The zeros after the slot's body. */
export function slotPadding({ size }: TarSlot): Uint8Array {
  return new Uint8Array(padded(size) - size);
}

/** Everything outside of headers and bodies, in file order: padding, and the closing blocks. */
export function planGaps(plan: TarPlan): readonly TarGap[] {
  const gaps: TarGap[] = [];
  for (const { bodyOffset, size } of plan.slots.values()) {
    const length = padded(size) - size;
    if (length > 0) gaps.push({ position: bodyOffset + size, length });
  }
  gaps.push({ position: plan.totalBytes - END_BYTES, length: END_BYTES });
  return gaps;
}
