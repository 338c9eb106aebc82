import { constants } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { openDescriptor } from "./read-disk.ts";

/** Opens a FIFO for reading, at once. The stream waits for a writer, and can be destroyed meanwhile. */
export async function openFifo(path: string): Promise<Readable> {
  const fd = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}
