import type { Reply } from "../memory-registry.ts";

/** A JSON answer, as the index writes it. */
export function said(status: number, value: unknown, headers: Reply["headers"] = {}): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** The document of a request; undefined unless it says that it is JSON, and is. */
export function jsonOf(type: string | undefined, body: Buffer): unknown {
  if (type !== "application/json") return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
