import { rawLayerCheck } from "../../../archive/raw-layer-check.ts";
import type { BlobSource, PendingBlob } from "../../../content/contracts.ts";
import type { LayerFacts } from "../../../copy/layer-facts.ts";
import { InternalError } from "../../../errors.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { DOCKER_LAYER } from "../../../oci/media-types.ts";
import { isCheckable, V1Checksum, type V1ChecksumOptions } from "../../../registry/v1/v1-checksum.ts";
import type { V1ChainLayer } from "../../../registry/v1/v1-image.ts";
import type { V1Layer, V1Session } from "../../../registry/v1/v1-store.ts";
import { measureLayer, type Repacking } from "../../../transform/measure-layer.ts";

export interface MeasuredLayerOptions extends Omit<V1ChecksumOptions, "what"> {
  /** Default: every layer is kept as stored. */
  readonly repack?: Repacking | undefined;
  /** The first bytes of the layer as stored, which an earlier run has read; the checksum must tell whether they are. */
  readonly kept?: BlobSource | undefined;
}

/** What one reading found out, and what it delivered. */
export interface MeasuredFacts extends LayerFacts {
  /** `stored` itself, unless the layer was compressed again. */
  readonly delivered: Descriptor;
}

/** A layer of a v1 image while nothing is known of it but its id. */
export interface MeasuredLayer extends PendingBlob {
  /** `host[:port]` that it comes from, for progress; undefined for a folder. */
  readonly host: string | undefined;
  /** After the end of the stream. @throws InternalError before. */
  facts(): MeasuredFacts;
}

/**
 * A layer that is measured while it is sent: one reading gives its digest and diff_id, and checks the checksum of the
 * protocol. The stream throws IntegrityError at its end if that does not fit. The media type is known by the seal alone.
 */
export function measuredLayer(
  session: V1Session,
  { json, key }: V1ChainLayer,
  { repack = () => undefined, kept, ...notes }: MeasuredLayerOptions = {},
): MeasuredLayer {
  const what = `layer ${json.id} of ${session.store.name}`;
  let found: MeasuredFacts | undefined;
  const sourceBytes = json.size ?? 0;
  return {
    host: session.store.host,
    what,
    key: `pending:v1:${key}`,
    mediaType: DOCKER_LAYER,
    sourceBytes,
    origin: { mediaType: DOCKER_LAYER, digest: `sha256:${"0".repeat(64)}`, size: sourceBytes },
    async open(signal, onBytes) {
      const parts =
        kept === undefined
          ? (await session.layer(json.id, signal)).read(0, signal)
          : continued(kept, async () => await session.layer(json.id, signal), json.size, signal);
      let stored: Descriptor | undefined;
      const stream = await measureLayer(parts, {
        what,
        check: new V1Checksum(json, { ...notes, what }),
        rawCheck: isCheckable(json) ? undefined : rawLayerCheck(what),
        repack,
        onStored: descriptor => {
          stored = descriptor;
        },
        signal,
        onBytes,
      });
      return {
        body: stream.body,
        seal() {
          const seal = stream.seal();
          if (stored === undefined || seal.diffId === undefined) throw unmeasured(what);
          found = { stored, diffId: seal.diffId, delivered: seal.descriptor };
          return seal;
        },
      };
    },
    facts() {
      if (found === undefined) throw unmeasured(what);
      return found;
    },
  };
}

/** Does not ask for a layer that is whole. */
async function* continued(
  kept: BlobSource,
  open: () => Promise<V1Layer>,
  size: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  yield* (await kept.open(undefined, signal)) as AsyncIterable<Uint8Array>;
  if (kept.size !== size) yield* (await open()).read(kept.size, signal);
}

function unmeasured(what: string): InternalError {
  return new InternalError(`Cannot describe ${what}: it was not read to its end`);
}
