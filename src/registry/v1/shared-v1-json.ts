import { MAX_KEPT_JSON_BYTES } from "../../oci/limits.ts";
import type { V1LayerJson, V1Session, V1Store } from "./v1-store.ts";

interface Kept {
  readonly documents: Map<string, V1LayerJson>;
  readonly running: Map<string, Promise<V1LayerJson>>;
  bytes: number;
}

const stores = new WeakMap<V1Store, Kept>();

/**
 * The JSON of a layer. Images of a store share most of their layers, so it is asked for once per store; the oldest documents
 * are forgotten when all of them need more than 48 MiB.
 */
export async function sharedV1Json(session: V1Session, id: string, signal?: AbortSignal): Promise<V1LayerJson> {
  const kept = stores.get(session.store) ?? { documents: new Map(), running: new Map(), bytes: 0 };
  stores.set(session.store, kept);
  // Another image's request may fail, or be aborted, for reasons that are not those of this one.
  for (let other = kept.running.get(id); other !== undefined; other = kept.running.get(id))
    await other.catch(() => undefined);
  const known = kept.documents.get(id);
  if (known !== undefined) return known;
  const running = session.json(id, signal);
  kept.running.set(id, running);
  try {
    const json = await running;
    keep(kept, id, json);
    return json;
  } finally {
    kept.running.delete(id);
  }
}

function keep(kept: Kept, id: string, json: V1LayerJson): void {
  kept.documents.set(id, json);
  kept.bytes += json.bytes.length;
  for (const [oldest, { bytes }] of kept.documents) {
    if (kept.bytes <= MAX_KEPT_JSON_BYTES) return;
    kept.documents.delete(oldest);
    kept.bytes -= bytes.length;
  }
}
