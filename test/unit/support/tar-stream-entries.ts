import { gunzipSync } from "node:zlib";
import tar from "tar-stream";

export interface ReadEntry {
  readonly name: string;
  readonly body: Buffer;
}

/** The entries as a foreign reader finds them; a gzip'd archive is inflated first. */
export async function entriesOf(bytes: Buffer): Promise<readonly ReadEntry[]> {
  const extract = tar.extract();
  extract.end(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  const found: ReadEntry[] = [];
  for await (const entry of extract) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    found.push({ name: entry.header.name, body: Buffer.concat(chunks) });
  }
  return found;
}
