import { escapeForeign, quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import type { HeaderMap } from "./headers.ts";
import { contentType, isWebPage } from "./web-page.ts";

export interface ErrorBody {
  /** Codes of the `errors` list (distribution specification, "Error Codes"); other spellings are dropped. */
  readonly codes: readonly string[];
  /** Parts of a message, escaped: `NAME_UNKNOWN "repository not known"`; empty when the body says nothing. */
  readonly summary: readonly string[];
}

/** The rest of an error body is not read. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
const MAX_ERRORS = 16;
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Reads the body of an error answer, which may be anything; never throws. */
export function readErrorBody(headers: HeaderMap, body: Uint8Array): ErrorBody {
  const bytes = body.subarray(0, MAX_ERROR_BODY_BYTES);
  const type = contentType(headers).toLowerCase();
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString("utf8").trim();
  if (start === "") return { codes: [], summary: [] };
  if (isWebPage(headers, bytes)) return { codes: [], summary: ["with an HTML page"] };
  const errors = listErrors(bytes);
  const codes = errors.map(error => error.code).filter(code => code !== undefined);
  const named = errors.find(error => error.code !== undefined || error.message !== undefined);
  if (named !== undefined) {
    const message = named.message === undefined ? [] : [quote(named.message)];
    return { codes, summary: named.code === undefined ? message : [named.code, ...message] };
  }
  const isText = type === "" || type.startsWith("text/") || type.includes("json");
  return { codes: [], summary: isText ? [`"${escapeForeign(start).replaceAll('"', '\\"')}"`] : [] };
}

interface ListedError {
  readonly code: string | undefined;
  readonly message: string | undefined;
}

function listErrors(bytes: Uint8Array): readonly ListedError[] {
  const document = parseQuietly(bytes);
  const list = field(document, "errors");
  // Token servers and proxies often send one error without the list.
  const errors: readonly unknown[] = Array.isArray(list) ? list.slice(0, MAX_ERRORS) : [document];
  return errors.map(error => {
    const code = field(error, "code");
    const message = field(error, "message") ?? field(error, "error_description") ?? field(error, "details");
    return {
      code: typeof code === "string" && CODE.test(code) ? code : undefined,
      message: typeof message === "string" && message !== "" ? message : undefined,
    };
  });
}

function parseQuietly(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { what: "error body", where: "registry", maxBytes: MAX_ERROR_BODY_BYTES });
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
