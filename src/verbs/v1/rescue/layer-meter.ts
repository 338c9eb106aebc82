import type { CopyPlan, Seal } from "../../../content/contracts.ts";
import { type BlobLabel, type OnProgress, underWay } from "../../../content/progress.ts";
import { atEnd, countedPending } from "../../../copy/copy-ends.ts";
import { ImgpackError, InternalError } from "../../../errors.ts";
import type { MeasuredFacts, MeasuredLayer } from "../reading/measured-layer.ts";
import type { Limiter } from "./limiter.ts";
import type { TargetRepository } from "./target-repositories.ts";

const NOTHING: CopyPlan = { roots: [], pending: [], blobs: [], manifests: new Map(), totalBytes: 0 };

/**
 * Reads layers whose digests no one knows, each once in a run, however many images share it: the reading that finds out
 * its digests sends it to the repository that needs it first. Others get it from there.
 */
export class LayerMeter {
  readonly #gate: Limiter;
  readonly #onProgress: OnProgress;
  readonly #onFacts: (key: string, facts: MeasuredFacts) => Promise<void>;
  readonly #readings = new Map<string, Promise<void>>();

  /**
   * @param gate of the run, whose end alone stops a reading: several images may wait for it.
   * @param onFacts is called when the layer is at its repository.
   */
  constructor(gate: Limiter, onProgress: OnProgress, onFacts: (key: string, facts: MeasuredFacts) => Promise<void>) {
    this.#gate = gate;
    this.#onProgress = onProgress;
    this.#onFacts = onFacts;
  }

  /**
   * @param key of the layer: the same means the same layer.
   * @throws what an earlier image got for the layer, unless the same may succeed later, or elsewhere.
   */
  async read(key: string, id: string, layer: () => MeasuredLayer, to: TargetRepository): Promise<void> {
    const read = async (signal: AbortSignal): Promise<void> => {
      const facts = await this.#send(layer(), `layer ${id}`, to, signal);
      await this.#onFacts(key, facts);
    };
    const reading = this.#readings.get(key) ?? this.#gate.run(read);
    this.#readings.set(key, reading);
    try {
      await reading;
    } catch (error) {
      const isFinal = error instanceof ImgpackError && error.origin === "source" && !error.transient;
      if (!isFinal && this.#readings.get(key) === reading) this.#readings.delete(key);
      throw error;
    }
  }

  async #send(
    layer: MeasuredLayer,
    blob: BlobLabel,
    { direct, present }: TargetRepository,
    signal: AbortSignal,
  ): Promise<MeasuredFacts> {
    const onBytes = (delta: number): void => this.#onProgress({ kind: "bytes", blob, delta });
    this.#onProgress({ kind: "planned", blobs: 1, bytes: layer.sourceBytes });
    const send = async (): Promise<Seal> => {
      await using session = await direct.begin(NOTHING, signal);
      if (session.putPending !== undefined) return await session.putPending(countedPending(layer), signal, onBytes);
      throw new InternalError("Cannot copy layer to this target: it needs to know the digest before the first byte");
    };
    const started = { blob, bytes: layer.sourceBytes, from: layer.host, to: direct.host };
    const sending = underWay(this.#onProgress, started, async () => await atEnd("target", send));
    const { descriptor, presence } = await sending;
    present.add(descriptor.digest);
    const { size } = layer.facts().stored;
    // Servers state wrong sizes, or none.
    if (size !== layer.sourceBytes) this.#onProgress({ kind: "planned", blobs: 0, bytes: size - layer.sourceBytes });
    this.#onProgress(
      presence === undefined
        ? { kind: "done", blob, bytes: descriptor.size }
        : { kind: "skipped", blob, bytes: 0, reason: presence },
    );
    return layer.facts();
  }
}
