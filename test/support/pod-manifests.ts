import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

export const MANIFESTS: URL = new URL("../../deploy/kubernetes/", import.meta.url);

/** A manifest of deploy/kubernetes, as far as the tests look into it; its shape is checked against the schemas. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly completions?: number;
    readonly parallelism?: number;
    readonly completionMode?: string;
    readonly backoffLimitPerIndex?: number;
    readonly podFailurePolicy?: unknown;
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: PodTemplate;
  };
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly restartPolicy?: string;
    readonly automountServiceAccountToken: boolean;
    readonly securityContext: object;
    readonly volumes: readonly { readonly name: string }[];
    readonly containers: readonly [Container];
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

/** The documents of one file. */
export function readManifests(name: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(new URL(name, MANIFESTS), "utf8")).map(document => document.toJS() as Manifest);
}
