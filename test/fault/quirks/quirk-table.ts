import type { Personality } from "./personality.ts";

export const COLUMNS = [
  "push files",
  "push a pipe",
  "push as it is",
  "push large again",
  "pull",
  "pull resumed",
] as const;
export type Column = (typeof COLUMNS)[number];

/** "yes" or "no" by name and column. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, "yes" | "no">>;

/** The lines of the table in docs/REGISTRIES.md. */
export function quirkTable(personalities: readonly Personality[], results: Results): readonly string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    row(["registry", "how it differs", ...COLUMNS]),
    row(["---", "---", ...COLUMNS.map(() => "---")]),
    ...personalities.map(personality => {
      const found = results.get(personality.name);
      return row([
        personality.name,
        waysOf(personality).join("; ") || "nothing",
        ...COLUMNS.map(column => found?.get(column) ?? "no"),
      ]);
    }),
  ];
}

function waysOf(personality: Personality): readonly string[] {
  const { auth, storage, location, chunks, uploadHeaders = {}, blobHeaders = {} } = personality;
  const when = (value: unknown, text: string): readonly string[] => (value === undefined ? [] : [text]);
  const rules = typeof chunks === "object" ? chunks : {};
  return [
    ...when(auth, auth === "basic" ? "Basic login" : "tokens"),
    ...when(personality.tokenRequests, "tokens expire during an upload"),
    ...when(storage, `${storage?.status} to storage that refuses credentials and HEAD`),
    ...when(personality.headBlob, `HEAD of a blob is ${personality.headBlob}`),
    ...when(personality.headManifest, `HEAD of a manifest is ${personality.headManifest}`),
    ...when(personality.digestHeader, "no Docker-Content-Digest"),
    ...when(personality.ranges, "no ranges"),
    ...when(
      personality.accept,
      personality.accept === "schema-1" ? "schema 1 without OCI in Accept" : "404 without OCI in Accept",
    ),
    ...when(personality.ociOnly, "OCI manifests only"),
    ...when(personality.manifestLength, "manifests need Content-Length"),
    ...when(location, LOCATIONS[location ?? "relative"]),
    ...when(personality.mostWhole, "413 for large bodies"),
    ...when(chunks === "refused" ? chunks : undefined, "no chunks"),
    ...when(rules.most, `chunks up to ${mib(rules.most)}, else ${rules.refusal ?? 416}`),
    ...when(rules.least, `chunks from ${mib(rules.least)} on`),
    ...when(rules.taken, `${rules.taken} for a chunk`),
    ...when(rules.range, rules.range === "stale" ? "stale Range" : "no Range"),
    ...when(rules.takes, `accepts only ${mib(rules.takes)} of a chunk`),
    ...when(personality.emptyRange, `Range ${personality.emptyRange} of an empty upload`),
    ...when(personality.progress, `${personality.progress} for the status of an upload`),
    ...when(personality.mount, `${personality.mount} for a mount`),
    ...when(personality.cancel, `${personality.cancel} for a cancelled upload`),
    ...when(personality.created, `${personality.created} for a stored blob`),
    ...when(personality.cookie, "sets a cookie, then refuses requests with it"),
    ...when(personality.oneUpload, "parallel uploads spoil each other"),
    ...Object.keys(uploadHeaders),
    ...Object.entries(blobHeaders).map(([name, value]) => `${name}: ${value} on blobs`),
  ];
}

const LOCATIONS: Readonly<Record<NonNullable<Personality["location"]>, string>> = {
  absolute: "absolute Location",
  relative: "relative Location",
  inner: "Location names an inner scheme and port",
  opaque: "Location on another path, 8 KiB long",
  state: "Location good for one request",
};

function mib(bytes = 0): string {
  return `${bytes / 1024 / 1024} MiB`;
}
