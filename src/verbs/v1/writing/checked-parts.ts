import type { RawCheck } from "../../../transform/pack-layer.ts";

/** The parts, the last of which comes after the check of all: a layer that is damaged never arrives whole. @throws as `check`. */
export async function* checkedParts(parts: AsyncIterable<Uint8Array>, check: RawCheck): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const part of parts) {
    check.take(part);
    if (held !== undefined) yield held;
    // A part is valid until the next one is requested.
    held = Buffer.from(part);
  }
  check.end();
  if (held !== undefined) yield held;
}
