import type { Digest } from "../../../oci/digest.ts";

/** A tag that is at the target. In a dry run, one that can be read. */
export interface ReportedImage {
  /** `v1://HOST/NAMESPACE/REPOSITORY:TAG`, or the same of a folder. */
  readonly source: string;
  /** Of its top layer, in the v1 registry: 64 hex digits. */
  readonly id: string;
  /** `registry/repository:tag` */
  readonly target: string;
  /** Of the manifest. Absent in a dry run, for layers that no run has read yet. */
  readonly digest?: Digest | undefined;
  /** Of the config: Docker's image ID. Absent as `digest`. */
  readonly config?: Digest | undefined;
  /** Of its layers, as stored at the source. In a dry run, of those whose size is known. */
  readonly bytes: number;
}

/** A tag, or a name with wildcards, that is not at the target. */
export interface ReportedFailure {
  readonly source: string;
  readonly error: {
    /** As in `ImgpackError`; ERR_INTERRUPTED for what an interrupted run did not reach. */
    readonly code: string;
    readonly message: string;
    /** What to do. */
    readonly hint?: string | undefined;
  };
}

/** What a rescue did, tag by tag. */
export interface RescueReport {
  /** False if the run was interrupted, or ended before all was read. */
  readonly complete: boolean;
  readonly dryRun: boolean;
  /** Whether all that was copied was read back from the target. */
  readonly verified: boolean;
  readonly repositories: number;
  readonly repositoriesWithoutTags: number;
  readonly tags: number;
  /** Tags that are at the target now, also those that were there before. */
  readonly copied: number;
  readonly failed: number;
  /** Distinct layers of the images that could be read. */
  readonly layers: number;
  /** Of the distinct layers, as stored at the source. */
  readonly layerBytes: number;
  /** Distinct layers that `layerBytes` does not contain: no server and no earlier run says how long they are. */
  readonly layersOfUnknownSize: number;
  readonly images: readonly (ReportedImage | ReportedFailure)[];
}

export function isFailure(image: ReportedImage | ReportedFailure): image is ReportedFailure {
  return "error" in image;
}
