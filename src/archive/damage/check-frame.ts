import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import { BLOCK_BYTES, isZero } from "../../tar/header.ts";
import { encodeSlotHeader } from "../../tar/tar-plan.ts";
import { padded } from "../../tar/tar-walk.ts";
import { SUMS_FILE } from "../entry-names.ts";
import type { DamagedFile } from "./damaged-file.ts";
import type { Layout, LayoutSlot } from "./find-layout.ts";

/** Damage outside of blobs: what is right follows from the lock and the sums. */
export interface FrameFault {
  readonly kind: "header" | "padding" | "file" | "cut" | "trailing";
  /** The entry that it belongs to, or that comes before it; undefined at the end of the archive. */
  readonly slot: LayoutSlot | undefined;
  /** Bytes of the file, `from` to `to - 1`. */
  readonly from: number;
  readonly to: number;
}

/** Compares everything that is no blob with what the layout says. */
export async function checkFrame(
  file: DamagedFile,
  layout: Layout,
  signal?: AbortSignal,
): Promise<readonly FrameFault[]> {
  const faults: FrameFault[] = [];
  const { slots, totalBytes } = layout;
  const zeros = async (from: number, to: number, slot: LayoutSlot | undefined): Promise<void> => {
    const bytes = await file.read(from, to - from);
    if (!isZero(bytes)) faults.push({ kind: "padding", slot, from, to: from + bytes.length });
  };
  for (const slot of slots) {
    signal?.throwIfAborted();
    const { headerOffset, bodyOffset, size } = slot;
    if (headerOffset >= file.size) break;
    // Cut headers are reported with the end of the file.
    const header = await file.read(headerOffset, BLOCK_BYTES);
    if (header.length === BLOCK_BYTES && !header.equals(encodeSlotHeader(slot)))
      faults.push({ kind: "header", slot, from: headerOffset, to: bodyOffset });
    if (slot.digest === undefined && bodyOffset + size <= file.size && !(await isRight(file, layout, slot)))
      faults.push({ kind: "file", slot, from: bodyOffset, to: bodyOffset + size });
    if (padded(size) > size) await zeros(bodyOffset + size, bodyOffset + padded(size), slot);
  }
  const last = slots.at(-1);
  const end = last === undefined ? 0 : last.bodyOffset + padded(last.size);
  if (file.size > end) await zeros(end, totalBytes, undefined);
  if (file.size < totalBytes) faults.push({ kind: "cut", slot: undefined, from: file.size, to: totalBytes });
  if (file.size > totalBytes) faults.push({ kind: "trailing", slot: undefined, from: totalBytes, to: file.size });
  return faults;
}

/** Whether an entry that is no blob has the bytes that it had. */
async function isRight(file: DamagedFile, layout: Layout, slot: LayoutSlot): Promise<boolean> {
  const { sums, lockBytes } = layout;
  if (slot.name === SUMS_FILE) return sums?.isIntact === true;
  const { file: row, name, bodyOffset, size } = slot;
  if (row !== undefined && row.sha256 !== "") return (await file.digest(bodyOffset, size)) === `sha256:${row.sha256}`;
  // Without sums, the lock is still right if its id is.
  return name !== LOCK_FILE || (size === lockBytes.length && (await file.read(bodyOffset, size)).equals(lockBytes));
}
