import { hasGlob } from "../../../bundle/list/reference-glob.ts";
import { listRoots } from "../../../content/derived-source.ts";
import { noteTo } from "../../../content/progress.ts";
import { type ImgpackError, UsageError } from "../../../errors.ts";
import { hostPlatform } from "../../../oci/platform.ts";
import { formatReference } from "../../../oci/reference.ts";
import { registrySource } from "../../../registry/registry-source.ts";
import { convertSchema1 } from "../../../transform/convert-schema1.ts";
import { quote } from "../../../util/format.ts";
import type { CopiedImage, CopyOptions } from "../../copy/copy-options.ts";
import { listOf } from "../../options/option-values.ts";
import { readPlatforms } from "../../options/read-platforms.ts";
import { withoutV1Options } from "../../options/refuse-v1-options.ts";
import { expandReferences, registryOf } from "../../requested/expand-references.ts";
import {
  formatRequested,
  type RequestedImage,
  type ResolvedImage,
  resolveImage,
} from "../../requested/requested-image.ts";
import { RegistryPool } from "../../shared/registry-pool.ts";
import { type OutgoingSource, outgoingImage } from "./outgoing-image.ts";
import type { SendImage, V1CopyJob, V1CopyList, V1CopySource } from "./v1-copy-job.ts";
import type { V1Target } from "./v1-target.ts";

/** Images of v2 registries, of an index one platform each. */
export class RegistryCopies implements V1CopySource {
  readonly #requested: readonly RequestedImage[];
  readonly #targetOf: (image: ResolvedImage) => Required<V1Target>;
  readonly #options: CopyOptions;
  readonly #registries: RegistryPool;

  /**
   * @param named registries in the arguments of the call.
   * @throws UsageError, BadReferenceError for what cannot be copied, before a registry is asked.
   */
  constructor(
    requested: readonly RequestedImage[],
    named: readonly string[],
    targetOf: (image: ResolvedImage) => Required<V1Target>,
    options: CopyOptions,
  ) {
    this.#requested = requested;
    this.#targetOf = targetOf;
    this.#options = options;
    for (const image of requested) if (!hasGlob(image.reference)) this.#job(image);
    const source = { ...options, registry: withoutV1Options(options.registry) };
    this.#registries = new RegistryPool(source, named, options.onProgress ?? (() => undefined));
    this.#registries.admit(requested.map(({ reference }) => registryOf(reference, options.registry)));
  }

  async list(): Promise<V1CopyList> {
    const { registry, signal } = this.#options;
    const failed: { source: string; error: ImgpackError }[] = [];
    const onFailed = (image: RequestedImage, error: ImgpackError): void =>
      void failed.push({ source: formatRequested(image), error });
    const expanded = await expandReferences(this.#requested, this.#registries, { registry, signal, onFailed });
    return { jobs: expanded.map(image => this.#job(image)), failed };
  }

  #job(image: RequestedImage): V1CopyJob {
    const resolved = resolveImage(image, this.#options.registry);
    const { reference, line, platforms } = resolved;
    const texts = platforms.length === 0 ? listOf(this.#options.platform) : platforms;
    const chosen = readPlatforms("copy", texts, [hostPlatform()]);
    const [platform, ...others] = chosen === "all" ? [] : chosen;
    if (platform === undefined || others.length > 0) {
      throw new UsageError(
        `Cannot copy ${quote(image.reference)} to a v1 registry: found several platforms, expected one`,
      );
    }
    return {
      source: line,
      line,
      identity: `${formatReference(reference)} ${platforms.join()}`,
      to: this.#targetOf(resolved),
      copy: async send => await this.#copy(resolved, { platform, isPlatformDefault: texts.length === 0 }, send),
    };
  }

  async #copy(
    { reference, line }: ResolvedImage,
    { platform, isPlatformDefault }: Pick<OutgoingSource, "platform" | "isPlatformDefault">,
    send: SendImage,
  ): Promise<Pick<CopiedImage, "digest" | "mediaType">> {
    const { onProgress, signal } = this.#options;
    const { repositoryFor, note } = this.#registries;
    await using held = registrySource([reference], repositoryFor, { onNote: note });
    const original = await listRoots(held, signal);
    const { source, roots } = await convertSchema1(held, original, { onNote: noteTo(onProgress), signal });
    const [root] = roots;
    const [first] = original;
    if (root === undefined || first?.kind !== "settled")
      throw new UsageError(`Cannot copy ${quote(line)}: found no image, expected one`);
    const from = { source, platform, isPlatformDefault, sizes: new Map() };
    await send(await outgoingImage(root, [], quote(line), from, signal));
    const { digest, mediaType } = first.descriptor;
    return { digest, mediaType };
  }

  async requests(): Promise<number> {
    return (await this.#registries.traffic()).requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registries[Symbol.asyncDispose]();
  }
}
