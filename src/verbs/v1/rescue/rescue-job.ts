import type { TargetName } from "../../../oci/names/image-mapping.ts";
import type { V1Session } from "../../../registry/v1/v1-store.ts";

/** A tag to copy out of a v1 registry. */
export interface RescueJob {
  /** `v1://HOST/NAMESPACE/REPOSITORY:TAG`, or the same of a folder. */
  readonly source: string;
  /** As a line of a list that can be passed again. */
  readonly line: string;
  readonly tag: string;
  /** The repository, opened once in a run. */
  readonly session: (signal: AbortSignal | undefined) => Promise<V1Session>;
  readonly to: Pick<TargetName, "registry" | "repository"> & { readonly tag: string };
}
