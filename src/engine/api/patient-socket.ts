import { Socket } from "node:net";

/**
 * A socket that is read to its end also when its peer takes no more: an engine that refuses an archive in the middle says why,
 * and closes. A write that fails never ends; what is read, or the end of it, says how it was.
 */
export class PatientSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    super._write(chunk, encoding, error => error ?? done());
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    super._writev?.(chunks, error => error ?? done());
  }
}
