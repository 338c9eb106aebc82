import { constants } from "node:fs";
import { crc32 } from "node:zlib";
import { readRegularFile } from "../../util/input-file.ts";
import { isOwnFault } from "../content/own-fault.ts";
import { writeDurably } from "./durable-file.ts";

/** A media type or a name is far shorter. */
const MAX_BYTES = 64 * 1024;
/** Anything but a plain file: no link is followed, and a FIFO without a writer does not block. */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** The bytes of a small plain file; undefined for anything else. */
export async function readSmallFile(path: string, maxBytes: number = MAX_BYTES): Promise<Buffer | undefined> {
  try {
    const found = await readRegularFile(path, maxBytes, constants.O_NOFOLLOW);
    return typeof found === "string" ? undefined : found;
  } catch (error) {
    if (isOwnFault(error)) throw error;
    return undefined;
  }
}

/** Writes JSON and its CRC-32 on a second line: any flipped, cut or zeroed byte shows. */
export async function writeRecord(path: string, record: object, scratch: string): Promise<void> {
  const json = JSON.stringify(record);
  await writeDurably(path, `${json}\n${checksum(json)}\n`, scratch);
}

/** @returns undefined for a file that is not exactly what `writeRecord` wrote. */
export async function readRecord(path: string): Promise<Record<string, unknown> | undefined> {
  const text = (await readSmallFile(path))?.toString();
  const [json = "", sum] = text?.split("\n") ?? [];
  if (text !== `${json}\n${sum}\n` || sum !== checksum(json)) return undefined;
  return { ...(JSON.parse(json) as object) };
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
