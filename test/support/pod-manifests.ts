import { readFileSync } from "node:fs";
import { parse, parseAllDocuments } from "yaml";

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

/** Folders that `kubectl apply -k` takes. */
export const PARTS = ["copy", "copy-last", "serve"] as const;

/** What the kustomization of a folder names. */
export interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
}

export function readKustomization(part: string): Kustomization {
  return parse(readFileSync(new URL(`${part}/kustomization.yaml`, MANIFESTS), "utf8")) as Kustomization;
}

/** The documents of a folder, in order. */
export function readManifests(part: (typeof PARTS)[number]): readonly Manifest[] {
  return readKustomization(part).resources.flatMap(name => {
    const text = readFileSync(new URL(`${part}/${name}`, MANIFESTS), "utf8");
    return parseAllDocuments(text).map(document => document.toJS() as Manifest);
  });
}
