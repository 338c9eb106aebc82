import { noteTo, type OnProgress } from "../../../content/progress.ts";
import type { V1Repository } from "../../../registry/v1/v1-store.ts";
import { pushV1, type V1PushImage } from "../../../registry/v1/writing/push-v1.ts";
import { registryOptions } from "../../options/registry-options.ts";
import { NamedRegistries } from "../../shared/named-registries.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withV1Client } from "../with-v1-client.ts";

/** What one call has sent to v1 registries. */
export class V1PushRun {
  requests = 0;
  bytesSent = 0;
  readonly #options: RemoteOptions;
  readonly #onProgress: OnProgress;

  /**
   * @param named hosts in the arguments of the call; `reached` are all hosts that it reaches.
   * @param onProgress of the call, counted.
   * @throws UsageError for options that may not be used for all of them.
   */
  constructor(
    options: RemoteOptions,
    { named, reached }: { readonly named: readonly string[]; readonly reached: readonly string[] },
    onProgress: OnProgress,
  ) {
    new NamedRegistries(registryOptions(options.registry), named).admit(reached);
    this.#options = options;
    this.#onProgress = onProgress;
  }

  /** Pushes images into one repository. @throws as `pushV1`. */
  async push(host: string, repository: V1Repository, images: readonly V1PushImage[]): Promise<void> {
    await withV1Client(host, this.#options, async client => {
      const onLayer = ({ id }: { readonly id: string }, bytes: number): void => {
        const blob = `layer ${id}` as const;
        this.bytesSent += bytes;
        if (bytes > 0) this.#onProgress({ kind: "bytes", blob, delta: bytes });
        this.#onProgress(
          bytes > 0 ? { kind: "done", blob, bytes } : { kind: "skipped", blob, bytes, reason: "exists" },
        );
      };
      try {
        const { signal } = this.#options;
        await pushV1(client, repository, images, { onNote: noteTo(this.#onProgress), onLayer, signal });
      } finally {
        this.requests += client.requests;
      }
    });
  }
}
