// Image manifests of schema 1, as registries hold them.
import { createHash } from "node:crypto";

export interface Schema1Step {
  /** What the step's v1Compatibility says, id and parent aside; text is taken as it is. */
  readonly json?: object | string;
  readonly layer?: string;
  readonly isThrowaway?: boolean;
}

/** The layer that stands for steps without one: gzip of an empty tar. */
export const EMPTY_LAYER = "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4";

export function schema1Id(place: number): string {
  return createHash("sha256").update(`step ${place}`).digest("hex");
}

/** @param steps base first; ids and parents are made up. */
export function schema1Document(steps: readonly Schema1Step[]): Record<string, unknown> {
  const newestFirst = steps.map(({ json = {}, isThrowaway = false }, place) => {
    if (typeof json === "string") return { v1Compatibility: json };
    const chain = { id: schema1Id(place), ...(place === 0 ? {} : { parent: schema1Id(place - 1) }) };
    const thrown = isThrowaway ? { throwaway: true } : {};
    return { v1Compatibility: JSON.stringify({ ...chain, created: "2016-02-03T04:05:06.7Z", ...thrown, ...json }) };
  });
  return {
    schemaVersion: 1,
    name: "team/app",
    tag: "1",
    architecture: "amd64",
    fsLayers: steps.map(({ layer = EMPTY_LAYER }) => ({ blobSum: layer })).reverse(),
    history: newestFirst.reverse(),
  };
}

export function schema1Bytes(document: object): Buffer {
  return Buffer.from(JSON.stringify(document, undefined, 3));
}

export interface SignOptions {
  readonly tail?: string;
  readonly length?: number;
  readonly protected?: string;
  /** How many signatures. */
  readonly times?: number;
  /** Stands before the signatures, outside of what they sign. */
  readonly unsigned?: string;
}

/** As libtrust lays signatures into a document; the signature itself is made up. */
export function signSchema1(payload: Buffer, options: SignOptions = {}): Buffer {
  const { times = 1, unsigned = "" } = options;
  const tail = options.tail ?? "\n}";
  const length = options.length ?? payload.length - 2;
  const header = {
    formatLength: length,
    formatTail: Buffer.from(tail).toString("base64url"),
    time: "2016-02-03T04:05:06Z",
  };
  const sealed = options.protected ?? Buffer.from(JSON.stringify(header)).toString("base64url");
  const signature = { header: { alg: "ES256" }, signature: "c2lnbmVk", protected: sealed };
  const signatures = JSON.stringify(Array.from({ length: times }, () => signature));
  const body = payload.subarray(0, payload.length - 2);
  return Buffer.concat([body, Buffer.from(`,\n${unsigned}   "signatures": ${signatures}\n}`)]);
}
