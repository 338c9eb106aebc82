import { ImgpackError } from "../../../errors.ts";
import type { V1ChainLayer, V1Image } from "../../../registry/v1/v1-image.ts";
import { rescueHint } from "./rescue-hint.ts";
import { isFailure, type ReportedFailure, type ReportedImage, type RescueReport } from "./rescue-report.ts";

export interface LedgerOptions {
  readonly dryRun: boolean;
  readonly verifies: boolean;
}

/** What becomes of each image of a rescue, in the order of the images. */
export class RescueLedger {
  readonly #options: LedgerOptions;
  #sources: readonly string[] | undefined;
  readonly #rows: (ReportedImage | ReportedFailure | undefined)[] = [];
  /** Names that could not be replaced by images. */
  readonly #failed: ReportedFailure[] = [];
  /** Bytes of each distinct layer as stored; undefined where nothing says. */
  readonly #layers = new Map<string, number | undefined>();
  #repositories = 0;
  #emptyRepositories = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** To be called when it is known what there is to copy. @param empty number of repositories without tags. */
  list(sources: readonly string[], repositories: number, empty: number): void {
    this.#sources = sources;
    this.#repositories = repositories;
    this.#emptyRepositories = empty;
  }

  /** A name with wildcards that could not be replaced. */
  refuse(source: string, error: ImgpackError): void {
    this.#failed.push(failure(source, error));
  }

  /** @param index of the image in the list. */
  done(index: number, image: ReportedImage): void {
    this.#rows[index] = image;
  }

  fail(index: number, error: unknown): void {
    this.#rows[index] = failure(this.#sources?.[index] ?? "", error);
  }

  /** All images of this name; a name that is not in the list could not be replaced by images. */
  failAll(source: string, error: ImgpackError): void {
    const indexes = (this.#sources ?? []).flatMap((other, index) => (other === source ? [index] : []));
    for (const index of indexes) this.fail(index, error);
    if (indexes.length === 0) this.refuse(source, error);
  }

  /** @param sizeOf bytes of a layer as stored, as far as they are known. */
  addLayers({ chain }: V1Image, sizeOf: (layer: V1ChainLayer) => number | undefined): void {
    for (const layer of chain) this.#layers.set(layer.key, sizeOf(layer));
  }

  report(): RescueReport {
    const sources = this.#sources ?? [];
    const isComplete = this.#sources !== undefined && sources.every((_, index) => this.#rows[index] !== undefined);
    const images = sources.map((source, index) => this.#rows[index] ?? notReached(source));
    const all = [...images, ...this.#failed];
    const failed = all.filter(isFailure).length;
    const sizes = [...this.#layers.values()];
    return {
      complete: isComplete,
      dryRun: this.#options.dryRun,
      verified: this.#options.verifies && isComplete && !this.#options.dryRun,
      repositories: this.#repositories,
      repositoriesWithoutTags: this.#emptyRepositories,
      tags: sources.length,
      copied: this.#options.dryRun ? 0 : all.length - failed,
      failed,
      layers: sizes.length,
      layerBytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
      layersOfUnknownSize: sizes.filter(size => size === undefined).length,
      images: all,
    };
  }
}

function failure(source: string, error: unknown): ReportedFailure {
  if (!(error instanceof ImgpackError)) return notReached(source);
  const { code, message } = error;
  const hint = rescueHint(error);
  return { source, error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}

function notReached(source: string): ReportedFailure {
  const error = {
    code: "ERR_INTERRUPTED",
    message: "Not copied: the run ended before, expected it to reach its end",
    hint: "Run the same command again: it resumes.",
  };
  return { source, error };
}
