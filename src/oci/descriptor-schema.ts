import { ANY, fixedFields, INTEGER, type JsonShape, mapOf } from "../util/json/json-shape.ts";
import { array, fields, freeMap, nullish, rule, type Schema, string, transformed } from "../util/json/schema.ts";
import type { Descriptor } from "./descriptor.ts";
import { type Digest, isDigest } from "./digest.ts";
import type { Platform } from "./platform.ts";

const PLATFORM_SHAPE: JsonShape = fixedFields({
  architecture: ANY,
  os: ANY,
  "os.version": ANY,
  "os.features": ANY,
  variant: ANY,
});

export const DESCRIPTOR_SHAPE: JsonShape = fixedFields({
  mediaType: ANY,
  digest: ANY,
  size: INTEGER,
  platform: PLATFORM_SHAPE,
  artifactType: ANY,
  annotations: mapOf(ANY),
  urls: ANY,
  data: ANY,
});

export const digestSchema: Schema<Digest> = rule(
  "bad-digest",
  "sha256:<64 hex digits> or sha512:<128 hex digits>",
  isDigest,
);

const sizeSchema: Schema<number> = rule("json-number", "an integer from 0 to 2^53-1", isSize);

/** A free map of strings, without a prototype: `__proto__` and `constructor` are ordinary keys. */
export const annotationsSchema: Schema<Readonly<Record<string, string>>> = transformed(
  freeMap(string()),
  toNullPrototype,
);

const platformSchema: Schema<Platform | undefined> = transformed(
  fields({
    architecture: nullish(string()),
    os: nullish(string()),
    "os.version": nullish(string()),
    "os.features": nullish(array(string())),
    variant: nullish(string()),
  }),
  found => {
    // Some writers leave an empty platform, which means none.
    if (!found.os || !found.architecture) return undefined;
    const platform: { -readonly [K in keyof Platform]: Platform[K] } = {
      os: found.os,
      architecture: found.architecture,
    };
    if (found.variant) platform.variant = found.variant;
    if (found["os.version"]) platform.osVersion = found["os.version"];
    if (found["os.features"]) platform.osFeatures = found["os.features"];
    return platform;
  },
);

/** A descriptor (image-spec descriptor.md); unknown fields, and `data`, stay in the raw bytes only. */
export const descriptorSchema: Schema<Descriptor> = transformed(
  fields({
    mediaType: string(),
    digest: digestSchema,
    size: sizeSchema,
    platform: nullish(platformSchema),
    artifactType: nullish(string()),
    annotations: nullish(annotationsSchema),
    urls: nullish(array(string())),
  }),
  found => {
    const descriptor: { -readonly [K in keyof Descriptor]: Descriptor[K] } = {
      mediaType: found.mediaType,
      digest: found.digest,
      size: found.size,
    };
    if (found.platform) descriptor.platform = found.platform;
    if (found.artifactType) descriptor.artifactType = found.artifactType;
    if (found.annotations) descriptor.annotations = found.annotations;
    if (found.urls) descriptor.urls = found.urls;
    return descriptor;
  },
);

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function toNullPrototype(map: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const result: Record<string, string> = Object.create(null);
  for (const [key, value] of map) result[key] = value;
  return result;
}
