import type { LegacyLayer } from "../../oci/legacy/legacy-layer.ts";
import type { V1LayerJson, V1Repository } from "./v1-store.ts";

/** An image whose chain was checked. Layers are not read for it. */
export interface V1Image {
  readonly repository: V1Repository;
  readonly tag: string;
  /** Of the top layer: 64 hex digits. */
  readonly id: string;
  /** Base first. */
  readonly chain: readonly V1ChainLayer[];
}

export interface V1ChainLayer {
  readonly json: V1LayerJson;
  readonly layer: LegacyLayer;
  /** Hash of id, JSON and size: layers with one key are one layer, also in a later run. */
  readonly key: string;
}
