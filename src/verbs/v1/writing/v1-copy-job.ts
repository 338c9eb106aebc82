import type { ImgpackError } from "../../../errors.ts";
import type { V1PushImage } from "../../../registry/v1/writing/push-v1.ts";
import type { CopiedImage } from "../../copy/copy-options.ts";
import type { V1Target } from "./v1-target.ts";

export type SendImage = (image: Omit<V1PushImage, "tags">) => Promise<void>;

/** An image to copy into a v1 registry. */
export interface V1CopyJob {
  /** Reference as it was given. */
  readonly source: string;
  /** As a line of a list that can be passed again. */
  readonly line: string;
  /** Sources with one identity are one image. */
  readonly identity: string;
  readonly to: Required<V1Target>;
  /** Opens the image while `send` runs. @returns what it is at its source. */
  readonly copy: (send: SendImage) => Promise<Pick<CopiedImage, "digest" | "mediaType">>;
}

export interface V1CopyList {
  readonly jobs: readonly V1CopyJob[];
  /** References with wildcards that could not be replaced. */
  readonly failed: readonly { readonly source: string; readonly error: ImgpackError }[];
}

/** Where the images of a copy are. */
export interface V1CopySource extends AsyncDisposable {
  list(): Promise<V1CopyList>;
  /** HTTP requests so far. */
  requests(): Promise<number>;
}
